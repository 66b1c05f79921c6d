"""Distance from one's own group: a band, told as rankings tell it, counted as they are counted."""

from __future__ import annotations

import pytest

from matching.household_search import EVERY_HOUSEHOLD
from matching.near import list_own_groups, narrow_by_distance
from matching.pool import Stage
from matching.ranking.facts import DistanceBand
from matching.register import list_household_cards
from matching.sibling_group import GroupStatus, GroupUnknown, get_group
from tenants.audit import Act, list_entries_of
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, transaction


class TestNarrowByDistance:
    def test_keeps_those_in_the_bands_asked(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us, outward_code="EX4")
        near, far = factories.household(them, outward_code="EX1"), factories.household(us, outward_code="NE1")
        unplaced = factories.household(them, outward_code=None)
        hidden = factories.household(them, outward_code="EX1", stage=Stage.IN_HOUSE)

        with transaction(database, us) as session:
            code = get_group(session, group_id).code
            asked = narrow_by_distance(session, EVERY_HOUSEHOLD, code=code, bands=[DistanceBand.NEAR], now=NOW)
            page = list_household_cards(session, own=False, number=1, as_of=TODAY, wanted=asked)
            entries = list_entries_of(session, group_id)

        assert asked.within == frozenset({near})
        assert asked.unplaced == frozenset({unplaced})
        assert [card.id for card in page.cards] == [near]
        assert not {far, hidden} & {card.id for card in page.cards}
        assert Act.RANK in {entry.act for entry in entries}

    def test_is_from_ones_own_groups_alone(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        theirs = factories.group(them)

        with transaction(database, us) as session:
            code = get_group(session, theirs).code
            for each in (code, "G-000000"):
                with pytest.raises(GroupUnknown):
                    narrow_by_distance(session, EVERY_HOUSEHOLD, code=each, bands=[DistanceBand.NEAR], now=NOW)

    def test_finds_nobody_where_there_is_nobody(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)

        with transaction(database, us) as session:
            code = get_group(session, group_id).code
            asked = narrow_by_distance(session, EVERY_HOUSEHOLD, code=code, bands=[DistanceBand.NEAR], now=NOW)

        assert (asked.within, asked.unplaced) == (frozenset(), frozenset())


class TestListOwnGroups:
    def test_are_ones_own_that_wait(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        factories.group(us, status=GroupStatus.ON_HOLD)
        factories.group(them)

        with transaction(database, us) as session:
            code = get_group(session, group_id).code
            found = list_own_groups(session, as_of=TODAY)

        assert found == [(code, "One child: a girl of 3")]
