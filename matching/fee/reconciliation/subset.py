"""Which of some amounts make a sum exactly: bounded, in whole pence, the fewest first, the same every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_AMOUNTS: Final = 40
MOST_CHOSEN: Final = 8
_MOST_STEPS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Sum:
    """The places of amounts that make a sum. ``only``: no other choice makes it, not even of equal amounts."""

    places: tuple[int, ...]
    only: bool


def find_sum(amounts: Sequence[int], target: int, *, most: int = MOST_CHOSEN) -> Sum | None:
    """Return the choice of at most ``most`` of the first 40 amounts that makes the target, ``None`` where none does.

    Of several choices the one of fewest amounts, then the one that takes the earliest. A search that grows beyond its
    bound finds nothing rather than something by chance.
    """
    considered = [(amount, place) for place, amount in enumerate(amounts[:MOST_AMOUNTS]) if 0 < amount <= target]
    by_amount: dict[int, list[int]] = {}
    for amount, place in considered:
        by_amount.setdefault(amount, []).append(place)
    values = sorted(by_amount, reverse=True)
    found = _search(values, [len(by_amount[value]) for value in values], target, most)
    if found is None or not found:
        return None
    chosen = [_places(each, by_amount) for each in found]
    fewest = min(chosen, key=lambda each: (len(each), each))
    alike = all(len(by_amount[amount]) == used for amount, used in Counter(amounts[each] for each in fewest).items())
    return Sum(fewest, only=len(found) == 1 and alike)


def _search(values: list[int], counts: list[int], target: int, most: int) -> list[dict[int, int]] | None:
    """Return how often each value is taken, for every choice that makes the target; ``None`` beyond the bound."""
    rest = [0] * (len(values) + 1)
    for index in range(len(values) - 1, -1, -1):
        rest[index] = rest[index + 1] + values[index] * counts[index]
    found: list[dict[int, int]] = []
    steps = 0
    stack: list[tuple[int, int, int, tuple[tuple[int, int], ...]]] = [(0, target, most, ())]
    while stack:
        steps += 1
        if steps > _MOST_STEPS:
            return None
        index, left, room, taken = stack.pop()
        if left == 0:
            found.append(dict(taken))
            continue
        if index == len(values) or room == 0 or rest[index] < left:
            continue
        value = values[index]
        for times in range(min(counts[index], left // value, room) + 1):
            after = (*taken, (value, times)) if times else taken
            stack.append((index + 1, left - value * times, room - times, after))
    return found


def _places(times: dict[int, int], by_amount: dict[int, list[int]]) -> tuple[int, ...]:
    return tuple(sorted(place for value, count in times.items() for place in by_amount[value][:count]))
