"""Leaving: two people agree on a day, and from that day the agency is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from matching.household import count_households
from matching.pool import Stage
from tenants.agency import AgencyKind, get_agency
from tenants.approval import NobodyNamed, SamePerson
from tenants.base import utc_now
from tenants.consortium import NotAMember, get_consortium, join, list_consortia_of, list_members
from tenants.database import Database
from tenants.delegation import DelegationInvalid, delegate
from tenants.departure import (
    Departure,
    DepartureInvalid,
    DepartureOver,
    DepartureUnknown,
    agree_to_departure,
    get_departure,
    list_departures,
    propose_departure,
    withdraw_departure,
)
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, Factories, Tenant

# The database goes by its own day.
NOW = utc_now()
TODAY = NOW.date()
SOON = TODAY + timedelta(days=30)
MANAGERS = frozenset({Role.MANAGER})


class TestProposeDeparture:
    def test_waits_for_a_second_person(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()

        departure_id = propose(database, us)

        with database.transaction(us.scope) as session:
            (found,) = list_departures(session)
            assert (found.id, found.state(on=TODAY), found.state(on=SOON)) == (departure_id, "Proposed", "Lapsed")
            assert get_agency(session, us.id).closed_on is None
        with database.transaction(them.scope) as session:
            assert list_departures(session) == []

    @pytest.mark.parametrize(("days", "reason"), [(0, "A merger"), (-1, "A merger"), (1, "  "), (1, "")])
    def test_refuses_a_day_that_is_not_to_come_and_no_reason(
        self, days: int, reason: str, database: Database, factories: Factories
    ) -> None:
        us, _ = factories.two_tenants()

        with database.transaction(us.scope) as session, pytest.raises(DepartureInvalid):
            propose_departure(session, leaves_on=TODAY + timedelta(days=days), reason=reason, now=NOW)

    def test_refuses_a_consortiums_office(self, database: Database, factories: Factories) -> None:
        office = factories.tenant(factories.consortium(), kind=AgencyKind.CONSORTIUM_OFFICE)

        with pytest.raises(DepartureInvalid, match="office cannot leave"):
            propose(database, office)

    def test_refuses_a_consortium_that_one_is_not_in(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        for other in (factories.consortium(), uuid4()):
            with database.transaction(us.scope) as session, pytest.raises(NotAMember, match="not in that consortium"):
                propose_departure(session, leaves_on=SOON, reason="A merger", consortium_id=other, now=NOW)

    def test_refuses_a_second_plan_for_the_same(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        propose(database, us)

        with pytest.raises(DepartureOver, match=f"{SOON:%d/%m/%Y}"):
            propose(database, us)
        propose(database, us, consortium_id=us.scope.consortium_id)

    def test_is_for_managers_and_governance_alone(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        scope = us.acting_as(*(set(Role) - {Role.MANAGER, Role.INFORMATION_GOVERNANCE}))

        with database.transaction(scope) as session, pytest.raises(NotAllowed):
            propose_departure(session, leaves_on=SOON, reason="A merger", now=NOW)


class TestAgreeToDeparture:
    def test_from_its_day_the_pool_is_without_the_agency(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        second = factories.colleague(us, roles=MANAGERS)
        departure_id = propose(database, us)

        agree(database, second, departure_id)

        with database.transaction(us.scope) as session:
            assert get_agency(session, us.id).closed_on == SOON
            assert list_consortia_of(session, get_agency(session, us.id), on=SOON - timedelta(days=1))
            assert not list_consortia_of(session, get_agency(session, us.id), on=SOON)
        with database.transaction(them.scope) as session:
            assert get_agency(session, them.id).closed_on is None
            assert [each.id for each in list_members(session, consortium_of(us), on=SOON)] == [them.id]

    def test_leaves_one_consortium_and_stays_in_the_others(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        second, other = factories.colleague(us, roles=MANAGERS), factories.consortium()
        with database.transaction(OPERATOR) as session:
            join(session, get_consortium(session, other), agency=get_agency(session, us.id), joined_on=LONG_AGO)

        agree(database, second, propose(database, us, consortium_id=us.scope.consortium_id))

        with database.transaction(us.scope) as session:
            agency = get_agency(session, us.id)
            assert agency.closed_on is None
            assert [each.id for each in list_consortia_of(session, agency, on=SOON)] == [other]

    def test_takes_what_was_pooled_out_of_the_pool_on_the_day(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.household(us, stage=Stage.CONSORTIUM)
        with database.transaction(them.scope) as session:
            assert count_households(session) == 1
        second = factories.colleague(us, roles=MANAGERS)

        agree(database, second, propose(database, us))

        # The policies go by the database's own day, so the day is brought forward rather than waited for.
        with database.transaction(OPERATOR) as session:
            session.execute(
                text("UPDATE consortium_member SET left_on = (now() AT TIME ZONE 'UTC')::date WHERE agency_id = :us"),
                {"us": us.id},
            )
        with database.transaction(them.scope) as session:
            assert count_households(session) == 0
        with database.transaction(us.scope) as session:
            assert count_households(session) == 1

    def test_refuses_the_person_who_proposed_it(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        departure_id = propose(database, us)

        with pytest.raises(SamePerson):
            agree(database, us, departure_id)

    def test_needs_one_person_where_the_operator_proposed_and_never_a_command(
        self, database: Database, factories: Factories
    ) -> None:
        us, _ = factories.two_tenants()
        command = replace(us, scope=replace(us.scope, person_id=None))
        departure_id = propose(database, command)

        with pytest.raises(NobodyNamed):
            agree(database, command, departure_id)
        agree(database, us, departure_id)

    def test_refuses_what_is_agreed_lapsed_or_withdrawn(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        second = factories.colleague(us, roles=MANAGERS)
        departure_id = propose(database, us)

        with database.transaction(second.scope) as session, pytest.raises(DepartureOver):
            agree_to_departure(session, get_departure(session, departure_id), now=NOW + timedelta(days=30))
        agree(database, second, departure_id)
        with pytest.raises(DepartureOver):
            agree(database, second, departure_id)
        withdraw(database, us, departure_id)
        with pytest.raises(DepartureOver):
            agree(database, second, departure_id)


class TestWithdrawDeparture:
    def test_lets_go_on_what_was_to_end(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        departure_id = propose(database, us)
        agree(database, factories.colleague(us, roles=MANAGERS), departure_id)

        withdraw(database, us, departure_id)

        with database.transaction(us.scope) as session:
            assert get_agency(session, us.id).closed_on is None
            assert list_consortia_of(session, get_agency(session, us.id), on=SOON)
            assert get_departure(session, departure_id).state(on=SOON) == "Withdrawn"

    def test_refuses_once_the_day_has_come(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        departure_id = propose(database, us)

        with database.transaction(us.scope) as session, pytest.raises(DepartureOver):
            withdraw_departure(session, get_departure(session, departure_id), now=NOW + timedelta(days=30))


class TestGetDeparture:
    def test_knows_no_others_plan(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        departure_id, nowhere = propose(database, us), uuid4()

        said = []
        for asked in (departure_id, nowhere):
            with database.transaction(them.scope) as session, pytest.raises(DepartureUnknown) as refusal:
                get_departure(session, asked)
            said.append(str(refusal.value))

        assert said[0] == said[1]


class TestFollowDeparture:
    """The function has its owner's rights: what it lets through, whoever calls it with whatever."""

    def test_ends_nothing_that_one_person_alone_wants(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        departure_id = propose(database, us)

        assert "no departure that is agreed" in refusal_of(database, us, departure_id)
        agreed_alone = "UPDATE departure SET agreed_by = proposed_by, agreed_at = now() WHERE id = :id"
        with database.transaction(us.scope) as session, pytest.raises(Exception, match="departure_check"):
            session.execute(text(agreed_alone), {"id": departure_id})

    @pytest.mark.parametrize(("days", "leaves"), [(None, False), (31, False), (30, True)])
    def test_waits_until_the_agency_acts_for_no_other(
        self, days: int | None, leaves: bool, database: Database, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        with database.transaction(them.scope) as session:
            delegate(
                session,
                get_agency(session, us.id),
                acts_for=get_agency(session, them.id),
                roles=[Role.FAMILY_FINDER],
                starts_on=TODAY,
                ends_on=None if days is None else TODAY + timedelta(days=days),
                now=NOW,
            )
        second = factories.colleague(us, roles=MANAGERS)
        departure_id = propose(database, us)

        if leaves:
            agree(database, second, departure_id)
        else:
            with pytest.raises(DepartureInvalid, match="acts for another"):
                agree(database, second, departure_id)
        in_the_consortium = propose(database, us, consortium_id=consortium_of(us))
        agree(database, second, in_the_consortium)
        agree(database, factories.colleague(them, roles=MANAGERS), propose(database, them))

    def test_takes_no_delegation_past_its_day(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        agree(database, factories.colleague(us, roles=MANAGERS), propose(database, us))

        for ends_on in (None, SOON + timedelta(days=1)):
            with database.transaction(them.scope) as session, pytest.raises(DelegationInvalid, match="closes on"):
                delegate(
                    session,
                    get_agency(session, us.id),
                    acts_for=get_agency(session, them.id),
                    roles=[Role.FAMILY_FINDER],
                    starts_on=TODAY,
                    ends_on=ends_on,
                    now=NOW,
                )

    def test_ends_nothing_for_another_agency(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        departure_id = propose(database, us)
        agree(database, factories.colleague(us, roles=MANAGERS), departure_id)

        assert "no departure that is agreed" in refusal_of(database, them, departure_id)
        assert "no departure that is agreed" in refusal_of(database, us, uuid4())

    def test_cannot_be_fed_a_plan_in_anothers_name(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        second = factories.colleague(us, roles=MANAGERS)
        forged = Departure(
            agency_id=us.id, leaves_on=SOON, reason="none", proposed_by=second.scope.person_id, proposed_at=NOW
        )

        with database.transaction(us.scope) as session, pytest.raises(ProgrammingError, match="row-level security"):
            add(session, forged)


def add(session: Session, row: Departure) -> None:
    session.add(row)
    session.flush()


def refusal_of(database: Database, tenant: Tenant, departure_id: UUID) -> str:
    with database.transaction(tenant.scope) as session, pytest.raises(ProgrammingError) as refusal:
        session.execute(text("SELECT follow_departure(:id)"), {"id": departure_id})
    return str(refusal.value)


def propose(database: Database, tenant: Tenant, *, consortium_id: UUID | None = None, leaves_on: date = SOON) -> UUID:
    with database.transaction(tenant.scope) as session:
        return propose_departure(
            session, leaves_on=leaves_on, reason="A merger", consortium_id=consortium_id, now=NOW
        ).id


def agree(database: Database, tenant: Tenant, departure_id: UUID) -> None:
    with database.transaction(tenant.scope) as session:
        agree_to_departure(session, get_departure(session, departure_id), now=NOW)


def withdraw(database: Database, tenant: Tenant, departure_id: UUID) -> None:
    with database.transaction(tenant.scope) as session:
        withdraw_departure(session, get_departure(session, departure_id), now=NOW)


def consortium_of(tenant: Tenant) -> UUID:
    assert tenant.scope.consortium_id
    return tenant.scope.consortium_id
