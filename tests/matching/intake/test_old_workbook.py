"""Old Excel workbooks, honest and hostile."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
import xlwt  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.intake.grid import EPOCH_1900, EPOCH_1904, Grid
from matching.intake.old_workbook import read_old_workbook
from matching.intake.sheet import NOT_WORKED_OUT, UnreadableSheet
from tests.matching.intake.books import xls_book, xls_file

_FORMULA = b"\x03\x00\x00\x00\x00\x00\xff\xff\x00\x00"
"""A formula's result in xlwt's files: no text, and nothing to do at the next opening."""


class TestReadOldWorkbook:
    def test_read_old_workbook_gives_typed_cells(self) -> None:
        grid = _only(xls_file({"S": [["A", "Zoë"], [], [3, 2.5, True], [date(2024, 3, 7), None, "  y "]]}))
        assert grid.cells == [["A", "Zoë", None], [None] * 3, [3, 2.5, True], [date(2024, 3, 7), None, "y"]]

    @pytest.mark.parametrize(("from_1904", "epoch"), [(False, EPOCH_1900), (True, EPOCH_1904)])
    def test_read_old_workbook_counts_days_from_its_own_nought(self, from_1904: bool, epoch: date) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write(0, 0, date(2024, 3, 7), xlwt.easyxf(num_format_str="dd/mm/yyyy"))

        grid = _only(xls_book(write, from_1904=from_1904))
        assert (grid.cells, grid.epoch) == ([[date(2024, 3, 7)]], epoch)

    def test_read_old_workbook_takes_the_day_of_a_moment_and_says_so(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            moment = datetime(2024, 3, 7, 14, 30)  # noqa: DTZ001
            sheet.write(0, 0, moment, xlwt.easyxf(num_format_str="dd/mm/yyyy hh:mm"))
            sheet.write(0, 1, time(14, 30), xlwt.easyxf(num_format_str="hh:mm"))

        grid = _only(xls_book(write))
        assert grid.cells == [[date(2024, 3, 7), time(14, 30)]]
        assert grid.notes == ("Dates were read without their time of day: A1.",)

    def test_read_old_workbook_fills_merged_cells_and_sees_what_is_hidden(self) -> None:
        def write(book: Any, sheet: Any) -> None:
            sheet.write_merge(1, 2, 0, 1, "x")
            sheet.write(3, 2, "y")
            sheet.row(3).hidden = True
            sheet.col(2).hidden = True
            book.add_sheet("Lists").visibility = 1

        grids, _ = read_old_workbook(xls_book(write))
        assert [(grid.title, grid.hidden) for grid in grids] == [("Sheet", False), ("Lists", True)]
        assert [line[:2] for line in grids[0].cells[1:3]] == [["x", "x"], ["x", "x"]]
        assert (grids[0].hidden_rows, grids[0].hidden_columns) == (frozenset({3}), frozenset({2}))

    def test_read_old_workbook_keeps_an_error_which_the_reader_would_blank(self) -> None:
        content = _formula(b"\x02\x00\x2a\x00\x00\x00\xff\xff\x00\x00")
        grid = _only(content)
        assert grid.cells == [["A"], ["#N/A"]]
        assert "A2" in grid.notes[0]

    def test_read_old_workbook_marks_a_formula_that_waits_for_the_next_opening(self) -> None:
        grid = _only(_formula(b"\x03\x00\x00\x00\x00\x00\xff\xff\x02\x00"))
        assert grid.cells == [["A"], [NOT_WORKED_OUT]]

    def test_read_old_workbook_says_that_a_formula_without_a_result_was_read_as_blank(self) -> None:
        grid = _only(_formula(_FORMULA))
        assert grid.notes == ("Formulas without a result were read as blank: A2.",)

    def test_read_old_workbook_refuses_a_far_cell_before_a_grid_is_made(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write(65_535, 255, "x")

        with pytest.raises(UnreadableSheet, match="reaches to cell IV65536"):
            read_old_workbook(xls_book(write))

    def test_read_old_workbook_refuses_a_password(self) -> None:
        content = bytearray(xls_file({"S": [["A"]]}))
        place = content.index(b"\x42\x00\x02\x00")  # the record of the code page becomes that of the lock
        content[place : place + 2] = b"\x2f\x00"
        with pytest.raises(UnreadableSheet, match="has a password"):
            read_old_workbook(bytes(content))

    @pytest.mark.parametrize(
        ("stream", "message"), [("EncryptedPackage", "has a password"), ("WordDocument", "no workbook")]
    )
    def test_read_old_workbook_tells_other_old_files_apart(self, stream: str, message: str) -> None:
        name, wanted = "Workbook".encode("utf-16-le"), stream.encode("utf-16-le")
        content = bytearray(xls_file({"S": [["A"]]}))
        place = content.index(name)
        content[place : place + 64] = wanted.ljust(64, b"\x00")
        content[place + 64 : place + 66] = (len(wanted) + 2).to_bytes(2, "little")
        with pytest.raises(UnreadableSheet, match=message):
            read_old_workbook(bytes(content))

    def test_read_old_workbook_is_not_led_in_a_ring(self) -> None:
        content = bytearray(xls_file({"S": [["A"]]}))
        table = int.from_bytes(content[76:80], "little")
        content[(table + 1) * 512 : (table + 2) * 512] = b"\x00" * 512
        with pytest.raises(UnreadableSheet, match="damaged"):
            read_old_workbook(bytes(content))

    @pytest.mark.parametrize("keep", [0.01, 0.1, 0.5, 0.7])
    def test_read_old_workbook_refuses_a_file_that_was_cut_off(self, keep: float) -> None:
        content = xls_file({"S": [["A"], *([["x"]] * 500)]})
        with pytest.raises(UnreadableSheet):
            read_old_workbook(content[: int(len(content) * keep)])

    @given(st.integers(0, 6_000), st.integers(0, 255))
    @settings(max_examples=150, deadline=None)
    def test_read_old_workbook_reads_or_refuses_a_file_with_a_wrong_byte(self, place: int, byte: int) -> None:
        content = bytearray(_HONEST)
        content[place % len(content)] = byte
        try:
            grids, _ = read_old_workbook(bytes(content))
        except UnreadableSheet:
            return
        assert len(grids) <= 2


def _formula(result: bytes) -> bytes:
    def write(_: Any, sheet: Any) -> None:
        sheet.write(0, 0, "A")
        sheet.write(1, 0, xlwt.Formula("A1"))

    content = xls_book(write)
    assert content.count(_FORMULA) == 1
    return content.replace(_FORMULA, result)


def _only(content: bytes) -> Grid:
    (grid,), _ = read_old_workbook(content)
    return grid


_HONEST = xls_file({"S": [["A", "B"], ["x", 3], ["y", None]], "T": [["z"]]})
