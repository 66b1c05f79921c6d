"""The site as a client of OpenID providers: where to send people, what to believe of those who come back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException

from concord.web.claim import dig, role_values, text_of, took_second_step, verified_email, within
from concord.web.outbound import AddressRefused, OutboundSession, public_session
from concord.web.security import origin
from concord.web.settings import WebSettings
from tenants.identity_provider import SCOPES
from tenants.sign_in import Vouched
from tenants.sign_in_way import Connection

# How far the clocks of a provider and of this host may be apart.
LEEWAY_SECONDS = 120
# A browser keeps some 4,000 bytes of cookie; a longer ID token is not kept, and signing out then names no session.
LONGEST_HINT = 2500
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
# Never “none”, and never a signature by the shared secret: the keys are fetched from the provider.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")

_LOGOUT_SECONDS = 300
_METADATA_SECONDS = 600
_KEYS_SECONDS = 5
_KNOWN = (
    *("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"),
    *("id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported"),
    *("authorization_response_iss_parameter_supported", "acr_values_supported"),
)
_EXTENSION = "concord.openid"


class SignInFailed(Exception):
    """The provider did not vouch for anyone; the text is fit to show."""

    title = "You are not signed in"
    status = 400
    afresh = False
    """Whether signing in at the provider anew, whoever is signed in there, may help."""


class ProviderAway(SignInFailed):
    """The provider does not answer."""

    title = "The sign-in service is not available"
    status = 503


class SignInCancelled(SignInFailed):
    """The person, or the provider, said no."""

    title = "You did not sign in"
    status = 403


class SecondStepMissing(SignInFailed):
    """The agency asks for a second step, and the provider did not say that there was one."""

    title = "Your agency asks for a second step"
    status = 403
    afresh = True


class SignedInTooLongAgo(SignInFailed):
    """The person signed in at the provider longer ago than the agency lets them."""

    afresh = True


class LogoutRefused(Exception):
    """A provider's word that somebody signed out is not to be believed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whom the provider vouches for, and what else it says of them."""

    issuer: str
    subject: str
    id_token: str | None
    vouched: Vouched
    ends_at: str | None
    """The origin of the provider, to which signing out leads."""


@dataclass(frozen=True, slots=True)
class LogoutWord:
    """A provider says that a session, or all of a person's, is over."""

    issuer: str
    subject: str | None
    sid: str | None
    jti: str


class ProviderClient(FlaskOAuth2App):  # type: ignore[misc]
    """The site as the client of one provider: an agency's own, or without a connection the deployment's."""

    def __init__(self, settings: WebSettings, connection: Connection | None) -> None:
        self.connection = connection
        self.issuer = connection.issuer if connection else settings.issuer or ""
        self.second_step = connection.second_step if connection else settings.second_step
        self.acr_values = tuple(connection.acr_values if connection else settings.acr_values)
        self.server_metadata: dict[str, Any] = {}
        self.made_at = time.monotonic()
        self._keys_at = -1e9
        # An address that an agency's administrator wrote may lead anywhere; the operator's own word is taken.
        guarded = connection is not None and not settings.demo
        self.client_cls = public_session if guarded else OutboundSession
        super().__init__(
            # The name keeps what one provider was asked apart from what another answers.
            FlaskIntegration(str(connection.id) if connection else "provider"),
            name="provider",
            client_id=connection.client_id if connection else settings.client_id,
            client_secret=connection.secret if connection else settings.client_secret,
            server_metadata_url=f"{self.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": " ".join(connection.scopes if connection else SCOPES),
                "code_challenge_method": "S256",
            },
        )

    def load_server_metadata(self) -> dict[str, Any]:
        """Return what is used of the provider's metadata.

        :raises ValueError: when it names another issuer than it was asked under.
        """
        if "_loaded_at" not in self.server_metadata:
            with self._get_session() as session:
                response = session.request("GET", self._server_metadata_url, withhold_token=True)
                response.raise_for_status()
                said = response.json()
            if not isinstance(said, dict) or str(said.get("issuer", "")).rstrip("/") != self.issuer:
                raise ValueError("the provider names another issuer than it was asked under")
            self.server_metadata = {name: said[name] for name in _KNOWN if name in said} | {"_loaded_at": time.time()}
            algorithms = said.get("id_token_signing_alg_values_supported") or ["RS256"]
            self.server_metadata["id_token_signing_alg_values_supported"] = [a for a in algorithms if a in ALGORITHMS]
            methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if "client_secret_basic" not in methods:
                self.client_kwargs["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105 - a method's name
        metadata: dict[str, Any] = self.server_metadata
        return metadata

    def fetch_jwk_set(self, force: bool = False) -> Any:  # noqa: ANN401 - Authlib has no types
        """Return the provider's keys; asked to fetch them anew, do so only every few seconds."""
        if force and time.monotonic() - self._keys_at < _KEYS_SECONDS:
            force = False
        if force or "jwks" not in self.server_metadata:
            self._keys_at = time.monotonic()
        keys: Any = super().fetch_jwk_set(force=force)
        return keys

    def read_signed(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return header and claims of what the provider signed, with keys fetched anew when it names a new one."""
        registry = JWSRegistry(
            algorithms=self.load_server_metadata()["id_token_signing_alg_values_supported"], strict_check_header=False
        )
        try:
            found = jwt.decode(token, KeySet.import_key_set(self.fetch_jwk_set()), registry=registry)
        except InvalidKeyIdError:
            found = jwt.decode(token, KeySet.import_key_set(self.fetch_jwk_set(force=True)), registry=registry)
        return found.header, found.claims


def install_openid(app: Flask, settings: WebSettings) -> None:
    """Let ``app`` be a client of the deployment's provider, and of those that agencies add."""
    app.extensions[_EXTENSION] = (settings, {})


def client_of(connection: Connection | None) -> ProviderClient:
    """Return the client of an agency's provider, or of the deployment's, with what it has learnt in ten minutes.

    :raises ProviderAway: when the deployment's is asked for and there is none.
    """
    settings, clients = current_app.extensions[_EXTENSION]
    if connection is None and settings.issuer is None:
        raise ProviderAway("No sign-in service has been set up for this site. Its operator names one in its settings.")
    key = connection.id if connection else None
    found: ProviderClient | None = clients.get(key)
    if found is None or time.monotonic() - found.made_at > _METADATA_SECONDS:
        # What a provider says of itself changes now and then: it is asked again, and no restart is needed.
        found = clients[key] = ProviderClient(settings, connection)
    return found


def send_to_provider(client: ProviderClient, callback_url: str, *, afresh: bool = False) -> ResponseReturnValue:
    """Redirect to the provider with a fresh state, nonce and code challenge.

    :param afresh: ask the provider to let the person sign in anew, whoever is signed in there.
    :raises ProviderAway: when it does not answer.
    :raises SignInFailed: when it answers with nonsense, or may not be called.
    """
    try:
        response: ResponseReturnValue = client.authorize_redirect(callback_url, **_demands(client, afresh=afresh))
    except RequestException as error:
        raise _away(error) from error
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise SignInFailed("The sign-in service gave an answer that Concord cannot use. Try again later.") from error
    return response


def read_answer(client: ProviderClient, *, now: datetime) -> Answer:
    """Return whom the provider vouches for, having checked state, issuer, code, signature, nonce and second step.

    :raises SignInCancelled: when the person gave up or the provider refused.
    :raises ProviderAway: when it does not answer.
    :raises SignInFailed: when the answer is not to be believed.
    """
    try:
        _check_issuer(client)
        token: dict[str, Any] = client.authorize_access_token(leeway=LEEWAY_SECONDS)
        claims = _add_missing(client, token, dict(token["userinfo"]))
        answer = _answer(client, token, claims)
    except RequestException as error:
        raise _away(error) from error
    except OAuthError as error:
        raise _explain(error) from error
    except (JoseError, KeyError, ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise SignInFailed("Concord could not check the sign-in service’s answer. Start again.") from error
    _check_second_step(client, claims, answer.vouched, now=now)
    return answer


def sign_out_address(client: ProviderClient, return_url: str, *, id_token: str | None) -> str | None:
    """Return where the provider ends its own session, or ``None`` when it says nowhere that a form may lead to."""
    try:
        endpoint = client.load_server_metadata().get("end_session_endpoint")
    except (RequestException, ValueError):
        return None
    if not isinstance(endpoint, str) or origin(endpoint) != origin(client.issuer):
        return None
    facts = {"client_id": client.client_id, "post_logout_redirect_uri": return_url}
    if id_token:
        facts["id_token_hint"] = id_token
    return f"{endpoint}?{urlencode(facts)}"


def read_logout(client: ProviderClient, token: str, *, now: datetime) -> LogoutWord:
    """Return whose session a logout token ends (OpenID Connect Back-Channel Logout 1.0, section 2.6).

    :raises LogoutRefused: when it is not to be believed; that it comes once only is for whoever keeps count.
    """
    try:
        header, claims = client.read_signed(token)
        issuer = client.load_server_metadata()["issuer"]
    except (RequestException, JoseError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise LogoutRefused("its signature could not be checked") from error
    audience, events, moment = claims.get("aud"), claims.get("events"), now.timestamp()
    for fits, what in (
        (
            str(header.get("typ", "JWT")).lower() in {"jwt", "logout+jwt", "application/logout+jwt"},
            "it is another kind of token",
        ),
        (claims.get("iss") == issuer, "it is another provider's"),
        (client.client_id in (audience if isinstance(audience, list) else [audience]), "it is for another client"),
        (within(claims.get("iat"), moment - _LOGOUT_SECONDS - LEEWAY_SECONDS, moment + LEEWAY_SECONDS), "its time"),
        ("exp" not in claims or within(claims["exp"], moment - LEEWAY_SECONDS), "it has expired"),
        (isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict), "it tells of no sign-out"),
        ("nonce" not in claims, "it carries a nonce"),
        (isinstance(claims.get("jti"), str) and claims["jti"], "it has no name"),
        (text_of(claims.get("sid")) or text_of(claims.get("sub")), "it says nobody's session"),
    ):
        if not fits:
            raise LogoutRefused(what)
    sid, subject = text_of(claims.get("sid")), text_of(claims.get("sub"))
    # People are known under the issuer as it was named for an agency, and by its own word for the deployment's.
    return LogoutWord(client.issuer if client.connection else issuer, subject, sid, claims["jti"])


def _demands(client: ProviderClient, *, afresh: bool) -> dict[str, str]:
    connection, demands = client.connection, {}
    if client.second_step and client.acr_values:
        demands["acr_values"] = " ".join(client.acr_values)
    if connection and connection.max_age_minutes:
        demands["max_age"] = str(connection.max_age_minutes * 60)
    return {**demands, "prompt": "login"} if afresh else demands


def _check_issuer(client: ProviderClient) -> None:
    """Refuse an answer that came by way of another provider (RFC 9207, section 2.4)."""
    metadata = client.load_server_metadata()
    named = request.args.get("iss")
    promised = metadata.get("authorization_response_iss_parameter_supported", False)
    if (named or promised) and named != metadata["issuer"]:
        raise SignInFailed("The answer did not come from your agency’s sign-in service. Start again.")


def _add_missing(client: ProviderClient, token: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """Ask the provider for what its ID token leaves out, and is needed here: the address and the roles' claim."""
    roles_claim = client.connection.roles_claim if client.connection else None
    if "email" in claims and (roles_claim is None or dig(claims, roles_claim) is not None):
        return claims
    if not client.load_server_metadata().get("userinfo_endpoint"):
        return claims
    more = dict(client.userinfo(token=token))
    if more.get("sub") != claims["sub"]:
        raise ValueError("the provider tells of somebody else")
    return {**more, **claims}


def _answer(client: ProviderClient, token: dict[str, Any], claims: dict[str, Any]) -> Answer:
    connection = client.connection
    id_token, subject = token.get("id_token"), text_of(claims["sub"])
    if subject is None:
        raise ValueError("the provider names nobody")
    return Answer(
        issuer=connection.issuer if connection else claims["iss"],
        subject=subject,
        id_token=id_token if id_token and len(id_token) <= LONGEST_HINT else None,
        ends_at=origin(client.issuer),
        vouched=Vouched(
            provider_id=connection.id if connection else None,
            email=verified_email(claims),
            claims=role_values(connection, claims),
            sid=text_of(claims.get("sid")),
            acr=text_of(claims.get("acr")),
            auth_time=datetime.fromtimestamp(claims["auth_time"], UTC) if "auth_time" in claims else None,
            second_step=took_second_step(client.acr_values, claims),
        ),
    )


def _check_second_step(client: ProviderClient, claims: Mapping[str, Any], vouched: Vouched, *, now: datetime) -> None:
    connection = client.connection
    if client.second_step and not vouched.second_step:
        raise SecondStepMissing(
            "Your agency’s sign-in service did not say that you took a second step, such as a code from your "
            "telephone. Set one up with your agency’s help desk, then sign in again."
        )
    if connection and connection.max_age_minutes:
        oldest = now.timestamp() - connection.max_age_minutes * 60 - LEEWAY_SECONDS
        if not within(claims.get("auth_time"), oldest):
            raise SignedInTooLongAgo("You signed in at your agency’s service too long ago. Sign in there again.")


def _explain(error: OAuthError) -> SignInFailed:
    if error.error == "access_denied":
        return SignInCancelled("You, or your agency’s sign-in service, cancelled it. Nothing has happened.")
    if error.error == "mismatching_state":
        return SignInFailed(
            "This sign-in was begun in another window or too long ago, or your browser refuses cookies. Start again."
        )
    if error.error == "unmet_authentication_requirements":
        return SecondStepMissing(
            "Your agency’s sign-in service could not take you through a second step. Set one up with your agency’s "
            "help desk, then sign in again."
        )
    return SignInFailed(
        "Your agency’s sign-in service refused. Start again; if that does not help, tell its help desk."
    )


def _away(error: RequestException) -> SignInFailed:
    if isinstance(error, AddressRefused):
        return SignInFailed(f"Concord may not call your agency’s sign-in service. {error}")
    return ProviderAway(
        "Your agency’s sign-in service does not answer, so Concord cannot let you in. Try again in a few minutes."
    )
