"""The documented headings."""

from __future__ import annotations

from pathlib import Path

import pytest

from matching.intake.column import SHEETS, SheetKind, columns_of, heading_table, layout_of
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


def _sheet(*headings: str) -> Sheet:
    return Sheet("a.csv", headings, ())
