"""Open sessions: one's own, and of a colleague to their administrator; of nobody else's anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tenants.agency import get_agency
from tenants.database import Database
from tenants.open_session import (
    OpenSession,
    SessionUnknown,
    end_other_sessions,
    end_session,
    end_sessions_at,
    list_open_sessions,
)
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import IDLE_MINUTES, LONGEST_HOURS, find_session, sign_in
from tests.factories import ISSUER, LONG_AGO, NOW, Factories, Tenant

FINDER = frozenset({Role.FAMILY_FINDER})


class TestListOpenSessions:
    def test_shows_when_and_from_where_each_was_seen(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        older, newer = begin(database, devon), begin(database, devon)
        seen(database, newer, after=10, address="192.0.2.7", browser="Firefox on Linux")

        first, second = listed(database, devon.scope, devon)

        assert (first.agency_name, first.started_at) == (devon.name, NOW)
        assert (first.seen_at, first.address) == (NOW + timedelta(minutes=10), "192.0.2.7")
        assert first.browser == "Firefox on Linux"
        assert (second.seen_at, second.address, second.browser) == (NOW, None, None)
        assert older != newer

    def test_keeps_where_it_was_seen_when_nothing_is_said_of_it(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        token = begin(database, devon)
        seen(database, token, after=1, address="192.0.2.7", browser="Firefox on Linux")
        seen(database, token, after=9, address=None, browser=None)

        (found,) = listed(database, devon.scope, devon)

        assert (found.seen_at, found.address) == (NOW + timedelta(minutes=9), "192.0.2.7")

    @pytest.mark.parametrize("minutes", [IDLE_MINUTES, LONGEST_HOURS * 60])
    def test_leaves_out_what_has_run_out(self, minutes: int, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        begin(database, devon)

        assert listed(database, devon.scope, devon, after=minutes - 1 if minutes == IDLE_MINUTES else 0)
        assert listed(database, devon.scope, devon, after=minutes) == []

    def test_shows_a_colleagues_to_the_administrator_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        finder = factories.colleague(devon, roles=FINDER)
        begin(database, finder)
        begin(database, devon)

        assert len(listed(database, devon.scope, finder)) == 1
        assert listed(database, finder.scope, devon) == []
        assert listed(database, dorset.scope, finder) == []

    def test_shows_an_administrator_no_work_for_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        finder = factories.colleague(dorset, roles=FINDER)
        begin(database, finder)  # in which they act for Dorset, their only agency until now
        add_role(database, finder, devon)

        assert listed(database, devon.scope, finder) == []
        assert len(listed(database, dorset.scope, finder)) == 1

    def test_hides_the_digest(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        begin(database, devon)

        for scope in (devon.scope, OPERATOR):
            with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(scope) as session:
                session.execute(text("SELECT digest FROM sign_in_session"))


class TestEndSession:
    def test_ends_one_at_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        tokens = [begin(database, devon) for _ in range(2)]
        gone = seen(database, tokens[0])

        with database.transaction(devon.scope) as session:
            end_session(session, gone, person_id=person_of(devon), now=NOW)

        assert [found(database, token) for token in tokens] == [False, True]

    def test_knows_nobody_elses_and_none_that_is_over(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        finder = factories.colleague(devon, roles=FINDER)
        others = [begin(database, finder), begin(database, dorset)]
        ids = [seen(database, token) for token in others]

        for session_id in (*ids, uuid4()):
            with pytest.raises(SessionUnknown), database.transaction(devon.scope) as session:
                end_session(session, session_id, person_id=person_of(devon), now=NOW)
        assert all(found(database, token) for token in others)


class TestEndOtherSessions:
    def test_ends_ones_own_but_one(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        here, there, strangers = begin(database, devon), begin(database, devon), begin(database, dorset)
        keep = seen(database, here)

        with database.transaction(devon.scope) as session:
            assert end_other_sessions(session, person_id=person_of(devon), keep=keep, now=NOW) == 1

        assert [found(database, token) for token in (here, there, strangers)] == [True, False, True]


class TestEndSessionsAt:
    def test_reaches_a_colleague_and_no_neighbour(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        finder = factories.colleague(devon, roles=FINDER)
        token, theirs = begin(database, finder), begin(database, dorset)

        with database.transaction(devon.scope) as session:
            assert end_sessions_at(session, person_id=person_of(dorset), agency_id=dorset.id, now=NOW) == 0
            assert end_sessions_at(session, person_id=person_of(finder), agency_id=devon.id, now=NOW) == 1

        assert [found(database, each) for each in (token, theirs)] == [False, True]

    def test_wants_an_administrator_in_the_database_too(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=FINDER)
        token = begin(database, devon)

        with database.transaction(replace(finder.scope, roles=devon.scope.roles)) as session:
            assert end_sessions_at(session, person_id=person_of(devon), agency_id=devon.id, now=NOW) == 0

        assert found(database, token)

    def test_opens_no_session_again(self, database: Database, factories: Factories) -> None:
        """Whoever may end one may not begin one: the columns that would let them are not granted."""
        devon, _ = factories.two_tenants()

        for column in ("person_id", "agency_id", "seen_at", "started_at", "digest"):
            statement = text(f"UPDATE sign_in_session SET {column} = {column}")
            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                database.transaction(devon.scope) as session,
            ):
                session.execute(statement)


def person_of(tenant: Tenant) -> UUID:
    assert tenant.scope.person_id is not None
    return tenant.scope.person_id


def begin(database: Database, tenant: Tenant) -> str:
    with database.transaction(NOBODY) as session:
        return sign_in(session, issuer=ISSUER, subject=tenant.subject, now=NOW).token


def seen(
    database: Database, token: str, *, after: int = 0, address: str | None = None, browser: str | None = None
) -> UUID:
    """Use a session some minutes after it began, and return its id."""
    now = NOW + timedelta(minutes=after)
    with database.transaction(NOBODY) as session:
        person = find_session(session, token=token, now=now, address=address, browser=browser)
    assert person is not None
    return person.id


def found(database: Database, token: str) -> bool:
    with database.transaction(NOBODY) as session:
        return find_session(session, token=token, now=NOW) is not None


def listed(database: Database, scope: Scope, tenant: Tenant, *, after: int = 0) -> list[OpenSession]:
    with database.transaction(scope) as session:
        return list_open_sessions(session, person_of(tenant), now=NOW + timedelta(minutes=after))


def add_role(database: Database, whom: Tenant, to: Tenant) -> None:
    with database.transaction(OPERATOR) as session:
        person, agency = get_person(session, person_of(whom)), get_agency(session, to.id)
        appoint(session, person, agency=agency, role=Role.MANAGER, starts_on=LONG_AGO)
