"""Back-channel logout: which tokens are believed, and that each counts once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from concord.web import create_app
from concord.web.openid import LOGOUT_EVENT, ProviderClient
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import Vouched, find_session, sign_in
from tests.factories import ISSUER, Factories, Tenant
from tests.site import make_settings

KEY = RSAKey.generate_key(2048, parameters={"kid": "the-key", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "the-key", "use": "sig"})


class TestLogoutToken:
    def test_ends_the_session_that_it_names(self, told: Told) -> None:
        token, elsewhere = told.begin(sid="here"), told.begin(sid="elsewhere")

        assert told.tell(sid="here") == 200

        assert (told.holds(token), told.holds(elsewhere)) == (False, True)

    def test_ends_all_of_a_person_that_it_names(self, told: Told) -> None:
        tokens = [told.begin(sid=sid) for sid in ("one", "two", None)]

        assert told.tell(sub=told.tenant.subject, sid=None) == 200

        assert [told.holds(token) for token in tokens] == [False] * 3

    def test_ends_nothing_of_another(self, told: Told, factories: Factories) -> None:
        other = Told(told.app, told.database, factories.tenant(factories.consortium()))
        token = other.begin(sid="theirs")

        assert told.tell(sub=told.tenant.subject, sid=None) == 200

        assert other.holds(token)

    def test_counts_once(self, told: Told) -> None:
        made = told.made(jti="only-once-of-its-kind")

        assert [told.send(made), told.send(made)] == [200, 400]

    @pytest.mark.parametrize(
        "change",
        [
            {"iss": "https://evil.example"},
            {"iss": None},
            {"aud": "another"},
            {"aud": ["another"]},
            {"aud": None},
            {"iat": 0},
            {"iat": None},
            {"iat": "now"},
            {"iat": True},
            {"iat": 4e9},
            {"exp": 1},
            {"exp": "never"},
            {"events": None},
            {"events": {}},
            {"events": {LOGOUT_EVENT: None}},
            {"events": [LOGOUT_EVENT]},
            {"events": {"http://schemas.openid.net/event/other": {}}},
            {"nonce": "one"},
            {"nonce": ""},
            {"jti": None},
            {"jti": ""},
            {"jti": 1},
            {"sid": None, "sub": None},
            {"sid": "", "sub": ""},
            {"sid": 1, "sub": 2},
        ],
    )
    def test_is_refused_when_anything_is_amiss(self, told: Told, change: dict[str, Any]) -> None:
        token = told.begin(sid="here")

        assert told.tell(**{"sid": "here", **change}) == 400

        assert told.holds(token)

    @pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "LOGOUT+JWT"])
    def test_may_say_what_it_is(self, told: Told, typ: str) -> None:
        assert told.send(told.made(header={"typ": typ})) == 200

    def test_is_refused_as_another_kind(self, told: Told) -> None:
        assert told.send(told.made(header={"typ": "at+jwt"})) == 400

    def test_is_refused_unsigned_or_signed_by_others(self, told: Told) -> None:
        header, body, _ = told.made().split(".")
        shared = OctKey.import_key("a-secret-for-tests-that-is-long-enough-for-hs256")

        for forged in (
            told.made(key=OTHER_KEY),
            told.made(key=shared, header={"alg": "HS256", "kid": "the-key"}),
            f"{header}.{body}.",
            f"eyJhbGciOiJub25lIn0.{body}.",
            f"{header}.{body}",
            "",
            "x" * 5000,
            "\0",
        ):
            assert told.send(forged) == 400

    def test_may_come_as_many_audiences(self, told: Told) -> None:
        assert told.tell(aud=["another", "concord"]) == 200

    def test_is_kept_by_nobody(self, told: Told) -> None:
        answer = told.app.test_client().post("/back-channel-logout", data={"logout_token": told.made()})

        assert answer.headers["Cache-Control"] == "no-store"

    def test_for_an_agency_without_such_a_service_is_refused(self, told: Told) -> None:
        client = told.app.test_client()

        answer = client.post("/back-channel-logout/0123456789abcdef", data={"logout_token": told.made()})

        assert answer.status_code == 400


class Told:
    """A site whose own provider tells of sign-outs, and a person who is signed in by it."""

    def __init__(self, app: Flask, database: Database, tenant: Tenant) -> None:
        self.app, self.database, self.tenant = app, database, tenant

    def begin(self, *, sid: str | None) -> str:
        with self.database.transaction(NOBODY) as session:
            vouched = Vouched(sid=sid)
            return sign_in(session, issuer=ISSUER, subject=self.tenant.subject, now=utc_now(), vouched=vouched).token

    def holds(self, token: str) -> bool:
        with self.database.transaction(NOBODY) as session:
            return find_session(session, token=token, now=utc_now()) is not None

    def made(self, *, key: RSAKey | OctKey = KEY, header: dict[str, str] | None = None, **change: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": "concord",
            "iat": now,
            "exp": now + 120,
            "jti": f"{time.time_ns()}",
            "events": {LOGOUT_EVENT: {}},
            "sub": self.tenant.subject,
            "sid": "nobody's",
        }
        said = {name: value for name, value in {**claims, **change}.items() if value is not None}
        algorithms = ["RS256", "HS256"]
        return jwt.encode({"alg": "RS256", "kid": "the-key", **(header or {})}, said, key, algorithms=algorithms)

    def send(self, token: str) -> int:
        return self.app.test_client().post("/back-channel-logout", data={"logout_token": token}).status_code

    def tell(self, **change: Any) -> int:
        return self.send(self.made(**change))


@pytest.fixture(scope="module")
def app(database: Database) -> Flask:
    """A site that has learnt what its provider says of itself, so that none need run."""
    settings = make_settings(issuer=ISSUER)
    app = create_app(settings, database)
    client = ProviderClient(settings, None)
    client.server_metadata = {
        "issuer": ISSUER,
        "jwks": KeySet([KEY]).as_dict(private=False),
        "id_token_signing_alg_values_supported": ["RS256"],
        "_loaded_at": time.time(),
    }
    app.extensions["concord.openid"][1][None] = client
    return app


@pytest.fixture
def told(app: Flask, database: Database, factories: Factories) -> Told:
    return Told(app, database, factories.tenant(factories.consortium()))
