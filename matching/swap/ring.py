"""Disjoint rings of the most weight in a digraph, proven: no two share a node, none is longer than asked.

The linear relaxation over cycles prices every node (columns are generated, so that cycles need not all be listed). No
set of rings can weigh more than those prices add up to; so a cycle that falls short of its nodes' prices by more than
what is still open between that bound and the best rings known is in no better set, and is left out (reduced-cost
fixing: M. Delorme et al., Half-cycle: a new formulation for modelling kidney exchange problems, 2023). Where many sets
are equally good, cooling finds one that meets the bound; else the cycles that are left are packed by ``packing``.
Prices are rounded up to whole numbers of a fine scale and the bound is worked out with them again, so that leaving out
rests on no float.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from matching.swap.anneal import cool
from matching.swap.cycle import Arcs, Cycles, Integers, TooMany, heaviest_closed_walk, heavy_cycles, joined, list_cycles
from matching.swap.cycle import on_short_cycle as _on_short_cycle
from matching.swap.digraph import Digraph, Node, Weight
from matching.swap.packing import LISTED, Clock, Packing, Relaxation, pack, sketch
from tenants.error import Conflict, Invalid

LENGTHS = range(2, 5)
"""How long the longest ring may be."""
MOST_CYCLES = 1_000_000
EACH = 8
"""How many columns a round of pricing brings for each node."""
FINE = 2**50
"""What the prices of all nodes may come to on the fine scale."""
STEPS, TRIES = 6_000, 8
"""How many cycles are tried for each node on the first cooling, and how often it is repeated five times as slowly."""
HEAT = 0.3
"""How warm cooling begins, in parts of what a node is worth."""
NEAR = 5
"""How little cooling may fall short of the bound to be repeated, in steps of the weights."""
PLENTY = 1_000
"""Of fewer cycles the solver chooses sooner."""


class LengthUnknown(Invalid):
    """Rings of such a length are not looked for."""


class RingsUnproven(Conflict):
    """The best rings could not be told with certainty."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Disjoint rings, each from its least node on, in order of their first nodes, and what their arcs weigh.

    ``at_most`` is ``None`` where no others weigh more; where the time was over first, what no others weigh more than.
    """

    rings: tuple[tuple[Node, ...], ...]
    weight: Weight
    at_most: Weight | None = None

    @property
    def proven(self) -> bool:
        """Say whether no other rings weigh more."""
        return self.at_most is None


@dataclass(frozen=True, slots=True)
class Found:
    """Rings of nodes by number, their weight in whole numbers, and what no others weigh more than."""

    rings: list[list[int]]
    weight: int
    at_most: int


def clear_rings(graph: Digraph, *, longest: int, seconds: float | None = None) -> Rings:
    """Return disjoint rings of 2 to ``longest`` nodes of the greatest total weight, always the same ones.

    No set of such rings weighs more, to one part in 10^9 of the heaviest ring. A ring that adds nothing is left out.
    ``seconds`` is how long to look for the proof: once they are over, the best rings found are not ``proven``.

    :raises LengthUnknown: when ``longest`` is not 2, 3 or 4.
    :raises RingsUnproven: when there are too many cycles for the proof.
    """
    if longest not in LENGTHS:
        raise LengthUnknown("Rings may be 2, 3 or 4 long at most.")
    clock, weights = Clock(seconds), graph.whole_weights()
    kept = _on_short_cycle(Arcs.of(len(graph.nodes), graph.tails, graph.heads), longest=longest)
    chosen: list[list[int]] = []
    open_ = 0
    for part in _parts(len(graph.nodes), graph.tails[kept], graph.heads[kept]):
        inside = kept & np.isin(graph.tails, part)
        tails, heads = np.searchsorted(part, graph.tails[inside]), np.searchsorted(part, graph.heads[inside])
        # Weights that are all multiples of one leave no sums between its multiples.
        unit = max(1, int(np.gcd.reduce(weights[inside])))
        found = _Search(Arcs.of(len(part), tails, heads), weights[inside] // unit, longest, clock).solve()
        open_ += (found.at_most - found.weight) * unit
        chosen.extend([int(part[node]) for node in ring] for ring in found.rings)
    return _rings(graph, sorted(chosen), open_)


class _Search:
    """The search in one connected part of a digraph."""

    def __init__(self, arcs: Arcs, weights: Integers, longest: int, clock: Clock) -> None:
        self.arcs, self.weights, self.longest, self.clock = arcs, weights, longest, clock
        self.fine = max(1, FINE // (arcs.size * max(1, int(np.abs(weights).max()))))

    def solve(self) -> Found:
        """Return the best rings, and what no others can weigh more than: the same, unless the time was over."""
        priced, bound, columns, all_listed = self._price()
        best, goal = _in_turn(columns, self.arcs.size), bound // self.fine
        reach = min(bound // 256, self._open(bound, best))
        if goal > best.weight:
            cycles = self._within(priced, reach)
            best = self._cool(cycles, best, goal)
            if goal > best.weight and not all_listed:
                best = _better(
                    best, cycles, sketch(self.arcs.size, cycles, known=best.weight, fine=self.fine, clock=self.clock)
                )
        while goal > best.weight:
            # Anything better weighs one more at least, and so uses no cycle that falls shorter than this.
            reach = self._open(bound, best) if all_listed else min(self._open(bound, best), 4 * max(reach, self.fine))
            cycles = self._within(priced, reach)
            found = pack(self.arcs.size, cycles, known=best.weight, fine=self.fine, clock=self.clock)
            best = _better(best, cycles, found)
            if found.at_most > found.weight:
                outside = (bound - reach) // self.fine
                return replace(best, at_most=min(goal, max(found.at_most, outside)))
            if self._open(bound, best) <= reach:
                break
        return best

    def _open(self, bound: int, best: Found) -> int:
        return bound - self.fine * (best.weight + 1)

    def _cool(self, cycles: Cycles, best: Found, goal: int) -> Found:
        """Return rings found by cooling where they are better; go on with it only while it is near the goal."""
        warmth = HEAT * goal / self.arcs.size
        first = STEPS * self.arcs.size
        for seed, steps in enumerate((first, *(5 * first,) * TRIES), start=1):
            chosen = cool(self.arcs.size, cycles, warmth=warmth, steps=steps, seed=seed, goal=goal)
            weight = int(cycles.weights[chosen].sum())
            if weight > best.weight:
                best = Found([_ring(cycles.nodes[k].tolist()) for k in chosen], weight, weight)
            if goal <= best.weight or goal - weight > NEAR or len(cycles) < PLENTY:
                break
        return best

    def _price(self) -> tuple[Integers, int, Cycles, bool]:
        """Return the arcs' fine weights less the prices of their tails, the bound, the cycles it was found with.

        Say last whether those are all that weigh anything.
        """
        relaxation = Relaxation(self.arcs.size)
        columns: list[Cycles] = []
        all_listed = True
        try:
            fresh = list_cycles(self.arcs, self.weights, longest=self.longest, least=1, most=LISTED)
        except TooMany:
            all_listed = False
            fresh = heavy_cycles(self.arcs, self.weights, longest=self.longest, each=EACH)
        while True:
            columns.append(Cycles(fresh.nodes, self._weigh(fresh.nodes)))
            relaxation.add(columns[-1].nodes, columns[-1].weights)
            prices = np.ceil(relaxation.solve()[0] * self.fine).astype(np.int64)
            priced = self.weights * self.fine - prices[self.arcs.tails]
            fresh = heavy_cycles(self.arcs, priced, longest=self.longest, each=EACH)
            # What the relaxation cannot tell from nothing is not worth another round: the bound allows for it. Nor is
            # what it has already, where its floats cannot price so large weights more closely.
            known = set(relaxation.rings)
            new = [k for k, nodes in enumerate(fresh.nodes.tolist()) if tuple(_ring(nodes)) not in known]
            if not new or int(fresh.weights[new].max()) <= max(1, self.fine // 10**7):
                break
            fresh = Cycles(fresh.nodes[new], fresh.weights[new])
        over = max(0, heaviest_closed_walk(self.arcs, priced, longest=self.longest))
        return priced, int(prices.sum()) + self.arcs.size // 2 * over, joined(columns, self.longest), all_listed

    def _within(self, priced: Integers, reach: int) -> Cycles:
        """Return the cycles that weigh less than their nodes' prices by ``reach`` at most, with their own weights.

        Of cycles through the same nodes the heaviest is enough.
        """
        try:
            cycles = list_cycles(self.arcs, priced, longest=self.longest, least=-reach, most=MOST_CYCLES)
        except TooMany:
            raise RingsUnproven(
                f"More than {MOST_CYCLES:,} cycles would have to be weighed against one another. Try shorter rings, or "
                "leave out the arcs that matter least."
            ) from None
        weights = self._weigh(cycles.nodes)
        through = np.sort(cycles.nodes, axis=1)
        order = np.lexsort((-weights, *through.T))
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = (through[order[1:]] != through[order[:-1]]).any(axis=1)
        kept = np.sort(order[first])
        kept = kept[weights[kept] > 0]
        return Cycles(cycles.nodes[kept], weights[kept])

    def _weigh(self, nodes: Integers) -> Integers:
        """Return what cycles weigh by their arcs' own weights."""
        codes = self.arcs.tails * self.arcs.size + self.arcs.heads
        onward = np.concatenate([nodes[:, 1:], np.full((len(nodes), 1), -1, dtype=np.int64)], axis=1)
        onward = np.where(onward < 0, nodes[:, :1], onward)
        arc = np.searchsorted(codes, nodes * self.arcs.size + onward)
        weights: Integers = np.where(nodes >= 0, self.weights[np.minimum(arc, len(codes) - 1)], 0).sum(axis=1)
        return weights


def _better(best: Found, cycles: Cycles, found: Packing) -> Found:
    rings = [_ring(cycles.nodes[k].tolist()) for k in found.chosen]
    return Found(rings, found.weight, found.weight) if found.weight > best.weight else best


def _in_turn(cycles: Cycles, size: int) -> Found:
    """Return what comes of taking the heaviest cycle that is left, in turn: something to start from."""
    free = np.ones(size, dtype=np.bool_)
    rings, total = [], 0
    for k in np.argsort(-cycles.weights, kind="stable").tolist():
        ring = _ring(cycles.nodes[k].tolist())
        if cycles.weights[k] > 0 and free[ring].all():
            free[ring] = False
            rings.append(ring)
            total += int(cycles.weights[k])
    return Found(rings, total, total)


def _ring(nodes: list[int]) -> list[int]:
    return [node for node in nodes if node >= 0]


def _ends(ring: list[int]) -> list[tuple[int, int]]:
    return list(zip(ring, ring[1:] + ring[:1], strict=True))


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


def _rings(graph: Digraph, chosen: list[list[int]], open_: int) -> Rings:
    weight = {(int(t), int(h)): w for t, h, w in zip(graph.tails, graph.heads, graph.weights, strict=True)}
    used = [weight[ends] for ring in chosen for ends in _ends(ring)]
    total = sum(used) if all(isinstance(each, int) for each in used) else math.fsum(used)
    more = Fraction(open_) / graph.scale
    return Rings(
        rings=tuple(tuple(graph.nodes[node] for node in ring) for ring in chosen),
        weight=total,
        at_most=None if not open_ else total + (int(more) if more.denominator == 1 else float(more)),
    )
