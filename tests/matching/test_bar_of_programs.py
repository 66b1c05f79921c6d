"""A program answers its whole agency, and so is shut out of what anybody of that agency is shut out of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from matching.bar import bar_email, bar_person, barred_ids, lift_bar, list_bars
from matching.household import Household, count_households, get_household
from matching.meeting import arrange_meeting
from matching.pack import PackFormat, PackNotTheirs, PackUnknown, download, get_pack, keep_files, request_pack
from tenants.agency import AgencyKind
from tenants.api_client import add_client
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import Verb
from tenants.person import Appointment, get_person
from tenants.role import Role
from tenants.scope import OPERATOR, Scope
from tests.factories import NOW, TODAY, Factories, Tenant

FILES = {PackFormat.PDF: b"pdf", PackFormat.XLSX: b"xlsx"}


class TestPrograms:
    def test_see_no_record_that_somebody_of_their_agency_is_shut_out_of(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        known, other = factories.household(devon), factories.household(devon)
        kim = factories.colleague(devon, roles=devon.scope.roles).scope
        programs = {each: _program(database, each) for each in (devon, dorset)}
        _bar(database, devon, known, kim)

        assert {each: _seen(database, scope) for each, scope in programs.items()} == {
            devon: {other},
            dorset: {known, other},
        }
        with database.transaction(programs[devon]) as session:
            assert barred_ids(session) == {known}
            assert count_households(session) == 1
        assert _seen(database, replace(devon.scope, person_id=None)) == {known, other}, "the schedule is no program"

    def test_see_it_when_the_bar_is_lifted(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        known, kim = factories.household(devon), factories.colleague(devon, roles=devon.scope.roles).scope
        program = _program(database, devon)
        _bar(database, devon, known, kim)
        with database.transaction(devon.scope) as session:
            lift_bar(session, list_bars(session)[0].id, reason="A mistake", now=NOW)

        assert _seen(database, program) == {known}

    def test_are_shut_out_by_address_from_when_somebody_has_a_role_until_they_have_none(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        shared = factories.household(devon)
        kim = factories.colleague(dorset, roles=frozenset({Role.FAMILY_FINDER}))
        with database.transaction(dorset.scope) as session:
            email = get_person(session, _person(kim.scope)).email.upper()
        with database.transaction(devon.scope) as session:
            bar_email(session, get_household(session, shared), email=email, reason="A neighbour", now=NOW)
        program = _program(database, dorset)
        shut_out = _seen(database, program)
        with database.transaction(OPERATOR) as session:
            ended = update(Appointment).where(Appointment.person_id == kim.scope.person_id)
            session.execute(ended.values(ends_on=TODAY - timedelta(days=1)))

        assert (shut_out, _seen(database, program)) == (set(), {shared})

    def test_have_packs_of_their_own_that_no_person_opens(self, database: Database, factories: Factories) -> None:
        consortium = factories.consortium()
        office = factories.tenant(consortium, kind=AgencyKind.CONSORTIUM_OFFICE)
        devon = factories.tenant(consortium)
        known, kim = factories.household(devon), factories.colleague(devon, roles=devon.scope.roles).scope
        program, another = _program(database, devon), _program(database, devon)
        with database.transaction(office.scope) as session:
            meeting = arrange_meeting(session, title="December", held_on=TODAY, place="Sample Hall", now=NOW)
        with database.transaction(devon.scope) as session:
            agencys = request_pack(session, meeting, now=NOW)
            keep_files(session, agencys, files=FILES, ranking_run_id=None, now=NOW)
        _bar(database, devon, known, kim)

        with database.transaction(program) as session:
            with pytest.raises(PackNotTheirs):
                download(session, agencys, kind=PackFormat.PDF, now=NOW)
            own = request_pack(session, meeting, now=NOW + timedelta(hours=1))
            keep_files(session, own, files=FILES, ranking_run_id=None, now=NOW)
            assert download(session, own, kind=PackFormat.PDF, now=NOW) == b"pdf"
        for scope in (another, devon.scope):
            with database.transaction(scope) as session, pytest.raises(PackUnknown):
                get_pack(session, own.id)


def _program(database: Database, tenant: Tenant) -> Scope:
    with database.transaction(tenant.scope) as session:
        client = add_client(session, name="Case system", scopes=["households.read"], now=utc_now()).client
        opens = frozenset({Verb.READ_HOUSEHOLDS.value})
        return Scope(tenant.id, None, tenant.scope.consortium_id, client_id=client.id, opens=opens)


def _bar(database: Database, tenant: Tenant, household_id: UUID, whom: Scope) -> None:
    with database.transaction(tenant.scope) as session:
        record = get_household(session, household_id)
        bar_person(session, record, person_id=_person(whom), reason="Her cousin", now=NOW)


def _seen(database: Database, scope: Scope) -> set[UUID]:
    with database.transaction(scope) as session:
        return set(session.scalars(select(Household.id)))


def _person(scope: Scope) -> UUID:
    assert scope.person_id is not None
    return scope.person_id
