"""A plain sheet of headings and rows, as XLSX or CSV, written as it comes so that a large one needs little memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, TypeAlias

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from matching.intake.formula import guarded

Value: TypeAlias = str | int | Decimal | date
"""What stands in a cell: text, a number, an amount with its two digits, or a day."""

_WIDTH = 18
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


class SheetFormat(StrEnum):
    """The file a sheet is written as."""

    XLSX = "xlsx"
    CSV = "csv"


def write_sheet(
    out: BinaryIO,
    headings: Sequence[str],
    rows: Iterable[Mapping[str, Value]],
    *,
    file_format: SheetFormat,
    title: str,
) -> int:
    """Write a sheet into an open binary file and return how many rows it has; a heading that a row lacks is blank.

    In XLSX each text is a string, so none becomes a formula, a number or a link, and a number, an amount and a day are
    what they are. CSV cannot tell them apart: a text that a spreadsheet program would run is guarded, and the importer
    takes the guard away; a day is written as 2027-03-31. CSV is UTF-8 with a mark, which Excel needs to read it so.
    """
    if file_format is SheetFormat.XLSX:
        return _write_xlsx(out, headings, rows, title)
    return _write_csv(out, headings, rows)


def _write_csv(out: BinaryIO, headings: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> int:
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number is the count
        cells = (row.get(heading, "") for heading in headings)
        writer.writerow([guarded(cell) if isinstance(cell, str) else str(cell) for cell in cells])
    text.detach()
    return count


def _write_xlsx(out: BinaryIO, headings: Sequence[str], rows: Iterable[Mapping[str, Value]], title: str) -> int:
    with Workbook(out, _OPTIONS) as workbook:
        return _fill(workbook, headings, rows, title)


def write_book(out: BinaryIO, sheets: Iterable[tuple[str, Sequence[str], Iterable[Mapping[str, Value]]]]) -> None:
    """Write a workbook of several sheets, each a title of at most 31 characters, headings and rows as above."""
    with Workbook(out, _OPTIONS) as workbook:
        for title, headings, rows in sheets:
            _fill(workbook, headings, rows, title)


def _fill(workbook: Workbook, headings: Sequence[str], rows: Iterable[Mapping[str, Value]], title: str) -> int:
    count = 0
    sheet, bold = workbook.add_worksheet(title), workbook.add_format({"bold": True})
    amount, day = (workbook.add_format({"num_format": shape}) for shape in ("#,##0.00", "yyyy-mm-dd"))
    sheet.set_column(0, len(headings) - 1, _WIDTH)
    sheet.freeze_panes(1, 1)
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for count, row in enumerate(rows, start=1):
        for column, heading in enumerate(headings):
            match row.get(heading, ""):
                case str(text):
                    if text:
                        sheet.write_string(count, column, text)
                case date() as on:
                    sheet.write_datetime(count, column, on, day)
                case Decimal() as pounds:
                    sheet.write_number(count, column, pounds, amount)
                case int(number):
                    sheet.write_number(count, column, number)
    return count
