"""A swap of two children between two councils, from first interest to sealed orders, each placement for itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tests.browser import Visit
from tests.factories import Factories
from tests.journeys.two_councils import TODAY, TwoCouncils, two_councils
from tests.journeys.walk import Walk
from tests.matching.placement.stage import make_placed

DECIDED, MOVED_IN, ORDERED = (TODAY - timedelta(days=days) for days in (200, 150, 2))
COUNTS = "Yes. The child was under three on the day they moved in: 2 years"
DOES_NOT = "No. The child was not under three on the day they moved in: 5 years"


class TestSwap:
    def test_takes_two_children_each_by_a_way_of_their_own(
        self, visit: Visit, ground: TwoCouncils, factories: Factories, database: Database
    ) -> None:
        walk, devon, dorset = Walk(visit, ground), ground.devon, ground.dorset
        toddler = walk.interest(devon, dorset, why="They live near the sea, and she loves water.")
        first = walk.linked(dorset, devon, number=0)

        walk.consider(toddler)
        walk.to_panel(toddler, on=DECIDED)
        walk.decide(toddler, on=DECIDED)
        walk.place(toddler, on=MOVED_IN)
        assert "swap" not in visit.tab.inner_text("body").lower()

        # One child has moved in while the other's link has hardly begun; then that link ends. Neither does anything
        # to the other, nor to what is between the councils.
        walk.check_swap(devon, "−1", counts=[COUNTS])
        walk.end(first, by=devon, why="They would rather have a younger child.")
        walk.check_swap(dorset, "+1", counts=[COUNTS])

        # The older child moves in with another family, long after the younger: by the rule that is no leg.
        second = walk.linked(dorset, devon, number=1)
        make_placed(factories, database, second.pairing)
        walk.check_swap(devon, "−1", counts=[COUNTS, DOES_NOT])
        walk.check_swap(dorset, "+1", counts=[COUNTS, DOES_NOT], picture="swap-group")

        # Each is ordered and sealed by itself, and counts on.
        for leg in (second, toddler):
            walk.order(leg, on=ORDERED)
            walk.seal(leg)
        walk.check_swap(devon, "−1", counts=[COUNTS, DOES_NOT])
        visit.check_quiet(ground.url)


@pytest.fixture
def ground(factories: Factories, database: Database, migrated: DatabaseUrls, valkey_url: str) -> Iterator[TwoCouncils]:
    """Two councils that agreed to swap, on a site of their own."""
    with two_councils(factories, database, migrated, valkey_url) as ground:
        yield ground
