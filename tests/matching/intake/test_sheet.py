"""A sheet as it was handed in."""

from __future__ import annotations

import pytest

from matching.intake.sheet import (
    LONGEST_CELL,
    MOST_COLUMNS,
    MOST_ROWS,
    UnreadableSheet,
    column_letter,
    sheet_of,
    tidy_text,
)


class TestSheetOf:
    def test_sheet_of_numbers_rows_as_a_spreadsheet_does_and_leaves_blank_ones_out(self) -> None:
        sheet = sheet_of("a.csv", [["A", "B"], [None, None], ["x", None], [], [None, 3]])
        assert [(row.number, row.cells) for row in sheet.rows] == [(3, ("x", None)), (5, (None, 3))]

    def test_sheet_of_drops_blank_headings_at_the_end_only(self) -> None:
        assert sheet_of("a.csv", [["A", None, "B", None, None]]).headings == ("A", "", "B")

    @pytest.mark.parametrize("lines", [[], [[]], [[None, None], ["x"]]])
    def test_sheet_of_refuses_a_sheet_without_headings(self, lines: list[list[None]]) -> None:
        with pytest.raises(UnreadableSheet, match="Row 1 is empty"):
            sheet_of("a.csv", lines)  # type: ignore[arg-type]

    def test_sheet_of_refuses_too_many_columns(self) -> None:
        with pytest.raises(UnreadableSheet, match="201 columns"):
            sheet_of("a.csv", [["H"] * (MOST_COLUMNS + 1)])

    def test_sheet_of_refuses_too_many_rows(self) -> None:
        with pytest.raises(UnreadableSheet, match="Split it"):
            sheet_of("a.csv", [["H"], *([["x"]] * (MOST_ROWS + 1))])  # type: ignore[list-item]

    def test_sheet_of_names_the_cell_that_is_too_long(self) -> None:
        with pytest.raises(UnreadableSheet, match="Cell B3 holds 20001 characters"):
            sheet_of("a.csv", [["A", "B"], ["x", "y"], ["x", "y" * (LONGEST_CELL + 1)]])


class TestTidyText:
    @pytest.mark.parametrize(
        ("text", "tidy"),
        [
            ("  x ", "x"),
            ("\u00a0x\u202fy\u00a0", "x y"),
            ("\ufeff\u200bx", "x"),
            ("e\u0301", "é"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("a\u2028b", "a\nb"),
            (" \u00a0\t", None),
            ("", None),
            ("O’Brien–Smith", "O’Brien–Smith"),
        ],
    )
    def test_tidy_text_gives_one_form(self, text: str, tidy: str | None) -> None:
        assert tidy_text(text) == tidy


class TestColumnLetter:
    @pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
    def test_column_letter_counts_as_a_spreadsheet_does(self, index: int, letters: str) -> None:
        assert column_letter(index) == letters
