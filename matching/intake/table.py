"""A worksheet's headings and records, told apart from all else that people put on a sheet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from matching.intake.grid import Grid, listed, numbers_text
from matching.intake.heading import Headings, Likeness, find_headings, heading_text
from matching.intake.sheet import MOST_COLUMNS, MOST_ROWS, CellValue, Sheet, SheetRow, UnreadableSheet, column_letter
from matching.intake.total import is_sum_of, says_total

_MOST_SUMS: Final = 3
_FEWEST_HEADINGS: Final = 3
"""From how many headings on a row it is a second row of headings, and no record."""
_DAMAGED: Final = "The file may be cut off or a quotation mark missing. Save it again as “CSV UTF-8”, or as .xlsx."


@dataclass(slots=True)
class _Sorted:
    """What the rows below the headings are, each by its number from 0."""

    records: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    banners: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)


def read_table(grid: Grid, *, name: str, likeness: Likeness) -> Sheet:
    """Return the sheet that a grid holds: its headings, and each record once, in order.

    A grid without a row like headings comes back with none, and with every row that is not blank.

    :raises UnreadableSheet: when it is too large, or a row of a text file lacks cells.
    """
    headings = find_headings(grid, likeness)
    if headings is None:
        return _without_headings(grid, name)
    below = _sorted(grid, headings)
    _refuse_second_table(grid, headings, below.records)
    texts = _texts(grid, headings, below.records)
    _check_sizes(grid, texts, below.records, headings)
    return Sheet(
        name=name,
        title=grid.title,
        headings=texts,
        rows=tuple(_row(grid, number, len(texts)) for number in below.records),
        notes=(*_layout_notes(grid, headings, below), *_notes(grid)),
        heading_row=headings.last + 1,
        epoch=grid.epoch,
    )


def _without_headings(grid: Grid, name: str) -> Sheet:
    rows = [number for number, cells in enumerate(grid.cells) if any(cell is not None for cell in cells)]
    width = max((len(grid.cells[number]) for number in rows), default=0)
    return Sheet(
        name=name,
        title=grid.title,
        headings=(),
        rows=tuple(_row(grid, number, width) for number in rows),
        notes=("No row looks like headings, so nothing could be taken from here.", *_notes(grid)),
        heading_row=0,
        epoch=grid.epoch,
    )


def _row(grid: Grid, number: int, width: int) -> SheetRow:
    cells = grid.cells[number][:width]
    return SheetRow(number=number + 1, cells=(*cells, *[None] * (width - len(cells))))


def _texts(grid: Grid, headings: Headings, records: list[int]) -> tuple[str, ...]:
    """Return one heading per column, up to the last column that has a heading or a value."""
    width = max((index + 1 for index, text in enumerate(headings.texts) if text), default=0)
    for number in records:
        cells = grid.cells[number]
        if len(cells) > width:
            width = max((index + 1 for index in range(width, len(cells)) if cells[index] is not None), default=width)
    texts = headings.texts[:width]
    return (*texts, *[""] * (width - len(texts)))


# ── rows below the headings ──


def _sorted(grid: Grid, headings: Headings) -> _Sorted:
    below = _Sorted()
    titles = [_words(grid.cells[row]) for row in range(headings.first, headings.last + 1)]
    width = sum(1 for text in headings.texts if text)
    for number in range(headings.last + 1, len(grid.cells)):
        cells = grid.cells[number]
        if not any(cell is not None for cell in cells):
            continue
        if _repeats(grid, number, titles, number - 1 in below.repeated):
            below.repeated.append(number)
        elif _is_banner(grid, number, width):
            below.banners.append(number)
        elif says_total(cells):
            below.totals.append(number)
        else:
            below.records.append(number)
    _leave_sums(grid, below)
    return below


def _repeats(grid: Grid, number: int, titles: list[tuple[str, ...]], after_repeated: bool) -> bool:
    """Say whether a row prints the headings, or one of their two rows, again."""
    words = _words(grid.cells[number])
    if words not in titles:
        return False
    if sum(1 for word in words if word) > 1:
        return True
    # One word alone may be a value as well: only the other row of headings beside it makes it sure.
    if len(titles) == 1:
        return False
    below = _words(grid.cells[number + 1]) if number + 1 < len(grid.cells) else ()
    return below == titles[1] if words == titles[0] else after_repeated


def _refuse_second_table(grid: Grid, headings: Headings, records: list[int]) -> None:
    """Refuse a sheet that has its headings again in another order: what follows would be read under the first ones."""
    known = {text.casefold() for text in headings.texts if text}
    for number in records:
        words = {word for word in _words(grid.cells[number]) if word}
        if len(words) >= _FEWEST_HEADINGS and words <= known:
            raise UnreadableSheet(
                f"Row {number + 1} has the headings again in another order, so that a second table begins there. "
                "Put each table on a sheet of its own."
            )


def _words(cells: list[CellValue]) -> tuple[str, ...]:
    words = [heading_text(cell).casefold() for cell in cells]
    while words and not words[-1]:
        words.pop()
    return tuple(words)


def _is_banner(grid: Grid, number: int, width: int) -> bool:
    """Say whether a row is one cell merged over most of the columns: a title between the records."""
    filled = [column for column, cell in enumerate(grid.cells[number]) if cell is not None]
    across = sum((number, column) in grid.filled_across for column in filled)
    return across == len(filled) - 1 and across >= 2 and len(filled) * 2 > width


def _leave_sums(grid: Grid, below: _Sorted) -> None:
    """Move rows of bare sums from the end of the records to the totals: at most a sum, a count and an average."""
    for count in range(_MOST_SUMS, 0, -1):
        kept, last = below.records[:-count], below.records[-count:]
        records = [grid.cells[number] for number in kept]
        if all(is_sum_of(grid.cells[number], records) for number in last):
            below.totals.extend(last)
            below.records = kept
            return


def _check_sizes(grid: Grid, texts: tuple[str, ...], records: list[int], headings: Headings) -> None:
    if len(texts) > MOST_COLUMNS:
        raise UnreadableSheet(f"The sheet has {len(texts)} columns; at most {MOST_COLUMNS} can be read.")
    if len(records) > MOST_ROWS:
        raise UnreadableSheet(f"The sheet has {len(records)} rows; at most {MOST_ROWS} can be read. Split it in parts.")
    if not grid.whole_rows:
        return
    # Read on, a short row's missing cells would wipe what is known.
    width = max((index + 1 for index, text in enumerate(headings.texts) if text), default=0)
    for number in records:
        if len(grid.cells[number]) < width:
            raise UnreadableSheet(
                f"Row {number + 1} has {len(grid.cells[number])} cells and the headings have {width}. {_DAMAGED}"
            )


# ── what is told ──


def _layout_notes(grid: Grid, headings: Headings, below: _Sorted) -> list[str]:
    above = [row for row in range(headings.first) if any(cell is not None for cell in grid.cells[row])]
    rows = {
        "stand above the headings": above,
        "repeat the headings": below.repeated,
        "are titles merged over the columns": below.banners,
        "hold totals": below.totals,
    }
    notes = [f"Left out, because they {why}: {_rows(numbers)}." for why, numbers in rows.items() if numbers]
    if headings.first != headings.last:
        notes.append(f"Rows {headings.first + 1} and {headings.last + 1} were read together as the headings.")
    filled = {row for row, _ in grid.filled_across | grid.filled_down} & set(below.records)
    if filled:
        notes.append(f"Merged cells were each given the value that they show: {_rows(filled)}.")
    return notes


def _notes(grid: Grid) -> list[str]:
    notes = list(grid.notes)
    if grid.hidden:
        notes.append("The sheet is hidden in the workbook. It was read.")
    rows = [row for row in sorted(grid.hidden_rows) if row < len(grid.cells) and any(grid.cells[row])]
    columns = [
        column
        for column in sorted(grid.hidden_columns)
        if any(grid.at(row, column) is not None for row in range(len(grid.cells)))
    ]
    if rows:
        notes.append(f"Hidden in the sheet, and read: {_rows(rows)}.")
    if columns:
        notes.append(f"Hidden in the sheet, and read: column {listed([column_letter(column) for column in columns])}.")
    if grid.comments:
        notes.append(f"Comments on cells are not read: the sheet has {grid.comments}.")
    return notes


def _rows(numbers: Iterable[int]) -> str:
    numbers = list(numbers)
    return f"row{'s' if len(numbers) > 1 else ''} {numbers_text(number + 1 for number in numbers)}"
