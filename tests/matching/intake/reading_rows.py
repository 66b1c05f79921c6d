"""Sheets read as an import reads them, up to where the register comes in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from matching.intake.alike import heading_likeness
from matching.intake.child_row import GroupIntake, groups_in
from matching.intake.column import SheetKind
from matching.intake.household_row import HouseholdIntake, households_in
from matching.intake.laid_sheet import LaidSheet, ReadRows, lay_out, read_rows
from matching.intake.mapping import BookMapping, doubts_of
from matching.intake.proposal import propose
from matching.intake.reading import read_book
from matching.intake.sheet import Book, CellValue, Sheet, SheetRow


def read_households(handed_in: bytes | Sheet, *, today: date) -> HouseholdIntake:
    """Read a sheet of households whose columns leave nothing to ask."""
    read = cells_of(_laid(handed_in, SheetKind.HOUSEHOLDS))
    return households_in(read.cells, read.problems, today=today)


def read_groups(handed_in: bytes | Sheet, *, today: date) -> GroupIntake:
    """Read a sheet of children whose columns leave nothing to ask."""
    laid = _laid(handed_in, SheetKind.CHILDREN)
    read = cells_of(laid)
    return groups_in(read.cells, read.problems, layouts=[each.layout for each in laid], today=today)


def opened(content: bytes, kind: SheetKind) -> tuple[Book, BookMapping]:
    """Return a file that was read, and what its columns are proposed for."""
    book = read_book(content, filename="sheet", likeness=heading_likeness(kind))
    return book, propose(book, kind, {})


def cells_of(laid: Sequence[LaidSheet]) -> ReadRows:
    """Return the rows of worksheets, with references that need no agency's key."""
    return read_rows(laid, digest=lambda plain: hashlib.sha256(plain).digest(), tell=lambda _done: None)


def sheet_below(headings: Sequence[str], lines: Sequence[Sequence[CellValue]]) -> Sheet:
    """Return the sheet that has these headings on its first row and these records below."""
    rows = tuple(SheetRow(number, tuple(line)) for number, line in enumerate(lines, start=2))
    return Sheet("sheet", tuple(headings), rows)


def _laid(handed_in: bytes | Sheet, kind: SheetKind) -> tuple[LaidSheet, ...]:
    if isinstance(handed_in, Sheet):
        book = Book(handed_in.name, (handed_in,))
        mapping = propose(book, kind, {})
    else:
        book, mapping = opened(handed_in, kind)
    assert doubts_of(mapping) == ()
    return lay_out(book, mapping)
