"""One row being read."""

from __future__ import annotations

from datetime import date

from matching.intake.column import SheetKind, layout_of
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


def _read(*headings: str, values: tuple[CellValue, ...]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    layout = layout_of(Sheet("a.csv", ("Status", *headings), ()), SheetKind.HOUSEHOLDS)
    return read_row(SheetRow(7, ("waiting", *values)), layout)


def _named(*references: str | None) -> list[RowCells]:
    """Return rows 2 and on, each with its reference."""
    return [RowCells(number, {"reference": each}, {}) for number, each in enumerate(references, start=2)]
