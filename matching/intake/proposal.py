"""What a file's columns most likely hold: the best of all assignments of its columns to documented ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ortools.graph.python import linear_sum_assignment

from matching.intake.alike import LEAST, SAMPLE, Likeness, likeness_of
from matching.intake.column import SheetKind, columns_of
from matching.intake.key import REFERENCES, keys_among
from matching.intake.mapping import SURE, BookMapping, How, MappedColumn, SheetMapping, is_to_mend, shape_of
from matching.intake.row import shown
from matching.intake.sheet import Book, CellValue, Sheet, column_letter

_READ: Final = 0.5
"""From which share of its columns a sheet is read, if others are there too."""
_PASSED_OVER: Final = 0.25
"""Up to which share nobody is asked whether to read it."""
_EXAMPLES: Final = 3
_LONGEST_EXAMPLE: Final = 40


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an agency has said of sheets of one shape: each column in its order, whether to read it, by which keys."""

    columns: tuple[str | None, ...]
    read: bool
    keys: tuple[str, ...] = ()
    empty: tuple[int, ...] = ()
    """Columns left out that held nothing then: once they hold something, it is asked again."""


def propose(book: Book, kind: SheetKind, remembered: Mapping[str, Remembered]) -> BookMapping:
    """Return what each column of each sheet is most likely to hold; ``remembered`` is by shape."""
    sheets = [_proposed(sheet, kind, remembered.get(shape_of(sheet.headings))) for sheet in book.sheets]
    if len(sheets) == 1:
        sheets = [_alone(sheets[0])]
    return BookMapping(kind=kind, sheets=tuple(sheets))


def memory_of(sheet: SheetMapping) -> Remembered:
    """Return what is worth remembering of a sheet; the column that a workbook of refusals adds is not."""
    columns = [each for each in sheet.columns if not is_to_mend(each.heading)]
    empty = tuple(place for place, each in enumerate(columns) if each.column is None and not each.filled)
    return Remembered(tuple(each.column for each in columns), sheet.read, sheet.keys, empty)


# ── within ──


@dataclass(frozen=True, slots=True)
class _Cells:
    """What stands below one heading."""

    filled: int
    sample: tuple[CellValue, ...]

    @property
    def examples(self) -> tuple[str, ...]:
        texts = dict.fromkeys(_short(shown(value) or "") for value in self.sample)
        return tuple(list(texts)[:_EXAMPLES])


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"


def _cells(sheet: Sheet, index: int) -> _Cells:
    filled = 0
    sample: dict[CellValue, None] = {}
    for row in sheet.rows:
        value = row.cells[index] if index < len(row.cells) else None
        if value is None:
            continue
        filled += 1
        if len(sample) < SAMPLE:
            sample[value] = None
    return _Cells(filled, tuple(sample))


def _proposed(sheet: Sheet, kind: SheetKind, remembered: Remembered | None) -> SheetMapping:
    below = [_cells(sheet, index) for index in range(len(sheet.headings))]
    if remembered is None:
        return _weighed(sheet, kind, _guessed(sheet, below, kind))
    columns = _recalled(sheet, below, remembered)
    return SheetMapping(
        title=sheet.title,
        shape=shape_of(sheet.headings),
        rows=len(sheet.rows),
        read=remembered.read,
        columns=columns,
        keys=remembered.keys,
        confirmed=all(each.how is not How.NONE for each in columns),
    )


def _recalled(sheet: Sheet, below: Sequence[_Cells], remembered: Remembered) -> tuple[MappedColumn, ...]:
    columns: list[MappedColumn] = []
    place = 0
    for index, heading in enumerate(sheet.headings):
        if is_to_mend(heading):
            columns.append(_column(sheet, index, below[index], None, Likeness(100, How.SAME)))
            continue
        new = place >= len(remembered.columns) or place in remembered.empty
        like = Likeness(0, How.NONE) if new and below[index].filled else Likeness(100, How.REMEMBERED)
        said = remembered.columns[place] if place < len(remembered.columns) else None
        columns.append(_column(sheet, index, below[index], said, like))
        place += 1
    return tuple(columns)


def _guessed(sheet: Sheet, below: Sequence[_Cells], kind: SheetKind) -> tuple[MappedColumn, ...]:
    documented = columns_of(kind)
    likely = {
        (index, place): like
        for index, heading in enumerate(sheet.headings)
        if not is_to_mend(heading)
        for place, column in enumerate(documented)
        if _worth(like := likeness_of(heading, below[index].sample, column, kind), below[index])
    }
    chosen = _assigned({pair: like.score for pair, like in likely.items()}, len(sheet.headings), len(documented))
    columns = []
    for index, heading in enumerate(sheet.headings):
        place = chosen.get(index)
        if is_to_mend(heading):
            like, column = Likeness(100, How.SAME), None
        elif place is None:
            like, column = Likeness(0, How.NONE), None
        else:
            like, column = likely[index, place], documented[place].heading
        columns.append(_column(sheet, index, below[index], column, like))
    return tuple(columns)


def _worth(like: Likeness, below: _Cells) -> bool:
    # An empty column that is not surely the documented one would blank what is recorded.
    return like.score >= (LEAST if below.filled else SURE)


def _column(sheet: Sheet, index: int, below: _Cells, column: str | None, like: Likeness) -> MappedColumn:
    return MappedColumn(
        index=index,
        letter=column_letter(index),
        heading=sheet.headings[index],
        column=column,
        confidence=like.score,
        how=like.how,
        examples=below.examples,
        filled=below.filled,
    )


def _weighed(sheet: Sheet, kind: SheetKind, columns: tuple[MappedColumn, ...]) -> SheetMapping:
    """Return the sheet with whether it seems to be one of the kind, and by what its rows are known."""
    have = {each.column for each in columns if each.column}
    keys = () if REFERENCES[kind] in have else keys_among(kind, have)
    holding = [each for each in columns if each.filled and not is_to_mend(each.heading)]
    share = sum(each.column is not None for each in holding) / len(holding) if holding else 0.0
    fits = share >= _READ and bool(REFERENCES[kind] in have or keys)
    return SheetMapping(
        title=sheet.title,
        shape=shape_of(sheet.headings),
        rows=len(sheet.rows),
        read=fits,
        columns=columns,
        keys=keys,
        doubtful=not fits and bool(sheet.rows) and share > _PASSED_OVER,
    )


def _alone(sheet: SheetMapping) -> SheetMapping:
    """Return the one sheet of a file as one to read: there is no other."""
    if sheet.confirmed or not any(each.column for each in sheet.columns):
        return sheet
    return SheetMapping(
        title=sheet.title,
        shape=sheet.shape,
        rows=sheet.rows,
        read=True,
        columns=sheet.columns,
        keys=sheet.keys,
    )


def _assigned(scores: Mapping[tuple[int, int], int], columns: int, documented: int) -> dict[int, int]:
    """Return which column is taken for which documented one, each at most once, so that the best go first.

    A weight doubles every three points of likeness, so that no two likely pairs outweigh a sure one. Each column may
    also stay alone, and so may each documented one: those are the stand-ins on the other side.
    """
    if not scores:
        return {}
    solver = linear_sum_assignment.SimpleLinearSumAssignment()
    for (column, place), score in scores.items():
        # Of two columns that are as likely the first one is taken, and for the first documented one.
        solver.add_arc_with_cost(column, place, column * 100 + place - round(2 ** (score / 3)) * 1000)
        solver.add_arc_with_cost(columns + place, documented + column, 0)
    for column in range(columns):
        solver.add_arc_with_cost(column, documented + column, 0)
    for place in range(documented):
        solver.add_arc_with_cost(columns + place, place, 0)
    if solver.solve() != solver.OPTIMAL:
        raise RuntimeError("no assignment of columns was found, though leaving each alone is one")
    mates = ((column, solver.right_mate(column)) for column in range(columns))
    return {column: place for column, place in mates if place < documented}
