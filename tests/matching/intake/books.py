"""Files of every kind that the reader takes, written for its tests, and a plain measure of headings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter  # type: ignore[import-untyped]
import xlwt  # type: ignore[import-untyped]

from matching.intake.sheet import CellValue

Line = Sequence[CellValue]

KNOWN = (
    "reference",
    "name",
    "postcode",
    "status",
    "age range from",
    "age range to",
    "approved on",
    "children",
    "notes",
)

_ODS_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
)


def likeness(cells: Sequence[str]) -> float:
    """Return the share of cells that are known headings."""
    return sum(cell.casefold() in KNOWN for cell in cells) / len(cells) if cells else 0.0


def xlsx_book(write: Callable[[Any, Any], None], **options: Any) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, **options}) as book:
        write(book, book.add_worksheet("Sheet"))
    return stream.getvalue()


def xls_book(write: Callable[[Any, Any], None], *, from_1904: bool = False) -> bytes:
    book = xlwt.Workbook()
    book.dates_1904 = from_1904
    write(book, book.add_sheet("Sheet"))
    return saved(book)


def saved(book: Any) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def xls_file(sheets: Mapping[str, Sequence[Line]]) -> bytes:
    book = xlwt.Workbook()
    day = xlwt.easyxf(num_format_str="dd/mm/yyyy")
    for title, lines in sheets.items():
        sheet = book.add_sheet(title)
        for row, line in enumerate(lines):
            for column, cell in enumerate(line):
                if isinstance(cell, date):
                    sheet.write(row, column, cell, day)
                elif cell is not None:
                    sheet.write(row, column, cell)
    return saved(book)


def ods_file(sheets: Mapping[str, Sequence[Line]]) -> bytes:
    tables = "".join(
        f"<table:table table:name={quoteattr(title)}>{''.join(_ods_row(line) for line in lines)}</table:table>"
        for title, lines in sheets.items()
    )
    return ods_archive(tables)


def ods_archive(tables: str, *, styles: str = "", **others: str) -> bytes:
    content = (
        f"{_ODS_HEAD}<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
        f"{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content, **others})


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for path, content in parts.items():
            target.writestr(path, content)
    return stream.getvalue()


def replaced(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    return archive(parts)


def _ods_row(line: Line) -> str:
    return f"<table:table-row>{''.join(_ods_cell(cell) for cell in line)}</table:table-row>"


def _ods_cell(cell: CellValue) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bool):
        kind = f'"boolean" office:boolean-value="{str(cell).lower()}"'
    elif isinstance(cell, int | float):
        kind = f'"float" office:value="{cell}"'
    elif isinstance(cell, date):
        kind = f'"date" office:date-value="{cell.isoformat()}"'
    else:
        kind = '"string"'
    return f"<table:table-cell office:value-type={kind}><text:p>{escape(str(cell))}</text:p></table:table-cell>"


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001
