"""Which kind of file was handed in, and that whatever is written comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.intake.reading import read_book
from matching.intake.sheet import MOST_BYTES, Book, CellValue, UnreadableSheet
from tests.matching.intake.books import archive, likeness, ods_file, xls_file
from tests.matching.intake.writing import csv_file, xlsx_file

Lines = Sequence[Sequence[CellValue]]


def _xlsx(sheets: Mapping[str, Lines]) -> bytes:
    (title, lines), *others = sheets.items()
    return xlsx_file(lines, title=title, others=dict(others))


_WRITERS: dict[str, Callable[[Mapping[str, Lines]], bytes]] = {"xlsx": _xlsx, "xls": xls_file, "ods": ods_file}

_WORDS = st.sampled_from(("Sampleson", "Mockford", "waiting", "on hold", "EX4 4QJ", "0-4", "Zoë", "none", "x"))
_VALUES = st.none() | _WORDS | st.integers(0, 20) | st.dates(date(1990, 1, 1), date(2026, 3, 2))


class TestReadBook:
    @pytest.mark.parametrize("kind", sorted(_WRITERS))
    def test_read_book_gives_every_sheet_that_is_not_empty_in_order(self, kind: str) -> None:
        lines: Lines = [["Reference", "Name"], ["A1", "x"]]
        book = _book(_WRITERS[kind]({"Two": lines, "Empty": [], "One": lines, "Lists": [["Devon"], ["Poole"]]}))
        assert [(sheet.title, len(sheet.rows)) for sheet in book.sheets] == [("Two", 1), ("One", 1), ("Lists", 2)]
        assert book.sheets[2].headings == ()

    def test_read_book_gives_a_text_file_as_one_sheet_without_a_title_or_an_epoch(self) -> None:
        (sheet,) = _book(b"Reference,Name\r\nA1,x\r\n").sheets
        assert (sheet.title, sheet.epoch, sheet.headings) == ("", None, ("Reference", "Name"))

    @given(st.data())
    @settings(max_examples=120, deadline=None)
    def test_read_book_gives_every_record_exactly_once_whatever_stands_around_them(self, data: st.DataObject) -> None:
        records = data.draw(st.lists(st.lists(_VALUES, min_size=4, max_size=4), max_size=8))
        wanted: list[list[CellValue]] = [[f"REF-{number}", *record] for number, record in enumerate(records)]
        lines, numbers = _decorated(data.draw, wanted)
        kind = data.draw(st.sampled_from((*_WRITERS, "csv")))
        if kind == "csv":
            content = csv_file(_squared(lines))
            wanted = [list(map(_as_text, record)) for record in wanted]
        else:
            content = _WRITERS[kind]({"Cover": [["Made by Testine"]], "Families": lines, "Blank": []})
        sheet = _book(content).sheets[0 if kind == "csv" else 1]
        assert [(row.number, list(row.cells)) for row in sheet.rows] == list(zip(numbers, wanted, strict=True))
        assert sheet.headings == ("Reference", "Name", "Age range From", "Age range To", "Status")
        assert _book(content) == _book(content)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "empty"),
            (b" \r\n\r\n", "empty"),
            (b",,\r\n,,\r\n", "no cell with anything"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "damaged"),
            (b"%PDF-1.7", "PDF"),
            (b"{\\rtf1", "text document"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "picture"),
            (b"\x1f\x8b\x08", "packed archive"),
            (b"\x09\x04\x06\x00\x00\x00\x10\x00", "before 1993"),
            (b"\x00\x01\x02", "control character"),
            (b"<html><body><table><tr><td>Reference</td></tr></table>", "web page"),
            (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML>", "web page"),
            ("<table><tr>".encode("utf-16"), "web page"),
            (b"MIME-Version: 1.0\r\n", "web page"),
            (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook>', "Excel 2003"),
            (b'<?xml version="1.0"?><children/>', "XML file"),
            (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', "web page"),
            (b"a" * (MOST_BYTES + 1), "larger than"),
            (b"PK\x03\x04", "damaged"),
            (b"PK\x05\x06" + b"\x00" * 18, "packed archive without a workbook"),
            (archive({"readme.txt": "hello"}), "packed archive without a workbook"),
            (archive({"word/document.xml": "<x/>"}), "Word document"),
            (archive({"xl/workbook.bin": b"\x00"}), "binary Excel workbook"),
            (archive({"Index/Document.iwa": b"\x00"}), "Numbers"),
        ],
    )
    def test_read_book_refuses_what_is_no_sheet_and_says_what_it_is(self, content: bytes, message: str) -> None:
        with pytest.raises(UnreadableSheet, match=message):
            _book(content)

    @given(st.binary(max_size=200))
    @settings(max_examples=100, deadline=None)
    def test_read_book_reads_or_refuses_any_bytes(self, content: bytes) -> None:
        for beginning in (b"", b"PK\x03\x04", b"\xff\xfe", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            with suppress(UnreadableSheet):
                assert _book(beginning + content).sheets

    @given(st.sampled_from(sorted(_WRITERS)), st.integers(0, 6_000), st.integers(0, 255))
    @settings(max_examples=150, deadline=None)
    def test_read_book_reads_or_refuses_a_file_with_a_wrong_byte(self, kind: str, place: int, byte: int) -> None:
        content = bytearray(_HONEST[kind])
        content[place % len(content)] = byte
        with suppress(UnreadableSheet):
            assert _book(bytes(content)).sheets

    @pytest.mark.parametrize("place", [7, 11])
    def test_read_book_refuses_an_old_sheet_that_claims_to_be_endless(self, place: int) -> None:
        content = bytearray(_HONEST["xls"])
        # First and last row stand in the record of a sheet's size (MS-XLS 2.4.90).
        content[content.index(b"\x00\x02\x0e\x00") + place] = 0xC1
        with pytest.raises(UnreadableSheet, match="damaged"):
            _book(bytes(content))

    def test_read_book_reads_a_large_sheet_in_seconds(self) -> None:
        record: list[CellValue] = ["Sampleson", 7, None] * 20
        content = xlsx_file([["Reference", *["Notes"] * 59], *[record] * 1_000])
        start = time.process_time()
        assert len(_book(content).sheets[0].rows) == 1_000
        # A twentieth of what an agency may hand in.
        assert time.process_time() - start < 1

    def test_read_book_tells_files_apart_by_their_bytes(self) -> None:
        lines: Lines = [["Reference", "Children"], ["x", 3]]
        written = {"sheet.xlsx": csv_file(lines), "sheet.csv": xlsx_file(lines)}
        read = [read_book(content, filename=name, likeness=likeness) for name, content in written.items()]
        assert [book.sheets[0].rows[0].cells for book in read] == [("x", "3"), ("x", 3)]


def _book(content: bytes) -> Book:
    return read_book(content, filename="a", likeness=likeness)


def _decorated(
    draw: Callable[[st.SearchStrategy[Any]], Any], records: Lines
) -> tuple[list[list[CellValue]], list[int]]:
    """Put titles, headings of one row or two, blank rows and totals about the records; return their numbers too."""
    plain: list[list[CellValue]] = [["Reference", "Name", "Age range From", "Age range To", "Status"]]
    two: list[list[CellValue]] = [["Reference", "Name", "Age range", None, "Status"], [None, None, "From", "To", None]]
    under: list[list[CellValue]] = [[None, None, "Age range"], ["Reference", "Name", "From", "To", "Status"]]
    headings = draw(st.sampled_from((plain, two, under)))
    titles: list[list[CellValue]] = [["Adopters waiting"], [], ["Printed", date(2026, 3, 2)], ["Private", None, "2026"]]
    lines = [list(line) for line in draw(st.lists(st.sampled_from(titles), max_size=4))] + [
        list(line) for line in headings
    ]
    numbers = []
    for record in records:
        between = draw(st.sampled_from(("", "", "", "blank", "again")))
        lines += headings if between == "again" else [[]] if between == "blank" else []
        lines.append(list(record))
        numbers.append(len(lines))
    totals: list[list[list[CellValue]]] = [[], [[], ["Total", None, 37]], [["Totals: 37"]], [[], [None, "Total", 3, 4]]]
    lines += draw(st.sampled_from(totals))
    return lines, numbers


def _squared(lines: Lines) -> Lines:
    return [[*line, *[None] * (5 - len(line))] for line in lines]


def _as_text(cell: CellValue) -> CellValue:
    return cell.strftime("%d/%m/%Y") if isinstance(cell, date) else None if cell is None else str(cell)


_HONEST = {
    kind: write({"S": [["Reference", "Name"], ["A1", 3], ["A2", None]], "T": [["z"]]})
    for kind, write in _WRITERS.items()
}
