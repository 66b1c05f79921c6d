"""The provider's pages and endpoints, in an application of its own."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Flask, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from joserfc.jwk import KeySet

from concord.provider.grant import Client, Grants
from concord.provider.people import DemoPerson, by_agency, read_people, starters
from concord.provider.server import describe, make_key, make_server
from concord.web.error import error_page, install_errors
from concord.web.frontend import make_page_app
from concord.web.security import install_security, origin
from concord.web.trace import install_trace
from tenants.error import Forbidden

ANSWER_PATH = "/sign-in/answer"
LEFT_PATH = "/signed-out"
LOGOUT_PATH = "/back-channel-logout"
_EXTENSION = "concord.provider"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

blueprint = Blueprint("provider", __name__)


class ProviderRefused(Forbidden):
    """The development provider may not run here."""


def create_provider(
    *, issuer: str, site_url: str, client_id: str, client_secret: str, people_path: Path, demo: bool
) -> Flask:
    """Return the provider for one site; the file of people is read again at each visit.

    :raises ProviderRefused: outside demo mode, or away from the loopback address.
    """
    refuse_outside_demo(demo=demo)
    _refuse_beyond_loopback(issuer, site_url)
    app = make_page_app("concord.provider")
    app.config.update(
        SECRET_KEY=secrets.token_hex(32),
        # Cookies know no ports: the site on the same host must not be handed the provider's.
        SESSION_COOKIE_NAME="concord-provider",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )
    install_trace(app)
    install_security(app, https=False, form_targets=lambda: (origin(site_url),))
    install_errors(app)
    csrf = CSRFProtect(app)
    client = Client(
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=site_url + ANSWER_PATH,
        post_logout_redirect_uri=site_url + LEFT_PATH,
        backchannel_logout_uri=site_url + LOGOUT_PATH,
    )
    server = make_server(app, issuer=issuer, client=client, key=make_key(), grants=Grants())
    app.extensions[_EXTENSION] = (server, people_path)
    app.register_blueprint(blueprint)
    # The site's own server calls it, with a secret and no cookie.
    csrf.exempt(give_token)
    app.context_processor(lambda: {"site_name": "Concord demo sign-in", "demo": True})
    return app


def refuse_outside_demo(*, demo: bool) -> None:
    """Let only a demonstration pass.

    :raises ProviderRefused: outside demo mode.
    """
    if not demo:
        raise ProviderRefused(
            "The development provider lets anyone in as anyone, so it runs only in demo mode. "
            "Set CONCORD_OIDC_ISSUER to your agency’s own provider, or CONCORD_DEMO=1 for a demonstration."
        )


def _refuse_beyond_loopback(*urls: str) -> None:
    if any(urlsplit(url).hostname not in _LOOPBACK for url in urls):
        raise ProviderRefused(
            "The development provider serves only this machine: its own address and the site’s must be on 127.0.0.1."
        )


@blueprint.get("/.well-known/openid-configuration")
def show_metadata() -> ResponseReturnValue:
    """Describe the provider."""
    return jsonify(describe(_server().issuer))


@blueprint.get("/keys")
def show_keys() -> ResponseReturnValue:
    """Show the public keys that ID tokens are signed with."""
    return jsonify(KeySet([_server().key]).as_dict(private=False))


@blueprint.get("/authorize")
def choose() -> ResponseReturnValue:
    """Offer the people to sign in as."""
    try:
        _server().get_consent_grant(end_user=None)
    except OAuth2Error as error:
        return _refuse(error)
    people = _people()
    return render_template(
        "choose-person.html", starters=starters(people), agencies=by_agency(people), action=request.full_path
    )


@blueprint.post("/authorize")
def answer() -> ResponseReturnValue:
    """Send the chosen person's code, or the refusal, back to the site."""
    chosen = None if "cancel" in request.form else _find_person(request.form.get("subject", ""))
    if chosen is None and "cancel" not in request.form:
        return error_page(404, title="There is no such person", body="Go back and choose somebody from the list.")
    try:
        grant = _server().get_consent_grant(end_user=chosen)
    except OAuth2Error as error:
        return _refuse(error)
    response: ResponseReturnValue = _server().create_authorization_response(grant_user=chosen, grant=grant)
    return response


@blueprint.post("/token")
def give_token() -> ResponseReturnValue:
    """Change a code into tokens."""
    response: ResponseReturnValue = _server().create_token_response()
    return response


@blueprint.route("/userinfo", methods=["GET"])
def tell() -> ResponseReturnValue:
    """Tell the holder of an access token whom it is about."""
    response: ResponseReturnValue = _server().create_endpoint_response("userinfo")
    return response


@blueprint.get("/end-session")
def leave() -> ResponseReturnValue:
    """End what the provider knows of a person's session and send them back."""
    try:
        response: ResponseReturnValue | None = _server().create_endpoint_response("end_session")
    except OAuth2Error as error:
        return _refuse(error)
    return response or render_template("provider-left.html")


@blueprint.get("/health/live")
def live() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(status="live")


def _server() -> Any:  # noqa: ANN401 - Authlib has no types
    return current_app.extensions[_EXTENSION][0]


def _people() -> tuple[DemoPerson, ...]:
    if "people" not in g:
        g.people = read_people(current_app.extensions[_EXTENSION][1])
    people: tuple[DemoPerson, ...] = g.people
    return people


def _find_person(subject: str) -> DemoPerson | None:
    return next((person for person in _people() if person.subject == subject), None)


def _refuse(error: OAuth2Error) -> ResponseReturnValue:
    """Send the error back to the site where the request said so rightly, else show it here (RFC 6749, 4.1.2.1)."""
    if error.redirect_uri:
        server = _server()
        response: ResponseReturnValue = server.handle_error_response(server.create_oauth2_request(None), error)
        return response
    return error_page(400, title="The site asked in a way this provider refuses", body=error.description or error.error)
