"""Signing in: known people only, for a while only, for agencies that appointed them only."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants.agency import get_agency
from tenants.consortium import get_consortium, join
from tenants.database import Database
from tenants.person import Appointment, appoint, get_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import (
    IDLE_MINUTES,
    LONGEST_HOURS,
    NotAppointed,
    SignInSession,
    UnknownPerson,
    act_for,
    find_session,
    sign_in,
    sign_out,
)
from tests.factories import ISSUER, LONG_AGO, NOW, TODAY, Factories, Tenant

MINUTE = timedelta(minutes=1)


class TestSignIn:
    def test_acts_for_the_only_agency_at_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        found = _find(database, _sign_in(database, devon))

        assert found is not None
        assert found.scope == devon.scope
        assert (found.agency_name, found.person_id) == (devon.name, devon.scope.person_id)

    @pytest.mark.parametrize(("issuer", "subject"), [(ISSUER, "nobody"), ("http://elsewhere", None), (ISSUER, "")])
    def test_refuses_whom_nobody_invited(
        self, database: Database, factories: Factories, issuer: str, subject: str | None
    ) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(NOBODY) as session, pytest.raises(UnknownPerson, match="invite"):
            sign_in(session, issuer=issuer, subject=devon.subject if subject is None else subject, now=NOW)

    def test_lets_someone_of_several_agencies_choose(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        _appoint(database, devon, to=dorset)

        found = _find(database, _sign_in(database, devon))

        assert found is not None
        assert (found.agency_id, found.consortium_id, found.roles) == (None, None, frozenset())

    def test_lets_someone_of_several_consortia_choose(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _join(database, devon, factories)

        found = _find(database, _sign_in(database, devon))

        assert found is not None
        assert (found.agency_id, found.consortium_id) == (devon.id, None)

    def test_gives_an_operator_no_agency(self, database: Database, factories: Factories) -> None:
        office = factories.tenant(factories.consortium(), roles=frozenset({Role.OPERATOR}))

        found = _find(database, _sign_in(database, office))

        assert found is not None
        assert found.scope == Scope(person_id=office.scope.person_id, roles=frozenset({Role.OPERATOR}), operator=True)

    def test_keeps_only_a_digest_of_the_token(
        self, database: Database, factories: Factories, migrated: DatabaseUrls
    ) -> None:
        devon, _ = factories.two_tenants()

        token = _sign_in(database, devon)

        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            rows = admin.execute(
                "SELECT digest, s::text FROM sign_in_session s WHERE person_id = %s", (devon.scope.person_id,)
            ).fetchall()
        assert [row[0] for row in rows] == [hashlib.sha256(token.encode()).digest()]
        assert token not in rows[0][1]
        assert token.encode().hex() not in rows[0][1]

    def test_is_not_begun_from_within_a_scope(self, database: Database, factories: Factories) -> None:
        """SQL that was slipped into somebody's session could otherwise sign in as anyone."""
        devon, dorset = factories.two_tenants()

        for scope in (devon.scope, OPERATOR):
            with pytest.raises(ProgrammingError, match="scope of nobody"), database.transaction(scope) as session:
                sign_in(session, issuer=ISSUER, subject=dorset.subject, now=NOW)

    def test_gives_every_session_a_token_of_its_own(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        tokens = {_sign_in(database, devon) for _ in range(3)}

        assert len(tokens) == 3
        assert all(len(token) >= 43 for token in tokens)  # 256 bits in base 64


class TestFindSession:
    def test_ends_when_idle(self, database: Database, factories: Factories) -> None:
        token = _sign_in(database, factories.two_tenants()[0])
        idle = timedelta(minutes=IDLE_MINUTES)

        assert _find(database, token, after=idle - MINUTE)
        assert _find(database, token, after=2 * idle - 2 * MINUTE)  # it was seen meanwhile
        assert _find(database, token, after=3 * idle) is None

    def test_ends_in_the_end_however_busy(self, database: Database, factories: Factories) -> None:
        token = _sign_in(database, factories.two_tenants()[0])
        steps = LONGEST_HOURS * 60 // 20

        for step in range(steps):
            assert _find(database, token, after=step * 20 * MINUTE)

        assert _find(database, token, after=steps * 20 * MINUTE) is None

    @pytest.mark.parametrize("token", ["", "guess", "' OR true --", "x" * 10_000])
    def test_finds_nobody_by_a_guess(self, database: Database, token: str) -> None:
        assert _find(database, token) is None

    def test_finds_nobody_by_the_digest_itself(self, database: Database, factories: Factories) -> None:
        token = _sign_in(database, factories.two_tenants()[0])

        assert _find(database, hashlib.sha256(token.encode()).hexdigest()) is None

    def test_shows_a_leaver_out_at_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        token = _sign_in(database, devon)

        _leave(database, devon)

        found = _find(database, token)
        assert found is not None
        assert (found.agency_id, found.roles) == (None, frozenset())

    def test_drops_a_role_at_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        token = _sign_in(database, devon)

        _leave(database, devon, role=Role.FAMILY_FINDER)

        found = _find(database, token)
        assert found is not None
        assert found.roles == devon.scope.roles - {Role.FAMILY_FINDER}

    def test_reckons_days_by_the_clock_of_the_program(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _leave(database, devon)

        with database.transaction(NOBODY) as session:
            # Where it is tomorrow already, or still yesterday, by this setting.
            session.execute(text("SET LOCAL TimeZone = 'Etc/GMT+12'"))
            token = sign_in(session, issuer=ISSUER, subject=devon.subject, now=NOW).token
            found = find_session(session, token=token, now=NOW)

        assert found is not None
        assert found.agency_id is None


class TestActFor:
    def test_takes_on_the_chosen_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        _appoint(database, devon, to=dorset)
        token = _sign_in(database, devon)

        fresh = _choose(database, token, dorset)

        found = _find(database, fresh)
        assert found is not None
        assert (found.agency_id, found.consortium_id) == (dorset.id, dorset.scope.consortium_id)
        assert found.roles == {Role.FINANCE_OFFICER}

    def test_gives_the_same_session_another_token(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        token = _sign_in(database, devon)
        before = _find(database, token)

        fresh = _choose(database, token, devon)

        after = _find(database, fresh)
        assert before is not None
        assert after is not None
        assert after.id == before.id
        assert (_find(database, token), len(fresh)) == (None, len(token))
        with pytest.raises(NotAppointed):
            _choose(database, token, devon)

    def test_refuses_an_agency_that_did_not_appoint(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        token = _sign_in(database, devon)

        with pytest.raises(NotAppointed):
            _choose(database, token, dorset)

        found = _find(database, token)
        assert found is not None
        assert found.agency_id == devon.id

    def test_refuses_a_consortium_that_the_agency_is_not_in(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        token = _sign_in(database, devon)

        with database.transaction(NOBODY) as session, pytest.raises(NotAppointed):
            act_for(session, token=token, agency_id=devon.id, consortium_id=stranger.scope.consortium_id, now=NOW)

    def test_refuses_whoever_has_signed_out(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        token = _sign_in(database, devon)
        with database.transaction(NOBODY) as session:
            sign_out(session, token=token, now=NOW)

        with pytest.raises(NotAppointed):
            _choose(database, token, devon)


class TestSignOut:
    def test_ends_one_session_everywhere(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        here, elsewhere = _sign_in(database, devon), _sign_in(database, devon)

        with database.transaction(NOBODY) as session:
            sign_out(session, token=here, now=NOW)
            sign_out(session, token=here, now=NOW)

        assert _find(database, here) is None
        assert _find(database, elsewhere)


def _sign_in(database: Database, tenant: Tenant) -> str:
    with database.transaction(NOBODY) as session:
        return sign_in(session, issuer=ISSUER, subject=tenant.subject, now=NOW).token


def _find(database: Database, token: str, *, after: timedelta = timedelta()) -> SignInSession | None:
    with database.transaction(NOBODY) as session:
        return find_session(session, token=token, now=NOW + after)


def _choose(database: Database, token: str, tenant: Tenant) -> str:
    with database.transaction(NOBODY) as session:
        return act_for(session, token=token, agency_id=tenant.id, consortium_id=tenant.scope.consortium_id, now=NOW)


def _appoint(database: Database, whom: Tenant, *, to: Tenant) -> None:
    assert whom.scope.person_id is not None
    with database.transaction(OPERATOR) as session:
        person, agency = get_person(session, whom.scope.person_id), get_agency(session, to.id)
        appoint(session, person, agency=agency, role=Role.FINANCE_OFFICER, starts_on=LONG_AGO)


def _join(database: Database, tenant: Tenant, factories: Factories) -> None:
    consortium_id = factories.consortium()
    with database.transaction(OPERATOR) as session:
        join(session, get_consortium(session, consortium_id), agency=get_agency(session, tenant.id), joined_on=LONG_AGO)


def _leave(database: Database, tenant: Tenant, *, role: Role | None = None) -> None:
    with database.transaction(OPERATOR) as session:
        for held in session.query(Appointment).where(Appointment.person_id == tenant.scope.person_id):
            if role in {None, held.role}:
                held.ends_on = TODAY
