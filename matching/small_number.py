"""Counts of records of several agencies: those so small that they could point at a child are not told.

A pack is a paper that leaves the program, and the pool as a whole is told to everybody in it: what stands there is held
to this, though whoever reads it may see each record too. A count that follows from others beside it is not told either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set

LEAST_COUNT = 5
"""Counts under this are not told, for they come from several agencies and could point at a child."""


def is_small(count: int) -> bool:
    """Say whether a count is of somebody, and of too few to tell; that there is nobody may be told."""
    return 0 < count < LEAST_COUNT


def told(count: int) -> int | None:
    """Return a count that stands alone, or ``None`` where it is too small to tell."""
    return None if is_small(count) else count


def hidden_of(counts: Counter[str], *, also: Set[str] = frozenset()) -> set[str]:
    """Return the labels of one table whose counts are not told: the small ones, ``also``, and what they follow from."""
    return with_others({label for label, count in counts.items() if is_small(count)} | also, counts)


def with_others(hidden: Set[str], counts: Counter[str]) -> set[str]:
    """Return the labels with as many more, the least first, as it takes that no count follows from the total of all.

    What a lone one is follows, and so do two that make two together, or five that make five.
    """
    found = set(hidden)
    others = sorted((count, label) for label, count in counts.items() if label not in found)
    while others and found and _follows(sum(counts[label] for label in found), of=len(found)):
        found.add(others.pop(0)[1])
    return found


def _follows(total: int, *, of: int) -> bool:
    return of == 1 or is_small(total) or total == of
