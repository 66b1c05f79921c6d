from __future__ import annotations

from collections.abc import Callable

import pytest

from matching.household import HouseholdStatus, get_household
from matching.pool import Stage
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import household_code, page_of, typed_in
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestIndex:
    def test_lists_own_households_those_to_confirm_first(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        factories.group(them)
        fresh, stale = (
            household_code(database, us, factories.household(us, availability_confirmed_on=day))
            for day in (utc_now().date(), None)
        )
        theirs = household_code(database, them, factories.household(them))
        visitor = visit_as(us)

        visitor.get("/availability")

        page = page_of(visitor)
        assert page.text.index(stale) < page.text.index(fresh)
        assert theirs not in page.html
        assert "One household is to be confirmed" in page.text
        assert page.text.count("To confirm") == 1

    def test_says_so_where_there_is_nothing(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])

        visitor.get("/availability")

        assert "nothing to confirm" in page_of(visitor).text

    def test_is_for_those_who_know_the_family(self, visit_as: Visit, factories: Factories) -> None:
        coordinator = factories.tenant(factories.consortium(), roles=frozenset({Role.COORDINATOR}))

        assert visit_as(coordinator).get("/availability").status_code == 403


class TestConfirm:
    def test_takes_for_how_many_groups_they_are_considered(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us, considered_for=1)
        visitor = visit_as(us)
        visitor.get(f"/households/{household_id}/availability")
        assert typed_in(page_of(visitor), "considered_for") == "1"

        response = visitor.post(
            f"/households/{household_id}/availability", {"available": "yes", "considered_for": " 2 "}
        )

        assert response.status_code == 303
        with transaction(database, us) as session:
            household = get_household(session, household_id)
        assert (household.considered_for, household.availability_confirmed_on) == (2, utc_now().date())

    def test_puts_on_hold_who_is_not_there(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        visitor = visit_as(us)
        visitor.get(f"/households/{household_id}/availability")

        visitor.post(f"/households/{household_id}/availability", {"available": "no", "considered_for": "lots"})

        with transaction(database, us) as session:
            assert get_household(session, household_id).status is HouseholdStatus.ON_HOLD

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({}, "Say whether they are still there to be considered"),
            ({"available": "yes"}, "Enter for how many groups they are being considered"),
            ({"available": "yes", "considered_for": "-1"}, "Enter for how many groups they are being considered"),
            ({"available": "yes", "considered_for": "٣"}, "Enter for how many groups they are being considered"),
            ({"available": "yes", "considered_for": "100"}, "from 0 to 99"),
        ],
    )
    def test_says_what_is_wrong(self, visit_as: Visit, factories: Factories, typed: dict[str, str], words: str) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        visitor = visit_as(us)
        visitor.get(f"/households/{household_id}/availability")

        response = visitor.post(f"/households/{household_id}/availability", typed)

        assert response.status_code == 422
        assert words in page_of(visitor).text

    def test_is_for_their_own_agency_alone(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        shared, kept = factories.household(us), factories.household(us, stage=Stage.IN_HOUSE)
        visitor = visit_as(them)

        assert visitor.get(f"/households/{shared}/availability").status_code == 403
        assert visitor.get(f"/households/{kept}/availability").status_code == 404
        assert "Confirm how available they are" not in _page(visitor, f"/households/{shared}")
        assert "Confirm how available they are" in _page(visit_as(us), f"/households/{shared}")


def _page(visitor: Visitor, path: str) -> str:
    visitor.get(path)
    return page_of(visitor).text
