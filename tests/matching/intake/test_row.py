"""One row being read."""

from __future__ import annotations

from datetime import date

import pytest

from matching.intake.column import Layout, SheetKind, columns_of, with_dates
from matching.intake.row import RowCells, RowProblem, read_row, repeated_references, shown
from matching.intake.sheet import CellValue, Sheet, SheetRow
from matching.need import YesNo


class TestReadRow:
    def test_read_row_reports_every_cell_that_is_wrong_with_its_place(self) -> None:
        cells, problems = _read("Reference", "Pets", "Most children", values=("A1", "hardly", "many"))
        assert [(p.row, p.column, p.value) for p in problems] == [(7, "Pets", "hardly"), (7, "Most children", "many")]
        assert cells.fields == {"reference": "A1", "status": "waiting"}

    def test_read_row_takes_missing_cells_for_blank(self) -> None:
        cells, problems = _read("Reference", "Pets", values=("A1",))
        assert (cells.fields["pets"], problems) == (YesNo.UNKNOWN, ())

    def test_read_row_refuses_a_blank_cell_that_must_be_filled(self) -> None:
        _, problems = _read("Reference", "Pets", values=(None, "yes"))
        assert problems == (RowProblem(7, "Reference", None, "it is blank and must be filled"),)

    def test_read_row_refuses_values_beyond_the_headings(self) -> None:
        _, problems = _read("Reference", values=("A1", None, "lost"))
        assert problems == (RowProblem(7, None, "lost", "column D has no heading"),)

    @pytest.mark.parametrize(("pets", "refused"), [(None, ["Reference"]), ("yes", [])])
    def test_read_row_refuses_a_note_under_the_table_as_nobodys_reference(
        self, pets: CellValue, refused: list[str]
    ) -> None:
        columns = {column.heading: column for column in columns_of(SheetKind.HOUSEHOLDS)}
        placed = tuple(enumerate(columns[heading] for heading in ("Reference", "Pets", "Most children")))
        row = SheetRow(9, ("* = awaiting panel", pets, None))
        _, problems = read_row(row, Layout(kind=SheetKind.HOUSEHOLDS, placed=placed))
        assert [problem.column for problem in problems] == refused
        assert all("it may be a note" in problem.reason for problem in problems)

    def test_read_row_spreads_one_cell_over_two_fields(self) -> None:
        cells, problems = _read("Age range", "Number of children", values=("0-4 yrs", "sib group of 2"))
        assert problems == ()
        assert cells.fields == {
            "status": "waiting",
            "age_from_months": 0,
            "age_to_months": 59,
            "fewest_children": 2,
            "most_children": 2,
        }

    @pytest.mark.parametrize("headings", [("Age range", "Oldest age"), ("Oldest age", "Age range")])
    def test_read_row_takes_two_columns_of_one_field_that_agree(self, headings: tuple[str, str]) -> None:
        said: dict[str, CellValue] = {"Age range": "2+", "Oldest age": "4"}
        cells, problems = _read(*headings, values=(said[headings[0]], said[headings[1]]))
        assert problems == ()
        assert (cells.fields["age_from_months"], cells.fields["age_to_months"]) == (24, 59)

    def test_read_row_refuses_two_columns_of_one_field_that_do_not_agree(self) -> None:
        _, problems = _read("Age range", "Oldest age", values=("0-4", "5"))
        assert [problem.column for problem in problems] == ["Oldest age"]
        assert "says otherwise" in problems[0].reason

    @pytest.mark.parametrize(
        ("epoch", "day"), [(date(1899, 12, 30), date(2024, 3, 7)), (date(1904, 1, 1), date(2028, 3, 8))]
    )
    def test_read_row_counts_a_bare_number_from_the_workbooks_first_day(self, epoch: date, day: date) -> None:
        cells, problems = _read("Available from", values=(45358.5,), epoch=epoch)
        assert (cells.fields["available_from"], problems) == (day, ())

    @pytest.mark.parametrize(
        ("epoch", "value"),
        [(None, 45358), (date(1899, 12, 30), 2024), (date(1899, 12, 30), 20240307), (date(1899, 12, 30), float("nan"))],
    )
    def test_read_row_refuses_a_bare_number_that_counts_to_no_day(self, epoch: date | None, value: float) -> None:
        _, problems = _read("Available from", values=(value,), epoch=epoch)
        assert [problem.column for problem in problems] == ["Available from"]
        assert "dd/mm/yyyy" in problems[0].reason

    def test_read_row_leaves_a_number_alone_that_is_no_date(self) -> None:
        cells, _ = _read("Children at home", values=(3,), epoch=date(1899, 12, 30))
        assert cells.fields["children_at_home"] == 3

    @pytest.mark.parametrize(
        ("value", "taken"), [("03/04/2024", False), ("25/04/2024", True), ("04/04/2024", True), ("3 April 2024", True)]
    )
    def test_read_row_refuses_what_may_be_month_first_where_another_date_is(self, value: str, taken: bool) -> None:
        _, problems = _read("Approved on", values=(value,), others=("03/25/2024",))
        assert (problems == ()) is taken

    def test_read_row_asks_each_column_by_itself_whether_it_is_month_first(self) -> None:
        _, problems = _read("Approved on", "Available from", values=("03/04/2024", "1/2/27"), others=(None, "02/25/27"))
        assert [problem.column for problem in problems] == ["Available from"]

    def test_read_row_refuses_the_error_of_a_formula(self) -> None:
        _, problems = _read("Adopter 1 name", values=("#N/A",))
        assert "formula" in problems[0].reason


class TestRepeatedReferences:
    def test_repeated_references_names_both_rows(self) -> None:
        problems = repeated_references(_named("A", "B", "A", None, None), heading="Reference")
        assert [(p.row, p.value, p.reason) for p in problems] == [
            (2, "A", "the same reference is on row 4"),
            (4, "A", "the same reference is on row 2"),
        ]

    def test_repeated_references_keeps_a_long_list_short(self) -> None:
        problems = repeated_references(_named(*"A" * 20), heading="Reference")
        assert problems[0].reason == "the same reference is on rows 3, 4, 5, 6, 7, 14 more"


class TestShown:
    def test_shown_writes_values_as_a_person_would(self) -> None:
        assert [shown(date(2024, 3, 7)), shown(YesNo.YES), shown(None), shown("a\nb"), shown("x" * 200)] == [
            "07/03/2024",
            "yes",
            None,
            "a b",
            "x" * 79 + "…",
        ]


def _read(
    *headings: str,
    values: tuple[CellValue, ...],
    others: tuple[CellValue, ...] = (),
    epoch: date | None = None,
) -> tuple[RowCells, tuple[RowProblem, ...]]:
    """Read row 7 of a sheet whose row 8 holds ``others``."""
    row, other = SheetRow(7, ("waiting", *values)), SheetRow(8, ("waiting", *others))
    columns = {column.heading: column for column in columns_of(SheetKind.HOUSEHOLDS)}
    placed = tuple((index, columns[heading]) for index, heading in enumerate(("Status", *headings)))
    sheet = Sheet("a.csv", ("Status", *headings), (row, other), epoch=epoch)
    return read_row(row, with_dates(Layout(kind=SheetKind.HOUSEHOLDS, placed=placed), sheet))


def _named(*references: str | None) -> list[RowCells]:
    """Return rows 2 and on, each with its reference."""
    return [RowCells(number, {"reference": each}, {}) for number, each in enumerate(references, start=2)]
