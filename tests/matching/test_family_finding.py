from __future__ import annotations

from datetime import date
from typing import Any

from matching.family_finding import explain_family, find_families, find_groups
from matching.household import HouseholdStatus, get_household
from matching.pool import Stage
from matching.sibling_group import get_group
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, transaction

TOO_OLD: dict[str, Any] = {"age_from_months": 120, "age_to_months": 180}


class TestFindFamilies:
    def test_counts_who_waits_and_who_is_kept_off(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        ours, theirs = factories.household(us, most_children=1), factories.household(them)
        factories.household(them, **TOO_OLD)
        factories.household(them, stage=Stage.IN_HOUSE)
        factories.household(them, status=HouseholdStatus.ON_HOLD)

        with transaction(database, us) as session:
            found = find_families(session, get_group(session, group_id), as_of=TODAY, top=20, now=NOW)

        assert [(each.position, each.household.id, each.own) for each in found.best] == [
            (1, ours, True),
            (2, theirs, False),
        ]
        assert (found.families, found.households, found.few) == (2, 3, True)
        assert {title: count.failed for title, count in found.gates if count.failed} == {"Age": 1}
        assert [(miss.gate, miss.families) for miss in found.near_misses] == [("age", 1)]

    def test_shows_no_more_than_asked_and_counts_all(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        for _each in range(3):
            factories.household(us)

        with transaction(database, us) as session:
            found = find_families(session, get_group(session, group_id), as_of=TODAY, top=2, now=NOW)

        assert (len(found.best), found.families) == (2, 3)

    def test_finds_nobody_in_an_empty_pool(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)

        with transaction(database, us) as session:
            found = find_families(session, get_group(session, group_id), as_of=TODAY, top=20, now=NOW)

        assert (found.best, found.families, found.gates, found.near_misses) == ((), 0, (), ())


class TestFindGroups:
    def test_finds_the_groups_that_a_household_may_fit(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        shorter = factories.group(them, waiting_since=date(2026, 6, 1))
        longer = factories.group(us, waiting_since=date(2024, 6, 1))
        factories.group(them, stage=Stage.IN_HOUSE)

        with transaction(database, us) as session:
            found = find_groups(session, get_household(session, household_id), as_of=TODAY, top=2, now=NOW)

        assert [(each.group.id, each.own) for each in found.best] == [(longer, True), (shorter, False)]
        assert found.best[0].children == "One child: a girl of 3"
        assert (found.groups, found.waiting) == (2, 2)


class TestExplainFamily:
    def test_gives_the_place_of_one_that_is_listed(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        factories.household(us, most_children=1)
        second = factories.household(them)

        with transaction(database, us) as session:
            found = explain_family(
                session, get_group(session, group_id), get_household(session, second), as_of=TODAY, now=NOW
            )

        assert (found.position, found.families) == (2, 2)
        assert found.explanation.barred_by == ()

    def test_gives_no_place_to_one_that_is_barred_or_does_not_wait(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        barred = factories.household(them, **TOO_OLD)
        resting = factories.household(them, status=HouseholdStatus.ON_HOLD)

        with transaction(database, us) as session:
            group = get_group(session, group_id)
            of_barred, of_resting = (
                explain_family(session, group, get_household(session, each), as_of=TODAY, now=NOW)
                for each in (barred, resting)
            )

        assert [gate.code for gate in of_barred.explanation.barred_by] == ["age"]
        assert (of_barred.position, of_resting.position) == (None, None)
        assert of_resting.explanation.barred_by == ()
