"""A weighted digraph: what rings are looked for in, read from plain values and checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tenants.error import Invalid

MOST_NODES = 20_000
MOST_ARCS = 500_000
MOST_WEIGHT = 1e15
"""Weights whose sums a float still tells apart to one part in 10^9 of the largest, with room."""
WHOLE = 2**52
"""Sums of whole weights stay under this, so that neither 64 bits nor a float loses one."""

Weight = int | float
Integers = NDArray[np.int64]


class GraphUnreadable(Invalid):
    """What was given is no digraph that rings can be looked for in."""


@dataclass(frozen=True, slots=True)
class Digraph:
    """Nodes in order of their names, and arcs in order of their ends: the order of the file decides nothing."""

    nodes: tuple[str, ...]
    tails: Integers
    heads: Integers
    weights: tuple[Weight, ...]

    def whole_weights(self) -> Integers:
        """Return the weights as whole numbers in proportion, exact where their decimals allow it.

        Weights that need more digits than sums of 52 bits hold are rounded: each by less than one part in 10^9 of what
        the heaviest ring could weigh.
        """
        places = max((-_exponent(weight) for weight in self.weights), default=0)
        largest = max((abs(weight) for weight in self.weights), default=0)
        room = WHOLE // max(1, len(self.nodes))
        if places <= 15 and Fraction(largest) * 10**places <= room:
            return np.array([int(Decimal(repr(weight)).scaleb(places)) for weight in self.weights], dtype=np.int64)
        scale = Fraction(room) / Fraction(largest)
        return np.array([round(Fraction(weight) * scale) for weight in self.weights], dtype=np.int64)


def read_digraph(source: object) -> Digraph:
    """Return the digraph of ``{"nodes": [...], "arcs": [{"from": ..., "to": ..., "weight": ...}]}``.

    :raises GraphUnreadable: naming the node or arc that is wrong, by its number in the list, and how.
    """
    if not isinstance(source, Mapping):
        raise GraphUnreadable('A graph is an object with "nodes" and "arcs".')
    nodes = _read_nodes(source.get("nodes"))
    arcs = source.get("arcs")
    if not isinstance(arcs, list):
        raise GraphUnreadable('"arcs" must be a list of objects with "from", "to" and "weight".')
    if len(arcs) > MOST_ARCS:
        raise GraphUnreadable(f"The graph has {len(arcs):,} arcs; at most {MOST_ARCS:,} are taken.")
    return make_digraph(nodes, (_read_arc(number, arc) for number, arc in enumerate(arcs, start=1)))


def make_digraph(nodes: Iterable[str], arcs: Iterable[tuple[str, str, Weight]]) -> Digraph:
    """Return the digraph of these nodes and arcs, whatever order they come in.

    :raises GraphUnreadable: when an arc's end is no node, an arc is a loop, or a pair of ends comes twice.
    """
    names = tuple(sorted(nodes))
    position = {name: k for k, name in enumerate(names)}
    found: dict[tuple[int, int], Weight] = {}
    for number, (tail, head, weight) in enumerate(arcs, start=1):
        for end in (tail, head):
            if end not in position:
                raise GraphUnreadable(f"Arc {number}: {_quoted(end)} is not among the nodes.")
        if tail == head:
            raise GraphUnreadable(f"Arc {number} goes from {_quoted(tail)} to itself; a ring has at least two nodes.")
        ends = position[tail], position[head]
        if ends in found:
            raise GraphUnreadable(
                f"Arc {number}: there is an arc from {_quoted(tail)} to {_quoted(head)} already; keep one of the two."
            )
        found[ends] = weight
    order = sorted(found)
    return Digraph(
        nodes=names,
        tails=np.array([tail for tail, _ in order], dtype=np.int64),
        heads=np.array([head for _, head in order], dtype=np.int64),
        weights=tuple(found[ends] for ends in order),
    )


def _read_nodes(nodes: object) -> list[str]:
    if not isinstance(nodes, list):
        raise GraphUnreadable('"nodes" must be a list of texts.')
    if len(nodes) > MOST_NODES:
        raise GraphUnreadable(f"The graph has {len(nodes):,} nodes; at most {MOST_NODES:,} are taken.")
    seen: set[str] = set()
    for number, node in enumerate(nodes, start=1):
        if not isinstance(node, str) or not node:
            raise GraphUnreadable(f"Node {number} is not a text: name each node with one.")
        if node in seen:
            raise GraphUnreadable(f"Node {number}: {_quoted(node)} is among the nodes twice.")
        seen.add(node)
    return list(nodes)


def _read_arc(number: int, arc: object) -> tuple[str, str, Weight]:
    if not isinstance(arc, Mapping):
        raise GraphUnreadable(f'Arc {number} is not an object with "from", "to" and "weight".')
    tail, head, weight = arc.get("from"), arc.get("to"), arc.get("weight")
    if not isinstance(tail, str) or not isinstance(head, str):
        raise GraphUnreadable(f'Arc {number}: "from" and "to" must be texts that name nodes.')
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not abs(weight) <= MOST_WEIGHT:
        raise GraphUnreadable(
            f'Arc {number}: "weight" must be a number between -{MOST_WEIGHT:.0e} and {MOST_WEIGHT:.0e}.'
        )
    if not math.isfinite(weight):
        raise GraphUnreadable(f'Arc {number}: "weight" must be finite.')
    return tail, head, weight


def _exponent(weight: Weight) -> int:
    """Return the power of ten of a number's last digit: -2 for 1.25."""
    exponent = Decimal(repr(weight)).normalize().as_tuple().exponent
    return min(0, exponent) if isinstance(exponent, int) else 0


def _quoted(name: str) -> str:
    return f"“{name if len(name) <= 60 else name[:60] + '…'}”"
