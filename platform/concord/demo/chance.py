"""Seeded draws that are the same on every machine and every Python.

Everything is made from ``Random.random``, the one method whose sequence Python promises to keep for a seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A stream of draws named by a seed and a label, independent of every other stream."""

    def __init__(self, seed: int, label: str) -> None:
        self._random = Random(f"{seed}/{label}")  # noqa: S311 - synthetic people, not secrets

    def share(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        return self._random.random()

    def happens(self, probability: float) -> bool:
        """Tell whether something of this probability happens."""
        return self.share() < probability

    def whole(self, least: int, most: int) -> int:
        """Return a whole number between the two, both included."""
        return least + int(self.share() * (most - least + 1))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each as likely."""
        return options[int(self.share() * len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Return that many different options, in the order drawn."""
        left = list(options)
        return [left.pop(int(self.share() * len(left))) for _ in range(min(count, len(left)))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """Return one of the keys, each as likely as its weight."""
        at = self.share() * sum(weights.values())
        for option, weight in weights.items():
            at -= weight
            if at < 0:
                return option
        return list(weights)[-1]

    def day_before(self, day: date, *, least: int, most: int) -> date:
        """Return a day between ``least`` and ``most`` days before the one given."""
        return day - timedelta(days=self.whole(least, most))


def shared_out(total: int, weights: Sequence[float]) -> list[int]:
    """Split a total by weight, the largest remainders first, ties to the earlier."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    counts = [int(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (counts[index] - exact[index], index))
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def deck(chance: Chance, total: int, weights: Mapping[T, float]) -> list[T]:
    """Return that many options in the proportions of their weights, shuffled: a calibration that luck cannot undo."""
    counts = shared_out(total, list(weights.values()))
    cards = [option for option, count in zip(weights, counts, strict=True) for _ in range(count)]
    return chance.some(cards, total)
