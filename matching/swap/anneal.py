"""Disjoint cycles found by cooling: cycles come in at random and drive out those that they meet, less and less freely.

It proves nothing. It finds in a fraction of a second what a bound can then meet, where many sets are equally good.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matching.ranking.kernel import compiled
from matching.swap.cycle import Cycles, Integers

COLDEST = 0.02
"""How cold it gets, as a part of how warm it begins."""


def cool(size: int, cycles: Cycles, *, warmth: float, steps: int, seed: int, goal: int) -> NDArray[np.intp]:
    """Return the positions of disjoint cycles over ``size`` nodes, the heaviest set met in so many steps.

    ``warmth`` is about what a cycle may cost at the beginning, ``goal`` the weight at which to stop. The same seed
    gives the same answer.
    """
    if not len(cycles) or cycles.weights.max() <= 0:
        return np.zeros(0, dtype=np.intp)
    # A node that there is not stands where a cycle has fewer than the longest, and nobody keeps it.
    nodes = np.where(cycles.nodes < 0, size, cycles.nodes)
    owners = _cool(size, nodes, cycles.weights, warmth, steps, seed, goal)
    return np.unique(owners[owners >= 0])


@compiled
def _cool(  # noqa: C901 - one loop nest, kept whole for the compiler
    size: int, nodes: Integers, weights: Integers, warmth: float, steps: int, seed: int, goal: int
) -> Integers:
    """Return the cycle that each node is in, or -1, of the heaviest set met."""
    owner = np.full(size + 1, -1, dtype=np.int64)
    best_owner = owner.copy()
    total, best, warm = 0, 0, warmth
    state = np.uint64(seed * 2 + 1)
    for step in range(steps):
        if step % 1024 == 0:
            warm = warmth * COLDEST ** (step / steps)
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        cycle = np.int64((state >> np.uint64(11)) % np.uint64(len(weights)))
        gain, met = weights[cycle], False
        for k in range(nodes.shape[1]):
            other = owner[nodes[cycle, k]]
            met |= other == cycle
            fresh = other >= 0
            for j in range(k):
                fresh &= owner[nodes[cycle, j]] != other
            if fresh:
                gain -= weights[other]
        if met or (gain < 0 and (state >> np.uint64(40)) * 2.0**-24 >= np.exp(gain / warm)):
            continue
        for k in range(nodes.shape[1]):
            other = owner[nodes[cycle, k]]
            if other >= 0:
                for node in nodes[other]:
                    owner[node] = -1
        for node in nodes[cycle]:
            owner[node] = cycle
        owner[size] = -1
        total += gain
        if total > best:
            best = total
            best_owner[:] = owner
            if best >= goal:
                break
    return best_owner[:size]
