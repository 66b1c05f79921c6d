"""The one door to the database: a scope holds for one transaction and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from concord.servers.login import DatabaseUrls
from matching.household import Household
from tenants.database import Database, ScopeRefused, scope_of
from tenants.scope import NOBODY, Scope
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, Tenant

SETTING = text("SELECT current_setting('concord.scope', true)")


class Interruption(Exception):
    """Something that goes wrong in the middle."""


class TestTransaction:
    def test_shows_each_scope_its_own_over_shared_connections(self, few: Database, factories: Factories) -> None:
        views = _views(factories)
        random = Random(20261123)  # noqa: S311 - an order for a test

        def look(_: int) -> int:
            scope, expected = random.choice(views)
            with few.transaction(scope) as session:
                assert set(session.scalars(select(Household.id))) == expected
                return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)

        with ThreadPoolExecutor(4) as threads:
            connections = set(threads.map(look, range(400)))

        assert len(connections) <= 2

    def test_leaves_no_scope_behind(self, one: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with one.transaction(devon.scope) as session:
            assert session.scalar(SETTING)

        assert _leftover(one) == ""

    def test_leaves_no_scope_behind_when_it_fails(self, one: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        failing = ("SELECT 1 / 0", "SELECT * FROM scope_key", "no SQL at all")

        for statement in failing:
            with pytest.raises(DBAPIError), one.transaction(devon.scope) as session:
                session.execute(text(statement))
            assert _leftover(one) == ""
        with pytest.raises(Interruption):
            _interrupt(one, devon)
        assert _leftover(one) == ""

    def test_covers_a_scope_that_was_set_for_longer(self, one: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, held=True)

        with one.transaction(devon.scope) as session:
            # As SQL could that was slipped into a session.
            session.execute(text("SELECT set_config('concord.scope', current_setting('concord.scope'), false)"))

        for scope in (NOBODY, dorset.scope):
            with one.transaction(scope) as session:
                assert session.get(Household, household_id) is None

    def test_undoes_everything_when_it_fails(self, one: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with pytest.raises(Interruption):
            _interrupt(one, devon, household_id)

        with one.transaction(devon.scope) as session:
            assert session.get_one(Household, household_id).most_children == 2

    def test_keeps_its_scope_in_savepoints(self, one: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with one.transaction(devon.scope) as session:
            with pytest.raises(Interruption), session.begin_nested():
                raise Interruption
            with session.begin_nested():
                assert session.get(Household, household_id)
            assert session.get(Household, household_id)

    def test_keeps_its_scope_however_long_it_takes(
        self, one: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with one.transaction(devon.scope) as session:
            session.execute(text("SELECT 1"))
            in_an_hour = time.time() + 3600
            monkeypatch.setattr("time.time", lambda: in_an_hour)
            with session.begin_nested():
                assert session.get(Household, household_id)

    def test_refuses_a_key_that_is_not_the_databases(self, migrated: DatabaseUrls) -> None:
        stranger = Database(migrated.app, scope_key=b"x" * 32, master_key=MASTER_KEY)

        for scope in (NOBODY, Scope(operator=True)):
            with pytest.raises(ScopeRefused, match="concord doctor"), stranger.transaction(scope) as session:
                session.execute(text("SELECT 1"))
        stranger.dispose()

    def test_refuses_a_clock_that_is_far_off(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devon, _ = factories.two_tenants()
        tomorrow = time.time() + 86_400
        monkeypatch.setattr("time.time", lambda: tomorrow)

        with pytest.raises(ScopeRefused, match="clocks"), database.transaction(devon.scope) as session:
            session.execute(text("SELECT 1"))

    def test_quotes_no_value_when_it_fails(self, one: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(DBAPIError) as caught, one.transaction(devon.scope) as session:
            session.execute(text("SELECT 1 / 0 WHERE :name = 'x' OR true"), {"name": "Rowan Sample"})

        assert "Rowan" not in str(caught.value)


class TestScopeOf:
    def test_is_the_scope_that_was_opened(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            assert scope_of(session) == devon.scope


class TestPing:
    def test_asks_for_no_scope(self, database: Database) -> None:
        database.ping()


class TestAfterFork:
    def test_leaves_the_parents_connection_open(self, one: Database) -> None:
        with one.transaction(NOBODY) as session:
            parents = session.connection().connection.driver_connection
        assert parents is not None

        one.after_fork()

        with one.transaction(NOBODY) as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) != parents.info.backend_pid
        assert parents.execute("SELECT 1").fetchone() == (1,)
        parents.close()


class TestDispose:
    def test_is_not_the_end(self, one: Database) -> None:
        one.dispose()

        one.ping()


def _interrupt(database: Database, tenant: Tenant, household_id: UUID | None = None) -> None:
    with database.transaction(tenant.scope) as session:
        session.execute(text("SELECT 1"))
        if household_id:
            session.get_one(Household, household_id).most_children = 9
            session.flush()
        raise Interruption


def _views(factories: Factories) -> list[tuple[Scope, set[UUID]]]:
    """Return scopes with the households that each sees: two neighbours, a stranger, nobody, the operator."""
    devon, dorset = factories.two_tenants()
    stranger, _ = factories.two_tenants()
    kept = {tenant: factories.household(tenant, held=True) for tenant in (devon, dorset, stranger)}
    shared = factories.household(devon)

    def seen(tenant: Tenant, *others: UUID) -> tuple[Scope, set[UUID]]:
        return tenant.scope, {kept[tenant], *others}

    return [
        seen(devon, shared),
        seen(dorset, shared),
        seen(stranger),
        (NOBODY, set()),
        (Scope(operator=True), set()),
        (Scope(person_id=devon.scope.person_id), set()),
    ]


def _leftover(database: Database) -> str:
    with database.engine.connect() as connection:
        return str(connection.scalar(SETTING) or "")


@pytest.fixture
def one(migrated: DatabaseUrls) -> Iterator[Database]:
    """A database whose transactions, one after another, share one connection."""
    database = Database(migrated.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY, pool_size=1)
    yield database
    database.dispose()


@pytest.fixture
def few(migrated: DatabaseUrls) -> Iterator[Database]:
    """A database of two connections for four threads."""
    database = Database(migrated.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY, pool_size=2, max_overflow=0)
    yield database
    database.dispose()
