"""Where a request comes from when proxies stand between: as many of them are believed as there are."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def install_proxies(app: Flask, number: int) -> None:
    """Take the asker's address from the last ``number`` entries of ``X-Forwarded-For``, which so many proxies wrote.

    Whatever else stands in that header the asker wrote, and so counts for nothing. Nothing but the address is taken
    from a proxy: the site's name and scheme are settings.
    """
    if number:
        told = ProxyFix(_Addresses(app.wsgi_app), x_for=number, x_proto=0, x_host=0, x_port=0, x_prefix=0)
        app.wsgi_app = told  # type: ignore[method-assign]


class _Addresses:
    """Lets nothing pass as an address that is none: then the nearest proxy's own stands."""

    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with the address that was told, or the one that the connection has."""
        nearest = environ["werkzeug.proxy_fix.orig"]["REMOTE_ADDR"]
        environ["REMOTE_ADDR"] = read_address(environ.get("REMOTE_ADDR") or "") or nearest
        return self._inner(environ, start_response)


def read_address(text: str) -> str | None:
    """Return the address that a proxy wrote, without the port or brackets that some add; ``None`` when it is none.

    >>> read_address("192.0.2.7:4711"), read_address("[2001:db8::7]:443"), read_address("unknown")
    ('192.0.2.7', '2001:db8::7', None)
    """
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ip_address(bare))
    except ValueError:
        return None
