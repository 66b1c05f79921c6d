"""OpenDocument sheets, honest and hostile."""

from __future__ import annotations

from datetime import date, time

import pytest

from matching.intake.grid import EPOCH_1904, Grid
from matching.intake.open_document import read_open_document
from matching.intake.sheet import NOT_WORKED_OUT, UnreadableSheet
from tests.matching.intake.books import archive, ods_archive, ods_file, replaced

_TEXT = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
_X = _TEXT.format("x")


class TestReadOpenDocument:
    def test_read_open_document_gives_typed_cells(self) -> None:
        grid = _only(ods_file({"S": [["A", "Zoë & Co"], [], [3, 2.5, True], [date(2024, 3, 7), None, "  y "]]}))
        assert grid.cells == [["A", "Zoë & Co"], [], [3, 2.5, True], [date(2024, 3, 7), None, "y"]]

    def test_read_open_document_counts_repeated_cells_and_rows(self) -> None:
        row = (
            f'<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2"/>{_X}'
        )
        many = _X.replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="2"')
        grid = _only(_table(f"{row}</table:table-row><table:table-row>{many}</table:table-row>"))
        assert grid.cells == [[None, None, "x"], [None, None, "x"], ["x", "x"]]

    def test_read_open_document_never_writes_out_a_million_blanks(self) -> None:
        blanks = '<table:table-cell table:number-columns-repeated="16384"/>'
        rows = (
            f'<table:table-row>{_X}{blanks}</table:table-row><table:table-row table:number-rows-repeated="1048570">'
            f"{blanks}</table:table-row>"
        )
        assert _only(_table(rows)).cells == [["x"]]

    @pytest.mark.parametrize(
        "attribute", ['table:number-columns-repeated="16384"', 'table:number-columns-repeated="99999999"']
    )
    def test_read_open_document_refuses_values_without_end_in_a_row(self, attribute: str) -> None:
        many = _X.replace("<table:table-cell", f"<table:table-cell {attribute}")
        with pytest.raises(UnreadableSheet, match="reaches to cell"):
            read_open_document(_table(f"<table:table-row>{many}</table:table-row>"))

    @pytest.mark.parametrize("rows", [f'<table:table-row table:number-rows-repeated="1048576">{_X}</table:table-row>'])
    def test_read_open_document_refuses_rows_without_end(self, rows: str) -> None:
        with pytest.raises(UnreadableSheet, match="reaches to cell A1048576"):
            read_open_document(_table(rows))

    def test_read_open_document_reads_text_as_it_is_shown(self) -> None:
        text = "a<text:s text:c='2'/>b<text:tab/><text:span>c</text:span><text:line-break/>d</text:p><text:p>e"
        assert _only(_table(_row(_TEXT.format(text)))).cells == [["a  b\tc\nd\ne"]]

    def test_read_open_document_leaves_comments_and_counts_them(self) -> None:
        note = "<office:annotation><text:p>no</text:p></office:annotation>"
        cell = f'<table:table-cell office:value-type="string">{note}<text:p>x</text:p></table:table-cell>'
        grid = _only(_table(_row(cell)))
        assert (grid.cells, grid.comments) == ([["x"]], 1)

    def test_read_open_document_fills_merged_cells(self) -> None:
        spans = 'table:number-columns-spanned="2" table:number-rows-spanned="2"'
        first = _X.replace("<table:table-cell", f"<table:table-cell {spans}") + "<table:covered-table-cell/>"
        covered = '<table:covered-table-cell table:number-columns-repeated="2"/>'
        grid = _only(_table(_row(first + _TEXT.format("y")) + _row(covered + _TEXT.format("z"))))
        assert grid.cells == [["x", "x", "y"], ["x", "x", "z"]]

    def test_read_open_document_sees_what_is_hidden(self) -> None:
        properties = '<style:table-properties table:display="false"/>'
        styles = f'<style:style style:name="h" style:family="table">{properties}</style:style>'
        columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
        row = _row(_X + _X).replace("<table:table-row", '<table:table-row table:visibility="filter"')
        table = f'<table:table table:name="S" table:style-name="h">{columns}{row}</table:table>'
        grid = _only(ods_archive(table, styles=styles))
        assert (grid.hidden, grid.hidden_rows, grid.hidden_columns) == (True, frozenset({0}), frozenset({1}))

    def test_read_open_document_keeps_errors_and_marks_formulas_without_a_result(self) -> None:
        error = _TEXT.replace("office:", 'calcext:value-type="error" office:', 1)
        waiting = '<table:table-cell table:formula="of:=1"/>'
        grid = _only(_table(_row(error.format("#N/A") + error.format("Err:502") + waiting)))
        assert grid.cells == [["#N/A", "#ERROR!", NOT_WORKED_OUT]]
        assert "A1 and B1" in grid.notes[0]
        assert "C1" in grid.notes[1]

    def test_read_open_document_reads_percents_times_and_moments(self) -> None:
        cells = (
            '<table:table-cell office:value-type="percentage" office:value="0.25"/>'
            '<table:table-cell office:value-type="time" office:time-value="PT14H30M00S"/>'
            '<table:table-cell office:value-type="date" office:date-value="2024-03-07T14:30:00"/>'
            '<table:table-cell office:value-type="float" office:value="x"><text:p>shown</text:p></table:table-cell>'
            '<table:table-cell office:value-type="date" office:date-value="x"><text:p>day</text:p></table:table-cell>'
        )
        grid = _only(_table(_row(cells)))
        assert grid.cells == [[0.25, time(), date(2024, 3, 7), "shown", "day"]]
        assert grid.notes == ("Dates were read without their time of day: C1.",)

    def test_read_open_document_counts_days_from_its_own_nought(self) -> None:
        null = (
            '<table:calculation-settings><table:null-date table:date-value="1904-01-01"/></table:calculation-settings>'
        )
        assert _only(ods_archive(null + f'<table:table table:name="S">{_row(_X)}</table:table>')).epoch == EPOCH_1904

    @pytest.mark.parametrize(
        ("parts", "message"),
        [
            ({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"}, "no spreadsheet"),
            ({"META-INF/manifest.xml": "<m><encryption-data/></m>", "content.xml": "?"}, "password"),
            ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}, "no contents"),
            ({"content.xml": "<x>"}, "damaged: line 1"),
            ({"content.xml": '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'}, "declarations"),
        ],
    )
    def test_read_open_document_refuses_other_files(self, parts: dict[str, str], message: str) -> None:
        with pytest.raises(UnreadableSheet, match=message):
            read_open_document(archive(parts))

    def test_read_open_document_stops_at_a_text_without_end(self) -> None:
        with pytest.raises(UnreadableSheet, match="Cell A1 holds more than 20000 characters"):
            read_open_document(_table(_row(_TEXT.format("x" * 100_000))))

    def test_read_open_document_never_runs_macros_and_says_so(self) -> None:
        content = ods_archive(f'<table:table table:name="S">{_row(_X)}</table:table>', **{"Basic/a.xml": "x"})
        assert "None was run" in read_open_document(content)[1][0]

    def test_read_open_document_takes_no_cell_of_a_tracked_change(self) -> None:
        content = ods_file({"S": [["x"]]})
        change = f"<table:tracked-changes>{_row(_X)}</table:tracked-changes><table:table ".encode()
        assert _only(replaced(content, "content.xml", b"<table:table ", change)).cells == [["x"]]


def _row(cells: str) -> str:
    return f"<table:table-row>{cells}</table:table-row>"


def _table(rows: str) -> bytes:
    return ods_archive(f'<table:table table:name="S">{rows}</table:table>')


def _only(content: bytes) -> Grid:
    (grid,), _ = read_open_document(content)
    return grid
