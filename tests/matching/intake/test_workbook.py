"""Excel workbooks, honest and hostile."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from matching.intake.sheet import UnreadableSheet
from matching.intake.workbook import read_workbook
from tests.matching.intake.writing import xlsx_file

_SHEET = "xl/worksheets/sheet1.xml"


class TestReadWorkbook:
    def test_read_workbook_gives_typed_cells_at_their_rows(self) -> None:
        content = xlsx_file([["A", "B", "C", "D"], [], ["x", 3, 2.5, True], [date(2024, 3, 7), None, None, "  y "]])
        sheet = read_workbook(content, name="a.xlsx", wanted="households")
        assert [(row.number, row.cells) for row in sheet.rows] == [
            (3, ("x", 3, 2.5, True)),
            (4, (date(2024, 3, 7), None, None, "y")),
        ]

    def test_read_workbook_takes_the_sheet_that_is_named_and_says_so(self) -> None:
        content = xlsx_file([["Note"]], title="Notes", others={"Households": [["A"], ["x"]]})
        sheet = read_workbook(content, name="a.xlsx", wanted="households")
        assert sheet.headings == ("A",)
        assert "Households" in sheet.notes[0]

    def test_read_workbook_refuses_to_choose_between_sheets(self) -> None:
        content = xlsx_file([["A"]], title="One", others={"Two": [["A"]]})
        with pytest.raises(UnreadableSheet, match="2 visible sheets"):
            read_workbook(content, name="a.xlsx", wanted="households")

    def test_read_workbook_leaves_hidden_sheets(self) -> None:
        def write(book: Any, sheet: Any) -> None:
            sheet.write(0, 0, "A")
            book.add_worksheet("Lists").hide()

        assert read_workbook(_book(write), name="a.xlsx", wanted="households").headings == ("A",)

    def test_read_workbook_refuses_merged_cells(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write(0, 0, "A")
            sheet.merge_range("A2:A3", "x")

        with pytest.raises(UnreadableSheet, match="first at row 2, column 1"):
            read_workbook(_book(write), name="a.xlsx", wanted="households")

    def test_read_workbook_refuses_an_error_value_which_the_reader_would_blank(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write(0, 0, "A")
            sheet.write_formula("B7", "=1/0", None, "#DIV/0!")

        with pytest.raises(UnreadableSheet, match="Cell B7 shows an Excel error"):
            read_workbook(_book(write), name="a.xlsx", wanted="households")

    def test_read_workbook_refuses_a_formula_that_was_never_worked_out(self) -> None:
        content = _replaced(xlsx_file([["A"], ["x"]]), b'<c r="A2" t="s"><v>1</v></c>', b'<c r="A2"><f>A1</f></c>')
        with pytest.raises(UnreadableSheet, match="Cell A2 has a formula without a result"):
            read_workbook(content, name="a.xlsx", wanted="households")

    def test_read_workbook_takes_the_result_of_a_formula(self) -> None:
        def write(_: Any, sheet: Any) -> None:
            sheet.write(0, 0, "A")
            sheet.write_formula("A2", '="x"', None, "x")

        assert read_workbook(_book(write), name="a.xlsx", wanted="households").rows[0].cells == ("x",)

    @pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD2", "a60000"])
    def test_read_workbook_refuses_a_far_cell_before_a_grid_is_made(self, cell: str) -> None:
        content = _replaced(xlsx_file([["A"], ["x"]]), b'r="A2"', f'r="{cell}"'.encode())
        with pytest.raises(UnreadableSheet, match="The sheet reaches to cell"):
            read_workbook(content, name="a.xlsx", wanted="households")

    def test_read_workbook_counts_cells_that_name_no_position(self) -> None:
        content = _replaced(xlsx_file([["A"], ["x"]]), b'<c r="A2" t="s"><v>1</v></c>', b"<c><v>1</v></c>" * 300)
        with pytest.raises(UnreadableSheet, match="The sheet reaches to cell"):
            read_workbook(content, name="a.xlsx", wanted="households")

    def test_read_workbook_refuses_a_packing_bomb_unopened(self) -> None:
        content = _replaced(xlsx_file([["A"]]), b"<sheetData>", b"<sheetData>" + b" " * 30_000_000)
        with pytest.raises(UnreadableSheet, match="packed more tightly"):
            read_workbook(content, name="a.xlsx", wanted="households")

    def test_read_workbook_counts_a_long_string_each_time_it_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("matching.intake.workbook.MOST_TEXT", 100_000)
        content = xlsx_file([["A"], *([["x" * 5_000]] * 30)])
        with pytest.raises(UnreadableSheet, match="more text than can be read"):
            read_workbook(content, name="a.xlsx", wanted="households")

    def test_read_workbook_refuses_declared_entities(self) -> None:
        bomb = b'<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet'
        content = _replaced(xlsx_file([["A"]]), b"<worksheet", bomb)
        with pytest.raises(UnreadableSheet, match="declarations"):
            read_workbook(content, name="a.xlsx", wanted="households")

    @pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
    def test_read_workbook_refuses_a_file_that_was_cut_off(self, keep: float) -> None:
        content = xlsx_file([["A"], *([["x"]] * 50)])
        with pytest.raises(UnreadableSheet):
            read_workbook(content[: int(len(content) * keep)], name="a.xlsx", wanted="households")

    def test_read_workbook_refuses_broken_xml(self) -> None:
        content = _replaced(xlsx_file([["A"], ["x"]]), b"</sheetData>", b"</sheetDat>")
        with pytest.raises(UnreadableSheet, match="damaged: line"):
            read_workbook(content, name="a.xlsx", wanted="households")

    def test_read_workbook_refuses_an_archive_that_is_no_workbook(self) -> None:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("readme.txt", "hello")
        with pytest.raises(UnreadableSheet, match="not an Excel workbook"):
            read_workbook(stream.getvalue(), name="a.xlsx", wanted="households")


def _book(write: Any) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        write(book, book.add_worksheet("Sheet"))
    return stream.getvalue()


def _replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            data = source.read(part)
            if part.filename == _SHEET:
                assert old in data
                data = data.replace(old, new, 1)
            target.writestr(part.filename, data)
    return stream.getvalue()
