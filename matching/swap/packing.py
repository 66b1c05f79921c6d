"""The best disjoint cycles of a list: its relaxation tightened by cuts, what cannot matter left out, the rest by CBC.

Of the cycles that use two or more of the same three nodes, no two are disjoint: one at most is chosen (subset-row cuts
over three rows: M. Jepsen et al., 2008). Prices of nodes and cuts are rounded up to whole numbers of a fine scale and
the bound is worked out with them again, so that leaving out rests on no float.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from matching.swap.cycle import Cycles, Integers

HEAVIEST = 10**6
"""What the heaviest cycle may weigh where the solver works with floats."""
LISTED = 10_000
"""So many cycles are listed and chosen from at once; of more, only what their prices ask for."""
FEW = 600
"""So many cycles are chosen from first, those that fall shortest of their prices least."""
ROUNDS = 12
"""How often cuts are looked for."""
CUTS = 100
"""The most cuts of a round."""
OVER = 0.02
"""By how much a cut must be broken to be worth a row."""
BATCH = 1_000
"""The most cycles that the relaxation takes in at once."""

Chosen = NDArray[np.intp]
_NONE: Chosen = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Packing:
    """Positions of disjoint cycles, what they weigh, and what no others of the list can weigh more than."""

    chosen: Chosen
    weight: int
    at_most: int


class Clock:
    """How many seconds are left of what is allowed; of no limit, ever."""

    def __init__(self, seconds: float | None) -> None:
        self.ends = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        """Return the seconds left, or ``None`` without a limit."""
        return None if self.ends is None else max(0.0, self.ends - time.monotonic())


def sketch(size: int, cycles: Cycles, *, known: int, fine: int, clock: Clock) -> Packing:
    """Return the best disjoint ones of the few ``cycles`` that fall shortest of their prices least: proves nothing."""
    cut = _tighten(size, cycles, fine)
    near = np.flatnonzero(cut.short <= _reach(cut.short))
    found, _ = _choose(size, cycles.nodes[near], cycles.weights[near], cut.triples, clock)
    weight = int(cycles.weights[near[found]].sum())
    at_most = max(known, weight, cut.bound // fine)
    return Packing(near[found], weight, at_most) if weight > known else Packing(_NONE, known, at_most)


def pack(size: int, cycles: Cycles, *, known: int, fine: int, clock: Clock) -> Packing:
    """Return the best disjoint ``cycles`` over ``size`` nodes, or none where none weigh more than is ``known``.

    ``fine`` is the scale of the prices. Where the time is over before the proof, ``at_most`` is more than ``weight``.
    """
    cut = _tighten(size, cycles, fine)
    best = Packing(_NONE, known, max(known, cut.bound // fine))
    reach = cut.bound if len(cycles) <= LISTED else 4 * _reach(cut.short)
    while best.at_most > best.weight:
        # Anything better weighs one more at least, and so uses no cycle that falls shorter than this.
        open_ = cut.bound - fine * (best.weight + 1)
        near = np.flatnonzero(cut.short <= min(reach, open_))
        found, certain = _choose(size, cycles.nodes[near], cycles.weights[near], cut.triples, clock)
        weight = int(cycles.weights[near[found]].sum())
        if weight > best.weight:
            best = Packing(near[found], weight, best.at_most)
        if not certain:
            break
        if cut.bound - fine * (best.weight + 1) <= reach:
            return Packing(best.chosen, best.weight, best.weight)
        reach = max(4 * reach, fine)
    return best


@dataclass(frozen=True, slots=True)
class _Tightened:
    """How far each cycle falls short of its prices, the bound, and the cuts by their three nodes."""

    short: Integers
    bound: int
    triples: list[tuple[int, int, int]]


def _reach(short: Integers) -> int:
    return int(np.partition(short, FEW)[FEW]) if len(short) > FEW else int(short.max(initial=0))


def _tighten(size: int, cycles: Cycles, fine: int) -> _Tightened:
    """Return prices for every cycle, by a relaxation that takes in cycles and cuts as they are needed."""
    relaxation = Relaxation(size)
    taken = np.zeros(len(cycles), dtype=np.bool_)
    fresh = np.argsort(-cycles.weights, kind="stable")[:BATCH]
    nodes = np.where(cycles.nodes < 0, size, cycles.nodes)
    rounds = 0
    while True:
        taken[fresh] = True
        relaxation.add(cycles.nodes[fresh], cycles.weights[fresh])
        node_prices, cut_prices = (np.ceil(each * fine).astype(np.int64) for each in relaxation.solve())
        short = np.append(node_prices, 0)[nodes].sum(axis=1) - cycles.weights * fine
        for triple, price in zip(relaxation.triples, cut_prices.tolist(), strict=True):
            if price:
                short[np.isin(nodes, triple).sum(axis=1) >= 2] += price
        wanting = np.flatnonzero((short < -max(1, fine // 10**7)) & ~taken)
        fresh = wanting[np.argsort(short[wanting], kind="stable")[:BATCH]]
        if not len(fresh):
            rounds += 1
            if rounds > ROUNDS or not relaxation.cut():
                break
    # Disjoint cycles of two nodes or more: whatever floats left underpriced is made good for each.
    over = max(0, -int(short.min(initial=0)))
    bound = int(node_prices.sum()) + int(cut_prices.sum()) + size // 2 * over
    return _Tightened(short, bound, relaxation.triples)


class Relaxation:
    """The linear relaxation: cycles in parts, each node used once at most, and cuts over three nodes each."""

    def __init__(self, size: int) -> None:
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.rows = [self.solver.Constraint(-self.solver.infinity(), 1) for _ in range(size)]
        self.solver.Objective().SetMaximization()
        self.rings: list[tuple[int, ...]] = []
        self.variables: list[pywraplp.Variable] = []
        self.cuts: list[pywraplp.Constraint] = []
        self.triples: list[tuple[int, int, int]] = []

    def add(self, nodes: Integers, weights: Integers) -> None:
        """Add cycles."""
        objective = self.solver.Objective()
        for cycle, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
            ring = tuple(node for node in cycle if node >= 0)
            variable = self.solver.NumVar(0, self.solver.infinity(), "")
            objective.SetCoefficient(variable, weight)
            for node in ring:
                self.rows[node].SetCoefficient(variable, 1)
            for cut, triple in zip(self.cuts, self.triples, strict=True):
                if _in(ring, triple) >= 2:
                    cut.SetCoefficient(variable, 1)
            self.rings.append(ring)
            self.variables.append(variable)

    def solve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the price of each node and of each cut."""
        self.solver.Solve()
        prices = np.maximum(0.0, np.array([row.dual_value() for row in [*self.rows, *self.cuts]]))
        return prices[: len(self.rows)], prices[len(self.rows) :]

    def cut(self) -> bool:
        """Add cuts that the solution breaks, the most broken first; say whether there are any."""
        values = [variable.solution_value() for variable in self.variables]
        used = {ring: value for ring, value in zip(self.rings, values, strict=True) if value > OVER / 10}
        broken = _broken(used)[:CUTS]
        for triple in broken:
            self.cuts.append(_cut(self.solver, self.rings, self.variables, triple))
        self.triples.extend(broken)
        return bool(broken)


def _broken(used: dict[tuple[int, ...], float]) -> list[tuple[int, int, int]]:
    """Return the threes of nodes of whose cycles more than one is used in all, by how much more."""
    together: dict[tuple[int, int], float] = defaultdict(float)
    whole: dict[tuple[int, ...], float] = defaultdict(float)
    beside: dict[int, set[int]] = defaultdict(set)
    for ring, value in used.items():
        for a, b in combinations(sorted(ring), 2):
            together[a, b] += value
            beside[a].add(b)
            beside[b].add(a)
        for three in combinations(sorted(ring), 3):
            whole[three] += value
    found: dict[tuple[int, int, int], float] = {}
    for middle, others in beside.items():
        for a, c in combinations(sorted(others), 2):
            x, y, z = sorted((a, middle, c))
            inside = sum(together.get(ends, 0.0) for ends in ((x, y), (y, z), (x, z))) - 2 * whole.get((x, y, z), 0.0)
            if inside > 1 + OVER:
                found[x, y, z] = inside
    return sorted(found, key=lambda three: (-found[three], three))


def _in(ring: tuple[int, ...], triple: tuple[int, int, int]) -> int:
    return sum(node in triple for node in ring)


def _cut(
    solver: pywraplp.Solver,
    rings: list[tuple[int, ...]],
    variables: list[pywraplp.Variable],
    triple: tuple[int, int, int],
) -> pywraplp.Constraint:
    row = solver.Constraint(-solver.infinity(), 1)
    for ring, variable in zip(rings, variables, strict=True):
        if _in(ring, triple) >= 2:
            row.SetCoefficient(variable, 1)
    return row


def _choose(
    size: int, nodes: Integers, weights: Integers, triples: list[tuple[int, int, int]], clock: Clock
) -> tuple[Chosen, bool]:
    """Return the positions of the best disjoint cycles that CBC finds, and whether it proved them best."""
    left = clock.left
    if left is not None and left <= 0:
        return _NONE, False
    solver = pywraplp.Solver.CreateSolver("CBC")
    rows = [solver.Constraint(-solver.infinity(), 1) for _ in range(size)]
    rings = [tuple(node for node in cycle if node >= 0) for cycle in nodes.tolist()]
    variables = [solver.BoolVar("") for _ in rings]
    solver.Objective().SetMaximization()
    # So that what the solver takes for nothing is under one part in 10^9 of the heaviest cycle.
    scale = min(1.0, HEAVIEST / int(weights.max(initial=1)))
    for variable, ring, weight in zip(variables, rings, weights.tolist(), strict=True):
        solver.Objective().SetCoefficient(variable, weight * scale)
        for node in ring:
            rows[node].SetCoefficient(variable, 1)
    for triple in triples:
        _cut(solver, rings, variables, triple)
    if left is not None:
        solver.SetTimeLimit(max(1, int(left * 1000)))
    status = solver.Solve(exact_parameters())
    if status not in (solver.OPTIMAL, solver.FEASIBLE):
        return _NONE, False
    taken = np.flatnonzero([variable.solution_value() > 0.5 for variable in variables])
    return taken, status == solver.OPTIMAL


def exact_parameters() -> pywraplp.MPSolverParameters:
    """Return parameters by which a solver leaves no gap between its answer and its bound."""
    parameters = pywraplp.MPSolverParameters()
    parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, 0.0)
    return parameters
