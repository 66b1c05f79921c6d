from __future__ import annotations

from datetime import date, timedelta

import pytest

from matching.household import HouseholdStatus
from matching.pool import PoolEntry, Stage
from matching.register import (
    PAGE_SIZE,
    Counts,
    Page,
    count_listed_groups,
    count_listed_households,
    list_group_cards,
    list_household_cards,
    sharing_words,
)
from matching.sibling_group import GroupStatus
from tenants.database import Database
from tests.factories import TODAY, Factories, transaction


class TestListGroupCards:
    def test_stand_waiting_first_and_longest_first(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        order = [
            factories.group(us, waiting_since=date(2024, 1, 1)),
            factories.group(us, waiting_since=date(2025, 1, 1)),
            factories.group(us, waiting_since=None),
            factories.group(us, waiting_since=date(2020, 1, 1), status=GroupStatus.ON_HOLD),
            factories.group(us, waiting_since=date(2019, 1, 1), status=GroupStatus.WITHDRAWN),
        ]

        with transaction(database, us) as session:
            page = list_group_cards(session, own=True, number=1, as_of=TODAY)

        assert [card.id for card in page.cards] == order
        assert (page.first, page.last, page.total, page.pages) == (1, 5, 5, 1)

    def test_are_those_of_the_scope(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        ours, shared = factories.group(us, stage=Stage.IN_HOUSE), factories.group(them)
        factories.group(them, stage=Stage.IN_HOUSE)
        factories.group(them, status=GroupStatus.WITHDRAWN)

        with transaction(database, us) as session:
            own = list_group_cards(session, own=True, number=1, as_of=TODAY)
            everyone = list_group_cards(session, own=False, number=1, as_of=TODAY)
            counts = count_listed_groups(session)

        assert [(card.id, card.own, card.sharing) for card in own.cards] == [(ours, True, "In-house")]
        assert {(card.id, card.own, card.agency) for card in everyone.cards} == {
            (ours, True, us.name),
            (shared, False, them.name),
        }
        assert counts == Counts(own=1, all=2)

    @pytest.mark.parametrize("asked", [0, -5, 2, 10**30])
    def test_come_to_a_page_that_there_is(self, asked: int, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        factories.group(us)

        with transaction(database, us) as session:
            page = list_group_cards(session, own=True, number=asked, as_of=TODAY)

        assert (page.number, len(page.cards)) == (1, 1)


class TestListHouseholdCards:
    def test_stand_longest_approved_first(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        late = factories.household(us, approved_on=TODAY - timedelta(days=9))
        early = factories.household(them, approved_on=TODAY - timedelta(days=99))
        hold = factories.household(us, approved_on=TODAY - timedelta(days=999), status=HouseholdStatus.ON_HOLD)
        factories.household(them, held=True)

        with transaction(database, us) as session:
            page = list_household_cards(session, own=False, number=1, as_of=TODAY)
            counts = count_listed_households(session)

        assert [card.id for card in page.cards] == [early, late, hold]
        assert counts == Counts(own=2, all=3)

    def test_are_nobodys_without_any(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        with transaction(database, us) as session:
            page = list_household_cards(session, own=True, number=3, as_of=TODAY)

        assert (page.cards, page.total, page.pages, page.first, page.last) == ((), 0, 1, 0, 0)


class TestPage:
    @pytest.mark.parametrize(
        ("total", "number", "shown"),
        [(0, 1, (0, 0, 1)), (1, 1, (1, 1, 1)), (25, 1, (1, 25, 1)), (26, 2, (26, 26, 2)), (1000, 40, (976, 1000, 40))],
    )
    def test_says_where_it_stands(self, total: int, number: int, shown: tuple[int, int, int]) -> None:
        page: Page[None] = Page(cards=(), total=total, number=number)

        assert (page.first, page.last, page.pages) == shown
        assert page.size == PAGE_SIZE


class TestSharingWords:
    def test_say_how_far_a_record_is_shared(self) -> None:
        entry = PoolEntry(stage=Stage.NATIONAL, held=False)
        held = PoolEntry(stage=Stage.CONSORTIUM, held=True)

        assert [sharing_words(each) for each in (entry, held, None)] == [
            "Shared nationally",
            "Held back",
            "Not in this pool",
        ]
