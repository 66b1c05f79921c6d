"""The page on data is held to what the importer takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from matching.intake.cell import CellProblem, tolerance_cell
from matching.intake.column import SHEETS, SheetKind, columns_of, heading_table
from matching.place import list_outward_codes
from tests.matching.intake.reading_rows import read_groups, read_households

PAGE = Path(__file__).parents[1] / "docs" / "data.md"
AS_OF = date(2026, 11, 23)


class TestDataPage:
    @pytest.mark.parametrize("kind", SHEETS)
    def test_holds_every_column_as_the_importer_documents_it(self, page: str, kind: SheetKind) -> None:
        assert heading_table(kind) in page

    def test_gives_examples_that_the_importer_takes(self, page: str) -> None:
        households, children = re.findall(r"```csv\n(.*?)```", page, flags=re.DOTALL)
        taken = read_households(households.encode(), today=AS_OF)
        found = read_groups(children.encode(), today=AS_OF)
        assert (taken.problems, found.problems) == ((), ())
        assert [len(group.children) for group in found.groups] == [2]

    def test_reads_tolerances_as_the_importer_does(self, page: str) -> None:
        rows = re.findall(r"^\| (?:`([^`]*)`)? ?\| ([a-z ]+) \| ([a-z ]+) \| ([a-z ]+) \|$", page, flags=re.MULTILINE)
        said = {cell: answers for cell, *answers in rows if cell or answers[0] == "unknown"}
        assert len(said) == 6
        assert {cell: answers_of(cell) for cell in said} == said

    def test_reads_what_people_write_as_it_says(self, page: str) -> None:
        rows = re.findall(r"^\| ([^|`]+?)( \(child\))? \| `([^`]*)` \| ([^|]+) \|$", page, flags=re.MULTILINE)
        written = [row for row in rows if row[0] in _headings()]
        assert len(written) >= 50
        for heading, child, cell, said in written:
            kind = SheetKind.CHILDREN if child else SheetKind.HOUSEHOLDS
            assert read_as(kind, heading, cell) == said, (heading, cell)

    def test_attributes_the_postcodes_and_counts_them(self, page: str) -> None:
        assert f"{len(list_outward_codes()):,} outward codes" in page
        assert "Contains Royal Mail data © Royal Mail copyright and database right" in page


def answers_of(cell: str) -> list[str]:
    try:
        tolerance = tolerance_cell(cell or None)
    except CellProblem:
        return ["refused"] * 3
    return [each.value.replace("_", " ") for each in (tolerance.low, tolerance.medium, tolerance.high)]


def read_as(kind: SheetKind, heading: str, cell: str) -> str:
    """Return what a cell is read as, in the words of the documented sheet."""
    columns = {column.heading: column for column in columns_of(kind)}
    column = columns[heading]
    try:
        read = column.parse(cell)
    except CellProblem:
        return "refused"
    if not isinstance(read, Mapping):
        return column.say(read) or "not known"
    by_field = {each.field: each for each in columns.values()}
    return "; ".join(
        f"{by_field[name].heading} {by_field[name].say(value) or 'not known'}" for name, value in read.items()
    )


def _headings() -> set[str]:
    return {column.heading for kind in SHEETS for column in columns_of(kind)}


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")
