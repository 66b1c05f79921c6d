"""Workbooks as agencies send them: the documented sheet, and a council's own with all that people put around one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]

from concord.demo.own_column import OwnColumn
from concord.demo.row import Cell

_FIRST: Final = 3
"""The row, from 0, of a council's headings: a title, a note and a blank row stand above."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A worksheet that is not to be read: its name and its rows."""

    title: str
    lines: tuple[tuple[Cell, ...], ...]


def write_workbook(path: Path, *, title: str, headings: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
    """Write a workbook of one sheet with its headings in the first row, dates as dates."""
    with _opened(path) as book:
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(headings) - 1, 18)
        sheet.write_row(0, 0, headings, _bold(book))
        _write_lines(book, sheet, lines, first=1)


def write_council_workbook(
    path: Path,
    *,
    title: str,
    about: str,
    columns: Sequence[OwnColumn],
    lines: Sequence[Sequence[Cell]],
    before: Sequence[Aside] = (),
    after: Sequence[Aside] = (),
) -> None:
    """Write a council's own workbook: titles, headings of two rows, hidden columns, a total, other worksheets."""
    with _opened(path) as book:
        _write_asides(book, before)
        sheet = book.add_worksheet(title)
        sheet.merge_range(0, 0, 0, 5, about, _bold(book))
        sheet.write_string(1, 0, "Please ask the adoption team before passing this on.")
        _write_headings(book, sheet, columns)
        sheet.freeze_panes(_FIRST + 2, 2)
        last = _write_lines(book, sheet, lines, first=_FIRST + 2)
        sheet.write_string(last + 1, 0, "Total")
        sheet.write_number(last + 1, 1, len(lines))
        _write_asides(book, after)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with xlsxwriter.Workbook(str(path), {"in_memory": True, "strings_to_formulas": False}) as book:
        # The hour of making would be the only thing that differs between two runs.
        book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - the format knows no zone
        yield book


def _bold(book: Any) -> Any:  # noqa: ANN401 - the library has no types
    return book.add_format({"bold": True, "text_wrap": True, "valign": "top"})


def _write_asides(book: Any, asides: Iterable[Aside]) -> None:  # noqa: ANN401
    for aside in asides:
        _write_lines(book, book.add_worksheet(aside.title), aside.lines, first=0)


def _write_headings(book: Any, sheet: Any, columns: Sequence[OwnColumn]) -> None:  # noqa: ANN401
    bold = _bold(book)
    start = 0
    for index, column in enumerate(columns):
        sheet.set_column(index, index, 18, None, {"hidden": column.hidden})
        if not column.group:
            sheet.merge_range(_FIRST, index, _FIRST + 1, index, column.heading, bold)
            start = index + 1
            continue
        sheet.write_string(_FIRST + 1, index, column.heading, bold)
        if index + 1 == len(columns) or columns[index + 1].group != column.group:
            sheet.merge_range(_FIRST, start, _FIRST, index, column.group, bold)
            start = index + 1


def _write_lines(book: Any, sheet: Any, lines: Iterable[Sequence[Cell]], *, first: int) -> int:  # noqa: ANN401
    """Write rows from the one given, from 0, and return the one after the last."""
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    number = first
    for line in lines:
        for column, cell in enumerate(line):
            if isinstance(cell, date):
                sheet.write_datetime(number, column, cell, day)
            elif isinstance(cell, int):
                sheet.write_number(number, column, cell)
            elif cell is not None:
                sheet.write_string(number, column, cell)
        number += 1
    return number
