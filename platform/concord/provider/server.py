"""The provider's protocol, built on Authlib: code with PKCE, ID tokens, userinfo, signing out (OpenID Connect 1.0)."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import Any

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import UserInfo, UserInfoEndpoint
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from concord.provider.grant import CODE_SECONDS, SCOPES, SECOND_STEP, TOKEN_SECONDS, Client, Code, Grants, Token
from concord.provider.people import DemoPerson

KEY_BITS = 2048
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def make_key() -> RSAKey:
    """Return a fresh signing key, named by its thumbprint; it lives as long as the process."""
    return RSAKey.generate_key(KEY_BITS, parameters={"use": "sig", "alg": "RS256"}, auto_kid=True)


def make_server(app: Flask, *, issuer: str, client: Client, key: RSAKey, grants: Grants) -> AuthorizationServer:
    """Return the authorization server of ``app``."""
    app.config.update(
        OAUTH2_SCOPES_SUPPORTED=list(SCOPES), OAUTH2_TOKEN_EXPIRES_IN={"authorization_code": TOKEN_SECONDS}
    )

    def find_client(client_id: str) -> Client | None:
        return client if client_id == client.client_id else None

    def keep_token(token: dict[str, Any], request: OAuth2Request) -> None:
        kept = Token(
            person=request.user, client=client, scope=token["scope"], made_at=grants.clock(), clock=grants.clock
        )
        grants.keep_token(token["access_token"], kept)

    server = AuthorizationServer(app, query_client=find_client, save_token=keep_token)
    server.grants, server.issuer, server.key, server.client = grants, issuer, key, client
    server.register_extension(Issuer(issuer))
    server.register_grant(CodeGrant, [PlainlyRefused(required=True), IdToken(issuer, key)])
    protector = ResourceProtector()
    protector.register_token_validator(TokenValidator(grants))
    server.register_endpoint(WhoIsIt(resource_protector=protector))
    server.register_endpoint(Leave)
    return server


def describe(issuer: str) -> dict[str, Any]:
    """Return the provider's metadata (OpenID Connect Discovery 1.0, section 3)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/end-session",
        "jwks_uri": f"{issuer}/keys",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": list(SCOPES),
        "claims_supported": ["sub", "name", "email", "email_verified", "acr", "amr", "auth_time", "sid"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
        "acr_values_supported": [SECOND_STEP],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }


def claims_of(person: DemoPerson, scope: str) -> UserInfo:
    """Return what a scope lets the client know of a person."""
    return UserInfo(sub=person.subject, name=person.name, email=person.email, email_verified=True).filter(scope)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes for people who chose themselves from the list."""

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """Keep a new code with what it was asked for."""
        facts = request.payload.data
        self.server.grants.keep_code(
            Code(
                code=code,
                person=request.user,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                nonce=facts.get("nonce"),
                code_challenge=facts["code_challenge"],
                code_challenge_method=facts["code_challenge_method"],
                made_at=self.server.grants.clock(),
                sid=secrets.token_urlsafe(16),
                second_step=bool(request.payload.data.get("second_step")),
            )
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:  # noqa: ARG002 - there is one client
        """Return a good code; a second look finds nothing."""
        found: Code | None = self.server.grants.take_code(code)
        return found

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Do nothing more: the code was forgotten when it was taken."""

    def authenticate_user(self, authorization_code: Code) -> DemoPerson:
        """Return whom the code is about."""
        return authorization_code.person


class PlainlyRefused(CodeChallenge):  # type: ignore[misc]
    """PKCE by S256 from every client, secrets or not (RFC 9700, section 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with one that is sent in the clear."""
        facts = grant.request.payload.data
        if not facts.get("code_challenge") or facts.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge by S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):  # type: ignore[misc]
    """The signed word of who somebody is."""

    def __init__(self, issuer: str, key: RSAKey) -> None:
        super().__init__(require_nonce=True)
        self._issuer, self._key = issuer, key

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:  # noqa: ARG002
        """Say no: the client checks its own nonces, which end with its session."""
        return False

    def resolve_client_private_key(self, client: Client) -> RSAKey:  # noqa: ARG002
        """Return the key that signs."""
        return self._key

    def get_encode_header(self, client: Client) -> dict[str, str]:
        """Return the header, naming algorithm and key."""
        return {"alg": client.id_token_signed_response_alg, "kid": str(self._key.kid)}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        """Return who says it, and to whom."""
        return {"iss": self._issuer, "aud": [client.client_id]}

    def get_authorization_code_claims(self, authorization_code: Code) -> dict[str, Any]:
        """Return what is known of the sign-in, its session's name among it."""
        return {**super().get_authorization_code_claims(authorization_code), "sid": authorization_code.sid}

    def generate_user_info(self, user: DemoPerson, scope: str) -> UserInfo:
        """Return what the scope lets the client know."""
        return claims_of(user, scope)


class Issuer(IssuerParameter):  # type: ignore[misc]
    """Names the provider in each answer (RFC 9207)."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        """Return the provider's name."""
        return self._issuer


class TokenValidator(BearerTokenValidator):  # type: ignore[misc]
    """Looks access tokens up."""

    def __init__(self, grants: Grants) -> None:
        super().__init__()
        self._grants = grants

    def authenticate_token(self, token_string: str) -> Token | None:
        """Return what the token stands for."""
        return self._grants.find_token(token_string)


class WhoIsIt(UserInfoEndpoint):  # type: ignore[misc]
    """Tells the holder of a token whom it is about."""

    def generate_user_info(self, user: DemoPerson, scope: str) -> UserInfo:
        """Return what the scope lets the client know."""
        return claims_of(user, scope)


class Leave(EndSessionEndpoint):  # type: ignore[misc]
    """Signing out, asked for by the client (OpenID Connect RP-Initiated Logout 1.0)."""

    def get_server_jwks(self) -> KeySet:
        """Return the keys that a hint may be signed with."""
        return KeySet([self.server.key])

    def get_algorithms(self) -> list[str]:
        """Return the one algorithm in use."""
        return ["RS256"]

    def end_session(self, end_session_request: Any) -> None:  # noqa: ANN401 - Authlib has no types
        """Forget what was handed out for the person; nobody stays signed in here."""
        claims = end_session_request.id_token_claims
        if claims:
            self.server.grants.revoke(str(claims.get("sub")))
            self._tell_client(str(claims.get("sub")), str(claims.get("sid")))

    def _tell_client(self, subject: str, sid: str) -> None:
        """Tell the client which session is over (OpenID Connect Back-Channel Logout 1.0, section 2.5)."""
        server, now = self.server, int(time.time())
        if server.client.backchannel_logout_uri is None:
            return
        claims = {"iss": server.issuer, "aud": server.client.client_id, "iat": now, "exp": now + CODE_SECONDS}
        claims |= {"jti": secrets.token_urlsafe(16), "sub": subject, "sid": sid, "events": {LOGOUT_EVENT: {}}}
        token = jwt.encode({"alg": "RS256", "kid": str(server.key.kid), "typ": "logout+jwt"}, claims, server.key)
        # Nobody waits for a client that does not answer, and signing out here holds all the same.
        with suppress(requests.RequestException):
            requests.post(server.client.backchannel_logout_uri, data={"logout_token": token}, timeout=2)
