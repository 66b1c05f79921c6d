"""Rings of agencies up to a chosen length: the most groups helped, then the best fit, every agency's balance unmoved.

A whole number for each cycle of agencies says how often it is used, and for each ordered pair of agencies the pairs
chosen are as many as the cycles through it. Cycles of records are never listed: there would be billions of them.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from ortools.linear_solver import pywraplp

from matching.swap.plan import Integers, Pairs, PlannedLeg, legs_of
from matching.swap.ring import LENGTHS, LengthUnknown, RingsUnproven, exact_parameters
from tenants.error import Invalid

MOST_AGENCIES = {2: 60, 3: 30, 4: 20}
"""For how many agencies at once rings of a length are looked for."""


class TooManyAgencies(Invalid):
    """Rings of that length are not looked for among so many agencies."""


def plan_rings(pairs: Pairs, *, longest: int, seconds: float | None = None) -> list[list[PlannedLeg]]:
    """Return the best rings of 2 to ``longest`` agencies, proven.

    :raises LengthUnknown: when ``longest`` is not 2, 3 or 4.
    :raises TooManyAgencies: when too many agencies have pairs for that length.
    :raises RingsUnproven: when ``seconds`` are over before the proof.
    """
    if longest not in LENGTHS:
        raise LengthUnknown("Rings may be 2, 3 or 4 long at most.")
    if not pairs.group.size:
        return []
    between = _between(pairs)
    cycles = _cycles(set(between), longest)
    if not cycles:
        return []
    solver = pywraplp.Solver.CreateSolver("CBC")
    used = {ends for ring in cycles for ends in _ends(ring)}
    chosen = {int(pair): solver.BoolVar("") for ends in sorted(used) for pair in between[ends]}
    times = [solver.IntVar(0, min(len(between[ends]) for ends in _ends(ring)), "") for ring in cycles]
    _once(solver, chosen, pairs.group)
    _once(solver, chosen, pairs.household)
    through = defaultdict(list)
    for variable, ring in zip(times, cycles, strict=True):
        for ends in _ends(ring):
            through[ends].append(variable)
    for ends in sorted(used):
        solver.Add(sum(chosen[int(pair)] for pair in between[ends]) == sum(through[ends]))
    worth = pairs.worth
    solver.Maximize(sum(int(worth[pair]) * variable for pair, variable in chosen.items()))
    if seconds is not None:
        solver.SetTimeLimit(int(seconds * 1000))
    if solver.Solve(exact_parameters()) != solver.OPTIMAL:
        raise RingsUnproven(f"The best rings were not certain after {seconds or 0:g} seconds. Try shorter rings.")
    legs = legs_of(
        pairs, np.array([pair for pair, variable in chosen.items() if variable.solution_value() > 0.5], dtype=int)
    )
    return _rings(legs, cycles, [round(variable.solution_value()) for variable in times])


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
