"""Headings as people write them, and sheets of cells that fit, for tests of what columns are taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from matching.intake.column import SHEETS, Column, SheetKind, columns_of
from matching.intake.mapping import MappedColumn, SheetMapping
from matching.intake.proposal import propose
from matching.intake.sheet import Book, CellValue, Sheet, SheetRow

kinds = st.sampled_from(SHEETS)

DOCUMENTED = [(kind, column) for kind in SHEETS for column in columns_of(kind)]
NAMED = [(kind, column, name) for kind, column in DOCUMENTED for name in column.other_names]

# Letters that headings hardly have: a word that is like nothing documented.
odd_words = st.text("jkqvxz", min_size=5, max_size=8).map(lambda rest: f"xq{rest}")


def ways(heading: str) -> st.SearchStrategy[str]:
    """A documented heading as people write it: in any case, with odd spaces and line breaks, with a note."""
    cased = st.sampled_from((heading, heading.upper(), heading.lower(), heading.title()))
    gaps = st.sampled_from((" ", "  ", "\n", " \r\n", "\u00a0"))
    notes = st.sampled_from(("", "", " (years)", "(see the notes)", "\n(Zyx)"))
    return st.builds(lambda text, gap, note: gap.join(text.split(" ")) + note, cased, gaps, notes)


_EXAMPLES = {
    "Age range": "0-4",
    "Number of children": "1-2",
    "Due": "01/06/2026",
    "Adopters hoped for": "2",
    "Sibling lives with": "H-7K2M4P",
}


def cell_for(column: Column) -> CellValue:
    """Return a cell that fits a column."""
    return column.example or _EXAMPLES.get(column.heading, "Alder Example")


def book_of(
    columns: Mapping[str, CellValue] | Sequence[tuple[str, CellValue]], *, rows: int = 1, title: str = ""
) -> Book:
    """Return a file of one sheet: a heading and a cell for each column, the same on every row."""
    pairs = list(columns.items()) if isinstance(columns, Mapping) else list(columns)
    cells = tuple(cell for _, cell in pairs)
    lines = tuple(SheetRow(number, cells) for number in range(2, rows + 2))
    return Book("a.csv", (Sheet("a.csv", tuple(heading for heading, _ in pairs), lines, title=title),))


def proposed(kind: SheetKind, columns: Mapping[str, CellValue] | Sequence[tuple[str, CellValue]]) -> SheetMapping:
    """Return what the columns of a sheet are taken for by themselves."""
    return propose(book_of(columns), kind, {}).sheets[0]


def taken_for(sheet: SheetMapping) -> dict[str, str | None]:
    """Return what each heading is taken for."""
    return {each.heading: each.column for each in sheet.columns}


def column_at(sheet: SheetMapping, index: int) -> MappedColumn:
    """Return one column of a sheet."""
    return sheet.columns[index]
