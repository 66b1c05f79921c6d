"""How much headings and cells are like documented columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.intake.alike import LEAST, LIKELY, Likeness, by_name, heading_likeness, likeness_of
from matching.intake.column import SHEETS, Column, SheetKind, columns_of
from matching.intake.mapping import SURE, How, plain_heading
from matching.intake.sheet import CellValue
from tests.matching.intake.headings import NAMED, odd_words

_KIND = SheetKind.HOUSEHOLDS
_cells = st.none() | st.text(max_size=9) | st.integers() | st.booleans() | st.dates()


class TestHeadingLikeness:
    @pytest.mark.parametrize(
        "cells", [("A", "Alder Example"), ("B", "Elm Sample"), ("Elm",), ("D-1", "waiting", "yes"), ("C-7", "Mockford")]
    )
    @pytest.mark.parametrize("kind", SHEETS)
    def test_takes_no_record_for_headings(self, cells: tuple[str, ...], kind: SheetKind) -> None:
        assert heading_likeness(kind)(cells) == 0

    def test_is_the_share_of_cells_that_are_known(self) -> None:
        assert heading_likeness(SheetKind.HOUSEHOLDS)(("Reference", "Zqx")) == 0.5

    @pytest.mark.parametrize("cells", [(), ("", "")])
    def test_is_nought_where_nothing_is_said(self, cells: tuple[str, ...]) -> None:
        assert heading_likeness(_KIND)(cells) == 0

    @pytest.mark.parametrize(("typo", "counts"), [("Referense", True), ("Refxyz", False)])
    def test_counts_a_heading_with_a_slip_of_the_pen(self, typo: str, counts: bool) -> None:
        assert (heading_likeness(_KIND)([typo]) > 0) is counts


class TestByName:
    @given(st.sampled_from(NAMED), st.sampled_from((str.upper, str.lower, str.title)))
    @settings(deadline=None)
    def test_is_one_column_for_a_name_that_is_known(
        self, named: tuple[SheetKind, Column, str], cased: Callable[[str], str]
    ) -> None:
        kind, column, name = named
        assert by_name(cased(f" {name}. "), kind) == {column.heading: Likeness(98, How.OTHER_NAME)}

    @pytest.mark.parametrize("kind", SHEETS)
    def test_no_name_stands_for_two_columns(self, kind: SheetKind) -> None:
        named = {
            (plain_heading(name.removeprefix("Need:")), column.heading)
            for column in columns_of(kind)
            for name in (column.heading, *column.other_names)
        }
        assert len({name for name, _ in named}) == len(named)

    @pytest.mark.parametrize(
        ("heading", "expected"),
        [
            ("Youngest age", ("Youngest age", 100, How.SAME)),
            ("Youngest age (years)", ("Youngest age", 99, How.SAME)),
            ("Youngest age(in years, please)", ("Youngest age", 99, How.SAME)),
            (f"Status ({'waiting or not ' * 7})", ("Status", 99, How.SAME)),
            ("Direct contact (birth family)", ("Direct contact", 98, How.OTHER_NAME)),
            ("Age (to)", ("Oldest age", 98, How.OTHER_NAME)),
            ("Neglect", ("Need: Neglect", 98, How.OTHER_NAME)),
        ],
    )
    def test_knows_a_heading_with_a_note_and_a_need_by_its_title(
        self, heading: str, expected: tuple[str, int, How]
    ) -> None:
        column, score, how = expected
        assert by_name(heading, _KIND) == {column: Likeness(score, how)}

    @pytest.mark.parametrize("heading", ["", " – ", "()", "x" * 81, "status " * 12])
    def test_knows_nothing_of_what_is_no_heading(self, heading: str) -> None:
        assert by_name(heading, _KIND) == {}

    @given(st.text(max_size=40))
    @settings(deadline=None)
    def test_is_never_sure_of_what_is_only_alike(self, heading: str) -> None:
        for like in by_name(heading, _KIND).values():
            assert like.how is not How.ALIKE or 0 < like.score < SURE

    def test_is_unsure_of_a_name_among_other_words(self) -> None:
        like = by_name("Status of the assessment of grandparents", _KIND)["Status"]
        assert like == Likeness(85, How.ALIKE)

    def test_counts_words_in_another_order_for_more_than_words_left_out(self) -> None:
        assert by_name("age youngest", _KIND)["Youngest age"] == Likeness(94, How.ALIKE)


class TestLikenessOf:
    def test_takes_a_documented_heading_at_its_word(self) -> None:
        assert likeness_of("Pets", ["zq, 7 §"], _column("Pets"), _KIND) == Likeness(100, How.SAME)

    @pytest.mark.parametrize(
        ("cells", "score"),
        [((), 98), (("yes",), 98), (("yes", "zq"), 98), (("yes", "zq", "zr"), 65), (("zq",), 49)],
    )
    def test_believes_another_name_while_half_of_the_cells_fit(self, cells: tuple[str, ...], score: int) -> None:
        name = _column("Pets").other_names[0]
        assert likeness_of(name, cells, _column("Pets"), _KIND) == Likeness(score, How.OTHER_NAME)

    def test_is_never_likely_where_the_name_is_no_name_of_it(self) -> None:
        assert likeness_of("Xqzz", ["yes"], _column("Pets"), _KIND) == Likeness(0, How.NONE)
        assert likeness_of("Smokers", ["yes"], _column("Pets"), _KIND) == Likeness(0, How.NONE)

    def test_is_raised_by_cells_that_only_such_a_column_takes(self) -> None:
        vague, column = "Any post codes", _column("Postcode")
        empty, fitting, not_fitting = (
            likeness_of(vague, cells, column, _KIND).score for cells in ([], ["EX4 4QJ"], ["zq, 7 §"])
        )
        assert not_fitting == round(empty / 2)
        assert fitting == max(empty, min(LIKELY, empty + 15))

    def test_is_raised_no_higher_than_likely_and_not_by_cells_that_any_column_takes(self) -> None:
        assert by_name("Petz here", _KIND)["Pets"].score == 57
        assert likeness_of("Petz here", ["yes"], _column("Pets"), _KIND) == Likeness(72, How.ALIKE)
        assert by_name("Petrol", _KIND)["Pets"].score == 67
        assert likeness_of("Petrol", ["yes"], _column("Pets"), _KIND) == Likeness(75, How.ALIKE)
        profile = by_name("Profitable", _KIND)["Profile"].score
        assert likeness_of("Profitable", ["yes"], _column("Profile"), _KIND).score == profile

    @given(
        odd_words, st.lists(st.none() | st.text(max_size=9) | st.integers() | st.booleans() | st.dates(), max_size=4)
    )
    @settings(deadline=None, max_examples=50)
    def test_takes_an_odd_word_for_nothing_whatever_stands_below(self, word: str, cells: list[CellValue]) -> None:
        for column in columns_of(_KIND):
            assert likeness_of(word, cells, column, _KIND).score < LEAST


def _column(heading: str) -> Column:
    return next(column for column in columns_of(_KIND) if column.heading == heading)
