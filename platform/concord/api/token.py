"""Tokens over HTTP: client credentials for a token (RFC 6749, section 4.4), revocation (RFC 7009), metadata (RFC 8414).

Authlib speaks the protocol; who may come in is asked of the database, in the scope of nobody. A token travels as
“Authorization: Bearer” alone: never in an address or a body, and a browser's cookie opens nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, InvalidScopeError, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from sqlalchemy.orm import Session

from concord.api.parts import ROOT, current_parts
from concord.api.refusal import ScopeTooNarrow, TokenMissing, TokenOver
from tenants.api_scope import ApiScope, scopes_for, verbs_of
from tenants.api_token import (
    TOKEN_MINUTES,
    Caller,
    ClientGone,
    Credentials,
    end_token,
    find_caller,
    find_credentials,
    start_token,
)
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.scope import NOBODY

METHODS = ("client_secret_basic", "client_secret_post")
_SERVER = "concord-api-tokens"
_LONGEST = 200

blueprint = Blueprint("api_token", __name__, url_prefix=ROOT)


class Client(ClientMixin):  # type: ignore[misc]
    """A client as Authlib asks about one."""

    def __init__(self, credentials: Credentials) -> None:
        self.client_id = credentials.client_id
        self._credentials = credentials

    def get_client_id(self) -> str:
        """Return its public name."""
        return str(self.client_id)

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return what it may have of what it asks for; all that it may where it does not say.

        :raises InvalidScopeError: when it asks for what it may not have.
        """
        asked = scope.split() if scope else list(self._credentials.scopes)
        if not set(asked) <= set(self._credentials.scopes):
            raise InvalidScopeError
        return " ".join(asked)

    def check_client_secret(self, client_secret: str) -> bool:
        """Say whether it has shown one of its secrets."""
        return self._credentials.matches(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's signature
        """Say whether it may show its secret so."""
        return str(method) in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether it may ask so."""
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)


class CredentialsGrant(ClientCredentialsGrant):  # type: ignore[misc]
    """A token for a client's secret; what it is worth is kept with it in the database."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(METHODS)

    def validate_requested_scope(self) -> None:
        """Refuse a scope that the client may not have, rather than leave it out in silence."""
        self.request.client.get_allowed_scope(self.request.payload.scope)

    def generate_token(self, **_: object) -> dict[str, Any]:
        """Return a token, kept."""
        client: Client = self.request.client
        scope = client.get_allowed_scope(self.request.payload.scope)
        with _nobody() as session:
            token = start_token(session, client.client_id, scopes=scope.split(), now=utc_now())
        return {"token_type": "Bearer", "access_token": token, "expires_in": TOKEN_MINUTES * 60, "scope": scope}


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """The end of a token, at its own client's wish."""

    CLIENT_AUTH_METHODS: ClassVar = list(METHODS)

    def authenticate_token(self, request: OAuth2Request, client: Client) -> tuple[UUID, str]:
        """Return the token and whose it must be; whether it is one is nobody's to know (RFC 7009, section 2.2)."""
        self.check_params(request, client)
        return client.client_id, request.form["token"]

    def revoke_token(self, token: tuple[UUID, str], request: OAuth2Request) -> None:  # noqa: ARG002
        """End it."""
        with _nobody() as session:
            end_token(session, token[0], token=token[1], now=utc_now())


def install_tokens(app: Flask) -> None:
    """Give ``app`` its authorization server."""
    server = AuthorizationServer(query_client=_find_client, save_token=lambda *_: None)
    server.load_config({})
    server.register_grant(CredentialsGrant)
    server.register_endpoint(Revocation)
    app.extensions[_SERVER] = server


def require_caller(verbs: tuple[Verb, ...]) -> Caller:
    """Return who asks, when a token of theirs opens one of the verbs.

    :raises TokenMissing: when none was sent.
    :raises TokenOver: when it is not, or no longer, good.
    :raises ScopeTooNarrow: when it does not open them.
    """
    if _token() is None:
        raise TokenMissing
    caller = known_caller()
    if caller is None:
        raise TokenOver
    if verbs_of(caller.scopes).isdisjoint(verbs):
        raise ScopeTooNarrow(scopes_for(*verbs))
    return caller


def known_caller() -> Caller | None:
    """Return who holds the token that was sent, looked up once in a request."""
    if "known_caller" not in g:
        g.known_caller = None
        token = _token()
        if token is not None:
            with _nobody() as session:
                g.known_caller = find_caller(session, token=token, now=utc_now())
    caller: Caller | None = g.known_caller
    return caller


@blueprint.post("/token")
def token() -> Response:
    """Give a token for a client's secret."""
    try:
        response: Response = _server().create_token_response()
    except ClientGone:
        return _refused("invalid_client", 401)
    return response


@blueprint.post("/revoke")
def revoke() -> Response:
    """End a token."""
    response: Response = _server().create_endpoint_response(Revocation.ENDPOINT_NAME)
    return response


def metadata() -> Response:
    """Say where tokens are had, and how (RFC 8414)."""
    site = current_parts().site_url
    return jsonify(
        issuer=site,
        token_endpoint=f"{site}{ROOT}/token",
        revocation_endpoint=f"{site}{ROOT}/revoke",
        grant_types_supported=[ClientCredentialsGrant.GRANT_TYPE],
        response_types_supported=[],
        scopes_supported=list(ApiScope),
        token_endpoint_auth_methods_supported=list(METHODS),
        revocation_endpoint_auth_methods_supported=list(METHODS),
        service_documentation=f"{site}{ROOT}/docs",
    )


@contextmanager
def _nobody() -> Iterator[Session]:
    """Open a transaction without a scope; what it puts on record says from where it was asked."""
    parts = current_parts()
    with parts.database.transaction(NOBODY) as session:
        session.info.update(request_id=parts.request_id(), origin="api", address=request.remote_addr)
        yield session


def _server() -> AuthorizationServer:
    return current_app.extensions[_SERVER]


def _find_client(name: str) -> Client | None:
    try:
        client_id = UUID(name)
    except ValueError:
        return None
    with _nobody() as session:
        found = find_credentials(session, client_id, now=utc_now())
    return Client(found) if found else None


def _refused(error: str, status: int) -> Response:
    response = jsonify(error=error)
    response.status_code = status
    return response


def _token() -> str | None:
    """Return the token that was sent, if one was (RFC 6750, section 2.1)."""
    kind, _, sent = request.headers.get("Authorization", "").partition(" ")
    return sent.strip()[:_LONGEST] if kind.lower() == "bearer" else None


for _view in (token, revoke, metadata):
    vars(_view)["access"] = "anyone"
