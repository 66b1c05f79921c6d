"""A weighted digraph: what rings are looked for in, read from plain values and checked."""

from __future__ import annotations

import json
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
Node = object
"""What names a node: any JSON value, and given back as it came. 1 and "1" are two."""
Integers = NDArray[np.int64]


class GraphUnreadable(Invalid):
    """What was given is no digraph that rings can be looked for in."""


@dataclass(frozen=True, slots=True)
class Digraph:
    """Nodes in order of their names, and arcs in order of their ends: the order of the file decides nothing."""

    nodes: tuple[Node, ...]
    tails: Integers
    heads: Integers
    weights: tuple[Weight, ...]

    @property
    def scale(self) -> Fraction:
        """Return by what weights are multiplied to be whole, exactly where their decimals allow it."""
        places = max((-_exponent(weight) for weight in self.weights), default=0)
        largest = max((abs(weight) for weight in self.weights), default=0)
        room = WHOLE // max(1, len(self.nodes))
        if places <= 15 and Fraction(largest) * 10**places <= room:
            return Fraction(10**places)
        return Fraction(room) / Fraction(largest)

    def whole_weights(self) -> Integers:
        """Return the weights as whole numbers in proportion, exact where their decimals allow it.

        Weights that need more digits than sums of 52 bits hold are rounded: each by less than one part in 10^9 of what
        the heaviest ring could weigh.
        """
        scale = self.scale
        return np.array([round(Fraction(repr(weight)) * scale) for weight in self.weights], dtype=np.int64)


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


def make_digraph(nodes: Iterable[Node], arcs: Iterable[tuple[Node, Node, Weight]]) -> Digraph:
    """Return the digraph of these nodes and arcs, whatever order they come in.

    Of arcs with the same ends the heaviest is kept, and an arc from a node to itself is left out: it is in no ring.

    :raises GraphUnreadable: when an arc's end is no node.
    """
    named = sorted(((_key(name), name) for name in nodes), key=lambda each: each[0])
    position = {key: k for k, (key, _) in enumerate(named)}
    found: dict[tuple[int, int], Weight] = {}
    for number, (tail, head, weight) in enumerate(arcs, start=1):
        ends = position.get(_key(tail), -1), position.get(_key(head), -1)
        for end, name in zip(ends, (tail, head), strict=True):
            if end < 0:
                raise GraphUnreadable(f"Arc {number}: {_quoted(name)} is not among the nodes.")
        if ends[0] != ends[1] and (ends not in found or weight > found[ends]):
            found[ends] = weight
    order = sorted(found)
    return Digraph(
        nodes=tuple(name for _, name in named),
        tails=np.array([tail for tail, _ in order], dtype=np.int64),
        heads=np.array([head for _, head in order], dtype=np.int64),
        weights=tuple(found[ends] for ends in order),
    )


def _key(name: Node) -> tuple[int, int | float | str]:
    """Return by what a node is known and ordered: numbers by size, then texts, then whatever else as JSON writes it."""
    if isinstance(name, int | float) and not isinstance(name, bool) and math.isfinite(name):
        return 0, name
    if isinstance(name, str):
        return 1, name
    return 2, json.dumps(name, sort_keys=True)


def _read_nodes(nodes: object) -> list[Node]:
    if not isinstance(nodes, list):
        raise GraphUnreadable('"nodes" must be a list.')
    if len(nodes) > MOST_NODES:
        raise GraphUnreadable(f"The graph has {len(nodes):,} nodes; at most {MOST_NODES:,} are taken.")
    seen: set[tuple[int, int | float | str]] = set()
    for number, node in enumerate(nodes, start=1):
        if _key(node) in seen:
            raise GraphUnreadable(f"Node {number}: {_quoted(node)} is among the nodes twice.")
        seen.add(_key(node))
    return list(nodes)


def _read_arc(number: int, arc: object) -> tuple[Node, Node, Weight]:
    if not isinstance(arc, Mapping):
        raise GraphUnreadable(f'Arc {number} is not an object with "from", "to" and "weight".')
    if "from" not in arc or "to" not in arc:
        raise GraphUnreadable(f'Arc {number}: "from" and "to" must name nodes.')
    weight = arc.get("weight")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not abs(weight) <= MOST_WEIGHT:
        raise GraphUnreadable(
            f'Arc {number}: "weight" must be a number between -{MOST_WEIGHT:.0e} and {MOST_WEIGHT:.0e}.'
        )
    if not math.isfinite(weight):
        raise GraphUnreadable(f'Arc {number}: "weight" must be finite.')
    return arc["from"], arc["to"], weight


def _exponent(weight: Weight) -> int:
    """Return the power of ten of a number's last digit: -2 for 1.25."""
    exponent = Decimal(repr(weight)).normalize().as_tuple().exponent
    return min(0, exponent) if isinstance(exponent, int) else 0


def _quoted(node: Node) -> str:
    name = node if isinstance(node, str) else json.dumps(node, ensure_ascii=False)
    return f"“{name if len(name) <= 60 else name[:60] + '…'}”"
