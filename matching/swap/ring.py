"""Disjoint rings of the most weight in a digraph, proven: no two share a node, none is longer than asked.

The linear relaxation over cycles prices every node (columns are generated, so that cycles need not all be listed). No
set of rings can weigh more than those prices add up to; so a cycle that falls short of its nodes' prices by more than
what is still open between that bound and the best rings known is in no better set, and is left out (reduced-cost
fixing: M. Delorme et al., Half-cycle: a new formulation for modelling kidney exchange problems, 2023). What is left is
solved by CBC, which asks for no gap, from few cycles to as many as the proof needs. Prices are rounded up to whole
numbers of a fine scale and the bound is worked out with them again, so that leaving out rests on no float.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from matching.swap.cycle import Arcs, Cycles, Integers, TooMany, heaviest_closed_walk, heavy_cycles, list_cycles
from matching.swap.cycle import on_short_cycle as _on_short_cycle
from matching.swap.digraph import Digraph, Weight
from tenants.error import Conflict, Invalid

LENGTHS = range(2, 5)
"""How long the longest ring may be."""
LISTED = 20_000
"""So many cycles are listed at once; of more, only what the relaxation asks for."""
MOST_CYCLES = 1_000_000
EACH = 8
"""How many columns a round of pricing brings for each node."""
FINE = 2**50
"""What the prices of all nodes may come to on the fine scale."""
HEAVIEST = 10**6
"""What the heaviest cycle may weigh where the solver works with floats."""


class LengthUnknown(Invalid):
    """Rings of such a length are not looked for."""


class RingsUnproven(Conflict):
    """The best rings could not be told with certainty."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Disjoint rings, each from its least node on, in order of their first nodes, and what their arcs weigh."""

    rings: tuple[tuple[str, ...], ...]
    weight: Weight


def clear_rings(graph: Digraph, *, longest: int, seconds: float | None = None) -> Rings:
    """Return disjoint rings of 2 to ``longest`` nodes of the greatest total weight, always the same ones.

    No set of such rings weighs more, to one part in 10^9 of the heaviest ring. A ring that adds nothing is left out.
    ``seconds`` is how long to try.

    :raises LengthUnknown: when ``longest`` is not 2, 3 or 4.
    :raises RingsUnproven: when there are too many cycles, or too little time, for the proof.
    """
    if longest not in LENGTHS:
        raise LengthUnknown("Rings may be 2, 3 or 4 long at most.")
    weights = graph.whole_weights()
    arcs = Arcs.of(len(graph.nodes), graph.tails, graph.heads)
    kept = _on_short_cycle(arcs, longest=longest)
    chosen: list[list[int]] = []
    for part in _parts(len(graph.nodes), graph.tails[kept], graph.heads[kept]):
        inside = kept & np.isin(graph.tails, part)
        tails, heads = np.searchsorted(part, graph.tails[inside]), np.searchsorted(part, graph.heads[inside])
        search = _Search(Arcs.of(len(part), tails, heads), weights[inside], longest, seconds)
        chosen.extend([int(part[node]) for node in ring] for ring in search.solve())
    return _rings(graph, sorted(chosen))


class _Search:
    """The search in one connected part of a digraph."""

    def __init__(self, arcs: Arcs, weights: Integers, longest: int, seconds: float | None) -> None:
        self.arcs, self.weights, self.longest, self.seconds = arcs, weights, longest, seconds
        self.fine = max(1, FINE // (arcs.size * max(1, int(np.abs(weights).max()))))

    def solve(self) -> list[list[int]]:
        """Return the best rings."""
        priced, bound, columns = self._price()
        best, reach = _in_turn(columns), bound // 256
        while bound // self.fine > best[0]:
            best = max(best, self._choose(self._within(priced, reach)), key=lambda found: found[0])
            # Anything better weighs one more at least, and so uses no cycle that falls shorter than this.
            open_ = bound - self.fine * (best[0] + 1)
            if open_ <= reach:
                break
            reach = min(open_, 4 * reach)
        return best[1]

    def _price(self) -> tuple[Integers, int, Cycles]:
        """Return the arcs' fine weights less the prices of their tails, the bound, and the cycles it was found with."""
        relaxation = _Relaxation(self.arcs.size)
        try:
            fresh = list_cycles(self.arcs, self.weights, longest=self.longest, least=1, most=LISTED)
        except TooMany:
            fresh = heavy_cycles(self.arcs, self.weights, longest=self.longest, each=EACH)
        fresh_weights = fresh.weights
        while True:
            relaxation.add(fresh.nodes, fresh_weights)
            prices = np.ceil(relaxation.solve() * self.fine).astype(np.int64)
            priced = self.weights * self.fine - prices[self.arcs.tails]
            fresh = heavy_cycles(self.arcs, priced, longest=self.longest, each=EACH)
            own = np.where(fresh.nodes >= 0, prices[fresh.nodes], 0).sum(axis=1)
            fresh_weights = (fresh.weights + own) // self.fine
            # What the relaxation cannot tell from nothing is not worth another round: the bound allows for it.
            if not len(fresh) or int(fresh.weights.max()) <= max(1, self.fine // 10**7):
                break
        over = max(0, heaviest_closed_walk(self.arcs, priced, longest=self.longest))
        return priced, int(prices.sum()) + self.arcs.size // 2 * over, relaxation.columns

    def _within(self, priced: Integers, reach: int) -> Cycles:
        """Return the cycles that weigh less than their nodes' prices by ``reach`` at most, with their own weights."""
        try:
            cycles = list_cycles(self.arcs, priced, longest=self.longest, least=-reach, most=MOST_CYCLES)
        except TooMany:
            raise RingsUnproven(
                f"More than {MOST_CYCLES:,} cycles would have to be weighed against one another. Try shorter rings, or "
                "leave out the arcs that matter least."
            ) from None
        weights = np.zeros(len(cycles), dtype=np.int64)
        ends = zip(self.arcs.tails.tolist(), self.arcs.heads.tolist(), strict=True)
        weight = dict(zip(ends, self.weights.tolist(), strict=True))
        for row, nodes in enumerate(cycles.nodes.tolist()):
            weights[row] = sum(weight[ends] for ends in _ends(_ring(nodes)))
        paying = weights > 0
        return Cycles(cycles.nodes[paying], weights[paying])

    def _choose(self, cycles: Cycles) -> tuple[int, list[list[int]]]:
        """Return the disjoint cycles of the most weight, if any weigh more than those known."""
        solver = pywraplp.Solver.CreateSolver("CBC")
        chosen = [solver.BoolVar("") for _ in range(len(cycles))]
        rows = [solver.Constraint(-solver.infinity(), 1) for _ in range(self.arcs.size)]
        solver.Objective().SetMaximization()
        # So that what the solver takes for nothing is under one part in 10^9 of the heaviest cycle.
        scale = min(1.0, HEAVIEST / int(cycles.weights.max(initial=1)))
        for variable, nodes, weight in zip(chosen, cycles.nodes.tolist(), cycles.weights.tolist(), strict=True):
            solver.Objective().SetCoefficient(variable, weight * scale)
            for node in _ring(nodes):
                rows[node].SetCoefficient(variable, 1)
        if self.seconds is not None:
            solver.SetTimeLimit(int(self.seconds * 1000))
        if solver.Solve(exact_parameters()) != solver.OPTIMAL:
            raise RingsUnproven(
                f"The best rings were not certain after {self.seconds or 0:g} seconds: allow more, or shorter rings."
            )
        found = [k for k, variable in enumerate(chosen) if variable.solution_value() > 0.5]
        return int(cycles.weights[found].sum()), [_ring(cycles.nodes[k].tolist()) for k in found]


class _Relaxation:
    """The linear relaxation: cycles in parts, each node used once at most."""

    def __init__(self, size: int) -> None:
        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        self.rows = [self.solver.Constraint(-self.solver.infinity(), 1) for _ in range(size)]
        self.solver.Objective().SetMaximization()
        self.columns = Cycles(np.zeros((0, 0), dtype=np.int64), np.zeros(0, dtype=np.int64))

    def add(self, nodes: Integers, weights: Integers) -> None:
        """Add cycles."""
        objective = self.solver.Objective()
        for cycle, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
            variable = self.solver.NumVar(0, self.solver.infinity(), "")
            objective.SetCoefficient(variable, weight)
            for node in _ring(cycle):
                self.rows[node].SetCoefficient(variable, 1)
        known = self.columns.nodes if len(self.columns) else nodes[:0]
        self.columns = Cycles(np.concatenate([known, nodes]), np.concatenate([self.columns.weights, weights]))

    def solve(self) -> NDArray[np.float64]:
        """Return the price of each node."""
        self.solver.Solve()
        prices: NDArray[np.float64] = np.maximum(0.0, np.array([row.dual_value() for row in self.rows]))
        return prices


def _in_turn(cycles: Cycles) -> tuple[int, list[list[int]]]:
    """Return what comes of taking the heaviest cycle that is left, in turn: something to start from."""
    used: set[int] = set()
    rings, total = [], 0
    for k in np.argsort(-cycles.weights, kind="stable").tolist():
        ring = _ring(cycles.nodes[k].tolist())
        if cycles.weights[k] > 0 and used.isdisjoint(ring):
            used.update(ring)
            rings.append(ring)
            total += int(cycles.weights[k])
    return total, rings


def _ring(nodes: list[int]) -> list[int]:
    return [node for node in nodes if node >= 0]


def _ends(ring: list[int]) -> list[tuple[int, int]]:
    return list(zip(ring, ring[1:] + ring[:1], strict=True))


def exact_parameters() -> pywraplp.MPSolverParameters:
    """Return parameters by which a solver leaves no gap between its answer and its bound."""
    parameters = pywraplp.MPSolverParameters()
    parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, 0.0)
    return parameters


def _parts(size: int, tails: Integers, heads: Integers) -> list[Integers]:
    """Return the nodes of each connected part that has arcs, by its least node."""
    label = np.arange(size)
    while True:
        least = label.copy()
        np.minimum.at(least, tails, label[heads])
        np.minimum.at(least, heads, label[tails])
        least = least[least]
        if (least == label).all():
            break
        label = least
    used = np.unique(np.concatenate([tails, heads]))
    return [used[label[used] == each] for each in np.unique(label[used])]


def _rings(graph: Digraph, chosen: list[list[int]]) -> Rings:
    weight = {(int(t), int(h)): w for t, h, w in zip(graph.tails, graph.heads, graph.weights, strict=True)}
    used = [weight[ends] for ring in chosen for ends in _ends(ring)]
    return Rings(
        rings=tuple(tuple(graph.nodes[node] for node in ring) for ring in chosen),
        weight=sum(used) if all(isinstance(each, int) for each in used) else math.fsum(used),
    )
