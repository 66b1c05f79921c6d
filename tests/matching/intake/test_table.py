"""Headings and records, told apart from titles, blank rows, totals and headings printed again."""

from __future__ import annotations

from datetime import date

import pytest

from matching.intake.grid import EPOCH_1904, Grid, Merged
from matching.intake.sheet import LONGEST_CELL, MOST_COLUMNS, CellValue, Sheet, UnreadableSheet
from matching.intake.table import read_table
from tests.matching.intake.books import likeness

_RECORD: list[CellValue] = ["A1", "Sampleson", "EX4", "waiting"]
_OTHER: list[CellValue] = ["A2", "Mockford", "PL4", "on hold"]
_HEADINGS: list[CellValue] = ["Reference", "Name", "Postcode", "Status"]


class TestReadTable:
    def test_read_table_finds_headings_under_titles_and_numbers_rows_as_a_spreadsheet_does(self) -> None:
        sheet = _read([["Adopters waiting", None], ["Printed", date(2026, 3, 2)], [], _HEADINGS, [], _RECORD, _OTHER])
        assert (sheet.headings, sheet.heading_row) == (tuple(map(str, _HEADINGS)), 4)
        assert [(row.number, row.cells) for row in sheet.rows] == [(6, tuple(_RECORD)), (7, tuple(_OTHER))]
        assert sheet.notes == ("Left out, because they stand above the headings: rows 1–2.",)

    def test_read_table_reads_a_plain_sheet_without_a_word(self) -> None:
        assert _read([_HEADINGS, _RECORD]).notes == ()

    def test_read_table_joins_a_merged_group_to_the_headings_under_it(self) -> None:
        top: list[CellValue] = ["Reference", "Age range", None, "Status"]
        grid = Grid(
            title="S",
            cells=[top, [None, "From", "To", None], ["A1", 0, 4, "waiting"]],
            merged=(Merged(0, 1, 0, 2), Merged(0, 0, 1, 0), Merged(0, 3, 1, 3)),
        )
        sheet = read_table(grid, name="a", likeness=likeness)
        assert sheet.headings == ("Reference", "Age range From", "Age range To", "Status")
        assert (sheet.heading_row, [row.number for row in sheet.rows]) == (2, [3])
        assert sheet.notes == ("Rows 1 and 2 were read together as the headings.",)

    def test_read_table_joins_a_group_that_is_not_merged(self) -> None:
        sheet = _read([["Reference", "Age range", None, "Status"], [None, "From", "To"], ["A1", 0, 4, "waiting"]])
        assert sheet.headings == ("Reference", "Age range From", "Age range To", "Status")

    def test_read_table_joins_a_group_above_whole_headings(self) -> None:
        lines: list[list[CellValue]] = [
            [None, None, "Age range", None, None],
            ["Reference", "Name", "From", "To", "Status"],
            ["A1", "Sampleson", 0, 4, "waiting"],
        ]
        wanted = ("Reference", "Name", "Age range From", "Age range To", "Status")
        merged = read_table(
            Grid("S", [list(line) for line in lines], merged=(Merged(0, 2, 0, 3),)), name="a", likeness=likeness
        )
        written_out: list[list[CellValue]] = [[None, None, "Age range", "Age range"], *lines[1:]]
        assert [sheet.headings for sheet in (merged, _read(lines), _read(written_out))] == [wanted] * 3

    def test_read_table_keeps_headings_that_a_group_would_spoil(self) -> None:
        lines: list[list[CellValue]] = [["Family", None, "Approval", None], _HEADINGS, _RECORD]
        grid = Grid("S", lines, merged=(Merged(0, 0, 0, 1), Merged(0, 2, 0, 3)))
        assert read_table(grid, name="a", likeness=likeness).headings == tuple(map(str, _HEADINGS))

    def test_read_table_keeps_lower_headings_that_a_group_would_spoil(self) -> None:
        top: list[CellValue] = ["Reference", "Name", "Postcode", "Family", None]
        lines: list[list[CellValue]] = [top, [None, None, None, "Status", "Notes"], [*_RECORD, "-"]]
        upright = tuple(Merged(0, column, 1, column) for column in range(3))
        sheet = read_table(Grid("S", lines, merged=(*upright, Merged(0, 3, 0, 4))), name="a", likeness=likeness)
        assert sheet.headings == ("Reference", "Name", "Postcode", "Status", "Notes")

    def test_read_table_joins_a_group_where_headings_are_there_twice(self) -> None:
        lines: list[list[CellValue]] = [
            [None, "First adopter", None, "Second adopter", None],
            ["Reference", "Name", "Notes", "Name", "Notes"],
            ["A1", "Testine", "x", "Mock", "y"],
        ]
        grid = Grid("S", lines, merged=(Merged(0, 1, 0, 2), Merged(0, 3, 0, 4)))
        assert read_table(grid, name="a", likeness=likeness).headings == (
            "Reference",
            "First adopter Name",
            "First adopter Notes",
            "Second adopter Name",
            "Second adopter Notes",
        )

    def test_read_table_takes_a_title_merged_over_all_columns_for_a_title(self) -> None:
        grid = Grid("S", [["Adopters", None, None, None], _HEADINGS, _RECORD], merged=(Merged(0, 0, 0, 3),))
        sheet = read_table(grid, name="a", likeness=likeness)
        assert (sheet.headings[0], sheet.heading_row) == ("Reference", 2)

    def test_read_table_never_takes_a_record_under_headings_with_gaps_for_their_second_row(self) -> None:
        sheet = _read([["Name", None, "Status", None], ["Testine", "Mock", "waiting", "soon"]])
        assert (sheet.headings, [row.number for row in sheet.rows]) == (("Name", "", "Status", ""), [2])

    def test_read_table_joins_no_full_row_to_the_headings_under_it(self) -> None:
        sheet = _read([["x", "y", "z", "w"], ["Reference", "Name", "Name", "Status"], _RECORD])
        assert sheet.headings == ("Reference", "Name", "Name", "Status")

    def test_read_table_never_takes_a_record_of_words_for_headings(self) -> None:
        sheet = _read([["Reference", "Name", "Notes"], ["AB", "Testine", "x"], ["AC", "Mock", "y"]])
        assert [row.number for row in sheet.rows] == [2, 3]

    def test_read_table_leaves_headings_printed_again(self) -> None:
        sheet = _read([_HEADINGS, _RECORD, ["reference ", "NAME", "Postcode", "Status"], _OTHER])
        assert [row.number for row in sheet.rows] == [2, 4]
        assert sheet.notes == ("Left out, because they repeat the headings: row 3.",)

    def test_read_table_leaves_both_rows_of_headings_printed_again(self) -> None:
        top: list[CellValue] = ["Reference", "Age range", None]
        under: list[CellValue] = [None, "From", "To"]
        sheet = _read([top, under, ["A1", 0, 4], top, under, ["A2", 1, 5]])
        assert [row.number for row in sheet.rows] == [3, 6]

    def test_read_table_refuses_a_second_table_whose_columns_stand_in_another_order(self) -> None:
        again: list[CellValue] = ["reference", "Status", "Name", "Postcode"]
        with pytest.raises(UnreadableSheet, match="Row 4 has the headings again in another order"):
            _read([_HEADINGS, _RECORD, [], again, ["A2", "waiting", "Mockford", "PL4"]])

    def test_read_table_refuses_a_second_table_with_fewer_columns(self) -> None:
        with pytest.raises(UnreadableSheet, match="Row 3 has the headings again"):
            _read([_HEADINGS, _RECORD, ["Reference", "Postcode", "Status"], ["A2", "PL4", "waiting"]])

    def test_read_table_takes_a_record_two_of_whose_values_are_headings(self) -> None:
        odd: list[CellValue] = ["Reference", "Name", None, None]
        assert len(_read([_HEADINGS, _RECORD, odd, _OTHER]).rows) == 3

    def test_read_table_leaves_totals_and_says_which(self) -> None:
        sheet = _read([[*_HEADINGS, "Children"], [*_RECORD, 1], [*_OTHER, 2], [], ["Total", None, None, None, 3]])
        assert [row.number for row in sheet.rows] == [2, 3]
        assert sheet.notes == ("Left out, because they hold totals: row 5.",)

    def test_read_table_leaves_bare_sums_at_the_end_only(self) -> None:
        headings: list[CellValue] = ["Reference", "Name", "Children"]
        lines: list[list[CellValue]] = [["A1", "x", 1], ["A2", "y", 2], ["A3", "z", 3]]
        assert len(_read([headings, *lines, [None, None, 6]]).rows) == 3
        assert len(_read([headings, *lines, [None, None, 7]]).rows) == 4
        assert len(_read([headings, *lines[:2], [None, None, 3], lines[2]]).rows) == 4

    def test_read_table_leaves_a_title_merged_over_the_columns_between_records(self) -> None:
        grid = Grid("S", [_HEADINGS, _RECORD, ["Devon", *[None] * 3], _OTHER], merged=(Merged(2, 0, 2, 3),))
        sheet = read_table(grid, name="a", likeness=likeness)
        assert [row.number for row in sheet.rows] == [2, 4]
        assert sheet.notes == ("Left out, because they are titles merged over the columns: row 3.",)

    def test_read_table_fills_merged_records_and_says_so(self) -> None:
        grid = Grid("S", [_HEADINGS, _RECORD, ["A2", None, "PL4", "waiting"]], merged=(Merged(1, 1, 2, 1),))
        sheet = read_table(grid, name="a", likeness=likeness)
        assert sheet.rows[1].cells == ("A2", "Sampleson", "PL4", "waiting")
        assert sheet.notes == ("Merged cells were each given the value that they show: row 3.",)

    def test_read_table_gives_columns_without_a_heading_their_values(self) -> None:
        sheet = _read([["Reference", None, "Status", None], ["A1", "x", "waiting", None, "y"], ["A2"]])
        assert sheet.headings == ("Reference", "", "Status", "", "")
        assert [row.cells for row in sheet.rows] == [("A1", "x", "waiting", None, "y"), ("A2", *[None] * 4)]

    def test_read_table_drops_columns_at_the_end_that_hold_nothing(self) -> None:
        sheet = _read([["Reference", None, "Status", None, None], ["A1", None, "waiting", None, None]])
        assert (sheet.headings, sheet.rows[0].cells) == (("Reference", "", "Status"), ("A1", None, "waiting"))

    def test_read_table_takes_unknown_headings_over_columns_of_figures(self) -> None:
        sheet = _read([["Teulu", "Enw", "Plant", "Cod"], ["A1", "Sampleson", 2, "EX4"], ["A2", "Mockford", 1, "PL4"]])
        assert (sheet.headings[0], len(sheet.rows)) == ("Teulu", 2)

    @pytest.mark.parametrize(
        "lines",
        [
            [["A1", "Sampleson", "EX4 4QJ", 2], ["A2", "Mockford", "PL4 8AA", 1]],
            [["Devon"], ["Cornwall"]],
            [["Testine", "Sampleson", "waiting"], ["Mock", "Mockford", "on hold"]],
        ],
    )
    def test_read_table_takes_no_record_for_headings_and_loses_none(self, lines: list[list[CellValue]]) -> None:
        sheet = _read(lines)
        assert (sheet.headings, sheet.heading_row, len(sheet.rows)) == ((), 0, len(lines))
        assert "No row looks like headings" in sheet.notes[0]

    def test_read_table_quotes_no_cell_in_its_notes(self) -> None:
        secret: list[CellValue] = ["Testine", "Secret", "Secret", "Secret"]
        grid = Grid("S", [secret, _HEADINGS, _RECORD, ["Total", 1, None, None], secret], merged=(Merged(4, 0, 4, 3),))
        assert "ecret" not in " ".join(read_table(grid, name="a", likeness=likeness).notes)

    def test_read_table_tells_what_is_hidden_only_where_something_stands(self) -> None:
        grid = Grid(
            "S",
            [_HEADINGS, _RECORD, []],
            hidden=True,
            hidden_rows=frozenset({1, 2, 900}),
            hidden_columns=frozenset({1, 30}),
            comments=2,
        )
        assert read_table(grid, name="a", likeness=likeness).notes == (
            "The sheet is hidden in the workbook. It was read.",
            "Hidden in the sheet, and read: row 2.",
            "Hidden in the sheet, and read: column B.",
            "Comments on cells are not read: the sheet has 2.",
        )

    def test_read_table_passes_on_the_epoch_and_the_title(self) -> None:
        sheet = read_table(Grid("Fam", [_HEADINGS], epoch=EPOCH_1904), name="a.xls", likeness=likeness)
        assert (sheet.name, sheet.title, sheet.epoch) == ("a.xls", "Fam", EPOCH_1904)

    def test_read_table_refuses_a_row_of_a_text_file_that_is_cut_short(self) -> None:
        grid = Grid("", [["Adopters"], _HEADINGS, _RECORD, ["A2", "x"]], whole_rows=True)
        with pytest.raises(UnreadableSheet, match="Row 4 has 2 cells and the headings have 4"):
            read_table(grid, name="a.csv", likeness=likeness)

    def test_read_table_refuses_too_many_columns(self) -> None:
        with pytest.raises(UnreadableSheet, match="201 columns; at most 200 can be read"):
            _read([["Reference", *["Notes"] * MOST_COLUMNS], _RECORD])

    def test_read_table_refuses_too_many_records(self) -> None:
        with pytest.raises(UnreadableSheet, match="at most 50000 can be read"):
            _read([_HEADINGS, *[_RECORD] * 50_001])


class TestGrid:
    def test_grid_names_the_cell_that_is_too_long(self) -> None:
        with pytest.raises(UnreadableSheet, match="Cell B3 holds 20001 characters"):
            Grid("S", [["A"], [], ["x", "y" * (LONGEST_CELL + 1)]])


def _read(lines: list[list[CellValue]]) -> Sheet:
    return read_table(Grid(title="S", cells=[list(line) for line in lines]), name="a.xlsx", likeness=likeness)
