"""Households in random shapes and words, read back."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.intake.column import Layout, SheetKind, columns_of
from matching.intake.household_row import HouseholdRow, households_in
from matching.intake.row import read_row
from matching.intake.sheet import SheetRow
from tests.matching.intake.shapes import Written, written_households
from tests.matching.intake.strategies import TODAY, household_rows

_households = household_rows().flatmap(written_households)


class TestReadRow:
    @given(_households)
    @settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    def test_read_row_reads_back_a_household_written_by_any_hand(self, written: tuple[HouseholdRow, Written]) -> None:
        row, cells = written
        layout = _layout([heading for heading, _ in cells.values()])
        read, problems = read_row(SheetRow(row.number, tuple(cell for _, cell in cells.values())), layout)

        intake = households_in([read], problems, today=TODAY)

        assert (intake.problems, [replace(each, given=row.given) for each in intake.rows]) == ((), [row])

    @given(_households, st.data())
    @settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    def test_read_row_gives_every_field_that_the_sheet_has(
        self, written: tuple[HouseholdRow, Written], data: st.DataObject
    ) -> None:
        _, cells = written
        kept = data.draw(st.sets(st.sampled_from(sorted(cells)), min_size=1))
        layout = _layout([cells[heading][0] for heading in sorted(kept)])

        read, problems = read_row(SheetRow(2, tuple(cells[heading][1] for heading in sorted(kept))), layout)

        columns = {column.heading: column for column in columns_of(SheetKind.HOUSEHOLDS)}
        assert problems == ()
        assert {*read.fields, *read.needs} == {name for heading in kept for name in columns[heading].fields}


def _layout(headings: list[str]) -> Layout:
    known = {
        name.casefold(): column
        for column in columns_of(SheetKind.HOUSEHOLDS)
        for name in (*column.other_names, column.heading)
    }
    placed = tuple((index, known[heading.casefold()]) for index, heading in enumerate(headings))
    return Layout(kind=SheetKind.HOUSEHOLDS, placed=placed)
