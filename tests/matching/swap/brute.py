"""The best disjoint rings of a small digraph by trying every set of nodes, and a checker of rings for any digraph."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from typing import Any

from matching.swap.ring import Rings


def best_weight(source: dict[str, Any], longest: int) -> Fraction:
    """Return the greatest weight that disjoint rings can have: dynamic programming over sets of nodes."""
    number = {node: k for k, node in enumerate(source["nodes"])}
    weight = {(number[arc["from"]], number[arc["to"]]): Fraction(arc["weight"]) for arc in source["arcs"]}
    rings = list(_rings(len(number), weight, longest))

    @cache
    def best(free: int) -> Fraction:
        if not free:
            return Fraction(0)
        first = free & -free
        without = best(free ^ first)
        through = [value + best(free & ~nodes) for nodes, value in rings if nodes & first and nodes & ~free == 0]
        return max([without, *through])

    return best((1 << len(number)) - 1)


def check_rings(source: dict[str, Any], found: Rings, longest: int) -> None:
    """Assert that rings run along arcs, share no node, are short enough, canonical, and weigh what is said."""
    weight = {(arc["from"], arc["to"]): Fraction(arc["weight"]) for arc in source["arcs"]}
    nodes = [node for ring in found.rings for node in ring]
    assert len(nodes) == len(set(nodes))
    assert all(2 <= len(ring) <= longest and ring[0] == min(ring, key=str) for ring in found.rings)
    assert list(found.rings) == sorted(found.rings, key=lambda ring: str(ring[0]))
    total = sum((weight[ends] for ring in found.rings for ends in _ends(ring)), Fraction(0))
    assert abs(total - Fraction(found.weight)) <= abs(total) / 10**12


def _rings(size: int, weight: dict[tuple[int, int], Fraction], longest: int) -> Iterable[tuple[int, Fraction]]:
    paths: list[tuple[tuple[int, ...], Fraction]] = [((node,), Fraction(0)) for node in range(size)]
    for _ in range(longest):
        yield from (
            (sum(1 << node for node in path), total + weight[path[-1], path[0]])
            for path, total in paths
            if (path[-1], path[0]) in weight
        )
        paths = [
            ((*path, node), total + weight[path[-1], node])
            for path, total in paths
            for node in range(path[0] + 1, size)
            if node not in path and (path[-1], node) in weight
        ]


def _ends(ring: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    return list(zip(ring, ring[1:] + ring[:1], strict=True))
