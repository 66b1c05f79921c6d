"""Excel workbooks, honest and hostile."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from matching.intake.grid import EPOCH_1900, EPOCH_1904, Grid
from matching.intake.sheet import NOT_WORKED_OUT, UnreadableSheet
from matching.intake.workbook import read_workbook
from tests.matching.intake.books import archive, replaced, xlsx_book
from tests.matching.intake.writing import xlsx_file

_SHEET = "xl/worksheets/sheet1.xml"
_X_CELL = b'<c r="A2" t="s"><v>1</v></c>'


class TestReadWorkbook:
    def test_read_workbook_gives_typed_cells_at_their_rows(self) -> None:
        content = xlsx_file([["A", "B", "C", "D"], [], ["x", 3, 2.5, True], [date(2024, 3, 7), None, None, "  y "]])
        grid = _only(content)
        assert grid.cells[2:] == [["x", 3, 2.5, True], [date(2024, 3, 7), None, None, "y"]]

    def test_read_workbook_gives_every_worksheet_in_order_hidden_ones_marked(self) -> None:
        def write(book: Any, sheet: Any) -> None:
            sheet.write(0, 0, "A")
            book.add_worksheet("Lists").hide()
            book.add_worksheet("Deep").very_hidden()

        grids, notes = read_workbook(xlsx_book(write))
        assert [(grid.title, grid.hidden) for grid in grids] == [("Sheet", False), ("Lists", True), ("Deep", True)]
        assert notes == ()

    def test_read_workbook_says_that_charts_were_left(self) -> None:
        def write(book: Any, sheet: Any) -> None:
            sheet.write(0, 0, 1)
            chart = book.add_chart({"type": "bar"})
            chart.add_series({"values": "=Sheet!$A$1"})
            book.add_chartsheet("Chart").set_chart(chart)

        grids, notes = read_workbook(xlsx_book(write))
        assert [grid.title for grid in grids] == ["Sheet"]
        assert "1 sheet(s) of charts" in notes[0]

    @pytest.mark.parametrize(("from_1904", "epoch"), [(False, EPOCH_1900), (True, EPOCH_1904)])
    def test_read_workbook_counts_days_from_the_workbooks_own_nought(self, from_1904: bool, epoch: date) -> None:
        def write(book: Any, sheet: Any) -> None:
            day = book.add_format({"num_format": "dd/mm/yyyy"})
            sheet.write_datetime(0, 0, datetime(2024, 3, 7), day)  # noqa: DTZ001

        grid = _only(xlsx_book(write, date_1904=from_1904))
        assert (grid.cells, grid.epoch) == ([[date(2024, 3, 7)]], epoch)

    def test_read_workbook_takes_the_day_of_a_moment_and_says_so(self) -> None:
        def write(book: Any, sheet: Any) -> None:
            moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
            sheet.write_datetime(1, 2, datetime(2024, 3, 7, 14, 30), moment)  # noqa: DTZ001
            sheet.write_datetime(2, 2, time(14, 30), book.add_format({"num_format": "hh:mm"}))
            sheet.write_datetime(3, 2, timedelta(hours=30), book.add_format({"num_format": "[h]:mm"}))

        grid = _only(xlsx_book(write))
        assert [grid.at(row, 2) for row in (1, 2, 3)] == [date(2024, 3, 7), time(14, 30), time()]
        assert grid.notes == ("Dates were read without their time of day: C2.",)

    def test_read_workbook_fills_merged_cells(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.merge_range("A2:B3", "x")
            sheet.write("C3", "y")

        grid = _only(xlsx_book(write))
        assert grid.cells[1:] == [["x", "x", None], ["x", "x", "y"]]
        assert (grid.filled_across, grid.filled_down) == (frozenset({(1, 1), (2, 1)}), frozenset({(2, 0)}))

    def test_read_workbook_keeps_an_error_which_the_reader_would_blank(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write("A1", "A")
            sheet.write_formula("B7", "=1/0", None, "#DIV/0!")
            sheet.write_formula("C7", "=FOO()", None, "#N/A")

        grid = _only(xlsx_book(write))
        assert grid.cells[6] == [None, "#DIV/0!", "#N/A"]
        assert grid.notes == ("These cells show an error (such as #N/A) in place of a value: B7 and C7.",)

    def test_read_workbook_refuses_an_error_that_is_not_one(self) -> None:
        content = replaced(xlsx_file([["A"], ["x"]]), _SHEET, _X_CELL, b'<c r="A2" t="e"><v>Mine</v></c>')
        with pytest.raises(UnreadableSheet, match="Cell A2 shows an error"):
            read_workbook(content)

    @pytest.mark.parametrize("cell", [b'<c r="A2"><f>A1</f></c>', b'<c r="A2"><f>A1</f><v></v></c>'])
    def test_read_workbook_marks_a_formula_that_was_never_worked_out(self, cell: bytes) -> None:
        grid = _only(replaced(xlsx_file([["A"], ["x"]]), _SHEET, _X_CELL, cell))
        assert grid.cells[1] == [NOT_WORKED_OUT]
        assert grid.notes[0].startswith("These cells have a formula without a result: A2. Open")

    def test_read_workbook_takes_the_result_of_a_formula(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write_formula("A1", '="x"', None, "x")
            sheet.write_formula("B1", "=1+1", None, 2)

        assert _only(xlsx_book(write)).cells == [["x", 2]]

    def test_read_workbook_takes_a_formula_that_gives_no_text_as_blank(self) -> None:
        cell = b'<c r="A2" t="str"><f>IF(A1="","",A1)</f><v></v></c>'
        grid = _only(replaced(xlsx_file([["A"], ["x"]]), _SHEET, _X_CELL, cell))
        assert (grid.at(1, 0), grid.notes) == (None, ())

    def test_read_workbook_counts_comments_and_what_is_hidden(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write("C3", "x")
            sheet.write_comment("C3", "Testine says no")
            sheet.set_row(2, None, None, {"hidden": True})
            sheet.set_column(1, 2, None, None, {"hidden": True})

        grid = _only(xlsx_book(write))
        assert (grid.comments, grid.hidden_rows, grid.hidden_columns) == (1, frozenset({2}), frozenset({1, 2}))

    def test_read_workbook_never_runs_macros_and_says_so(self) -> None:
        content = archive({**_parts(xlsx_file([["A"]])), "xl/vbaProject.bin": b"\x00"})
        grids, notes = read_workbook(content)
        assert grids[0].cells == [["A"]]
        assert "None was run" in notes[0]

    @pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD2", "a60000"])
    def test_read_workbook_refuses_a_far_cell_before_a_grid_is_made(self, cell: str) -> None:
        content = replaced(xlsx_file([["A"], ["x"]]), _SHEET, b'r="A2"', f'r="{cell}"'.encode())
        with pytest.raises(UnreadableSheet, match=f"reaches to cell {cell.upper()}; at most"):
            read_workbook(content)

    def test_read_workbook_takes_no_notice_of_far_cells_that_are_blank(self) -> None:
        rows = b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (number, number) for number in (3, 70_000, 1_048_576))
        content = replaced(xlsx_file([["A"], ["x"]]), _SHEET, b"</sheetData>", rows + b"</sheetData>")
        assert _only(content).cells == [["A"], ["x"]]

    def test_read_workbook_counts_cells_that_name_no_position(self) -> None:
        content = replaced(xlsx_file([["A"], ["x"]]), _SHEET, _X_CELL, b"<c><v>1</v></c>" * 300)
        with pytest.raises(UnreadableSheet, match="reaches to cell GS2"):
            read_workbook(content)

    def test_read_workbook_counts_the_cells_of_all_sheets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("matching.intake.grid.MOST_CELLS", 30)
        lines = [["x"] * 5] * 4
        assert len(read_workbook(xlsx_file(lines))[0]) == 1
        with pytest.raises(UnreadableSheet, match="more than 30 cells"):
            read_workbook(xlsx_file(lines, others={"Two": lines}))

    def test_read_workbook_refuses_a_packing_bomb_unopened(self) -> None:
        content = replaced(xlsx_file([["A"]]), _SHEET, b"<sheetData>", b"<sheetData>" + b" " * 30_000_000)
        with pytest.raises(UnreadableSheet, match="packed more tightly"):
            read_workbook(content)

    def test_read_workbook_counts_a_long_string_each_time_it_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("matching.intake.worksheet.MOST_TEXT", 100_000)
        with pytest.raises(UnreadableSheet, match="more text than can be read"):
            read_workbook(xlsx_file([["A"], *([["x" * 5_000]] * 30)]))

    def test_read_workbook_refuses_declared_entities(self) -> None:
        bomb = b'<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet'
        with pytest.raises(UnreadableSheet, match="declarations"):
            read_workbook(replaced(xlsx_file([["A"]]), _SHEET, b"<worksheet", bomb))

    def test_read_workbook_is_not_felled_by_deep_nesting(self) -> None:
        deep = b"<x>" * 100_000 + b"</x>" * 100_000 + b"<sheetData>"
        assert _only(replaced(xlsx_file([["A"]]), _SHEET, b"<sheetData>", deep)).cells == [["A"]]

    def test_read_workbook_refuses_two_parts_of_one_name(self) -> None:
        stream = io.BytesIO(xlsx_file([["A"]]))
        with zipfile.ZipFile(stream, "a") as target:
            target.writestr(_SHEET.upper(), "<worksheet/>")
        with pytest.raises(UnreadableSheet, match="two parts of one name"):
            read_workbook(stream.getvalue())

    def test_read_workbook_refuses_styles_that_hold_more_than_they_say(self) -> None:
        content = xlsx_file([["A"]])
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            size = source.getinfo("xl/styles.xml").file_size.to_bytes(4, "little")
        with pytest.raises(UnreadableSheet, match="damaged"):
            read_workbook(content.replace(size, b"\x10\x00\x00\x00"))

    def test_read_workbook_stops_at_a_value_without_end(self) -> None:
        long = b'<c r="A2"><v>' + b"1" * 100_000 + b"</v></c>"
        with pytest.raises(UnreadableSheet, match="Cell A2 holds more than 20000 characters"):
            read_workbook(replaced(xlsx_file([["A"], ["x"]]), _SHEET, _X_CELL, long))

    def test_read_workbook_refuses_merged_cells_over_one_another(self) -> None:
        blocks = b"<mergeCells>" + b'<mergeCell ref="A1:B2"/>' * 3 + b"</mergeCells></worksheet>"
        content = replaced(xlsx_file([["A", "B"], ["x", "y"]]), _SHEET, b"</worksheet>", blocks)
        with pytest.raises(UnreadableSheet, match="one over the other"):
            read_workbook(content)

    @pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
    def test_read_workbook_refuses_a_file_that_was_cut_off(self, keep: float) -> None:
        content = xlsx_file([["A"], *([["x"]] * 50)])
        with pytest.raises(UnreadableSheet, match="damaged or was cut off"):
            read_workbook(content[: int(len(content) * keep)])

    def test_read_workbook_refuses_broken_xml(self) -> None:
        with pytest.raises(UnreadableSheet, match="damaged: line"):
            read_workbook(replaced(xlsx_file([["A"], ["x"]]), _SHEET, b"</sheetData>", b"</sheetDat>"))

    def test_read_workbook_refuses_a_worksheet_that_is_not_there(self) -> None:
        parts = _parts(xlsx_file([["A"]]))
        del parts[_SHEET]
        with pytest.raises(UnreadableSheet, match="worksheet is missing"):
            read_workbook(archive(parts))


def _only(content: bytes) -> Grid:
    (grid,), _ = read_workbook(content)
    return grid


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        return {name: source.read(name) for name in source.namelist()}
