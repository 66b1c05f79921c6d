"""What the provider hands out, kept in memory: codes for a minute, tokens for five, each code once."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin

from concord.provider.people import DemoPerson

CODE_SECONDS = 60
TOKEN_SECONDS = 300
SCOPES = ("openid", "profile", "email")
SECOND_STEP = "urn:concord:second-step"


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]
    """The one client: the site."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    post_logout_redirect_uri: str
    backchannel_logout_uri: str | None = None
    """Where the client is told that somebody signed out here."""
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - the name of an algorithm

    @property
    def client_metadata(self) -> dict[str, Any]:
        """Return what signing out and userinfo ask of a client."""
        return {"post_logout_redirect_uris": [self.post_logout_redirect_uri]}

    def get_client_id(self) -> str:
        """Return the client's name."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """Return nothing: a request must say where it leads."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return those of the asked scopes that there are."""
        asked = (scope or "").split()
        return " ".join(known for known in SCOPES if known in asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Say whether an answer may go there."""
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        """Say whether the secret is the client's."""
        return hmac.compare_digest(self.client_secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Say whether the client may show its secret so; it must show it."""
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type: str) -> bool:
        """Say whether the client may ask for this kind of answer."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether the client may ask for tokens so."""
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """A person's leave for the client, to be changed into a token."""

    code: str = field(repr=False)
    person: DemoPerson
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    made_at: float
    sid: str = ""
    """How the person's session here is named to the client."""
    second_step: bool = False

    def get_redirect_uri(self) -> str:
        """Return where the code was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was granted."""
        return self.scope

    def get_nonce(self) -> str | None:
        """Return the client's nonce, for the ID token."""
        return self.nonce

    def get_auth_time(self) -> int:
        """Return when the person chose, in seconds since the epoch."""
        return int(self.made_at)

    def get_acr(self) -> str | None:
        """Return the class of a sign-in with a second step, as far as one can be acted."""
        return SECOND_STEP if self.second_step else None

    def get_amr(self) -> list[str] | None:
        """Return the methods of a sign-in with a second step (RFC 8176); choosing from a list is none."""
        return ["mfa"] if self.second_step else None


@dataclass(frozen=True)
class Token(TokenMixin):  # type: ignore[misc]
    """Leave to ask who the person is."""

    person: DemoPerson
    client: Client
    scope: str
    made_at: float
    clock: Callable[[], float] = field(repr=False)

    def check_client(self, client: Client) -> bool:
        """Say whether the token is that client's."""
        return client == self.client

    def get_scope(self) -> str:
        """Return what it lets one ask."""
        return self.scope

    def get_expires_in(self) -> int:
        """Return how long it lasts from its making, in seconds."""
        return TOKEN_SECONDS

    def is_expired(self) -> bool:
        """Say whether its time is over."""
        return self.clock() >= self.made_at + TOKEN_SECONDS

    def is_revoked(self) -> bool:
        """Say no: a token that was revoked is forgotten, and not found at all."""
        return False

    def get_user(self) -> DemoPerson:
        """Return whom it is about."""
        return self.person

    def get_client(self) -> Client:
        """Return whom it was given to."""
        return self.client


class Grants:
    """The codes and tokens that are good now."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, Token] = {}

    def keep_code(self, code: Code) -> None:
        """Keep a code until it is changed or a minute old."""
        with self._lock:
            self._forget_old()
            self._codes[code.code] = code

    def take_code(self, code: str) -> Code | None:
        """Return a good code and forget it, so that it serves once."""
        with self._lock:
            found = self._codes.pop(code, None)
        return found if found and self.clock() < found.made_at + CODE_SECONDS else None

    def keep_token(self, value: str, token: Token) -> None:
        """Keep a token until it expires."""
        with self._lock:
            self._tokens[value] = token

    def find_token(self, value: str) -> Token | None:
        """Return what an access token stands for."""
        with self._lock:
            return self._tokens.get(value)

    def revoke(self, subject: str) -> None:
        """Forget every code and token of a person."""
        with self._lock:
            self._codes = {key: code for key, code in self._codes.items() if code.person.subject != subject}
            self._tokens = {key: token for key, token in self._tokens.items() if token.person.subject != subject}

    def _forget_old(self) -> None:
        oldest = self.clock() - CODE_SECONDS
        self._codes = {key: code for key, code in self._codes.items() if code.made_at > oldest}
        self._tokens = {key: token for key, token in self._tokens.items() if not token.is_expired()}
