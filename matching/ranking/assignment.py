"""One family each for as many groups as can have one: a best assignment over the whole pool, and the greedy one.

Both are advice for a meeting to discuss. A pair that a gate bars is in neither; nothing else is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow

from matching.ranking.engine import RankedFamily, Ranking


@dataclass(frozen=True, slots=True)
class AssignedPair:
    """A group's position in the register, and the line of its list that it is given."""

    group: int
    family: RankedFamily


@dataclass(frozen=True, slots=True)
class Assignment:
    """Pairs in which no group and no household comes twice, longest waiting group first."""

    pairs: tuple[AssignedPair, ...]
    days: int
    """How long the groups that have a family have waited, added up."""

    @property
    def points(self) -> int:
        """Return the points of all pairs, added up."""
        return sum(pair.family.points for pair in self.pairs)


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Every pair that no gate bars: by group in order of waiting, then by household in order of code."""

    group: NDArray[np.int64]
    household: NDArray[np.int64]
    line: NDArray[np.int64]
    points: NDArray[np.int64]


def assign_best(ranking: Ranking, days_waiting: Sequence[int | None]) -> Assignment:
    """Return the assignment with the most groups; of those, the most points; of those, the most days waited.

    ``ranking`` must hold whole lists, ``days_waiting`` a number for each group. It is exact: a flow of the largest
    amount at the least cost, in whole numbers (A. V. Goldberg, An Efficient Implementation of a Scaling Minimum-Cost
    Flow Algorithm, 1997). Of assignments that are equal in all three, it is always the same one, in whatever order the
    records come.
    """
    edges, days = _edges(ranking), [max(0, each or 0) for each in days_waiting]
    if not edges.group.size:
        return Assignment(pairs=(), days=0)
    # One point outweighs all days together.
    cost = -(edges.points * (sum(days) + 1) + np.array(days, dtype=np.int64)[edges.group])
    chosen = _solve(edges, cost, groups=len(ranking.groups), households=len(ranking.households))
    return _assignment(ranking, [(int(edges.group[k]), int(edges.line[k])) for k in chosen.tolist()], days)


def assign_in_turn(ranking: Ranking, days_waiting: Sequence[int | None]) -> Assignment:
    """Return what comes of letting each group in turn, longest waiting first, take the best family that is left."""
    taken: set[int] = set()
    found = []
    for group in np.argsort(ranking.group_order).tolist():
        for line, household in enumerate(ranking.index[group].tolist()):
            if household >= 0 and household not in taken:
                taken.add(household)
                found.append((group, line))
                break
    return _assignment(ranking, found, [max(0, each or 0) for each in days_waiting])


def _edges(ranking: Ranking) -> _Edges:
    by_code = np.empty(len(ranking.households), dtype=np.int64)
    by_code[np.argsort(np.array(ranking.households))] = np.arange(len(ranking.households))
    group, line = np.nonzero(ranking.index >= 0)
    household = ranking.index[group, line].astype(np.int64)
    order = np.lexsort((by_code[household], ranking.group_order[group])) if group.size else np.zeros(0, dtype=np.int64)
    return _Edges(
        group=group[order].astype(np.int64),
        household=household[order],
        line=line[order].astype(np.int64),
        points=ranking.points[group, line].astype(np.int64)[order],
    )


def _solve(edges: _Edges, cost: NDArray[np.int64], *, groups: int, households: int) -> NDArray[np.intp]:
    """Return the positions of the chosen edges. Nodes: a source, a sink, groups and households as they first appear."""
    group_node, household_node = _first_seen(edges.group, groups) + 2, _first_seen(edges.household, households)
    seen_groups, seen_households = np.unique(edges.group), np.unique(edges.household)
    household_node = household_node + 2 + len(seen_groups)
    tails = np.concatenate(
        [np.zeros(len(seen_groups), dtype=np.int64), group_node[edges.group], np.sort(household_node[seen_households])]
    )
    heads = np.concatenate(
        [
            np.sort(group_node[seen_groups]),
            household_node[edges.household],
            np.ones(len(seen_households), dtype=np.int64),
        ]
    )
    costs = np.zeros(len(tails), dtype=np.int64)
    costs[len(seen_groups) : len(seen_groups) + len(cost)] = cost
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(tails, heads, np.ones(len(tails), dtype=np.int64), costs)
    flow.set_nodes_supplies(np.array([0, 1]), np.array([len(seen_groups), -len(seen_groups)]))
    status = flow.solve_max_flow_with_min_cost()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"the flow over the pool has no answer: {status}")
    carried: NDArray[np.int64] = flow.flows(arcs)
    return np.flatnonzero(carried[len(seen_groups) : len(seen_groups) + len(cost)])


def _first_seen(values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Number values in the order in which they first appear; what does not appear is -1."""
    numbers = np.full(size, -1, dtype=np.int64)
    seen, first = np.unique(values, return_index=True)
    numbers[seen[np.argsort(first)]] = np.arange(len(seen))
    return numbers


def _assignment(ranking: Ranking, found: list[tuple[int, int]], days: Sequence[int]) -> Assignment:
    order = ranking.group_order
    pairs = []
    for group, line in sorted(found, key=lambda pair: int(order[pair[0]])):
        families = list(ranking.families_of(group))
        pairs.append(AssignedPair(group=group, family=families[line]))
    return Assignment(pairs=tuple(pairs), days=sum(days[pair.group] for pair in pairs))
