from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from matching.decline import (
    DeclinedAlready,
    DeclineUnknown,
    NotOurs,
    decline,
    declines_of_group,
    declines_of_household,
    get_decline,
    list_declined,
    list_feedback_for,
    take_back,
)
from matching.family_finding import find_families
from matching.household import get_household
from matching.link import LinkInvalid
from matching.sibling_group import get_group
from tenants import audit
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction


class TestDecline:
    def test_keeps_the_reason_for_its_own_agency_and_tells_the_other_what_it_can_use(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        third = factories.tenant(us.scope.consortium_id or uuid4())
        group_id, household_id = factories.group(us), factories.household(them)

        decline_id = _decline(database, us, group_id, household_id)

        with transaction(database, us) as session:
            assert declines_of_group(session, group_id)[household_id].reason == "Too near the birth family."
            [pair] = list_declined(session, group_id=group_id)
            assert pair.household == get_household(session, household_id).code
            assert list_feedback_for(session, [group_id, household_id]) == []
            assert audit.list_entries_of(session, group_id)[0].act is audit.Act.DECLINE
        for tenant, feedback in ((them, ["They were warm and honest."]), (third, [])):
            with transaction(database, tenant) as session:
                assert declines_of_household(session, household_id) == {}
                assert [each.feedback for each in list_feedback_for(session, [household_id])] == feedback
                with pytest.raises(DeclineUnknown):
                    get_decline(session, decline_id)

    def test_may_be_said_by_the_familys_side_too_and_without_a_word_to_the_other(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)

        _decline(database, them, group_id, household_id, feedback=None)

        with transaction(database, us) as session:
            assert list_feedback_for(session, [group_id]) == []
        with transaction(database, them) as session:
            assert [pair.group for pair in list_declined(session, household_id=household_id)] == [
                get_group(session, group_id).code
            ]

    def test_moves_no_points_and_nobodys_place(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, households = factories.group(us), [factories.household(them) for _ in range(3)]
        before = _ranking(database, us, group_id)

        _decline(database, us, group_id, households[0])

        assert _ranking(database, us, group_id) == before
        assert households[0] in {household_id for household_id, _, _ in before}

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
    def test_asks_why(self, factories: Factories, database: Database, reason: str) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)

        with pytest.raises(LinkInvalid):
            _decline(database, us, group_id, household_id, reason=reason)

    def test_is_said_once_and_may_be_taken_back(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)
        decline_id = _decline(database, us, group_id, household_id)

        with pytest.raises(DeclinedAlready):
            _decline(database, us, group_id, household_id)
        with transaction(database, us) as session:
            take_back(session, get_decline(session, decline_id), now=utc_now())
            assert declines_of_group(session, group_id) == {}
        with transaction(database, us) as session, pytest.raises(DeclineUnknown):
            take_back(session, get_decline(session, decline_id), now=utc_now())
        assert _decline(database, us, group_id, household_id) != decline_id

    def test_is_for_workers_of_one_of_the_two(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        third = factories.tenant(us.scope.consortium_id or uuid4())
        group_id, household_id = factories.group(us), factories.household(them)

        with pytest.raises(NotOurs):
            _decline(database, third, group_id, household_id)
        with pytest.raises(NotAllowed):
            _decline(database, replace(us, scope=us.acting_as(Role.CHILDS_SOCIAL_WORKER)), group_id, household_id)


def _decline(
    database: Database,
    tenant: Tenant,
    group_id: UUID,
    household_id: UUID,
    *,
    reason: str = "Too near the birth family.",
    feedback: str | None = "They were warm and honest.",
) -> UUID:
    with transaction(database, tenant) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        said = {"reason": reason, "feedback": feedback}
        return decline(session, group=group, household=household, now=utc_now(), **said).id  # type: ignore[arg-type]


def _ranking(database: Database, tenant: Tenant, group_id: UUID) -> list[tuple[UUID, int | None, int]]:
    now = utc_now()
    with transaction(database, tenant) as session:
        found = find_families(session, get_group(session, group_id), as_of=now.date(), top=None, now=now)
        return [(each.household.id, each.position, each.explanation.points) for each in found.best]
