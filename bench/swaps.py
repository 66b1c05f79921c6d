"""Swap plans at the size of a consortium and of England: the flow between agencies, and rings up to a length.

Run ``python -m bench.swaps [--rings] [--json]``. Each plan is checked: records used once, balances within the bound,
the length of rings, and its points added up anew. What a plan with every balance kept helps is told as a part of what
one without a bound would: that is what balance costs. ``--rings`` measures rings among 19 agencies too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from typing import Any

import numpy as np

from matching.swap.agency_ring import plan_rings
from matching.swap.plan import Pairs, PlannedLeg, peel, plan_flow

# Groups, households, agencies, households on each group's list
CONSORTIUM = (300, 500, 19, 50)
SIZES = (CONSORTIUM, (1_000, 2_000, 40, 50), (5_000, 10_000, 60, 50))
BOUND = 3


def make_pairs(groups: int, households: int, agencies: int, listed: int, seed: int = 1) -> Pairs:
    """Return synthetic pairs: agencies of uneven sizes, and for each group the first of its list, of other agencies."""
    draw = np.random.default_rng(seed)
    sizes = draw.dirichlet(np.full(agencies, 2.0), 2)
    group_agency, household_agency = (
        draw.choice(agencies, n, p=p) for n, p in zip((groups, households), sizes, strict=True)
    )
    group = np.repeat(np.arange(groups), listed)
    household = np.concatenate([draw.choice(households, listed, replace=False) for _ in range(groups)])
    points = np.sort(draw.integers(40, 101, (groups, listed)), axis=1)[:, ::-1].ravel()
    other = group_agency[group] != household_agency[household]
    return Pairs(agencies, group_agency, household_agency, group[other], household[other], points[other])


def check(pairs: Pairs, legs: list[PlannedLeg], bound: int) -> tuple[int, int]:
    """Assert that a plan holds, and return how many groups it helps, and its points."""
    net: Counter[int] = Counter()
    for leg in legs:
        net.update({leg.family_agency: 1})
        net.subtract({leg.children_agency: 1})
    for records in (pairs.group, pairs.household):
        assert len({int(records[leg.pair]) for leg in legs}) == len(legs)
    assert all(abs(each) <= bound for each in net.values())
    return len(legs), sum(int(pairs.points[leg.pair]) for leg in legs)


def main() -> None:
    """Measure, and print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rings", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for groups, households, agencies, listed in SIZES:
        pairs = make_pairs(groups, households, agencies, listed)
        free, _ = check(pairs, plan_flow(pairs, bound=groups), groups)
        for bound in (0, BOUND):
            start = time.perf_counter()
            legs = plan_flow(pairs, bound=bound)
            seconds = time.perf_counter() - start
            helped, points = check(pairs, legs, bound)
            rings, rest = peel(legs)
            assert sum(map(len, rings)) + len(rest) == helped
            rows.append(
                {
                    "groups": groups,
                    "households": households,
                    "agencies": agencies,
                    "pairs": len(pairs.group),
                    "plan": f"flow, balance within {bound}",
                    "helped": helped,
                    "points": points,
                    "share_of_unbound": round(helped / free, 3),
                    "rings": dict(sorted(Counter(map(len, rings)).items())),
                    "seconds": round(seconds, 3),
                }
            )
    if options.rings:
        pairs = make_pairs(*CONSORTIUM)
        most = check(pairs, plan_flow(pairs, bound=0), 0)
        for longest in (2, 3, 4):
            start = time.perf_counter()
            plan = plan_rings(pairs, longest=longest)
            ways, seconds = plan.rings, time.perf_counter() - start
            assert plan.proven
            assert all(len(ring) <= longest for ring in ways)
            found = check(pairs, [leg for ring in ways for leg in ring], 0)
            share = [round(a / b, 4) for a, b in zip(found, most, strict=True)]
            rows.append({"plan": f"rings of {longest} at most", "share_of_flow": share, "seconds": round(seconds, 2)})
            print(rows[-1])
    print(json.dumps(rows) if options.json else "\n".join(map(str, rows)))


if __name__ == "__main__":
    main()
