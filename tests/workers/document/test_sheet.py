from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook

from matching.intake.reading import read_book
from workers.document.sheet import SheetFormat, Value, write_sheet

HEADINGS = ("Reference", "Profile", "Email")
HOSTILE = ('=HYPERLINK("http://example.org")', "+1", "-1", "@x", "'=x", "007", "1/2", "http://example.org", "é “ß” 漢")


def written(rows: list[dict[str, str]], file_format: SheetFormat) -> bytes:
    """Return the file that the rows make."""
    out = io.BytesIO()
    assert write_sheet(out, HEADINGS, rows, file_format=file_format, title="sample") == len(rows)
    return out.getvalue()


class TestWriteSheet:
    @pytest.mark.parametrize("file_format", SheetFormat)
    def test_is_read_back_as_it_was_written(self, file_format: SheetFormat) -> None:
        rows = [{"Reference": f"R{number}", "Profile": text} for number, text in enumerate(HOSTILE)]

        book = read_book(written(rows, file_format), filename=f"sample.{file_format}", likeness=_likeness)

        sheet = book.sheets[0]
        assert sheet.headings == HEADINGS[:2] or sheet.headings == HEADINGS
        assert [row.cells[1] for row in sheet.rows] == list(HOSTILE)

    def test_writes_numbers_amounts_and_days_as_what_they_are(self) -> None:
        row: dict[str, Value] = {"Reference": 0, "Profile": Decimal("-1234.50"), "Email": date(2027, 3, 31)}
        files = {}
        for file_format in SheetFormat:
            files[file_format] = io.BytesIO()
            write_sheet(files[file_format], HEADINGS, [row], file_format=file_format, title="sample")

        files[SheetFormat.XLSX].seek(0)
        book = CalamineWorkbook.from_filelike(files[SheetFormat.XLSX])
        assert book.get_sheet_by_name("sample").to_python()[1] == [0.0, -1234.5, date(2027, 3, 31)]
        assert files[SheetFormat.CSV].getvalue().decode("utf-8-sig").splitlines()[1] == "0,-1234.50,2027-03-31"

    def test_guards_what_a_spreadsheet_program_would_run(self) -> None:
        rows = [{"Reference": "R1", "Profile": text} for text in HOSTILE]

        text = written(rows, SheetFormat.CSV).decode("utf-8-sig")

        cells = [line[1] for line in csv.reader(io.StringIO(text))][1:]
        assert [cell for cell in cells if cell[0] in "=+-@\t\r"] == []

    @pytest.mark.parametrize("file_format", SheetFormat)
    def test_has_its_headings_where_there_is_no_row(self, file_format: SheetFormat) -> None:
        content = written([], file_format)

        assert len(content) > 10
        if file_format is SheetFormat.CSV:
            assert content.decode("utf-8-sig") == "Reference,Profile,Email\r\n"


def _likeness(cells: object) -> float:
    return 1.0 if isinstance(cells, list | tuple) and "Reference" in cells else 0.0
