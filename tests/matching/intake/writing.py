"""Sheets as an agency would write them: typed rows back into cells, and cells into CSV and XLSX files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import xlsxwriter  # type: ignore[import-untyped]

from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.column import SheetKind, columns_of
from matching.intake.household_row import HouseholdRow
from matching.intake.sheet import CellValue
from matching.intake.value_text import say_oldest_age, say_tolerance, say_youngest_age
from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.ranking.facts import LegalPosition, Sex, SexApproved

Line = Sequence[CellValue]

_MONTHS = {"youngest_at_home"}
_YEARS = {"age_from_months", "age_to_months"}
_SHARING = {"in_house": "in-house", "consortium": "consortium", "hold": "hold"}


def headings_of(kind: SheetKind) -> list[str]:
    return [column.heading for column in columns_of(kind)]


def csv_file(lines: Sequence[Line], *, encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["" if cell is None else _text(cell) for cell in line] for line in lines])
    return text.getvalue().encode(encoding)


def xlsx_file(
    lines: Sequence[Line], *, title: str = "Sheet1", others: Mapping[str, Sequence[Line]] | None = None
) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False}) as book:
        for name, content in {title: lines, **(others or {})}.items():
            _write_sheet(book, book.add_worksheet(name), content)
    return stream.getvalue()


def _write_sheet(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet, lines: Sequence[Line]) -> None:
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for number, line in enumerate(lines):
        for index, cell in enumerate(line):
            if isinstance(cell, date):
                sheet.write_datetime(number, index, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001
            elif isinstance(cell, str):
                sheet.write_string(number, index, cell)
            elif cell is not None:
                sheet.write(number, index, cell)


def household_line(row: HouseholdRow) -> list[CellValue]:
    line: list[CellValue] = []
    for column in columns_of(SheetKind.HOUSEHOLDS):
        value = row.needs.get(column.field) if column.of_need else getattr(row, column.field, None)
        line.append(_cell(column.field, value))
    return line


def group_lines(group: GroupRow, *, repeat: bool = False) -> list[list[CellValue]]:
    return [_child_line(group, child, say=repeat or index == 0) for index, child in enumerate(group.children)]


def _child_line(group: GroupRow, child: ChildRow, *, say: bool) -> list[CellValue]:
    line: list[CellValue] = []
    for column in columns_of(SheetKind.CHILDREN):
        if column.field == "group_reference":
            value: object = group.reference
        elif column.of_group:
            value = getattr(group, column.field) if say else None
        else:
            value = child.needs.get(column.field) if column.of_need else getattr(child, column.field, None)
        line.append(_cell(column.field, value))
    return line


def _cell(field: str, value: object) -> CellValue:
    if value is None or value in (YesNo.UNKNOWN, Answer.UNKNOWN, Sex.UNKNOWN, SexApproved.UNKNOWN):
        return None
    if isinstance(value, Tolerance):
        return say_tolerance(value)
    if isinstance(value, frozenset):
        return "; ".join(sorted(value)) or None
    if isinstance(value, tuple):
        return "; ".join(f"{code} {miles}" for code, miles in value) or None
    return _scalar(field, value)


def _scalar(field: str, value: object) -> CellValue:
    if field in _YEARS:
        assert isinstance(value, int)
        return (say_youngest_age if field == "age_from_months" else say_oldest_age)(value)
    if isinstance(value, date):
        return value.strftime("%m/%Y") if field in _MONTHS else value
    if isinstance(value, int):
        return value
    if field == "sharing":
        return _SHARING[str(value)]
    if field in {"status"} or isinstance(value, YesNo | Answer | NeedLevel | LegalPosition | Sex | SexApproved):
        return None if value == "unknown" else str(value).replace("_", " ")
    return str(value)


def _text(cell: CellValue) -> str:
    return cell.strftime("%d/%m/%Y") if isinstance(cell, date) else str(cell)
