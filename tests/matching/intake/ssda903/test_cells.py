"""Dates and codes of a return."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.intake.ssda903.cells import CellReader, in_words
from matching.intake.ssda903.table import Record, Table
from tests.matching.intake.ssda903.returns import TODAY


class TestDay:
    @pytest.mark.parametrize("text", ["07/03/2024", "2024-03-07"])
    def test_reads_the_two_forms_that_nobody_could_mistake(self, text: str) -> None:
        cells, record = _said("DOB", text)
        assert (cells.day(record, "DOB"), cells.problems) == (date(2024, 3, 7), [])

    @given(st.dates(date(1900, 1, 1), TODAY))
    def test_reads_what_it_writes(self, day: date) -> None:
        cells, record = _said("DOB", in_words(day))
        assert cells.day(record, "DOB") == day

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("7/3/2024", "dd/mm/yyyy"),
            ("07.03.2024", "dd/mm/yyyy"),
            ("07/03/24", "dd/mm/yyyy"),
            ("45358", "dd/mm/yyyy"),
            ("07/03/2024 00:00", "dd/mm/yyyy"),
            ("٠٧/٠٣/٢٠٢٤", "dd/mm/yyyy"),
            ("03/13/2024", "no such date"),
            ("29/02/2023", "no such date"),
            ("01/01/0000", "no such date"),
            ("01/01/1899", "1899"),
            ("24/11/2026", "future"),
        ],
    )
    def test_refuses_any_other(self, text: str, words: str) -> None:
        cells, record = _said("DOB", text)
        assert cells.day(record, "DOB") is None
        [problem] = cells.problems
        assert (problem.column, problem.value, words in problem.reason) == ("DOB", text, True)

    def test_takes_today(self) -> None:
        cells, record = _said("DOB", "23/11/2026")
        assert cells.day(record, "DOB") == TODAY

    def test_is_blank_for_a_blank(self) -> None:
        cells, record = _said("SEX", "1")
        assert (cells.day(record, "DOB"), cells.problems) == (None, [])


class TestCode:
    def test_reads_a_code_in_any_case(self) -> None:
        cells, record = _said("REC", "e4a")
        assert (cells.code(record, "REC"), cells.problems) == ("E4A", [])

    @pytest.mark.parametrize("text", ["E99", "e 4a", "adopted", "0"])
    def test_refuses_what_is_none(self, text: str) -> None:
        cells, record = _said("REC", text)
        assert cells.code(record, "REC") is None
        assert [(each.value, each.reason) for each in cells.problems] == [
            (text, "it is no code of REC that the SSDA903 guide has")
        ]

    def test_tells_one_cell_once(self) -> None:
        cells, record = _said("REC", "E99")
        cells.code(record, "REC")
        cells.code(record, "REC")
        assert len(cells.problems) == 1


def _said(column: str, text: str) -> tuple[CellReader, Record]:
    return CellReader(today=TODAY), Record(Table.HEADER, "header.csv", 2, "C1", {column: text})
