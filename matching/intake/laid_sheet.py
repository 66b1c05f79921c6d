"""A worksheet whose columns are known, and its rows read cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from matching.intake.column import Column, Layout, SheetKind, columns_of, with_dates
from matching.intake.key import Digest, derived_reference, key_columns
from matching.intake.mapping import BookMapping, SheetMapping
from matching.intake.row import RowCells, RowProblem, read_row
from matching.intake.sheet import Book, Sheet

_BATCH = 500


@dataclass(frozen=True, slots=True)
class LaidSheet:
    """One worksheet, which column stands where, and the columns that know a row where no reference does."""

    sheet: Sheet
    layout: Layout
    keys: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadRows:
    """The rows of every sheet that is read, and what is wrong with their cells."""

    cells: tuple[RowCells, ...]
    problems: tuple[RowProblem, ...]


def lay_out(book: Book, mapping: BookMapping) -> tuple[LaidSheet, ...]:
    """Return the worksheets that the mapping says to read, in the file's order."""
    by_title = {sheet.title: sheet for sheet in book.sheets}
    return tuple(_laid(by_title[mapped.title], mapped, mapping.kind) for mapped in mapping.sheets if mapped.read)


def read_rows(laid: Iterable[LaidSheet], *, digest: Digest, tell: Callable[[int], None]) -> ReadRows:
    """Return every row of the worksheets; ``tell`` hears from time to time how many were read."""
    cells: list[RowCells] = []
    problems: list[RowProblem] = []
    for each in laid:
        for row in each.sheet.rows:
            read, found = read_row(row, each.layout)
            if each.keys:
                read, more = _known(read, each, digest, {problem.column for problem in found})
                found = (*found, *more)
            cells.append(read)
            problems += found
            if len(cells) % _BATCH == 0:
                tell(len(cells))
    return ReadRows(tuple(cells), tuple(problems))


def _laid(sheet: Sheet, mapped: SheetMapping, kind: SheetKind) -> LaidSheet:
    by_heading = {column.heading: column for column in columns_of(kind)}
    placed = tuple((each.index, by_heading[each.column]) for each in mapped.columns if each.column is not None)
    layout = Layout(kind=kind, placed=placed, sheet=sheet.title, width=len(sheet.headings))
    return LaidSheet(sheet, with_dates(layout, sheet), key_columns(kind, mapped.keys))


def _known(
    cells: RowCells, laid: LaidSheet, digest: Digest, wrong: set[str | None]
) -> tuple[RowCells, tuple[RowProblem, ...]]:
    """Return a row with the reference that its key columns come to, or why they come to none."""
    values = {name: cells.fields.get(name) for column in laid.keys for name in column.fields}
    blank = [
        column.heading
        for column in laid.keys
        if column.heading not in wrong and all(values[name] is None for name in column.fields)
    ]
    if blank:
        reason = "it is blank; the sheet has no column of references, so this is needed to know whose row it is"
        return cells, tuple(RowProblem(cells.number, heading, None, reason, cells.sheet) for heading in blank)
    if wrong & {column.heading for column in laid.keys}:
        return cells, ()
    keys = tuple(column.heading for column in laid.keys)
    reference = derived_reference(laid.layout.kind, values, digest)
    return replace(cells, fields={**cells.fields, "reference": reference}, keys=keys), ()


def row_places(laid: Sequence[LaidSheet]) -> list[tuple[str, int]]:
    """Return every row of the worksheets by its sheet and number, in the file's order."""
    return [(each.sheet.title, row.number) for each in laid for row in each.sheet.rows]
