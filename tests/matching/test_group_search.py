"""Which groups a list shows: each filter holds, fails, or is not said; unknown is never yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from matching.group_search import EVERY_GROUP, GroupFilter, GroupSex, GroupSort, HowMuch
from matching.need import NeedLevel
from matching.pool import Stage
from matching.ranking.facts import LegalPosition, Sex
from matching.register import group_filter_to_take_off, list_group_cards, search_groups
from matching.sibling_group import GroupIdentity, GroupStatus
from tenants.agency import Agency
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant, transaction

Listed = Callable[..., list[UUID]]
GIRL, BOY, UNKNOWN = Sex.FEMALE, Sex.MALE, Sex.UNKNOWN


def born(years: int, months: int = 0) -> date:
    """Return the month of birth of a child who is so old today."""
    total = TODAY.year * 12 + TODAY.month - 1 - years * 12 - months
    return date(total // 12, total % 12 + 1, 1)


@pytest.fixture
def listed(database: Database) -> Listed:
    """What a tenant's list shows of what is asked, by id."""

    def ids(tenant: Tenant, wanted: GroupFilter, *, own: bool = False, sort: GroupSort = GroupSort.WAITING) -> Any:
        with transaction(database, tenant) as session:
            page = list_group_cards(session, own=own, number=1, as_of=TODAY, wanted=wanted, sort=sort)
        return [card.id for card in page.cards]

    return ids


class TestAges:
    @pytest.mark.parametrize(
        ("children", "asked", "shown"),
        [
            ([born(3)], (3, 3), "yes"),
            ([born(3, 11)], (3, 3), "yes"),
            ([born(4)], (3, 3), "no"),
            ([born(2, 11)], (3, 3), "no"),
            ([born(2), born(5)], (2, 5), "yes"),
            ([born(2), born(6)], (2, 5), "no"),
            ([born(2), None], (2, 5), "unsaid"),
            ([born(6), None], (2, 5), "no"),
            ([None], (0, 17), "unsaid"),
            ([], (0, 17), "unsaid"),
            ([born(0, -3)], (0, 0), "yes"),
            ([born(0, -3)], (1, 2), "no"),
            ([born(7)], (None, 6), "no"),
            ([born(7)], (7, None), "yes"),
            ([born(7)], (0, None), "yes"),
        ],
    )
    def test_hold_when_every_child_is_of_one_of_them(
        self, children: list[Any], asked: tuple[Any, Any], shown: str, factories: Factories, listed: Listed
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them, children=tuple((month, GIRL) for month in children))
        wanted = GroupFilter(age_from=asked[0], age_to=asked[1])

        assert answer(listed, us, wanted, "ages", group_id) == shown


class TestSize:
    @pytest.mark.parametrize(
        ("count", "sizes", "shown"),
        [(1, {1}, "yes"), (2, {1}, "no"), (2, {1, 2}, "yes"), (5, {4}, "yes"), (5, {3}, "no"), (0, {1}, "unsaid")],
    )
    def test_is_how_many_children_are_recorded(
        self, count: int, sizes: set[int], shown: str, factories: Factories, listed: Listed
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them, children=((born(3), GIRL),) * count)

        assert answer(listed, us, GroupFilter(sizes=frozenset(sizes)), "size", group_id) == shown


class TestSex:
    @pytest.mark.parametrize(
        ("sexes", "is_of"),
        [
            ([GIRL], "girls"),
            ([BOY, BOY], "boys"),
            ([GIRL, BOY], "both"),
            ([GIRL, BOY, UNKNOWN], "both"),
            ([GIRL, UNKNOWN], "unknown"),
            ([UNKNOWN], "unknown"),
            ([], "unknown"),
        ],
    )
    def test_is_one_of_four(self, sexes: list[Sex], is_of: str, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them, children=tuple((born(3), sex) for sex in sexes))

        shown = [each for each in GroupSex if listed(us, GroupFilter(sexes=frozenset({each}))) == [group_id]]

        assert shown == [is_of]


class TestNeeds:
    @pytest.mark.parametrize(
        ("level", "shown"),
        [
            (NeedLevel.NONE, {"none", "low-at-most", "medium-at-most"}),
            (NeedLevel.LOW, {"low-or-more", "low-at-most", "medium-at-most"}),
            (NeedLevel.MEDIUM, {"low-or-more", "medium-or-more", "medium-at-most"}),
            (NeedLevel.HIGH, {"low-or-more", "medium-or-more", "high"}),
            (NeedLevel.UNKNOWN, set()),
            (None, set()),
        ],
    )
    def test_hold_at_the_level_that_is_recorded(
        self, level: NeedLevel | None, shown: set[str], factories: Factories, listed: Listed
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them, needs={"neglect": level} if level else {})
        asked = {each: GroupFilter(needs=frozenset({"neglect"}), how_much=each) for each in HowMuch}

        said = {each: answer(listed, us, wanted, "needs", group_id) for each, wanted in asked.items()}

        assert {each.value for each, word in said.items() if word == "yes"} == shown
        unknown = level in (None, NeedLevel.UNKNOWN)
        assert {word for word in said.values() if word != "yes"} == ({"unsaid"} if unknown else {"no"})

    def test_hold_all_together(self, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        both = factories.group(them, needs={"neglect": NeedLevel.LOW, "attachment": NeedLevel.HIGH})
        one = factories.group(them, needs={"neglect": NeedLevel.LOW})
        factories.group(them, needs={"neglect": NeedLevel.LOW, "attachment": NeedLevel.NONE})
        wanted = GroupFilter(needs=frozenset({"neglect", "attachment"}))

        assert listed(us, wanted) == [both]
        assert set(listed(us, replace(wanted, unsaid=frozenset({"needs"})))) == {both, one}


class TestOtherFilters:
    def test_take_what_is_ticked(self, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        granted = factories.group(us, legal_position=LegalPosition.ORDER_GRANTED, status=GroupStatus.ON_HOLD)
        unknown = factories.group(them, legal_position=LegalPosition.UNKNOWN)
        positions = frozenset({LegalPosition.UNKNOWN, LegalPosition.APPEAL})

        assert listed(us, GroupFilter(legal=positions)) == [unknown]
        assert listed(us, GroupFilter(statuses=frozenset({GroupStatus.ON_HOLD}))) == [granted]
        assert listed(us, GroupFilter(agencies=frozenset({them.slug}))) == [unknown]
        assert listed(us, GroupFilter(agencies=frozenset({"nowhere"}))) == []

    @pytest.mark.parametrize(
        ("since", "shown"), [(date(2026, 8, 23), "yes"), (date(2026, 8, 24), "no"), (None, "unsaid")]
    )
    def test_reckon_waiting_in_calendar_months(
        self, since: date | None, shown: str, factories: Factories, listed: Listed
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them, waiting_since=since)

        assert answer(listed, us, GroupFilter(waiting_months=3), "waiting", group_id) == shown

    def test_know_what_is_new_to_the_pool(self, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        new = factories.group(them)
        in_house = factories.group(us, stage=Stage.IN_HOUSE)

        assert listed(us, GroupFilter(new_days=7)) == [new]
        assert set(listed(us, EVERY_GROUP)) == {new, in_house}

    def test_know_an_agencys_region(self, factories: Factories, database: Database, listed: Listed) -> None:
        us, them = factories.two_tenants()
        of_them, _ = factories.group(them), factories.group(us)
        with database.transaction(OPERATOR) as session:
            session.execute(update(Agency).where(Agency.id == them.id).values(region="Test Marches"))

        assert listed(us, GroupFilter(regions=frozenset({"Test Marches"}))) == [of_them]

    @pytest.mark.parametrize("own", [True, False])
    def test_show_nobody_anothers_hidden_group(self, own: bool, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        factories.group(them, stage=Stage.IN_HOUSE)
        factories.group(them, held=True)

        assert listed(us, EVERY_GROUP, own=own) == []


class TestOrder:
    def test_is_stable_and_puts_the_unsaid_last(self, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        old = factories.group(us, children=((born(9), BOY),), waiting_since=date(2024, 1, 1))
        young = factories.group(
            them, children=((born(1), BOY), (born(4), GIRL)), waiting_since=None, added_at=NOW + timedelta(days=1)
        )
        unsaid = factories.group(us, children=((None, BOY),) * 3, waiting_since=date(2025, 1, 1))

        orders = {sort: listed(us, EVERY_GROUP, sort=sort) for sort in GroupSort}

        assert orders[GroupSort.WAITING] == [old, unsaid, young]
        assert orders[GroupSort.NEWEST][0] == young
        assert orders[GroupSort.YOUNGEST] == [young, old, unsaid]
        assert orders[GroupSort.OLDEST] == [old, young, unsaid]
        assert orders[GroupSort.LARGEST] == [unsaid, young, old]
        assert {frozenset(order) for order in orders.values()} == {frozenset({old, young, unsaid})}
        assert orders[GroupSort.CODE] == listed(us, EVERY_GROUP, sort=GroupSort.CODE)

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(
        wanted=st.builds(
            GroupFilter,
            age_from=st.none() | st.integers(0, 17),
            age_to=st.none() | st.integers(0, 17),
            sizes=st.frozensets(st.integers(1, 4)),
            sexes=st.frozensets(st.sampled_from(GroupSex)),
            needs=st.frozensets(st.sampled_from(["neglect", "attachment"])),
            how_much=st.sampled_from(HowMuch),
            unsaid=st.frozensets(st.sampled_from(["ages", "size", "needs"])),
        ),
        sort=st.sampled_from(GroupSort),
    )
    def test_and_filters_only_ever_narrow(
        self, wanted: GroupFilter, sort: GroupSort, factories: Factories, listed: Listed
    ) -> None:
        us, them = self._two(factories)

        found = listed(us, wanted, sort=sort)

        assert len(set(found)) == len(found)
        assert set(found) <= set(listed(us, EVERY_GROUP))
        assert set(listed(us, replace(wanted, unsaid=frozenset()))) <= set(found)
        assert set(listed(them, wanted)) == set(found), "all is pooled, so both see the same"

    _made: tuple[Tenant, Tenant] | None = None

    def _two(self, factories: Factories) -> tuple[Tenant, Tenant]:
        if TestOrder._made is None:
            us, them = TestOrder._made = factories.two_tenants()
            for years, sex, level in ((0, GIRL, NeedLevel.LOW), (5, BOY, NeedLevel.HIGH), (9, UNKNOWN, None)):
                factories.group(us, children=((born(years), sex),), needs={"neglect": level} if level else {})
                factories.group(them, children=((born(years), sex), (None, GIRL)))
        return TestOrder._made


class TestFilterToTakeOff:
    def test_is_the_one_that_hides_most(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        for _ in range(2):
            factories.group(them, children=((born(3), GIRL),), legal_position=LegalPosition.CONSENT)
        factories.group(us, children=((born(9), BOY),), legal_position=LegalPosition.APPEAL)
        wanted = GroupFilter(age_to=5, legal=frozenset({LegalPosition.APPEAL}))

        with transaction(database, us) as session:
            removal = group_filter_to_take_off(session, wanted, own=False, as_of=TODAY)
            nothing = group_filter_to_take_off(session, EVERY_GROUP, own=False, as_of=TODAY)
            hopeless = group_filter_to_take_off(
                session, replace(wanted, sexes=frozenset({GroupSex.UNKNOWN})), own=False, as_of=TODAY
            )

        assert removal is not None
        assert (removal.name, removal.total) == ("legal", 2)
        assert (nothing, hopeless) == (None, None)


class TestSearchGroups:
    def test_finds_ones_own_by_a_part_of_a_reference_and_all_by_a_part_of_a_code(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        ours, theirs = factories.group(us), factories.group(them)
        for tenant, group_id in ((us, ours), (them, theirs)):
            with transaction(database, tenant) as session:
                session.execute(
                    update(GroupIdentity)
                    .where(GroupIdentity.sibling_group_id == group_id)
                    .values(reference=f"Oak_{tenant.slug[-6:]}%")
                )

        with transaction(database, us) as session:
            by_reference = search_groups(session, "oak_", as_of=TODAY)
            by_wildcard = search_groups(session, "%%%", as_of=TODAY)
            everyone = search_groups(session, "g-", as_of=TODAY)

        assert [card.id for card in by_reference.cards] == [ours]
        assert by_wildcard.cards == ()
        assert {card.id for card in everyone.cards} == {ours, theirs}

    @pytest.mark.parametrize("text", ["\0", "\\", "%", "_", "'", "\ud800"])
    def test_survives_absurd_texts(self, text: str, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.group(them)

        with transaction(database, us) as session:
            assert search_groups(session, text, as_of=TODAY).total == 0

    def test_finds_a_group_by_a_childs_reference(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)

        with transaction(database, us) as session:
            found = search_groups(session, "c", as_of=TODAY)

        assert group_id in {card.id for card in found.cards}


def answer(listed: Listed, tenant: Tenant, wanted: GroupFilter, name: str, group_id: UUID) -> str:
    """Return what a filter says of the only group there is."""
    if listed(tenant, wanted) == [group_id]:
        return "yes"
    return "unsaid" if listed(tenant, replace(wanted, unsaid=frozenset({name}))) == [group_id] else "no"
