from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from matching.availability import Availability
from matching.family_finding import SiblingFirst, explain_family, find_families, find_groups
from matching.household import HouseholdStatus, get_household
from matching.need import YesNo
from matching.pool import Stage
from matching.ranking.facts import Sex
from matching.sibling_group import get_group
from matching.sibling_placement import SiblingPlacement
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant, transaction

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
        assert {title: count.failed for title, count, bars in found.gates if bars and count.failed} == {"Age": 1}
        assert [(miss.gate, miss.count) for miss in found.near_misses] == [("age", 1)]

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

    def test_says_how_busy_each_family_is_and_moves_nobody_by_it(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us, families_considered=3)
        full = factories.household(them, considered_for=3, most_children=1)
        unsaid = factories.household(them, approved_on=date(2025, 1, 7))
        free = factories.household(us, considered_for=0, approved_on=date(2025, 1, 8))
        busy = factories.household(us, considered_for=2, approved_on=date(2025, 1, 9))

        with transaction(database, us) as session:
            group = get_group(session, group_id)
            found = find_families(session, group, as_of=TODAY, top=20, now=NOW)
            narrowed = find_families(session, group, as_of=TODAY, top=20, now=NOW, only_free=True)

        assert [(each.household.id, each.availability) for each in found.best] == [
            (full, Availability.AT_CAP),
            (unsaid, Availability.UNKNOWN),
            (free, Availability.FREE),
            (busy, Availability.CONSIDERED),
        ]
        assert (found.free, found.considered) == (1, Availability.AT_CAP)
        assert [(each.position, each.household.id) for each in narrowed.best] == [(3, free)]
        assert (narrowed.families, narrowed.free) == (4, 1)

    def test_tells_what_only_counts_against_from_what_rules_out(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, experience_needed=YesNo.YES, no_pets=YesNo.YES)
        factories.household(us, experience=YesNo.NO, pets=YesNo.YES)

        with transaction(database, us) as session:
            found = find_families(session, get_group(session, group_id), as_of=TODAY, top=20, now=NOW)

        told = {title: (count.failed, bars) for title, count, bars in found.gates if count.failed}
        assert told == {"Pets": (1, True), "Experience and support": (1, False)}

    def test_reads_the_caps_of_its_own_consortium(self, factories: Factories, database: Database) -> None:
        tenant = factories.tenant(factories.consortium(household_cap=1, group_cap=2))
        group_id = factories.group(tenant, families_considered=1)
        factories.household(tenant, considered_for=1)

        with transaction(database, tenant) as session:
            found = find_families(session, get_group(session, group_id), as_of=TODAY, top=20, now=NOW)

        assert found.best[0].availability is Availability.AT_CAP
        assert found.considered is Availability.CONSIDERED


class TestSiblingFirst:
    """Adopters of a sibling see a new sibling first (guidance 4.12), and only two agencies learn of it."""

    def test_stands_above_the_list_whatever_bars_it(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.household(us)
        barred = factories.household(them, **TOO_OLD, status=HouseholdStatus.ON_HOLD)
        group_id = factories.group(us, sibling_household=code_of(database, them, barred))

        with transaction(database, us) as session:
            found = find_families(session, get_group(session, group_id), as_of=TODAY, top=20, now=NOW)

        assert found.first is not None
        assert found.first.family is not None
        assert (found.first.family.household.id, found.first.family.position) == (barred, None)
        assert [gate.code for gate in found.first.family.explanation.barred_by] == ["age"]
        assert barred not in [each.household.id for each in found.best]

    def test_leaves_the_order_as_it_is(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.household(us, most_children=1)
        second = factories.household(them)
        group_id = factories.group(us, sibling_household=code_of(database, them, second))

        with transaction(database, us) as session:
            found = find_families(session, get_group(session, group_id), as_of=TODAY, top=20, now=NOW)

        assert found.first is not None
        assert found.first.family is not None
        assert found.first.family.position == 2
        assert [each.household.id for each in found.best][1] == second

    def test_is_told_to_the_households_own_agency_and_to_no_third(
        self, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium()
        us, them, third = (factories.tenant(consortium_id) for _ in range(3))
        household_id = factories.household(them)
        group_id = factories.group(us, sibling_household=code_of(database, them, household_id))
        told = {}
        for tenant in (us, them, third):
            with transaction(database, tenant) as session:
                group, household = get_group(session, group_id), get_household(session, household_id)
                families = find_families(session, group, as_of=TODAY, top=20, now=NOW)
                groups = find_groups(session, household, as_of=TODAY, top=20, now=NOW)
                why = explain_family(session, group, household, as_of=TODAY, now=NOW)
                told[tenant.id] = (
                    families.first and families.first.code,
                    [each.group.id for each in groups.first],
                    why.sibling,
                )
                assert [each.household.id for each in families.best] == [household_id]

        code = code_of(database, them, household_id)
        assert told[us.id] == (code, [group_id], True)
        assert told[them.id] == (code, [group_id], True)
        assert told[third.id] == (None, [], False)

    def test_is_not_told_of_a_group_that_is_not_shared(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them)
        factories.group(us, stage=Stage.IN_HOUSE, sibling_household=code_of(database, them, household_id))

        with transaction(database, them) as session:
            found = find_groups(session, get_household(session, household_id), as_of=TODAY, top=20, now=NOW)
            seen = session.scalars(select(SiblingPlacement)).all()

        assert (found.first, seen) == ((), [])

    def test_says_the_code_alone_of_a_household_that_one_does_not_see(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        hidden = factories.household(them, stage=Stage.IN_HOUSE)
        code = code_of(database, them, hidden)
        group_ids = [factories.group(us, sibling_household=each) for each in (code, "H-000000")]

        with transaction(database, us) as session:
            found = [
                find_families(session, get_group(session, each), as_of=TODAY, top=20, now=NOW).first
                for each in group_ids
            ]

        assert found == [SiblingFirst(code, None), SiblingFirst("H-000000", None)]


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

    def test_says_what_one_change_would_open_more_groups(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us, pets=YesNo.YES, considered_for=1)
        factories.group(them)
        factories.group(them, no_pets=YesNo.YES)
        factories.group(us, no_pets=YesNo.YES)
        factories.group(them, no_pets=YesNo.YES, children=((date(2010, 1, 1), Sex.MALE),))

        with transaction(database, us) as session:
            found = find_groups(session, get_household(session, household_id), as_of=TODAY, top=20, now=NOW)

        assert [(miss.code, miss.count) for miss in found.near_misses] == [("pets", 2)]
        assert found.near_misses[0].words == (
            "2 more groups would come in but for having no pets in the home: look at the plan again."
        )
        assert (found.groups, found.few, found.availability) == (1, True, Availability.CONSIDERED)


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


def code_of(database: Database, tenant: Tenant, household_id: UUID) -> str:
    with transaction(database, tenant) as session:
        return get_household(session, household_id).code
