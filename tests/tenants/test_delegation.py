"""Delegation: two agencies agree that one's people may do the other's work, and it ends at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from matching.household import count_households
from matching.pool import Stage
from tenants.agency import get_agency
from tenants.approval import BothSides, NobodyNamed
from tenants.base import utc_now
from tenants.database import Database
from tenants.delegation import (
    DELEGABLE,
    DelegationInvalid,
    DelegationSigned,
    DelegationUnknown,
    NotYoursToGive,
    delegate,
    end_delegation,
    get_delegation,
    list_delegations,
    sign_delegation,
)
from tenants.permission import NotAllowed
from tenants.person import Appointment, appoint, get_person, list_appointments, list_people
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR
from tenants.sign_in import act_for, find_session, sign_in
from tests.factories import ISSUER, LONG_AGO, Factories, Tenant

# The database goes by its own day.
NOW = utc_now()
TODAY = NOW.date()
MANAGERS = frozenset({Role.MANAGER})
FINDERS = frozenset({Role.FAMILY_FINDER})


class TestDelegate:
    def test_waits_for_both_sides(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        third = factories.tenant(consortium_of(devon))

        made = proposed(database, devon, dorset)

        for side in (devon, dorset):
            with database.transaction(side.scope) as session:
                (found,) = list_delegations(session)
                assert (found.id, found.state(on=TODAY)) == (made, "To be signed")
        with database.transaction(third.scope) as session:
            assert list_delegations(session) == []
            with pytest.raises(DelegationUnknown):
                get_delegation(session, made)
        assert agencies_of(database, finder) == {devon.id}

    def test_is_the_operators_and_the_giving_agencys_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)

        with pytest.raises(NotYoursToGive):
            proposed(database, devon, dorset, by=devon)
        with pytest.raises(NotAllowed):
            proposed(database, devon, dorset, by=replace(dorset, scope=dorset.acting_as(Role.ADMINISTRATOR)))
        with database.transaction(OPERATOR) as session:
            delegate(
                session,
                get_agency(session, devon.id),
                acts_for=get_agency(session, dorset.id),
                roles=[Role.FAMILY_FINDER],
                starts_on=TODAY,
                now=NOW,
            )

    def test_cannot_be_forged_past_the_verb(self, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)
        forged = text(
            "INSERT INTO agency_delegation (id, agency_id, acts_for_id, starts_on, roles, given_at) "
            "VALUES (gen_random_uuid(), :agency, :acts_for, current_date, '{family_finder}', :at)"
        )
        for acts_for, at in ((dorset.id, None), (devon.id, NOW)):
            sides = {"agency": dorset.id if acts_for == devon.id else devon.id, "acts_for": acts_for, "at": at}
            with (
                database.transaction(devon.scope) as session,
                pytest.raises(ProgrammingError, match="row-level security"),
            ):
                session.execute(forged, sides)

    @pytest.mark.parametrize("role", sorted(set(Role) - set(DELEGABLE)))
    def test_refuses_roles_that_are_an_agencys_own(self, role: Role, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)

        with pytest.raises(DelegationInvalid, match="family finder"):
            proposed(database, devon, dorset, roles=(Role.FAMILY_FINDER, role))

    def test_refuses_dates_and_agencies_that_make_no_sense(self, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)

        for roles, starts_in, ends_in in (((), 0, None), (FINDERS, -1, None), (FINDERS, 0, 0), (FINDERS, 2, 1)):
            with pytest.raises(DelegationInvalid):
                proposed(database, devon, dorset, roles=tuple(roles), starts_in=starts_in, ends_in=ends_in)
        with pytest.raises(DelegationInvalid, match="for itself"):
            proposed(database, dorset, dorset)


class TestSignDelegation:
    def test_lets_people_do_the_others_work_once_both_have(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        factories.household(dorset, stage=Stage.IN_HOUSE)
        made = proposed(database, devon, dorset)

        signed(database, dorset, made)
        assert agencies_of(database, finder) == {devon.id}
        signed(database, devon, made)

        assert agencies_of(database, finder) == {devon.id, dorset.id}
        with database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=finder.subject, now=NOW).token
            token = (
                act_for(session, token=token, agency_id=dorset.id, consortium_id=consortium_of(dorset), now=NOW)
                or token
            )
            found = find_session(session, token=token, now=NOW)
        assert found
        assert (found.scope.agency_id, found.scope.roles) == (dorset.id, FINDERS)
        with database.transaction(found.scope) as session:
            assert count_households(session) == 1

    def test_shows_the_other_agency_who_acts_for_it(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        made = stands(database, devon, dorset)

        with database.transaction(dorset.scope) as session:
            acting = [person.id for person, _ in list_people(session, agency_id=dorset.id, on=TODAY)]
            by_delegation = set(session.scalars(select(Appointment.person_id).where(Appointment.delegation_id == made)))

        assert finder.scope.person_id in acting
        assert by_delegation == {finder.scope.person_id}

    def test_gives_no_role_that_was_not_delegated(self, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)
        worker = factories.colleague(devon, roles=frozenset({Role.ADOPTERS_WORKER, Role.ADMINISTRATOR}))

        stands(database, devon, dorset)

        assert agencies_of(database, worker) == {devon.id}

    def test_passes_nothing_on_to_a_third(self, database: Database, factories: Factories) -> None:
        """Devon acts for Dorset and Dorset for Wiltshire: that makes Devon nobody in Wiltshire."""
        devon, dorset, finder = parties(factories)
        wiltshire = factories.tenant(consortium_of(devon), roles=MANAGERS)

        stands(database, devon, dorset)
        stands(database, dorset, wiltshire)

        assert agencies_of(database, finder) == {devon.id, dorset.id}

    def test_follows_who_comes_and_who_leaves(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        stands(database, devon, dorset)

        newcomer = factories.colleague(devon, roles=FINDERS)
        left(database, finder, devon)

        assert agencies_of(database, newcomer) == {devon.id, dorset.id}
        assert agencies_of(database, finder) == set()

    def test_keeps_to_its_days(self, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)

        stands(database, devon, dorset, starts_in=5, ends_in=10)

        days = [(0, False), (4, False), (5, True), (9, True), (10, False)]
        assert [(day, dorset.id in agencies_of(database, finder, on_day=day)) for day, _ in days] == days

    def test_refuses_who_is_on_both_sides_a_command_and_a_second_time(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset, _ = parties(factories)
        both = factories.colleague(devon, roles=MANAGERS)
        with database.transaction(OPERATOR) as session:
            person = get_person(session, person_of(both))
            appoint(session, person, agency=get_agency(session, dorset.id), role=Role.MANAGER, starts_on=LONG_AGO)
        made = proposed(database, devon, dorset)

        with pytest.raises(BothSides):
            signed(database, both, made)
        with pytest.raises(BothSides):
            signed(database, replace(both, scope=replace(both.scope, agency_id=dorset.id)), made)
        with pytest.raises(NobodyNamed):
            signed(database, replace(devon, scope=replace(devon.scope, person_id=None)), made)
        with pytest.raises(NotAllowed):
            signed(database, replace(devon, scope=devon.acting_as(Role.FAMILY_FINDER)), made)
        signed(database, devon, made)
        with pytest.raises(DelegationSigned):
            signed(database, devon, made)

    def test_is_refused_by_the_database_to_others(self, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)
        third = factories.tenant(consortium_of(devon))
        made = proposed(database, devon, dorset)
        nobody = replace(devon.scope, person_id=None)

        for scope in (third.scope, OPERATOR, NOBODY, nobody):
            with database.transaction(scope) as session, pytest.raises(ProgrammingError, match="nothing to sign"):
                session.execute(text("SELECT sign_delegation(:id)"), {"id": made})
        for scope in (third.scope, NOBODY):
            with database.transaction(scope) as session, pytest.raises(ProgrammingError, match="nothing to end"):
                session.execute(text("SELECT end_delegation(:id)"), {"id": made})


class TestEndDelegation:
    @pytest.mark.parametrize("side", [0, 1])
    def test_ends_at_once_for_either_side(self, side: int, database: Database, factories: Factories) -> None:
        devon, dorset, finder = parties(factories)
        made = stands(database, devon, dorset)
        with database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=finder.subject, now=NOW).token
            token = (
                act_for(session, token=token, agency_id=dorset.id, consortium_id=consortium_of(dorset), now=NOW)
                or token
            )

        ended(database, (devon, dorset)[side], made)

        assert agencies_of(database, finder) == {devon.id}
        with database.transaction(NOBODY) as session:
            found = find_session(session, token=token, now=NOW)
        assert found is None or (found.scope.agency_id, found.scope.roles) == (None, frozenset())
        with pytest.raises(DelegationSigned):
            ended(database, devon, made)

    def test_misses_nobody_who_is_appointed_meanwhile(self, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)
        made = stands(database, devon, dorset)
        newcomer = factories.colleague(devon, roles=MANAGERS)

        with ThreadPoolExecutor(1) as other:
            with database.transaction(OPERATOR) as session:
                person = get_person(session, person_of(newcomer))
                appoint(session, person, agency=get_agency(session, devon.id), role=Role.FAMILY_FINDER, starts_on=TODAY)
                ending = other.submit(ended, database, dorset, made)
                with pytest.raises(TimeoutError):
                    ending.result(timeout=0.5)
            ending.result(timeout=30)

        assert agencies_of(database, newcomer) == {devon.id}

    def test_is_final(self, database: Database, factories: Factories) -> None:
        devon, dorset, _ = parties(factories)
        made = stands(database, devon, dorset)
        ended(database, dorset, made)

        newcomer = factories.colleague(devon, roles=FINDERS)

        assert agencies_of(database, newcomer) == {devon.id}
        with pytest.raises(DelegationSigned):
            signed(database, dorset, made)


def parties(factories: Factories) -> tuple[Tenant, Tenant, Tenant]:
    """Return Devon and Dorset, a manager each, and a family finder of Devon's."""
    consortium_id = factories.consortium()
    devon, dorset = (factories.tenant(consortium_id, roles=MANAGERS) for _ in range(2))
    return devon, dorset, factories.colleague(devon, roles=FINDERS)


def proposed(
    database: Database,
    devon: Tenant,
    dorset: Tenant,
    *,
    by: Tenant | None = None,
    roles: tuple[Role, ...] = (Role.FAMILY_FINDER,),
    starts_in: int = 0,
    ends_in: int | None = None,
) -> UUID:
    with database.transaction((by or dorset).scope) as session:
        return delegate(
            session,
            get_agency(session, devon.id),
            acts_for=get_agency(session, dorset.id),
            roles=roles,
            starts_on=TODAY + timedelta(days=starts_in),
            ends_on=None if ends_in is None else TODAY + timedelta(days=ends_in),
            now=NOW,
        ).id


def signed(database: Database, tenant: Tenant, delegation_id: UUID) -> None:
    with database.transaction(tenant.scope) as session:
        sign_delegation(session, get_delegation(session, delegation_id), now=NOW)


def ended(database: Database, tenant: Tenant, delegation_id: UUID) -> None:
    with database.transaction(tenant.scope) as session:
        end_delegation(session, get_delegation(session, delegation_id), now=NOW)


def stands(
    database: Database, devon: Tenant, dorset: Tenant, *, starts_in: int = 0, ends_in: int | None = None
) -> UUID:
    made = proposed(database, devon, dorset, starts_in=starts_in, ends_in=ends_in)
    signed(database, dorset, made)
    signed(database, devon, made)
    return made


def left(database: Database, person: Tenant, agency: Tenant) -> None:
    with database.transaction(OPERATOR) as session:
        session.execute(
            update(Appointment)
            .where(Appointment.person_id == person.scope.person_id, Appointment.agency_id == agency.id)
            .values(ends_on=TODAY)
        )


def agencies_of(database: Database, person: Tenant, *, on_day: int = 0) -> set[UUID]:
    with database.transaction(OPERATOR) as session:
        held = list_appointments(session, person_of(person), on=TODAY + timedelta(days=on_day))
        return {agency.id for agency, _ in held}


def person_of(tenant: Tenant) -> UUID:
    return tenant.scope.person_id or uuid4()


def consortium_of(tenant: Tenant) -> UUID:
    return tenant.scope.consortium_id or uuid4()
