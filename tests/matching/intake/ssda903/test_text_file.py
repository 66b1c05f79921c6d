"""CSV files of a return."""

from __future__ import annotations

import pytest

from matching.intake.sheet import UnreadableSheet
from matching.intake.ssda903 import text_file
from matching.intake.ssda903.table import Table
from matching.intake.ssda903.text_file import read_text_file
from tests.matching.intake.ssda903.returns import csv_file, header

_HEADINGS = b"CHILD,SEX,DOB,ETHNIC\r\n"


class TestReadTextFile:
    def test_gives_each_row_its_number_and_only_what_is_said(self) -> None:
        table, records, notes = read_text_file(_HEADINGS + b"A,1,01/02/2020,\r\n,,,\r\n\r\n B ,2,,WBRI\r\n", sheet="h")
        assert (table, notes) == (Table.HEADER, ())
        assert [(each.row, each.child, dict(each.cells)) for each in records] == [
            (2, "A", {"SEX": "1", "DOB": "01/02/2020"}),
            (5, "B", {"SEX": "2", "ETHNIC": "WBRI"}),
        ]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_reads_what_programs_write(self, encoding: str) -> None:
        content = csv_file("header.csv", [header("é1")], encoding=encoding)
        _, [record], _ = read_text_file(content, sheet="h")
        assert record.child == "é1"

    @pytest.mark.parametrize("delimiter", [b";", b"\t"])
    def test_reads_other_separators(self, delimiter: bytes) -> None:
        content = (_HEADINGS + b"A,1,01/02/2020,WBRI").replace(b",", delimiter)
        assert [each.child for each in read_text_file(content, sheet="h")[1]] == ["A"]

    def test_keeps_a_row_that_is_cut_off_with_its_problem(self) -> None:
        _, [record], _ = read_text_file(_HEADINGS + b"A,1", sheet="h")
        assert record.child == "A"
        assert "2 cells and the headings 4" in record.problems[0].reason

    def test_keeps_what_stands_beyond_the_headings(self) -> None:
        _, [record], _ = read_text_file(_HEADINGS + b"A,1,01/02/2020,WBRI,,stray", sheet="h")
        assert [(each.value, each.reason) for each in record.problems] == [("stray", "column F has no heading")]

    def test_says_that_another_table_was_left(self) -> None:
        table, records, notes = read_text_file(b"CHILD,DOB,REVIEW\r\nA,,\r\n", sheet="reviews.csv")
        assert (table, records) == (None, [])
        assert notes[0].startswith("reviews.csv was left")

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"\xff\xfe\x00", "h: .*not text"),
            (_HEADINGS + b'"A,1\r\n', "quotation marks"),
            (_HEADINGS + b'A,"1" 2,3,4\r\n', "quotation marks"),
            (b"CHILD,SEX,ETHNIC\r\nA,1,WBRI\r\n", "no column DOB"),
            (_HEADINGS + b"A\x00,1,2,3", "control"),
        ],
    )
    def test_refuses_what_cannot_be_read_and_names_the_file(self, content: bytes, words: str) -> None:
        with pytest.raises(UnreadableSheet, match=words) as refusal:
            read_text_file(content, sheet="h")
        assert str(refusal.value).startswith("h")

    def test_refuses_more_rows_than_any_return_has(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(text_file, "MOST_RECORDS", 2)
        with pytest.raises(UnreadableSheet, match="more than 2 rows"):
            read_text_file(_HEADINGS + b"A,1,,\r\nB,1,,\r\n", sheet="h")
