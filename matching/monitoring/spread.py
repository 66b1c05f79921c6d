"""The middle and the long end of numbers of days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

METHOD = (
    "The median and the 90th percentile lie between the two nearest values, in proportion (PERCENTILE.INC of "
    "spreadsheets), and are rounded to whole days."
)


@dataclass(frozen=True, slots=True)
class Spread:
    """How many numbers there are, with their average, median and 90th percentile; ``None`` where there are none."""

    count: int
    average: int | None = None
    median: int | None = None
    ninetieth: int | None = None


def spread_of(days: Iterable[int]) -> Spread:
    """Return the spread of numbers of days."""
    ordered = sorted(days)
    if not ordered:
        return Spread(0)
    return Spread(
        count=len(ordered),
        average=_rounded(Fraction(sum(ordered), len(ordered))),
        median=_rounded(_percentile(ordered, Fraction(1, 2))),
        ninetieth=_rounded(_percentile(ordered, Fraction(9, 10))),
    )


def _percentile(ordered: list[int], part: Fraction) -> Fraction:
    """Return the value at a part of the way through (Hyndman and Fan's seventh; ``percentile_cont`` of PostgreSQL)."""
    place = part * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _rounded(value: Fraction) -> int:
    """Return the nearest whole number, a half upwards; days are never less than none."""
    return floor(value + Fraction(1, 2))
