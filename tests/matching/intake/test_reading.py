"""Which kind of file was handed in."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.intake.reading import read_sheet
from matching.intake.sheet import MOST_BYTES, CellValue, UnreadableSheet
from tests.matching.intake.writing import csv_file, xlsx_file


class TestReadSheet:
    def test_read_sheet_tells_files_apart_by_their_bytes(self) -> None:
        lines: list[list[CellValue]] = [["A", "B"], ["x", 3]]
        written = {"sheet.xlsx": csv_file(lines), "sheet.csv": xlsx_file(lines)}
        read = [read_sheet(content, filename=name, wanted="households") for name, content in written.items()]
        assert [sheet.rows[0].cells for sheet in read] == [("x", "3"), ("x", 3)]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "empty"),
            (b" \r\n\r\n", "empty"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "damaged"),
            (b"%PDF-1.7", "PDF"),
            (b"{\\rtf1", "text document"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "picture"),
            (b"a" * (MOST_BYTES + 1), "larger than"),
        ],
    )
    def test_read_sheet_refuses_what_is_no_sheet(self, content: bytes, message: str) -> None:
        with pytest.raises(UnreadableSheet, match=message):
            read_sheet(content, filename="a.csv", wanted="households")

    @given(st.binary(max_size=200))
    @settings(max_examples=100, deadline=None)
    def test_read_sheet_reads_or_refuses_any_bytes(self, content: bytes) -> None:
        for beginning in (b"", b"PK\x03\x04", b"\xff\xfe"):
            with suppress(UnreadableSheet):
                assert read_sheet(beginning + content, filename="a", wanted="households").headings

    @given(st.integers(0, 5_000), st.integers(0, 255))
    @settings(max_examples=100, deadline=None)
    def test_read_sheet_reads_or_refuses_a_workbook_with_a_wrong_byte(self, place: int, byte: int) -> None:
        content = bytearray(_WORKBOOK)
        content[place % len(content)] = byte
        with suppress(UnreadableSheet):
            assert read_sheet(bytes(content), filename="a.xlsx", wanted="households").headings


_WORKBOOK = xlsx_file([["A", "B"], ["x", 3], ["y", None]])
