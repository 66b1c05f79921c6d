"""Tables told apart by their columns."""

from __future__ import annotations

import pytest

from matching.intake.sheet import UnreadableSheet
from matching.intake.ssda903.table import Record, Table, column_named, table_of
from tests.matching.intake.ssda903.returns import COLUMNS

_TABLES = dict(zip(COLUMNS, (Table.HEADER, Table.EPISODES, Table.AD1, Table.PLACED), strict=True))


class TestTableOf:
    @pytest.mark.parametrize("name", COLUMNS)
    def test_knows_each_table_whatever_its_order_and_case(self, name: str) -> None:
        headings = [f" {heading.lower()} " for heading in reversed(COLUMNS[name])]
        assert table_of(headings, sheet="a file") is _TABLES[name]

    @pytest.mark.parametrize(
        "headings",
        [
            [],
            ["", ""],
            ["CHILD", "DOB", "REVIEW", "REVIEW_CODE"],
            ["CHILD", "DOB", "PREV_PERM", "LA_PERM", "DATE_PERM"],
            ["CHILD", "SEX", "DOB", "DUC"],
            ["CHILD", "DOB", "MISSING", "MIS_START", "MIS_END"],
            ["Reference", "Status"],
        ],
    )
    def test_leaves_what_it_does_not_read(self, headings: list[str]) -> None:
        assert table_of(headings, sheet="a file") is None

    @pytest.mark.parametrize(
        ("name", "without"),
        [("header.csv", "DOB"), ("header.csv", "SEX"), ("episodes.csv", "LS"), ("episodes.csv", "CHILD"),
         ("placed.csv", "REASON_PLACED_CEASED"), ("ad1.csv", "DATE_INT")],
    )  # fmt: skip
    def test_refuses_a_table_that_lacks_a_column(self, name: str, without: str) -> None:
        headings = [heading for heading in COLUMNS[name] if heading != without]
        with pytest.raises(
            UnreadableSheet, match=rf"my\.csv looks like the table {_TABLES[name]}.*no column {without}"
        ):
            table_of(headings, sheet="my.csv")

    @pytest.mark.parametrize(
        ("name", "without"), [("ad1.csv", "DOB"), ("placed.csv", "DOB"), ("episodes.csv", "HOME_POST")]
    )
    def test_does_without_columns_that_another_table_has_or_that_may_be_unknown(self, name: str, without: str) -> None:
        headings = [heading for heading in COLUMNS[name] if heading != without]
        assert table_of(headings, sheet="my.csv") is _TABLES[name]

    def test_refuses_a_column_that_is_there_twice(self) -> None:
        with pytest.raises(UnreadableSheet, match="column DOB twice"):
            table_of([*COLUMNS["header.csv"], "Dob"], sheet="my.csv")


class TestColumnNamed:
    @pytest.mark.parametrize(
        ("heading", "column"),
        [("childid", "CHILD"), ("PL", "PLACE"), (" date placed ceased", "DATE_PLACED_CEASED"), ("Gender", "SEX")],
    )
    def test_gives_the_name_of_the_guide(self, heading: str, column: str) -> None:
        assert column_named(heading) == column


class TestRecord:
    def test_points_at_its_cell(self) -> None:
        record = Record(Table.HEADER, "header.csv", 7, "C1", {"DOB": "1/2/3"})
        problem = record.problem("DOB", "because")
        assert (problem.sheet, problem.row, problem.column, problem.value) == ("header.csv", 7, "DOB", "1/2/3")
        assert record.problem("CHILD", "because").value == "C1"
        assert record.problem("SEX", "because").value is None
        assert record.problem(None, "because").column is None
