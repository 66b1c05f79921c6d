from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from matching.meeting import OfficeOnly
from matching.swap.group import (
    NotAsked,
    SwapGroup,
    SwapGroupInvalid,
    SwapGroupNameTaken,
    SwapGroupUnknown,
    Terms,
    agree,
    end_swap_group,
    get_swap_group,
    list_members,
    list_swap_groups,
    make_swap_group,
)
from matching.swap.rule import Follow
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import DomainError
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, transaction
from tests.matching.swap.ground import RULE, TODAY, make_ground

TERMS = Terms("Another", RULE)


class TestMakeSwapGroup:
    def test_asks_members_in_and_each_agrees_for_itself(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)

        with transaction(database, ground.devon) as session:
            group = get_swap_group(session, ground.swap_group_id)
            assert group.rule == RULE
            assert {member.agency_id for member, _ in list_members(session, group)} == {
                ground.devon.id,
                ground.dorset.id,
            }
            assert all(member.agreed_on for member, _ in list_members(session, group))
        with transaction(database, ground.outsider) as session:
            assert list_swap_groups(session) == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": " "},
            {"name": "x" * 101},
            {"rule": replace(RULE, ends_on=RULE.begins_on - timedelta(days=1))},
            {"rule": replace(RULE, under_years=0)},
            {"rule": replace(RULE, follow=Follow.STANDARD_FEE)},
            {"rule": replace(RULE, follow_months=3)},
            {"rule": replace(RULE, follow=Follow.STANDARD_FEE, follow_months=61)},
            {"within_points": 101},
            {"bound": -1},
        ],
    )
    def test_refuses_terms_that_cannot_be(
        self, factories: Factories, database: Database, wrong: dict[str, Any]
    ) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        two = [factories.tenant(consortium_id).id for _ in range(2)]

        with transaction(database, office) as session, pytest.raises(SwapGroupInvalid):
            make_swap_group(session, replace(TERMS, **wrong), agency_ids=two, now=utc_now())

    def test_is_the_offices_and_of_its_consortium_alone(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        stranger, _ = factories.two_tenants()
        two = [ground.devon.id, ground.dorset.id]

        def refused(tenant: Any, error: type[DomainError], agency_ids: list[UUID], **more: Any) -> None:
            with transaction(database, tenant) as session, pytest.raises(error):
                make_swap_group(session, replace(TERMS, **more), agency_ids=agency_ids, now=utc_now())

        refused(ground.devon, OfficeOnly, two)
        refused(ground.office, SwapGroupInvalid, [ground.devon.id])
        refused(ground.office, SwapGroupInvalid, [*two, stranger.id])
        refused(ground.office, SwapGroupInvalid, [*two, ground.office.id])
        refused(ground.office, SwapGroupNameTaken, two, name="Under three")
        refused(ground.office, SwapGroupInvalid, two, carries_id=ground.swap_group_id)
        refused(ground.office, SwapGroupUnknown, two, carries_id=uuid4())
        with database.transaction(ground.office.acting_as(Role.MANAGER)) as session, pytest.raises(NotAllowed):
            make_swap_group(session, TERMS, agency_ids=two, now=utc_now())


class TestAgree:
    def test_is_a_managers_word_for_their_own_agency_once(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        with transaction(database, ground.office) as session:
            made_id = make_swap_group(session, TERMS, agency_ids=[ground.devon.id, ground.dorset.id], now=utc_now()).id

        with database.transaction(ground.devon.acting_as(Role.FINANCE_OFFICER)) as session, pytest.raises(NotAllowed):
            agree(session, get_swap_group(session, made_id), now=utc_now())
        with transaction(database, ground.devon) as session:
            member = agree(session, get_swap_group(session, made_id), now=utc_now())
            assert (member.agreed_on, member.agreed_by) == (TODAY, ground.devon.scope.person_id)
        for tenant in (ground.devon, ground.outsider):
            with transaction(database, tenant) as session, pytest.raises(NotAsked):
                agree(session, session.get_one(SwapGroup, made_id), now=utc_now())


class TestEndSwapGroup:
    def test_sets_the_last_day_for_the_office_alone(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)

        with transaction(database, ground.office) as session:
            group = get_swap_group(session, ground.swap_group_id)
            with pytest.raises(SwapGroupInvalid):
                end_swap_group(session, group, ends_on=TODAY - timedelta(days=1), now=utc_now())
            assert end_swap_group(session, group, ends_on=TODAY, now=utc_now()).ends_on == TODAY
        with transaction(database, ground.devon) as session, pytest.raises(OfficeOnly):
            end_swap_group(session, get_swap_group(session, ground.swap_group_id), ends_on=TODAY, now=utc_now())

    def test_never_reaches_into_the_period_that_carries_it_on(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        begins_on, members = TODAY + timedelta(days=5), [ground.devon.id, ground.dorset.id]

        with transaction(database, ground.office) as session:
            group = get_swap_group(session, ground.swap_group_id)
            end_swap_group(session, group, ends_on=begins_on - timedelta(days=1), now=utc_now())
            terms = Terms("The next", replace(RULE, begins_on=begins_on), carries_id=group.id)
            make_swap_group(session, terms, agency_ids=members, now=utc_now())
            with pytest.raises(SwapGroupInvalid, match="carries this one on"):
                end_swap_group(session, group, ends_on=begins_on, now=utc_now())
            sooner = begins_on - timedelta(days=2)
            assert end_swap_group(session, group, ends_on=sooner, now=utc_now()).ends_on == sooner


class TestGetSwapGroup:
    def test_knows_no_other_agencys(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        stranger, _ = factories.two_tenants()

        for tenant in (ground.outsider, stranger):
            with transaction(database, tenant) as session, pytest.raises(SwapGroupUnknown):
                get_swap_group(session, ground.swap_group_id)
        for roles in (Role.FAMILY_FINDER, Role.ADOPTERS_WORKER):
            with database.transaction(ground.devon.acting_as(roles)) as session, pytest.raises(NotAllowed):
                list_swap_groups(session)
