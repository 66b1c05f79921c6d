from __future__ import annotations

import random
from collections import Counter
from itertools import product

import numpy as np
import pytest

from matching.swap.agency_ring import TooManyAgencies, plan_rings
from matching.swap.plan import Pairs, PlannedLeg, peel, plan_flow
from matching.swap.ring import LengthUnknown


def draw_pairs(draw: random.Random, *, agencies: int = 3, most: int = 5, chance: float = 0.6) -> Pairs:
    group_agency = [draw.randrange(agencies) for _ in range(draw.randint(0, most))]
    household_agency = [draw.randrange(agencies) for _ in range(draw.randint(0, most))]
    found = [
        (g, h, draw.randint(0, 100))
        for (g, a), (h, b) in product(enumerate(group_agency), enumerate(household_agency))
        if a != b and draw.random() < chance
    ]
    group, household, points = (np.array([each[k] for each in found], dtype=np.int64) for k in range(3))
    return Pairs(agencies, np.array(group_agency, int), np.array(household_agency, int), group, household, points)


def check(pairs: Pairs, legs: list[PlannedLeg], *, bound: int, balances: list[int]) -> tuple[int, int]:
    """Assert that a plan uses each record once and keeps the bound; return groups and points, added up anew."""
    groups = Counter(int(pairs.group[leg.pair]) for leg in legs)
    households = Counter(int(pairs.household[leg.pair]) for leg in legs)
    assert set(groups.values()) | set(households.values()) <= {1}
    after = list(balances)
    for leg in legs:
        assert leg.children_agency == pairs.group_agency[pairs.group[leg.pair]]
        assert leg.family_agency == pairs.household_agency[pairs.household[leg.pair]]
        after[leg.children_agency] -= 1
        after[leg.family_agency] += 1
    assert all(min(-bound, was) <= now <= max(bound, was) for was, now in zip(balances, after, strict=True))
    return len(legs), sum(int(pairs.points[leg.pair]) for leg in legs)


def plans(pairs: Pairs) -> list[list[int]]:
    """Return every set of pairs that uses each record once."""
    found: list[list[int]] = [[]]
    for k in range(len(pairs.group)):
        free = [
            each
            for each in found
            if all(pairs.group[k] != pairs.group[j] and pairs.household[k] != pairs.household[j] for j in each)
        ]
        found.extend([*each, k] for each in free)
    return found


def nets(pairs: Pairs, chosen: list[int]) -> list[int]:
    net = [0] * pairs.agencies
    for k in chosen:
        net[pairs.group_agency[pairs.group[k]]] -= 1
        net[pairs.household_agency[pairs.household[k]]] += 1
    return net


def worth(pairs: Pairs, chosen: list[int]) -> tuple[int, int]:
    return len(chosen), sum(int(pairs.points[k]) for k in chosen)


def in_rings(pairs: Pairs, chosen: list[int], longest: int) -> bool:
    """Say whether legs split into rings of at most so many agencies, by trying every way."""
    if not chosen:
        return True
    ends = {
        k: (int(pairs.group_agency[pairs.group[k]]), int(pairs.household_agency[pairs.household[k]])) for k in chosen
    }
    paths = [[chosen[0]]]
    for _ in range(longest - 1):
        paths = [
            [*path, k]
            for path in paths
            for k in chosen
            if k not in path and ends[k][0] == ends[path[-1]][1] and ends[k][0] not in [ends[j][0] for j in path]
        ]
        for path in paths:
            closes = ends[path[-1]][1] == ends[path[0]][0]
            if closes and in_rings(pairs, [k for k in chosen if k not in path], longest):
                return True
    return False


class TestPlanFlow:
    def test_is_the_best_of_all_plans_that_keep_the_bound(self) -> None:
        draw = random.Random(11)  # noqa: S311
        for _ in range(250):
            pairs = draw_pairs(draw, most=4)
            bound, balances = draw.randint(0, 2), [draw.randint(-3, 3) for _ in range(pairs.agencies)]

            found = check(pairs, plan_flow(pairs, bound=bound, balances=balances), bound=bound, balances=balances)

            def keeps(chosen: list[int], pairs: Pairs = pairs, bound: int = bound, was: list[int] = balances) -> bool:
                after = [a + b for a, b in zip(was, nets(pairs, chosen), strict=True)]
                return all(min(-bound, a) <= b <= max(bound, a) for a, b in zip(was, after, strict=True))

            assert found == max(worth(pairs, chosen) for chosen in plans(pairs) if keeps(chosen))

    def test_places_as_many_as_can_be_when_nothing_bounds_it(self) -> None:
        pairs = draw_pairs(random.Random(3), agencies=4, most=30)  # noqa: S311

        exact = check(pairs, plan_flow(pairs, bound=0), bound=0, balances=[0] * 4)
        free = check(pairs, plan_flow(pairs, bound=99), bound=99, balances=[0] * 4)

        assert exact <= free

    def test_is_the_same_each_time(self) -> None:
        pairs = draw_pairs(random.Random(4), agencies=4, most=30)  # noqa: S311

        assert plan_flow(pairs, bound=1) == plan_flow(pairs, bound=1)


class TestPeel:
    def test_takes_up_each_leg_once_and_leaves_no_ring(self) -> None:
        draw = random.Random(12)  # noqa: S311
        for _ in range(60):
            pairs = draw_pairs(draw, agencies=5, most=20)
            legs = plan_flow(pairs, bound=draw.randint(0, 3))

            rings, rest = peel(legs)

            assert sorted([*[leg for ring in rings for leg in ring], *rest], key=lambda leg: leg.pair) == sorted(
                legs, key=lambda leg: leg.pair
            )
            for ring in rings:
                assert len({leg.children_agency for leg in ring}) == len(ring)
                assert [leg.family_agency for leg in ring] == [leg.children_agency for leg in [*ring[1:], ring[0]]]
            assert peel(rest)[0] == []

    def test_leaves_nothing_over_where_every_balance_is_kept(self) -> None:
        pairs = draw_pairs(random.Random(5), agencies=5, most=30)  # noqa: S311

        assert peel(plan_flow(pairs, bound=0))[1] == []


class TestPlanRings:
    @pytest.mark.parametrize("longest", [2, 3, 4])
    def test_are_the_best_of_all_plans_in_short_rings(self, longest: int) -> None:
        draw = random.Random(13 + longest)  # noqa: S311
        for _ in range(40):
            pairs = draw_pairs(draw, agencies=4, most=4)

            plan = plan_rings(pairs, longest=longest)
            rings = plan.rings

            assert all(2 <= len(ring) <= longest for ring in rings)
            found = check(pairs, [leg for ring in rings for leg in ring], bound=0, balances=[0] * 4)
            even = (chosen for chosen in plans(pairs) if not any(nets(pairs, chosen)))
            assert found == max(worth(pairs, chosen) for chosen in even if in_rings(pairs, chosen, longest))
            assert (plan.proven, plan.most_groups, plan.most_points) == (True, *found)

    def test_say_what_is_open_when_the_time_is_over(self) -> None:
        pairs = draw_pairs(random.Random(8), agencies=4, most=30)  # noqa: S311
        whole = plan_rings(pairs, longest=3)

        hurried = plan_rings(pairs, longest=3, seconds=0)

        assert not hurried.proven
        assert hurried.most_groups >= whole.most_groups >= sum(map(len, hurried.rings))

    def test_come_to_no_more_than_the_flow(self) -> None:
        pairs = draw_pairs(random.Random(6), agencies=4, most=12)  # noqa: S311
        flow = check(pairs, plan_flow(pairs, bound=0), bound=0, balances=[0] * 4)

        found = [leg for ring in plan_rings(pairs, longest=4).rings for leg in ring]

        # Of four agencies no ring is longer than four.
        assert check(pairs, found, bound=0, balances=[0] * 4) == flow

    def test_refuses_another_length_and_too_many_agencies(self) -> None:
        many = Pairs(
            agencies=22,
            group_agency=np.arange(22),
            household_agency=np.roll(np.arange(22), 1),
            group=np.arange(22),
            household=np.arange(22),
            points=np.ones(22, dtype=np.int64),
        )

        with pytest.raises(LengthUnknown):
            plan_rings(many, longest=5)
        with pytest.raises(TooManyAgencies, match="here are 22"):
            plan_rings(many, longest=4)
