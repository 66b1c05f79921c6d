"""The site as a client of an OpenID provider: where to send people, what to believe of those who come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError
from requests import RequestException

from concord.web.security import origin
from concord.web.settings import WebSettings

TIMEOUT_SECONDS = 5
# A browser keeps some 4,000 bytes of cookie; a longer ID token is not kept, and signing out then names no session.
LONGEST_HINT = 2500

_EXTENSION = "concord.openid"


class SignInFailed(Exception):
    """The provider did not vouch for anyone; the text is fit to show."""

    title = "You are not signed in"
    status = 400


class ProviderAway(SignInFailed):
    """The provider does not answer."""

    title = "The sign-in service is not available"
    status = 503


class SignInCancelled(SignInFailed):
    """The person, or the provider, said no."""

    title = "You did not sign in"
    status = 403


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for."""

    issuer: str
    subject: str
    id_token: str | None


def install_openid(app: Flask, settings: WebSettings) -> None:
    """Make ``app`` a client of the provider that the settings name."""
    if settings.issuer is None:
        return
    oauth = OAuth(app)
    oauth.register(
        "provider",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )
    app.extensions[_EXTENSION] = (oauth.provider, settings)


def send_to_provider(callback_url: str) -> ResponseReturnValue:
    """Redirect to the provider with a fresh state, nonce and code challenge.

    :raises ProviderAway: when it does not answer.
    :raises SignInFailed: when it answers with nonsense.
    """
    client, settings = _client()
    try:
        _check_issuer(client.load_server_metadata(), settings)
        response: ResponseReturnValue = client.authorize_redirect(callback_url)
    except RequestException as error:
        raise _away() from error
    except (ValueError, KeyError, RuntimeError) as error:
        raise SignInFailed("The sign-in service gave an answer that Concord cannot use. Try again later.") from error
    return response


def read_answer() -> Vouched:
    """Return whom the provider vouches for, having checked state, issuer, code, signature and nonce.

    :raises SignInCancelled: when the person gave up or the provider refused.
    :raises ProviderAway: when it does not answer.
    :raises SignInFailed: when the answer is not to be believed.
    """
    client, settings = _client()
    try:
        _check_answer(client, settings)
        token: dict[str, Any] = client.authorize_access_token()
        claims = token["userinfo"]
        vouched = Vouched(issuer=claims["iss"], subject=claims["sub"], id_token=_hint(token.get("id_token")))
    except RequestException as error:
        raise _away() from error
    except OAuthError as error:
        raise _explain(error) from error
    except (JoseError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise SignInFailed("Concord could not check the sign-in service’s answer. Start again.") from error
    return vouched


def sign_out_address(return_url: str, *, id_token: str | None) -> str | None:
    """Return where the provider ends its own session, or ``None`` when it says nowhere that a form may lead to."""
    if _EXTENSION not in current_app.extensions:
        return None
    client, settings = _client()
    try:
        endpoint = client.load_server_metadata().get("end_session_endpoint")
    except (RequestException, ValueError):
        return None
    if not endpoint or origin(endpoint) != origin(settings.issuer or ""):
        return None
    facts = {"client_id": settings.client_id, "post_logout_redirect_uri": return_url}
    if id_token:
        facts["id_token_hint"] = id_token
    return f"{endpoint}?{urlencode(facts)}"


def _client() -> tuple[Any, WebSettings]:
    if _EXTENSION not in current_app.extensions:
        raise ProviderAway("No sign-in service has been set up for this site. Its operator names one in its settings.")
    client, settings = current_app.extensions[_EXTENSION]
    return client, settings


def _check_issuer(metadata: dict[str, Any], settings: WebSettings) -> None:
    if str(metadata.get("issuer", "")).rstrip("/") != settings.issuer:
        raise ValueError("the provider names another issuer than the settings do")


def _check_answer(client: Any, settings: WebSettings) -> None:  # noqa: ANN401 - Authlib has no types
    """Refuse an answer that came by way of another provider (RFC 9207, section 2.4)."""
    metadata = client.load_server_metadata()
    _check_issuer(metadata, settings)
    named = request.args.get("iss")
    promised = metadata.get("authorization_response_iss_parameter_supported", False)
    if (named or promised) and named != metadata["issuer"]:
        raise SignInFailed("The answer did not come from your agency’s sign-in service. Start again.")


def _explain(error: OAuthError) -> SignInFailed:
    if error.error == "access_denied":
        return SignInCancelled("You, or your agency’s sign-in service, cancelled it. Nothing has happened.")
    if error.error == "mismatching_state":
        return SignInFailed(
            "This sign-in was begun in another window or too long ago, or your browser refuses cookies. Start again."
        )
    return SignInFailed(
        "Your agency’s sign-in service refused. Start again; if that does not help, tell its help desk."
    )


def _away() -> ProviderAway:
    return ProviderAway(
        "Your agency’s sign-in service does not answer, so Concord cannot let you in. Try again in a few minutes."
    )


def _hint(id_token: str | None) -> str | None:
    return id_token if id_token and len(id_token) <= LONGEST_HINT else None
