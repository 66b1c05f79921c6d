"""The documented headings."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from matching.intake.cell import CellProblem
from matching.intake.column import SHEETS, Column, SheetKind, columns_of, heading_table
from matching.intake.mapping import plain_heading
from matching.need import need_catalogue

_BOTH = pytest.mark.parametrize("kind", SHEETS)


class TestColumnsOf:
    @_BOTH
    def test_columns_of_has_each_heading_and_field_once(self, kind: SheetKind) -> None:
        columns = columns_of(kind)
        assert len({column.heading.casefold() for column in columns}) == len(columns)
        assert len({column.field for column in columns}) == len(columns)

    @_BOTH
    def test_columns_of_has_a_column_for_every_need(self, kind: SheetKind) -> None:
        assert [column.field for column in columns_of(kind) if column.of_need] == list(need_catalogue().codes())

    @_BOTH
    def test_columns_of_gives_no_two_columns_one_name(self, kind: SheetKind) -> None:
        names = [
            (plain, column.heading)
            for column in columns_of(kind)
            for plain in {plain_heading(name) for name in (column.heading, *column.other_names)}
        ]
        assert len({name for name, _ in names}) == len(names)

    @_BOTH
    def test_columns_of_gives_every_column_other_names(self, kind: SheetKind) -> None:
        assert [column.heading for column in columns_of(kind) if not column.other_names] == []
        assert all(name == " ".join(name.split()) for column in columns_of(kind) for name in column.other_names)

    @_BOTH
    def test_columns_of_names_no_heading_that_there_is_not(self, kind: SheetKind) -> None:
        headings = {column.heading for each in SHEETS for column in columns_of(each)}
        with (files("matching") / "data" / "other_headings.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        own = {column.heading for column in columns_of(kind)}
        assert {row["heading"] for row in rows} == headings
        assert {row["heading"] for row in rows if row["kind"] in {kind.value, "both"}} == own
        assert {row["kind"] for row in rows} == {*SHEETS, "both"}

    @_BOTH
    def test_columns_of_marks_every_column_of_dates(self, kind: SheetKind) -> None:
        dates = {column.heading for column in columns_of(kind) if column.is_date}
        assert dates == {column.heading for column in columns_of(kind) if _reads_dates(column)}

    @_BOTH
    def test_columns_of_spreads_one_cell_over_fields_that_other_columns_have(self, kind: SheetKind) -> None:
        columns = columns_of(kind)
        single = {column.field for column in columns if not column.spreads}
        assert all(set(column.fields) <= single for column in columns if column.spreads)
        assert [column for column in columns if column.spreads and column.of_group] == []

    @_BOTH
    def test_columns_of_gives_examples_that_can_be_read(self, kind: SheetKind) -> None:
        for column in columns_of(kind):
            column.parse(column.example or None)

    @_BOTH
    def test_columns_of_is_what_the_document_says(self, kind: SheetKind) -> None:
        document = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
        missing = [
            column.heading for column in columns_of(kind) if not column.of_need and f"{column.heading}" not in document
        ]
        assert missing == []
        assert "Need: " in document


class TestHeadingTable:
    @_BOTH
    def test_heading_table_has_a_line_for_every_column(self, kind: SheetKind) -> None:
        lines = heading_table(kind).splitlines()
        assert len(lines) == 2 + len(columns_of(kind))
        assert all(line.count("|") == 4 for line in lines)


def _reads_dates(column: Column) -> bool:
    try:
        return isinstance(column.parse("07/03/2024"), date)
    except CellProblem:
        return False
