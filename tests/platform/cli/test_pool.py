"""``concord pool assign``: one agency's view of the pool, as advice."""

from __future__ import annotations

import pytest

from concord.schema.pool import PoolViewSchema
from tests.factories import Factories
from tests.platform.cli.run import answer, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestAssign:
    def test_gives_a_family_each_of_what_the_agency_sees(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        factories.group(devon)
        factories.household(dorset)

        said = answer("pool", "assign", "--agency", devon.slug)
        others = answer("pool", "assign", "--agency", stranger.slug)

        assert set(said) == set(PoolViewSchema().fields)
        assert [len(said[way]["pairs"]) for way in ("best", "in_turn")] == [1, 1]
        assert said["best"]["points"] == said["best"]["pairs"][0]["points"]
        assert (others["groups"], others["best"]["pairs"]) == (0, [])

    def test_says_that_people_decide(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        printed = run("pool", "assign", "--agency", devon.slug).stdout

        assert printed.startswith("Advice for the meeting to discuss; people decide.\n")
        assert "Over the whole pool: 0 of 0 groups, 0 points" in printed
