"""A sheet as it was handed in."""

from __future__ import annotations

import pytest

from matching.intake.sheet import column_letter, tidy_text


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
