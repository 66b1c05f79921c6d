"""Rings of agencies up to a chosen length: the most groups helped, then the best fit, every agency's balance unmoved.

A whole number for each cycle of agencies says how often it is used, and for each ordered pair of agencies the pairs
chosen are as many as the cycles through it. Cycles of records are never listed: there would be billions of them. First
as many groups as can be, of which the plan between agencies is a bound; then, with so many, the most points.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from ortools.linear_solver import pywraplp

from matching.swap.packing import Clock, exact_parameters
from matching.swap.plan import Integers, Pairs, PlannedLeg, legs_of, plan_flow
from matching.swap.ring import LENGTHS, LengthUnknown
from tenants.error import Invalid

MOST_AGENCIES = {2: 60, 3: 30, 4: 20}
"""For how many agencies at once rings of a length are looked for."""

_UNKNOWN = 2**52
"""More than any bound."""


class TooManyAgencies(Invalid):
    """Rings of that length are not looked for among so many agencies."""


@dataclass(frozen=True, slots=True)
class RingPlan:
    """Rings of agencies, and how many groups and points no other rings help by more.

    ``most_points`` is what rings that help as many groups can come to at most; ``None`` where that was not looked for.
    Where both are what the rings have, there are no better ones.
    """

    rings: list[list[PlannedLeg]]
    most_groups: int
    most_points: int | None
    proven: bool


def plan_rings(pairs: Pairs, *, longest: int, seconds: float | None = None) -> RingPlan:
    """Return the best rings of 2 to ``longest`` agencies; where ``seconds`` are over before the proof, says the gap.

    :raises LengthUnknown: when ``longest`` is not 2, 3 or 4.
    :raises TooManyAgencies: when too many agencies have pairs for that length.
    """
    if longest not in LENGTHS:
        raise LengthUnknown("Rings may be 2, 3 or 4 long at most.")
    if not pairs.group.size:
        return RingPlan([], 0, 0, proven=True)
    clock, between = Clock(seconds), _between(pairs)
    cycles = _cycles(set(between), longest)
    # Rings are a plan that keeps every balance; rings of two help groups two at a time.
    most = len(plan_flow(pairs, bound=0)) // (2 if longest == 2 else 1) * (2 if longest == 2 else 1)
    if not cycles or not most:
        return RingPlan([], 0, 0, proven=True)
    programme = _Programme(pairs, between, cycles)
    groups = programme.most_groups(most, clock)
    points = programme.most_points(clock) if groups == len(programme.chosen) else None
    rings = _rings(legs_of(pairs, programme.chosen), cycles, programme.times)
    proven = points is not None and points == int(pairs.points[programme.chosen].sum())
    return RingPlan(rings, groups, points, proven)


class _Programme:
    """The whole-number programme: which pairs, and how often each cycle of agencies; and the best answer so far."""

    def __init__(self, pairs: Pairs, between: dict[tuple[int, int], Integers], cycles: list[tuple[int, ...]]) -> None:
        self.solver = solver = pywraplp.Solver.CreateSolver("CBC")
        self.pairs = pairs
        used = {ends for ring in cycles for ends in _ends(ring)}
        self.pair = {int(pair): solver.BoolVar("") for ends in sorted(used) for pair in between[ends]}
        self.cycle = [solver.IntVar(0, min(len(between[ends]) for ends in _ends(ring)), "") for ring in cycles]
        self.groups = solver.Add(solver.Sum(self.pair.values()) >= 0)
        _once(solver, self.pair, pairs.group)
        _once(solver, self.pair, pairs.household)
        through = defaultdict(list)
        for variable, ring in zip(self.cycle, cycles, strict=True):
            for ends in _ends(ring):
                through[ends].append(variable)
        for ends in sorted(used):
            solver.Add(sum(self.pair[int(pair)] for pair in between[ends]) == sum(through[ends]))
        self.chosen = np.zeros(0, dtype=np.intp)
        self.times = [0] * len(cycles)

    def most_groups(self, most: int, clock: Clock) -> int:
        """Help as many groups as can be, and return how many no rings help more than."""
        self.groups.SetUb(most)
        self.solver.Maximize(self.solver.Sum(self.pair.values()))
        bound = self._solve(clock)
        return min(most, len(self.chosen) if bound is None else bound)

    def most_points(self, clock: Clock) -> int:
        """Help as many groups with the most points, and return how many points no rings have more than."""
        count = len(self.chosen)
        self.groups.SetBounds(count, count)
        points = self.pairs.points
        self.solver.Maximize(self.solver.Sum([int(points[pair]) * each for pair, each in self.pair.items()]))
        bound = self._solve(clock)
        most = count * int(points.max())
        return int(points[self.chosen].sum()) if bound is None else min(bound, most)

    def _solve(self, clock: Clock) -> int | None:
        """Take a better answer up, and return a bound, or ``None`` where the answer is proven."""
        left = clock.left
        if left is not None:
            if left <= 0:
                return _UNKNOWN
            self.solver.SetTimeLimit(max(1, int(left * 1000)))
        status = self.solver.Solve(exact_parameters())
        if status in (self.solver.OPTIMAL, self.solver.FEASIBLE):
            self.chosen = np.array([pair for pair, each in self.pair.items() if each.solution_value() > 0.5], dtype=int)
            self.times = [round(each.solution_value()) for each in self.cycle]
        if status == self.solver.OPTIMAL:
            return None
        bound = self.solver.Objective().BestBound()
        return int(min(bound, float(_UNKNOWN)) + 1e-6)


def _between(pairs: Pairs) -> dict[tuple[int, int], Integers]:
    """Return the positions of the pairs from each agency's groups to each other agency's households."""
    tails, heads = pairs.group_agency[pairs.group], pairs.household_agency[pairs.household]
    code = tails * pairs.agencies + heads
    order = np.argsort(code, kind="stable")
    values, starts = np.unique(code[order], return_index=True)
    parts = np.split(order, starts[1:])
    return {divmod(int(value), pairs.agencies): part for value, part in zip(values, parts, strict=True)}


def _cycles(arcs: set[tuple[int, int]], longest: int) -> list[tuple[int, ...]]:
    """Return the cycles of agencies along these arcs, each from its least agency on."""
    agencies = sorted({agency for ends in arcs for agency in ends})
    if len(agencies) > MOST_AGENCIES[longest]:
        raise TooManyAgencies(
            f"Rings of {longest} are looked for among {MOST_AGENCIES[longest]} agencies at most; here are "
            f"{len(agencies)}. Choose shorter rings, or the plan, which has no such limit."
        )
    found: list[tuple[int, ...]] = []
    paths: list[tuple[int, ...]] = [(agency,) for agency in agencies]
    for _ in range(longest - 1):
        paths = [(*path, each) for path in paths for each in agencies if _goes_on(path, each, arcs)]
        found.extend(path for path in paths if (path[-1], path[0]) in arcs)
    return found


def _goes_on(path: tuple[int, ...], agency: int, arcs: set[tuple[int, int]]) -> bool:
    return agency > path[0] and agency not in path and (path[-1], agency) in arcs


def _once(solver: pywraplp.Solver, chosen: dict[int, pywraplp.Variable], records: Integers) -> None:
    by_record = defaultdict(list)
    for pair, variable in chosen.items():
        by_record[int(records[pair])].append(variable)
    for together in by_record.values():
        if len(together) > 1:
            solver.Add(sum(together) <= 1)


def _rings(legs: list[PlannedLeg], cycles: list[tuple[int, ...]], times: list[int]) -> list[list[PlannedLeg]]:
    waiting: dict[tuple[int, int], list[PlannedLeg]] = defaultdict(list)
    for leg in reversed(legs):
        waiting[leg.children_agency, leg.family_agency].append(leg)
    return [
        [waiting[ends].pop() for ends in _ends(ring)]
        for ring, count in zip(cycles, times, strict=True)
        for _ in range(count)
    ]


def _ends(ring: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip(ring, ring[1:] + ring[:1], strict=True))
