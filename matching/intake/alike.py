"""How much a heading is like a documented one: by its names, and by what stands below it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz, process

from matching.intake.cell import CellProblem
from matching.intake.column import Column, SheetKind, columns_of
from matching.intake.mapping import How, plain_heading
from matching.intake.sheet import CellValue

SAMPLE: Final = 40
"""How many different cells of a column are tried."""
LIKELY: Final = 75
"""No column whose name is vague is held to be more than this likely, whatever its cells say."""
LEAST: Final = 60
"""Below this likeness, of 100, a column is taken for nothing."""
_HEADING: Final = 86
"""From which likeness a cell counts as a heading: a record's name, letter or word may be part of one, or be like it."""
_WITH_NOTE: Final = 99
_OTHER_NAME: Final = 98
_MOST_ALIKE: Final = 94
_VAGUE: Final = 45
_LONGEST: Final = 80
_NONSENSE: Final = "zqx"
"""What only a column of free words takes: such a column's cells are no sign that its heading is the one meant."""
_NOTE: Final = re.compile(r"\([^()]*\)\s*$")
"""A note in brackets after a documented heading, such as “Youngest age (years)”, is for people."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How likely a column is a documented one, 0 to 100, and why."""

    score: int
    how: How


def likeness_of(heading: str, cells: Sequence[CellValue], column: Column, kind: SheetKind) -> Likeness:
    """Return how likely a column with this heading and these cells is a documented one.

    A documented heading is taken at its word: cells that do not fit it are refused one by one, with their reasons.
    """
    named = by_name(heading, kind).get(column.heading)
    if named is None or named.how is How.SAME:
        return named or Likeness(0, How.NONE)
    fits = _share_that_fits(column, cells)
    if named.how is How.OTHER_NAME:
        return named if fits >= 0.5 else Likeness(round(named.score * (0.5 + fits / 2)), How.OTHER_NAME)
    score = round(named.score * (0.5 + fits / 2))
    if cells and fits == 1 and _is_strict(column):
        score = max(score, min(LIKELY, score + 15))
    return Likeness(score, How.ALIKE)


@lru_cache(maxsize=20_000)
def by_name(heading: str, kind: SheetKind) -> dict[str, Likeness]:
    """Return the documented headings that a heading may be, each with how much it is like it by name alone.

    A heading that is one of the names of a documented one is like no other.
    """
    plain = plain_heading(heading)
    names = _names(kind)
    if plain in names:
        column, how = names[plain]
        return {column: Likeness(100 if how is How.SAME else _OTHER_NAME, how)}
    column, how = names.get(plain_heading(_NOTE.sub("", heading)), ("", How.NONE))
    if how is How.SAME:
        return {column: Likeness(_WITH_NOTE, how)}
    return _alike_by_name(plain, kind) if plain and len(plain) <= _LONGEST else {}


def heading_likeness(kind: SheetKind) -> Callable[[Sequence[str]], float]:
    """Return what says of a row's cells, from 0 to 1, how much they look like the headings of such a sheet."""

    def likeness(cells: Sequence[str]) -> float:
        said = [cell for cell in cells if cell]
        return sum(_best(cell, kind) for cell in said) / (100 * len(said)) if said else 0.0

    return likeness


def _alike_by_name(plain: str, kind: SheetKind) -> dict[str, Likeness]:
    names = _names(kind)
    found: dict[str, Likeness] = {}
    for name, score, _ in process.extract(plain, list(names), scorer=_alike, score_cutoff=_VAGUE, limit=None):
        column, _ = names[name]
        like = Likeness(min(_MOST_ALIKE, round(score)), How.ALIKE)
        if column not in found or found[column].score < like.score:
            found[column] = like
    return found


def _best(heading: str, kind: SheetKind) -> int:
    best = max((like.score for like in by_name(heading, kind).values()), default=0)
    return best if best >= _HEADING else 0


@lru_cache
def _names(kind: SheetKind) -> dict[str, tuple[str, How]]:
    """Return every name, plain, with the documented heading that it stands for."""
    names: dict[str, tuple[str, How]] = {}
    for column in columns_of(kind):
        others = (column.heading.removeprefix("Need:"), *column.other_names) if column.of_need else column.other_names
        names |= {plain_heading(other): (column.heading, How.OTHER_NAME) for other in others}
    return names | {plain_heading(column.heading): (column.heading, How.SAME) for column in columns_of(kind)}


def _alike(first: str, second: str, *, score_cutoff: float | None = None) -> float:
    whole = max(fuzz.ratio(first, second), fuzz.token_sort_ratio(first, second))
    # A heading that holds the name among other words may be it, and may be about something else.
    within = 0.85 * fuzz.token_set_ratio(first, second)
    score = max(whole, within)
    return score if score_cutoff is None or score >= score_cutoff else 0.0


def _share_that_fits(column: Column, cells: Sequence[CellValue]) -> float:
    if not cells:
        return 1.0
    return sum(_fits(column, cell) for cell in cells) / len(cells)


def _fits(column: Column, cell: CellValue) -> bool:
    try:
        column.parse(cell)
    except CellProblem:
        return False
    return True


@lru_cache
def _is_strict(column: Column) -> bool:
    return not _fits(column, _NONSENSE)
