"""The headers that keep a page to itself: a policy for scripts and forms, no framing, no caching, no sniffing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Signer

_YEAR = 365 * 24 * 60 * 60
# What is signed without saying how, such as the token of a form: SHA-1 is the library's own default.
Signer.default_digest_method = staticmethod(hashlib.sha256)


class SignedCookie(SecureCookieSessionInterface):
    """The cookie that forms use, signed by HMAC with SHA-256 in place of SHA-1."""

    digest_method = staticmethod(hashlib.sha256)


def nonce() -> str:
    """Return the token that this response's own scripts carry."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(18)
    token: str = g.nonce
    return token


def origin(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def install_security(app: Flask, *, https: bool, form_targets: Callable[[], Iterable[str]] = tuple) -> None:
    """Add the headers to each response of ``app``.

    :param form_targets: says to which origins, besides its own, the answer of this request's forms may lead.
    """

    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _policy(" ".join(("'self'", *form_targets())))
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
        if request.endpoint == "static":
            return _let_keep(response)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.session_interface = SignedCookie()
    app.after_request(add_headers)
    app.jinja_env.globals["csp_nonce"] = nonce


def _policy(form_targets: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "object-src 'none'",
            f"script-src 'nonce-{nonce()}'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            f"form-action {form_targets}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _let_keep(response: Response) -> Response:
    kept = "v" in request.args and response.status_code in (200, 304)
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable" if kept else "no-cache"
    return response
