"""The documented headings."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from matching.intake.cell import CellProblem
from matching.intake.column import SHEETS, Column, SheetKind, columns_of, heading_table, layout_of
from matching.intake.mapping import plain_heading
from matching.intake.sheet import Sheet, SheetRow, UnreadableSheet
from matching.need import need_catalogue
from tests.matching.intake.writing import headings_of

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


class TestLayoutOf:
    def test_layout_of_takes_any_order_case_and_spacing(self) -> None:
        layout = layout_of(_sheet("STATUS", " oldest  AGE (years)", "reference"), SheetKind.HOUSEHOLDS)
        assert layout.headings() == ("Status", "Oldest age", "Reference")

    @_BOTH
    def test_layout_of_takes_the_whole_documented_sheet(self, kind: SheetKind) -> None:
        assert layout_of(_sheet(*headings_of(kind)), kind).headings() == tuple(headings_of(kind))

    @pytest.mark.parametrize(
        ("heading", "meant"),
        [
            ("Approved On:", "Approved on"),
            ("Smoker", "Smokers"),
            ("Need: Neglected", "Need: Neglect"),
            ("Sex aproved", "Sex approved"),
            ("E-mail", "Email"),
            ("Yougest age", "Youngest age"),
        ],
    )
    def test_layout_of_asks_whether_another_heading_was_meant(self, heading: str, meant: str) -> None:
        with pytest.raises(UnreadableSheet, match=f"did you mean “{meant}”"):
            layout_of(_sheet("Reference", "Status", heading), SheetKind.HOUSEHOLDS)

    def test_layout_of_names_a_heading_that_is_like_none(self) -> None:
        with pytest.raises(UnreadableSheet, match=r"“Zxqj” \(column C\) is not a heading: rename or delete it"):
            layout_of(_sheet("Reference", "Status", "Zxqj"), SheetKind.HOUSEHOLDS)

    def test_layout_of_refuses_a_heading_that_stands_twice(self) -> None:
        with pytest.raises(UnreadableSheet, match="stands in columns A and C"):
            layout_of(_sheet("Reference", "Status", "reference"), SheetKind.HOUSEHOLDS)

    def test_layout_of_names_every_needed_column_that_is_missing(self) -> None:
        with pytest.raises(UnreadableSheet, match=r"“Group reference” is missing.*“Child reference” is missing"):
            layout_of(_sheet("Forename"), SheetKind.CHILDREN)

    def test_layout_of_sees_the_other_kind_of_sheet(self) -> None:
        with pytest.raises(UnreadableSheet, match="looks like a sheet of children"):
            layout_of(_sheet(*headings_of(SheetKind.CHILDREN)), SheetKind.HOUSEHOLDS)

    def test_layout_of_quotes_nothing_of_a_sheet_without_headings(self) -> None:
        with pytest.raises(UnreadableSheet, match="none of the headings that are known") as caught:
            layout_of(_sheet("ADP-1", "Testine Sampleson", "EX4 4QJ"), SheetKind.HOUSEHOLDS)

        assert "Sampleson" not in str(caught.value)

    def test_layout_of_refuses_values_under_no_heading(self) -> None:
        sheet = Sheet("a.csv", ("Reference", "", "Status"), (SheetRow(2, ("A", "lost", "waiting")),))
        with pytest.raises(UnreadableSheet, match="Column B has values and no heading"):
            layout_of(sheet, SheetKind.HOUSEHOLDS)

    def test_layout_of_passes_over_an_empty_column(self) -> None:
        sheet = Sheet("a.csv", ("Reference", "", "Status"), (SheetRow(2, ("A", None, "waiting")),))
        assert [index for index, _ in layout_of(sheet, SheetKind.HOUSEHOLDS).placed] == [0, 2]


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


def _sheet(*headings: str) -> Sheet:
    return Sheet("a.csv", headings, ())
