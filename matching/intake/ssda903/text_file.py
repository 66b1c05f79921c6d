"""One table of a return from a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from matching.intake.delimited import decoded
from matching.intake.row import RowProblem, shown
from matching.intake.sheet import LONGEST_CELL, MOST_COLUMNS, UnreadableSheet, column_letter, tidy_text
from matching.intake.ssda903.table import COLUMNS, Record, Table, column_named, table_of

MOST_RECORDS: Final = 200_000
"""How many records one file may hold: England's largest council stays far below."""

_DELIMITERS: Final = ",;\t"


def read_text_file(content: bytes, *, sheet: str) -> tuple[Table | None, list[Record], tuple[str, ...]]:
    """Return which table a CSV file is, its records, and what is to be told of it; ``None`` for a table not read.

    :raises UnreadableSheet: when it is no text, its quotation marks do not match, or a needed column is missing.
    """
    try:
        text, notes = decoded(content)
    except UnreadableSheet as refusal:
        raise UnreadableSheet(f"{sheet}: {refusal}") from refusal
    lines = _lines(text, sheet)
    headings = next(lines, [])
    table = table_of(headings[:MOST_COLUMNS], sheet=sheet)
    if table is None:
        return None, [], (f"{sheet} was left: it is none of the tables {_listed(COLUMNS)}.",)
    names = [column_named(heading) for heading in headings]
    wanted = {index: name for index, name in enumerate(names) if name in COLUMNS[table]}
    records = []
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        read = {name: tidy_text(cells[index]) for index, name in wanted.items() if index < len(cells)}
        said = {name: value for name, value in read.items() if value is not None}
        child = said.pop("CHILD", None)
        wrong = _ill_fitting(cells, len(names), sheet=sheet, row=number)
        records.append(Record(table, sheet, number, child, said, wrong))
    return table, records, tuple(f"{sheet}: {note}" for note in notes)


def _lines(text: str, sheet: str) -> Iterator[list[str]]:
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if number > MOST_RECORDS:
                raise UnreadableSheet(f"{sheet} has more than {MOST_RECORDS} rows. Split the return in parts.")
            yield cells
    except csv.Error as error:
        raise UnreadableSheet(
            f"{sheet}: the quotation marks do not match at or before line {reader.line_num}, or a cell there holds "
            f"more than {LONGEST_CELL} characters. Export it again."
        ) from error


def _ill_fitting(cells: Sequence[str], width: int, *, sheet: str, row: int) -> tuple[RowProblem, ...]:
    """Return what is wrong with a row that has fewer cells than headings, or says something beyond them."""
    if len(cells) < width:
        reason = f"the row has {len(cells)} cells and the headings {width}: it may be cut off, or a comma missing"
        return (RowProblem(row, None, None, reason, sheet),)
    return tuple(
        RowProblem(row, None, shown(cell), f"column {column_letter(index)} has no heading", sheet)
        for index, cell in enumerate(cells[width:], start=width)
        if cell.strip()
    )


def _listed(words: Iterable[str]) -> str:
    *others, last = [str(word) for word in words]
    return f"{', '.join(others)} and {last}"
