"""A column as an agency itself has it: what it is called, what it means, and how it says what is so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from concord.demo.chance import Chance
from concord.demo.row import Cell

Row = Mapping[str, Cell]
"""What is so of one record, by documented heading."""
Say = Callable[[Row, Chance], Cell]
"""Put into a cell what a row holds; people write one thing in several ways, so it is drawn."""


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """One column of an agency's own sheet.

    ``means`` is the documented heading, ``None`` for what Concord has no place for; ``group`` stands above the
    heading, merged over its neighbours of the same group.
    """

    heading: str
    means: str | None
    say: Say
    group: str = ""
    hidden: bool = False


def lines_of(columns: Iterable[OwnColumn], rows: Iterable[Row], chance: Chance) -> list[list[Cell]]:
    """Return what stands in each cell below the columns."""
    columns = tuple(columns)
    return [[column.say(row, chance) for column in columns] for row in rows]


# ── ways of saying ──


def plainly(heading: str) -> Say:
    """Say what is so as it is."""
    return lambda row, _chance: row.get(heading)


def in_words(heading: str, words: Mapping[Cell, tuple[Cell, ...]]) -> Say:
    """Say it in one of the words that people use for it; a row that says nothing of it stays blank."""

    def say(row: Row, chance: Chance) -> Cell:
        return chance.pick(words[row[heading]]) if heading in row else None

    return say


def listed(heading: str, words: Mapping[str, str], *, joined: str) -> Say:
    """Say each thing of a list in its word; what has none is said as it is."""

    def say(row: Row, _chance: Chance) -> Cell:
        said = row.get(heading)
        if not isinstance(said, str):
            return said
        return joined.join(words.get(each, each) for each in said.split("; "))

    return say


def together(first: str, second: str, form: Callable[[Cell, Cell, Chance], Cell]) -> Say:
    """Say two things in one cell."""
    return lambda row, chance: form(row.get(first), row.get(second), chance)


# ── answers to a need ──

_PART: Final = re.compile(r"(can meet|would discuss|cannot)(?: (low|medium|high))?")
_SHORT: Final = {"cannot": "N", "can meet low": "Y", "can meet high": "Any", "would discuss high": "Maybe"}
_ANSWERS: Final = {"can meet": "yes to", "would discuss": "discuss", "cannot": "no to"}
_LEVELS: Final = {"low": "mild", "medium": "moderate", "high": "severe"}


def tolerance_in_short(heading: str) -> Say:
    """Say what a household answers to a need in a word where one will do, else level by level."""

    def say(row: Row, _chance: Chance) -> Cell:
        said = row.get(heading)
        if not isinstance(said, str):
            return said
        return _SHORT.get(said) or ", ".join(
            f"{_ANSWERS[answer]} {_LEVELS[level]}" for answer, level in _PART.findall(said)
        )

    return say
