"""Scopes: signed outside the database, verified inside it; whatever is not exactly right shows nothing."""

from __future__ import annotations

import hashlib
import hmac
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants.scope import NOBODY, OPERATOR, Scope, hmac_pads, sign_scope
from tests.conftest import SCOPE_KEY
from tests.tenants import catalogue
from tests.tenants.world import World

ANOTHER_KEY = b"another-key-for-tests-32-bytes!!"
Login = psycopg.Connection[Any]
Sign = Callable[..., str]


def _resigned(setting: str, *, key: bytes | None) -> str:
    """Sign whatever stands before the signature with a key, or only hash it."""
    body = setting.rpartition("|")[0]
    code = hashlib.sha256(body.encode()) if key is None else hmac.new(key, body.encode(), hashlib.sha256)
    return f"{body}|{code.hexdigest()}"


# What somebody might try who can set the setting and has seen a good one, but has not the key.
NO_SCOPES = ("", " ", "|" * 8, "' OR true --", "v1||||0|1|1|" + "0" * 64)
FORGERIES: dict[str, Callable[[str], str]] = {
    "no signature": lambda good: good.rpartition("|")[0],
    "empty signature": lambda good: good.rpartition("|")[0] + "|",
    "half a signature": lambda good: good[:-32],
    "another's key": lambda good: _resigned(good, key=ANOTHER_KEY),
    "no key": lambda good: _resigned(good, key=b""),
    "the bare digest": lambda good: _resigned(good, key=None),
    "made an operator": lambda good: good.replace("|0|", "|1|"),
    "capital letters": lambda good: good.upper(),
    "another version": lambda good: "v2" + good[2:],
    "a further claim": lambda good: good.replace("v1|", "v1||"),
    "white space before": lambda good: " " + good,
    "a new line after": lambda good: good + "\n",
    "twice": lambda good: good + "|" + good,
    "two lines": lambda good: good + "\n" + good,
    "a pattern": lambda good: good[:-64] + "%" * 64,
    "very long": lambda good: good + "0" * 100_000,
    "digits from elsewhere": lambda good: good.replace("0", "٠"),
}


class TestSignScope:
    @pytest.mark.parametrize("how", FORGERIES)
    def test_is_not_replaced_by_a_forgery(self, login: Login, sign: Sign, world: World, how: str) -> None:
        forged = FORGERIES[how](sign(world.agency.scope))

        assert _seen(login, forged) == 0

    @pytest.mark.parametrize("setting", NO_SCOPES)
    def test_is_not_replaced_by_none(self, login: Login, world: World, setting: str) -> None:
        assert world
        assert _seen(login, setting) == 0

    def test_covers_every_claim(self, login: Login, sign: Sign, world: World) -> None:
        good = sign(world.agency.scope)
        own, others = world.agency.scope, world.stranger.scope

        for mine, theirs in (
            (own.agency_id, others.agency_id),
            (own.person_id, others.person_id),
            (own.consortium_id, others.consortium_id),
        ):
            altered = good.replace(str(mine), str(theirs))
            assert altered != good
            assert _seen(login, altered) == 0

    @pytest.mark.parametrize("how", sorted(set(FORGERIES) - {"another version", "a further claim"}))
    def test_covers_a_program_too(self, login: Login, sign: Sign, world: World, how: str) -> None:
        program = replace(world.agency.scope, person_id=None, client_id=uuid4())
        good = sign(program)
        another = good.replace(str(program.client_id), str(uuid4()))

        assert _seen(login, good) > 0
        assert [_seen(login, each) for each in (FORGERIES[how](good), another, "v1" + good[2:], "v2|" + good[2:])] == [
            0
        ] * 4

    def test_binds_the_scope_to_one_connection(self, login: Login, world: World) -> None:
        elsewhere = sign_scope(world.agency.scope, key=SCOPE_KEY, backend_pid=login.info.backend_pid + 1)

        assert _seen(login, elsewhere) == 0

    @pytest.mark.parametrize("seconds", [-3600, -302, 302, 3600])
    def test_binds_the_scope_to_its_time(self, login: Login, sign: Sign, world: World, seconds: int) -> None:
        assert _seen(login, sign(world.agency.scope, now=time.time() + seconds)) == 0

    @pytest.mark.parametrize("seconds", [-290, 290])
    def test_allows_clocks_to_differ_a_little(self, login: Login, sign: Sign, world: World, seconds: int) -> None:
        assert _seen(login, sign(world.agency.scope, now=time.time() + seconds)) > 0

    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
    )
    @given(data=st.data())
    def test_notices_any_one_change(self, login: Login, sign: Sign, world: World, data: st.DataObject) -> None:
        good = sign(world.agency.scope)
        at = data.draw(st.integers(0, len(good) - 1))
        other = data.draw(st.sampled_from(string.printable).filter(lambda letter: letter != good[at]))

        assert _seen(login, good[:at] + other + good[at + 1 :]) == 0

    @settings(
        max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
    )
    @given(setting=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300))
    def test_is_not_replaced_by_any_text(self, login: Login, world: World, setting: str) -> None:
        assert world
        assert _seen(login, setting) == 0

    def test_lets_a_true_scope_see(self, login: Login, sign: Sign, world: World) -> None:
        assert _seen(login, sign(world.agency.scope)) > 0
        assert _seen(login, sign(world.stranger.scope)) > 0

    @pytest.mark.parametrize("scope", [NOBODY, Scope(roles=OPERATOR.roles)])
    def test_lets_nobody_see_nothing(self, login: Login, sign: Sign, world: World, scope: Scope) -> None:
        assert world
        assert _seen(login, sign(scope)) == 0

    def test_carries_every_claim(self, login: Login, sign: Sign, world: World) -> None:
        scope = world.agency.scope

        assert _claims(login, sign(scope)) == (
            scope.agency_id,
            scope.person_id,
            scope.consortium_id,
            False,
            True,
            False,
        )
        assert _claims(login, sign(replace(scope, operator=True)))[3] is True
        assert _claims(login, sign(NOBODY)) == (None, None, None, False, True, True)
        assert _claims(login, "") == (None, None, None, False, False, False)

    @pytest.mark.parametrize(
        "claim",
        [
            {"agency_id": "agency"},
            {"person_id": "person"},
            {"consortium_id": "consortium"},
            {"operator": True},
        ],
    )
    def test_makes_whoever_claims_anything_somebody(
        self, login: Login, sign: Sign, world: World, claim: dict[str, Any]
    ) -> None:
        values = {
            "agency": world.agency.id,
            "person": world.agency.scope.person_id,
            "consortium": world.agency.scope.consortium_id,
        }
        scope = replace(NOBODY, **{name: values.get(value, value) for name, value in claim.items()})

        assert _claims(login, sign(scope))[4:] == (True, False)


class TestHmacPads:
    @pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
    def test_want_a_whole_key(self, length: int) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            hmac_pads(b"k" * length)

    @given(key=st.binary(min_size=32, max_size=32), body=st.binary(max_size=200))
    def test_give_the_same_code_as_the_library(self, key: bytes, body: bytes) -> None:
        inner, outer = hmac_pads(key)

        by_pads = hashlib.sha256(outer + hashlib.sha256(inner + body).digest()).digest()

        assert by_pads == hmac.digest(key, body, "sha256")


class TestLogin:
    """What SQL that was slipped into a session may try beside forging a scope."""

    @pytest.mark.parametrize(
        "statement",
        [
            "SET ROLE concord_owner",
            "SET ROLE concord_scope",
            "SET ROLE concord_sign_in",
            "SET ROLE concord_migrate",
            "SET ROLE concord_relay",
            "SET SESSION AUTHORIZATION concord_migrate",
            "SET session_replication_role = replica",
            "SELECT * FROM scope_key",
            "SELECT * FROM sign_in_session",
            "SELECT digest FROM api_client_secret",
            "SELECT * FROM api_token",
            "SELECT * FROM identity_provider_secret",
            "UPDATE audit_entry SET reason = NULL",
            "CREATE TEMPORARY TABLE household (id uuid)",
            "CREATE TABLE household_copy (id uuid)",
            "CREATE SCHEMA mine",
            "CREATE FUNCTION public.peek() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE OPERATOR public.=== (leftarg = text, rightarg = text, function = texteq)",
            "ALTER TABLE household DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE household NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY household_read ON household",
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "ALTER FUNCTION scope_claims() SECURITY INVOKER",
            "CREATE OR REPLACE FUNCTION scope_agency() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
            "TRUNCATE household CASCADE",
            "COPY household TO PROGRAM 'cat'",
            "COPY household FROM STDIN",
            "SET row_security = off; SELECT * FROM household",
            "DO $$ BEGIN EXECUTE 'SET ROLE concord_owner'; END $$",
        ],
    )
    def test_is_refused(self, login: Login, sign: Sign, world: World, statement: str) -> None:
        with login.transaction(force_rollback=True):
            _enter(login, sign(world.agency.scope))

            with pytest.raises(psycopg.errors.Error) as refused, login.transaction():
                login.execute(statement)

        assert refused.value.sqlstate in {"42501", "0A000"}  # insufficient privilege; not supported with a wall

    def test_copies_out_no_more_than_it_sees(self, login: Login, sign: Sign, world: World) -> None:
        with login.transaction(force_rollback=True):
            _enter(login, sign(world.stranger.scope))
            with login.cursor().copy("COPY household TO STDOUT") as rows:
                assert list(rows) == []

    def test_learns_nothing_from_the_planners_figures(self, login: Login, admin: Login, world: World) -> None:
        admin.execute("ANALYZE")

        query = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'"
        shown = {name for (name,) in login.execute(query)}

        assert world
        assert shown <= set(catalogue.WITHOUT_WALL)

    @pytest.mark.parametrize("setting", ["standard_conforming_strings = off", "TimeZone = 'Pacific/Kiritimati'"])
    def test_changes_no_verdict_by_changing_settings(
        self, login: Login, sign: Sign, world: World, setting: str
    ) -> None:
        forged = sign(world.agency.scope, now=time.time() - 302)
        with login.transaction(force_rollback=True):
            login.execute(f"SET LOCAL {setting}")
            assert _seen(login, forged) == 0
            assert _seen(login, sign(world.agency.scope)) > 0


def _enter(login: Login, setting: str) -> None:
    login.execute("SELECT set_config('concord.scope', %s, true)", (setting,))


def _seen(login: Login, setting: str) -> int:
    """Count all rows of all tables that a setting shows."""
    readable = [table for table in catalogue.walled_tables(login) if catalogue.may_select(login, table)]
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in readable)
    with login.transaction(force_rollback=True):
        _enter(login, setting)
        row = login.execute(f"SELECT {counts}").fetchone()
    assert row is not None
    return int(row[0])


def _claims(login: Login, setting: str) -> tuple[Any, ...]:
    with login.transaction(force_rollback=True):
        _enter(login, setting)
        row = login.execute(
            "SELECT scope_agency(), scope_person(), scope_consortium(), scope_is_operator(), scope_is_valid(), "
            "scope_is_nobody()"
        ).fetchone()
    assert row is not None
    return tuple(row)


@pytest.fixture(scope="module")
def login(wall_urls: DatabaseUrls) -> Iterator[Login]:
    """A connection as the application logs in, without its key."""
    with psycopg.connect(libpq_url(wall_urls.app), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def sign(login: Login) -> Sign:
    """What signs a scope for that connection."""
    return lambda scope, **when: sign_scope(scope, key=SCOPE_KEY, backend_pid=login.info.backend_pid, **when)
