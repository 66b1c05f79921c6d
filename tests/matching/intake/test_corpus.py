"""Dirty cells, one by one: each is what it must be, or is refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, time
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.intake import cell
from matching.intake.cell import CellProblem
from matching.intake.sheet import CellValue
from tests.matching.intake.corpus import REFUSED, Case, cases

CASES: Final = cases()
PARSERS: Final[dict[str, Callable[[CellValue], Any]]] = {
    "children_at_home": cell.whole_number_cell(0, 20),
    **{case.kind: getattr(cell, case.kind) for case in CASES if case.kind != "children_at_home"},
}
LONGEST_TOLD = 40

_pieces = st.sampled_from(sorted({part for case in CASES if isinstance(case.cell, str) for part in case.cell.split()}))
_cells = st.one_of(
    st.text(max_size=90),
    st.lists(_pieces, max_size=12).map(" ".join),
    st.lists(_pieces, max_size=12).map("; ".join),
    st.sampled_from([case.cell for case in CASES]),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.times(),
)


class TestCorpus:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.cell!r}")
    def test_each_cell_becomes_what_it_must(self, case: Case) -> None:
        becomes = case.cell if case.becomes == "as typed" else case.becomes

        assert _read(case) == becomes

    def test_has_hundreds_of_cells_and_none_twice(self) -> None:
        said = [(case.kind, type(case.cell), case.cell) for case in CASES]

        assert len(said) >= 500
        assert len(set(map(repr, said))) == len(said)

    def test_has_a_parser_for_every_kind_of_column(self) -> None:
        named = {name for name in cell.__all__ if name.endswith("_cell")}

        assert named - PARSERS.keys() == {"any_cell", "choice_cell", "text_cell", "whole_number_cell"}


class TestEveryParser:
    @given(st.sampled_from(sorted(PARSERS)), _cells)
    @settings(max_examples=1500)
    def test_gives_a_value_or_says_what_it_expected(self, kind: str, value: CellValue) -> None:
        told = _told(kind, value)

        assert told is None or "expect" in told.lower() or told.startswith(("Excel has", "the number")), told

    @given(st.sampled_from(sorted(PARSERS)), st.text(min_size=LONGEST_TOLD + 1, max_size=300))
    @settings(max_examples=300)
    def test_tells_no_more_than_forty_characters_of_a_cell(self, kind: str, value: str) -> None:
        told = _told(kind, value) or ""

        assert not any(value[at : at + LONGEST_TOLD + 1] in told for at in range(len(value) - LONGEST_TOLD))

    @given(st.sampled_from(sorted(PARSERS)), _cells)
    @settings(max_examples=300)
    def test_reads_a_cell_the_same_each_time(self, kind: str, value: CellValue) -> None:
        with suppress(CellProblem):
            assert PARSERS[kind](value) == PARSERS[kind](value)

    @pytest.mark.parametrize("kind", sorted(PARSERS.keys() - {"status_cell", "sharing_cell"}))
    @pytest.mark.parametrize("value", [None, "n/k", "?", "TBC"])
    def test_takes_nothing_known_for_a_blank_or_refuses_it(self, kind: str, value: CellValue) -> None:
        read = _read(Case(kind, value, None))

        assert read in (PARSERS[kind](None), REFUSED)


def _read(case: Case) -> Any:
    try:
        return PARSERS[case.kind](case.cell)
    except CellProblem:
        return REFUSED


def _told(kind: str, value: CellValue) -> str | None:
    try:
        PARSERS[kind](value)
    except CellProblem as problem:
        return f"{problem}"
    return None


def test_the_kinds_of_value_are_all_tried() -> None:
    kinds = {type(case.cell) for case in CASES}

    assert {str, int, float, bool, date, time, type(None)} <= kinds
