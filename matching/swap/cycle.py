"""Short cycles of a digraph, found by how much they weigh: every one at or over a threshold, without listing the rest.

Weights are whole numbers. A path is followed only while the heaviest walk back to where it began, in the arcs that are
left, could still bring it to the threshold; the walks are worked out first, by one step of max-plus algebra an arc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

NEVER = np.int64(-(2**61))
"""The weight of a walk that there is not; twice it still fits."""
BLOCK = 4_000_000
"""How many numbers are worked on at once."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """Cycles as rows of nodes, the least node first; rows shorter than the longest are filled up with -1."""

    nodes: Integers
    weights: Integers

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.weights)


@dataclass(frozen=True, slots=True)
class Arcs:
    """Arcs of a digraph of ``size`` nodes, ordered by tail, then head; ``first`` is where each tail's arcs begin."""

    size: int
    first: Integers
    tails: Integers
    heads: Integers

    @classmethod
    def of(cls, size: int, tails: Integers, heads: Integers) -> Arcs:
        """Return the arcs of ordered ends."""
        return cls(size, np.searchsorted(tails, np.arange(size + 1)), tails, heads)


@dataclass(frozen=True, slots=True)
class _Walks:
    """For the start nodes ``starts``: ``best[k][v, s]`` is the heaviest walk of 1 to k arcs from v to starts[s]."""

    starts: Integers
    direct: Integers
    best: tuple[Integers, ...]


class TooMany(Exception):
    """More cycles reach the threshold than may be listed."""


def list_cycles(arcs: Arcs, weights: Integers, *, longest: int, least: int, most: int) -> Cycles:
    """Return every cycle of 2 to ``longest`` arcs that weighs ``least`` or more.

    :raises TooMany: when there are more than ``most``.
    """
    found: list[tuple[Integers, Integers]] = []
    count = 0
    for walks in _walks(arcs, weights, longest):
        for nodes, sums in _follow(arcs, weights, walks, longest=longest, least=least, most=most):
            count += len(sums)
            if count > most:
                raise TooMany
            found.append((_fill(nodes, longest), sums))
    return joined([Cycles(*each) for each in found], longest)


def heaviest_closed_walk(arcs: Arcs, weights: Integers, *, longest: int) -> int:
    """Return the weight of the heaviest closed walk of 2 to ``longest`` arcs; it is no less than any cycle's."""
    return max((int(_closed(walks).max(initial=NEVER)) for walks in _walks(arcs, weights, longest)), default=int(NEVER))


def heavy_cycles(arcs: Arcs, weights: Integers, *, longest: int, each: int) -> Cycles:
    """Return some of the heaviest cycles that weigh more than nothing, at most ``each`` per start and length.

    There is one at least where any cycle weighs more than nothing.
    """
    found: list[tuple[Integers, Integers]] = []
    for walks in _walks(arcs, weights, longest):
        wide = each
        while True:
            here = list(_follow(arcs, weights, walks, longest=longest, least=1, most=None, wide=wide))
            if sum(len(sums) for _, sums in here) or int(_closed(walks).max(initial=NEVER)) <= 0 or wide > BLOCK:
                break
            wide *= 8
        found.extend((_fill(nodes, longest), sums) for nodes, sums in here)
    return joined([Cycles(*each) for each in found], longest)


def on_short_cycle(arcs: Arcs, *, longest: int) -> NDArray[np.bool_]:
    """Say of each arc whether it lies on a cycle of at most ``longest`` arcs."""
    kept = np.zeros(len(arcs.tails), dtype=np.bool_)
    for walks in _walks(arcs, np.zeros(len(arcs.tails), dtype=np.int64), longest):
        low = int(walks.starts[0])
        mine = np.flatnonzero((arcs.tails >= low) & (arcs.tails < low + len(walks.starts)))
        kept[mine] = walks.best[longest - 2][arcs.heads[mine], arcs.tails[mine] - low] > NEVER
    return kept


def _walks(arcs: Arcs, weights: Integers, longest: int) -> Iterator[_Walks]:
    """Yield the heaviest walks back to every start, some starts at a time."""
    width = max(1, BLOCK // max(1, len(arcs.tails), arcs.size))
    for low in range(0, arcs.size, width):
        starts = np.arange(low, min(low + width, arcs.size))
        direct = np.full((arcs.size, len(starts)), NEVER)
        into = (arcs.heads >= low) & (arcs.heads < low + len(starts))
        direct[arcs.tails[into], arcs.heads[into] - low] = weights[into]
        best = [direct]
        used = np.flatnonzero(np.diff(arcs.first))
        for _ in range(longest - 1):
            onward = np.maximum(best[-1][arcs.heads] + weights[:, None], NEVER)
            longer = best[-1].copy()
            if used.size:
                longer[used] = np.maximum(longer[used], np.maximum.reduceat(onward, arcs.first[used], axis=0))
            longer[longer < NEVER // 2] = NEVER
            best.append(longer)
        yield _Walks(starts, direct, tuple(best))


def _closed(walks: _Walks) -> Integers:
    return walks.best[-1][walks.starts, np.arange(len(walks.starts))]


def _follow(
    arcs: Arcs, weights: Integers, walks: _Walks, *, longest: int, least: int, most: int | None, wide: int | None = None
) -> Iterator[tuple[Integers, Integers]]:
    """Yield cycles from these starts, by length. ``wide`` keeps only so many of the best paths of each start."""
    low = walks.starts[0]
    paths, sums = walks.starts[:, None], np.zeros(len(walks.starts), dtype=np.int64)
    for length in range(1, longest + 1):
        back = walks.direct[paths[:, -1], paths[:, 0] - low]
        closed = (back > NEVER) & (sums + back >= least) if length > 1 else np.zeros(len(paths), dtype=np.bool_)
        if closed.any():
            nodes, total = paths[closed], (sums + back)[closed]
            kept = _best_each(nodes[:, 0], total, wide) if wide else slice(None)
            yield nodes[kept], total[kept]
        if length == longest:
            return
        paths, sums = _longer(arcs, weights, walks, paths, sums, left=longest - length, least=least)
        if wide and len(paths):
            bound = sums + walks.best[longest - length - 1][paths[:, -1], paths[:, 0] - low]
            kept = _best_each(paths[:, 0], bound, wide)
            paths, sums = paths[kept], sums[kept]
        if most is not None and len(paths) > 4 * most:
            raise TooMany


def _longer(
    arcs: Arcs, weights: Integers, walks: _Walks, paths: Integers, sums: Integers, *, left: int, least: int
) -> tuple[Integers, Integers]:
    """Return the paths with one arc more, from which a cycle of the threshold could still come in ``left`` arcs."""
    last = paths[:, -1]
    counts = arcs.first[last + 1] - arcs.first[last]
    row = np.repeat(np.arange(len(paths)), counts)
    arc = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + arcs.first[last][row]
    start, head = paths[row, 0], arcs.heads[arc]
    total = sums[row] + weights[arc]
    onward = walks.best[left - 1][head, start - walks.starts[0]]
    kept = (head > start) & (onward > NEVER) & (total + onward >= least)
    kept &= (paths[row] != head[:, None]).all(axis=1)
    return np.column_stack([paths[row[kept]], head[kept]]), total[kept]


def _best_each(starts: Integers, value: Integers, most: int) -> Integers:
    """Return the positions of the best ``most`` of each start."""
    order = np.lexsort((-value, starts))
    ordered = starts[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return np.sort(order[rank < most])


def _fill(nodes: Integers, longest: int) -> Integers:
    filled = np.full((len(nodes), longest), -1, dtype=np.int64)
    filled[:, : nodes.shape[1]] = nodes
    return filled


def joined(found: list[Cycles], longest: int) -> Cycles:
    """Return cycles together, in order of their nodes."""
    if not found:
        return Cycles(np.zeros((0, longest), dtype=np.int64), np.zeros(0, dtype=np.int64))
    nodes = np.concatenate([each.nodes for each in found])
    weights = np.concatenate([each.weights for each in found])
    order = np.lexsort(nodes.T[::-1])
    return Cycles(nodes[order], weights[order])
