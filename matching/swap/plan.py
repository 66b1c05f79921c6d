"""Placements that would help most groups, and then fit best, while no agency gives much more than it takes.

Placements between agencies are a flow: from an agency to its group, to a household, to that household's agency. What an
agency's node keeps is its balance, so a bound on it is an arc to a bank, and the best plan is a flow of least cost:
exact, and quick at any size. A plan is something to read: nobody is placed by it, and no leg of it waits for another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs that may be planned: positions of groups and households, and points; each of two different agencies.

    ``group_agency`` and ``household_agency`` give the position of each record's agency; -1 for one that no pair names.
    """

    agencies: int
    group_agency: Integers
    household_agency: Integers
    group: Integers
    household: Integers
    points: Integers

    @property
    def worth(self) -> Integers:
        """Return what each pair is worth: one group more outweighs all points together."""
        most = min(len(self.group_agency), len(self.household_agency)) * int(self.points.max(initial=0)) + 1
        return most + self.points


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One pair of a plan, by its position among the pairs, and the positions of the two agencies."""

    pair: int
    children_agency: int
    family_agency: int


def plan_flow(pairs: Pairs, *, bound: int, balances: Sequence[int] | None = None) -> list[PlannedLeg]:
    """Return the plan that helps most groups; of those, the one with the most points.

    ``balances`` are placements in less placements out so far, by agency. After the plan each agency's lies between
    ``-bound`` and ``bound``, or no further out than it was.
    """
    if not pairs.group.size:
        return []
    so_far = np.zeros(pairs.agencies, dtype=np.int64) if balances is None else np.array(balances, dtype=np.int64)
    # Records that no pair names need no node; a household that none may be placed with may be of no agency here.
    groups, group = _numbered(pairs.group, len(pairs.group_agency))
    households, household = _numbered(pairs.household, len(pairs.household_agency))
    agency = np.arange(pairs.agencies)
    group_node = pairs.agencies + np.arange(len(groups))
    household_node = pairs.agencies + len(groups) + np.arange(len(households))
    bank = np.full(pairs.agencies, pairs.agencies + len(groups) + len(households))
    tails = (group_node[group], pairs.group_agency[groups], household_node, agency, bank)
    heads = (household_node[household], group_node, pairs.household_agency[households], bank, agency)
    ones = np.ones(len(pairs.group) + len(groups) + len(households), dtype=np.int64)
    # What an agency takes in and does not place out goes to the bank; what it places out beyond that comes from it.
    room = (np.maximum(0, bound - so_far), np.maximum(0, bound + so_far))
    costs = np.zeros(len(ones) + 2 * pairs.agencies, dtype=np.int64)
    costs[: len(pairs.group)] = -pairs.worth
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate(tails), np.concatenate(heads), np.concatenate([ones, *room]), costs
    )
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"the flow between agencies has no answer: {status}")
    return legs_of(pairs, np.flatnonzero(flow.flows(arcs[: len(pairs.group)])))


def _numbered(records: Integers, count: int) -> tuple[Integers, Integers]:
    """Return which of so many records are named, in order, and for each naming the number among those."""
    named = np.zeros(count, dtype=np.bool_)
    named[records] = True
    return np.flatnonzero(named), (np.cumsum(named) - 1)[records]


def legs_of(pairs: Pairs, chosen: NDArray[np.intp]) -> list[PlannedLeg]:
    """Return chosen pairs with their agencies, in order of the children's agency, the family's, the group."""
    group, household = pairs.group[chosen], pairs.household[chosen]
    children, family = pairs.group_agency[group], pairs.household_agency[household]
    order = np.lexsort((group, family, children))
    return [
        PlannedLeg(*leg) for leg in zip(*(each[order].tolist() for each in (chosen, children, family)), strict=True)
    ]


def peel(legs: Iterable[PlannedLeg]) -> tuple[list[list[PlannedLeg]], list[PlannedLeg]]:
    """Return a plan's legs as rings of agencies, short ones first, and the legs that no ring takes up.

    For reading alone: which leg stands in which ring decides nothing.
    """
    between: dict[tuple[int, int], list[PlannedLeg]] = defaultdict(list)
    for leg in legs:
        between[leg.children_agency, leg.family_agency].append(leg)
    for waiting in between.values():
        waiting.reverse()
    agencies = sorted({agency for ends in between for agency in ends})
    rings = []
    for length in (2, 3):
        for chosen in combinations(agencies, length):
            for way in {chosen, (chosen[0], *chosen[:0:-1])} if length == 3 else {chosen}:
                rings.extend(_take_all(between, way))
    while (longer := _walk(between)) is not None:
        rings.append([between[ends].pop() for ends in longer])
    return rings, [leg for ends in sorted(between) for leg in reversed(between[ends])]


def _take_all(between: dict[tuple[int, int], list[PlannedLeg]], way: tuple[int, ...]) -> list[list[PlannedLeg]]:
    ends = list(zip(way, way[1:] + way[:1], strict=True))
    count = min(len(between[each]) for each in ends) if all(each in between for each in ends) else 0
    return [[between[each].pop() for each in ends] for _ in range(count)]


def _walk(between: dict[tuple[int, int], list[PlannedLeg]]) -> list[tuple[int, int]] | None:
    """Return the ends of some ring that is left, or ``None``."""
    onward: dict[int, list[int]] = defaultdict(list)
    for tail, head in sorted(ends for ends, waiting in between.items() if waiting):
        onward[tail].append(head)
    dead: set[int] = set()
    for start in sorted(onward):
        path = [start] if start not in dead else []
        while path:
            heads = [each for each in onward[path[-1]] if each not in dead]
            if not heads:
                dead.add(path.pop())
            elif heads[0] in path:
                ring = path[path.index(heads[0]) :]
                return list(zip(ring, ring[1:] + ring[:1], strict=True))
            else:
                path.append(heads[0])
    return None
