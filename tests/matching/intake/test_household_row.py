"""Rows of the households' sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.intake.column import SheetKind
from matching.intake.household_row import HouseholdIntake, HouseholdRow
from matching.intake.sheet import CellValue
from matching.need import Answer, Tolerance, YesNo
from tests.matching.intake.reading_rows import read_households
from tests.matching.intake.strategies import TODAY, household_rows
from tests.matching.intake.writing import csv_file, headings_of, household_line, xlsx_file

_slow = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


class TestHouseholdsIn:
    @pytest.mark.parametrize(("write", "title"), [(csv_file, ""), (xlsx_file, "Sheet1")])
    @given(drawn=st.lists(household_rows(), min_size=1, max_size=4, unique_by=lambda row: row.reference))
    @_slow
    def test_households_in_reads_back_what_was_written(
        self, write: Callable[..., bytes], title: str, drawn: list[HouseholdRow]
    ) -> None:
        rows = [replace(row, number=number, sheet=title) for number, row in enumerate(drawn, start=2)]
        intake = _read(write([headings_of(SheetKind.HOUSEHOLDS), *map(household_line, rows)]))
        assert intake.problems == ()
        assert list(intake.rows) == rows

    @given(
        st.lists(
            st.lists(
                st.sampled_from(["A1", "A2", "yes", "9", "", "01/02/2024", "waiting", "x"]), min_size=6, max_size=6
            ),
            max_size=12,
        )
    )
    @_slow
    def test_households_in_accounts_for_every_row(self, lines: list[list[str]]) -> None:
        lines = [line for line in lines if any(line)]
        headings = ["Reference", "Status", "Pets", "Oldest age", "Approved on", "Address"]
        intake = _read(csv_file([headings, *lines]))
        taken = {row.number for row in intake.rows}
        assert taken | {problem.row for problem in intake.problems} == set(range(2, len(lines) + 2))
        assert not taken & {problem.row for problem in intake.problems}

    def test_households_in_leaves_a_missing_column_unsaid_and_a_blank_cell_unknown(self) -> None:
        row = _one(Pets=None)
        assert row.pets is YesNo.UNKNOWN
        assert "pets" in row.given
        assert "smokers" not in row.given

    def test_households_in_gives_ages_in_months_to_the_eve_of_a_birthday(self) -> None:
        row = _one(**{"Youngest age": "0", "Oldest age": "4"})
        assert (row.age_from_months, row.age_to_months) == (0, 59)

    def test_households_in_gathers_needs_by_code(self) -> None:
        row = _one(**{"Need: Neglect": "cannot high", "Need: Attachment": None})
        assert row.needs == {"neglect": Tolerance(high=Answer.CANNOT)}
        assert {"neglect", "attachment"} <= row.given

    @pytest.mark.parametrize(
        ("cells", "column"),
        [
            ({"Adopter 1 name": None, "Adopter 2 name": "Birch Example"}, "Adopter 1 name"),
            ({"Youngest age": "5", "Oldest age": "4"}, "Oldest age"),
            ({"Fewest children": "3", "Most children": "2"}, "Most children"),
            ({"Approved on": "03/03/2026"}, "Approved on"),
            ({"Youngest at home born": "04/2026"}, "Youngest at home born"),
            ({"Children at home": "0", "Youngest at home born": "04/2019"}, "Youngest at home born"),
            ({"Sharing": "hold"}, "Sharing reason"),
            ({"Sharing": None, "Sharing reason": "because"}, "Sharing"),
            ({"Sharing": "everyone"}, "Sharing"),
            ({"Status": None}, "Status"),
            ({"Status": "approved"}, "Status"),
            ({"Reference": None}, "Reference"),
            ({"Reference": "x" * 65}, "Reference"),
            ({"Oldest age": "18"}, "Oldest age"),
            ({"Most children": "0"}, "Most children"),
            ({"Postcode": "nowhere"}, "Postcode"),
            ({"Heritage": "English"}, "Heritage"),
            ({"Smokers": "sometimes"}, "Smokers"),
            ({"Appeal": "sometimes"}, "Appeal"),
            ({"Need: Neglect": "some"}, "Need: Neglect"),
            ({"Email": "none"}, "Email"),
            ({"Telephone": "none"}, "Telephone"),
            ({"Approved on": "45358"}, "Approved on"),
            ({"Youngest at home born": "2019"}, "Youngest at home born"),
            ({"Profile": "x" * 10_001}, "Profile"),
        ],
    )
    def test_households_in_refuses_what_cannot_be_and_names_the_column(
        self, cells: dict[str, str | None], column: str
    ) -> None:
        intake = _read(csv_file(_lines(cells)))
        assert intake.rows == ()
        assert [(problem.row, problem.column) for problem in intake.problems] == [(2, column)]
        assert intake.problems[0].reason

    def test_households_in_refuses_both_rows_of_one_reference_and_takes_the_rest(self) -> None:
        intake = _read(csv_file([["Reference", "Status"], ["A", "waiting"], ["B", "waiting"], ["A", "on hold"]]))
        assert [row.reference for row in intake.rows] == ["B"]
        assert {problem.row for problem in intake.problems} == {2, 4}


def _one(**cells: Any) -> HouseholdRow:
    intake = _read(csv_file(_lines(cells)))
    assert intake.problems == ()
    return intake.rows[0]


def _lines(cells: dict[str, Any]) -> list[list[CellValue]]:
    cells = {"Reference": "ADP-1", "Status": "waiting"} | cells
    return [list(cells), list(cells.values())]


def _read(content: bytes) -> HouseholdIntake:
    return read_households(content, today=TODAY)
