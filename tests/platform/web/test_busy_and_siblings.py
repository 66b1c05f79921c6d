"""The pages of groups and households: what a family brings, how busy it is, and where a sibling lives."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from matching.household import HouseholdStatus
from matching.need import YesNo
from matching.pool import Stage
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.web.equal import household_code, page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
FIRST = "A brother or sister lives with"


class TestGroupPage:
    def test_tells_what_is_asked_of_a_family(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(
            us,
            experience_needed=YesNo.YES,
            support_needed=YesNo.UNKNOWN,
            adopters_hoped_for=2,
            cultures=["Welsh"],
            families_considered=3,
        )
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        text = page_of(visitor).text
        assert "Asked of the family Experience with children; not recorded: support nearby" in text
        assert "Hoped for Two adopters; it bars nobody" in text
        assert "Culture Welsh" in text
        assert "Families being considered As many as the consortium allows at once" in text

    @pytest.mark.parametrize(
        ("considered", "said"),
        [(0, "None yet"), (2, "Some, and room for more"), (None, "Not recorded")],
    )
    def test_tells_whether_other_families_are_considered(
        self, visit_as: Visit, factories: Factories, considered: int | None, said: str
    ) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, families_considered=considered)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        assert f"Families being considered {said}" in page_of(visitor).text

    def test_shows_how_busy_each_family_is_and_narrows_the_list_to_the_free(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        busy = household_code(database, us, factories.household(us, considered_for=3, most_children=1))
        free = household_code(database, them, factories.household(them, considered_for=0))
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")
        whole = page_of(visitor).text
        visitor.get(f"/groups/{group_id}?free=1&points=1")
        narrowed = page_of(visitor).text

        assert f"1. {busy} To explore At its cap Your agency’s" in whole
        assert f"2. {free} To explore Free" in whole
        assert "Show only the 1 that is free" in whole
        assert f"2. {free}" in narrowed
        assert f"1. {busy}" not in narrowed
        assert "Points put the list in order." in narrowed
        assert "Show busy families too" in narrowed

    def test_says_so_where_nobody_is_known_to_be_free(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        factories.household(us)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}?free=1")

        assert "No family on the list is known to be free." in page_of(visitor).text

    def test_puts_a_siblings_family_above_the_list_for_two_agencies_alone(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium()
        us, them, third = (factories.tenant(consortium_id) for _ in range(3))
        household_id = factories.household(them, status=HouseholdStatus.ON_HOLD, age_to_months=11)
        code = household_code(database, them, household_id)
        group_id = factories.group(us, sibling_household=code)
        told: dict[UUID, list[bool]] = {}
        for tenant in (us, them, third):
            visitor = visit_as(tenant)
            pages = (
                f"/groups/{group_id}",
                f"/households/{household_id}",
                f"/groups/{group_id}/why?household={code}",
            )
            told[tenant.id] = []
            for page in pages:
                assert visitor.get(page).status_code == 200
                told[tenant.id].append("brother or sister" in page_of(visitor).text.replace("brothers and sisters", ""))

        assert told == {us.id: [True] * 3, them.id: [True] * 3, third.id: [False] * 3}

    def test_says_what_keeps_a_siblings_family_off_the_list(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        code = household_code(database, them, factories.household(them, age_to_months=11, considered_for=0))
        group_id = factories.group(us, sibling_household=code)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        text = page_of(visitor).text
        assert f"{FIRST} {code}: ask this family first" in text
        assert "What keeps it off the list below: age. Whether that still holds is for its worker to say." in text

    def test_flags_a_siblings_family_on_the_list_too(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        factories.household(us, most_children=1)
        code = household_code(database, them, factories.household(them))
        group_id = factories.group(us, sibling_household=code)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        text = page_of(visitor).text
        assert "It is number 2 of the list below." in text
        assert f"2. {code} To explore Availability not said A sibling lives here" in text

    def test_says_nothing_of_a_household_that_one_does_not_see(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        hidden = factories.household(them, stage=Stage.IN_HOUSE)
        codes = (household_code(database, them, hidden), "H-000000")
        said = []
        for code in codes:
            visitor = visit_as(us)
            visitor.get(f"/groups/{factories.group(us, sibling_household=code)}")
            said.append("You see no household of this code." in page_of(visitor).text)
            assert f"{FIRST} {code}" in page_of(visitor).text
            assert them.name not in page_of(visitor).text

        assert said == [True, True]


class TestHouseholdPage:
    def test_tells_what_a_family_brings_and_how_busy_it_is(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(
            us,
            adopters=1,
            experience=YesNo.YES,
            training=YesNo.NO,
            available_from=date(2099, 2, 1),
            considered_for=1,
            availability_confirmed_on=date(2026, 11, 16),
            cultures=["Irish"],
        )
        visitor = visit_as(us)

        visitor.get(f"/households/{household_id}")

        text = page_of(visitor).text
        assert "How busy Being considered, confirmed on 16 November 2026" in text
        assert "A child could move in 1 February 2099" in text
        assert "Adopters One adopter" in text
        assert "Experience with children Yes" in text
        assert "Training in therapeutic parenting No" in text
        assert "A parent at home through the first year Not recorded" in text
        assert "Support nearby Not recorded" in text
        assert "Culture Irish" in text

    def test_says_what_alone_keeps_groups_off(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us, smokers=YesNo.YES)
        factories.group(them, smoke_free=YesNo.YES)
        factories.group(them, smoke_free=YesNo.YES, stage=Stage.IN_HOUSE)
        visitor = visit_as(us)

        visitor.get(f"/households/{household_id}")

        text = page_of(visitor).text
        assert "One more group would come in but for needing a smoke-free home: look at the plan again." in text

    def test_never_tells_for_whom_a_family_is_considered_or_for_how_many(
        self, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, considered_for=93)
        group_id = factories.group(us)
        visitor = visit_as(us)
        for page in (f"/households/{household_id}", f"/groups/{group_id}", "/households?whose=all"):
            visitor.get(page)
            assert "At its cap" in page_of(visitor).text
            assert not re.search(r"\b93\b", page_of(visitor).text)
