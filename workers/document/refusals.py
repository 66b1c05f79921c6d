"""The workbook of refused rows: as they were handed in, beside what to mend, to be mended and sent again."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]

from matching.intake.mapping import TO_MEND
from matching.intake.refusals import RefusedSheet
from matching.intake.sheet import CellValue

_OPTIONS: Final = {
    "in_memory": True,
    # What stands in a cell is what was handed in: never a formula, a link or a number made of it.
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_UNNAMED: Final = "Rows to mend"
_LONGEST_TITLE: Final = 31
_NOT_IN_TITLES: Final = re.compile(r"[\[\]:*?/\\]")
_EPOCH_1904: Final = 1904
_WIDE, _NARROW = 60, 18
_MADE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook has no zone; the same rows give the same bytes


def render_refusals(sheets: Sequence[RefusedSheet]) -> bytes:
    """Return an .xlsx with a worksheet for each sheet, whose first column says what to mend.

    Text stays text and dates stay dates; a cell that begins with =, +, - or @ is text too, and no program runs it.
    """
    stream = io.BytesIO()
    old = any(sheet.epoch is not None and sheet.epoch.year == _EPOCH_1904 for sheet in sheets)
    with xlsxwriter.Workbook(stream, {**_OPTIONS, "date_1904": old}) as book:
        book.set_properties({"title": "Rows to mend", "created": _MADE})
        writer = _Writer(book)
        for sheet in sheets:
            writer.write(sheet)
    return stream.getvalue()


class _Writer:
    """Writes worksheets in one book's formats."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._titles: set[str] = set()
        self._heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._reason = book.add_format({"text_wrap": True, "valign": "top"})
        self._text = book.add_format({"num_format": "@", "valign": "top"})
        self._day = book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"})
        self._time = book.add_format({"num_format": "hh:mm:ss", "valign": "top"})

    def write(self, refused: RefusedSheet) -> None:
        """Write one worksheet."""
        sheet = self._book.add_worksheet(self._title(refused.title))
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, _WIDE)
        sheet.set_column(1, max(1, len(refused.headings)), _NARROW)
        for index, heading in enumerate((TO_MEND, *refused.headings)):
            sheet.write_string(0, index, heading, self._heading)
        for number, row in enumerate(refused.rows, start=1):
            sheet.write_string(number, 0, "\n".join(row.to_mend), self._reason)
            for index, value in enumerate(row.cells, start=1):
                self._cell(sheet, number, index, value)

    def _title(self, wanted: str) -> str:
        """Return a worksheet's name that Excel allows: other programs allow more, and two that differ in case alone."""
        kept = _NOT_IN_TITLES.sub(" ", wanted).strip(" '") or _UNNAMED
        title, number = _shortened(kept, ""), 1
        while title.casefold() in self._titles:
            number += 1
            title = _shortened(kept, f" {number}")
        self._titles.add(title.casefold())
        return title

    def _cell(self, sheet: Any, row: int, column: int, value: CellValue) -> None:  # noqa: ANN401 - untyped library
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, str):
            sheet.write_string(row, column, value, self._text)
        elif isinstance(value, int | float) and abs(value) <= sys.float_info.max:
            sheet.write_number(row, column, value)
        elif isinstance(value, int | float):
            sheet.write_string(row, column, str(value), self._text)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, self._day)
        elif isinstance(value, time):
            sheet.write_datetime(row, column, value, self._time)


def _shortened(title: str, ending: str) -> str:
    """Return a title cut so that it and its ending are as long as Excel, which counts in UTF-16, allows."""
    most = 2 * (_LONGEST_TITLE - len(ending))
    return title.encode("utf-16-le")[:most].decode("utf-16-le", errors="ignore").rstrip(" '") + ending
