"""The documented headings of a sheet, as data: what each column is called, holds, means and looks like."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from rapidfuzz import fuzz, process

from matching.intake import cell
from matching.intake.child_columns import CHILD_COLUMNS
from matching.intake.household_columns import HOUSEHOLD_COLUMNS
from matching.intake.sheet import CellValue, Sheet, SheetRow, UnreadableSheet, column_letter
from matching.intake.sheet_column import Column
from matching.need import need_catalogue

__all__ = ["SHEETS", "Column", "Layout", "SheetKind", "columns_of", "heading_table", "layout_of", "with_dates"]

_ALIKE = 75.0
"""From which likeness, of 100, a heading is offered as the one that was meant."""
_NOTE = re.compile(r" ?\([^()]*\)$")


class SheetKind(StrEnum):
    """What a sheet has a row for."""

    HOUSEHOLDS = "households"
    CHILDREN = "children"
    SSDA903 = "ssda903"
    """A return of several tables in published columns: it is handed in as sheets are, and read by itself."""


SHEETS = (SheetKind.HOUSEHOLDS, SheetKind.CHILDREN)
"""The kinds whose columns are documented here."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that one sheet has, in its own order, each at its position among the sheet's cells.

    ``read`` keeps what short texts of each column were read as: a sheet says few things many times. ``sheet`` is the
    worksheet's name; ``width`` is up to where its columns are accounted for, those that are left out among them.
    ``epoch`` is day nought of its bare numbers, and ``month_first`` the columns in which a date has its month first.
    """

    kind: SheetKind
    placed: tuple[tuple[int, Column], ...]
    sheet: str = ""
    width: int = 0
    epoch: date | None = None
    month_first: frozenset[int] = frozenset()
    read: dict[tuple[int, str | None], object] = field(default_factory=dict, compare=False, repr=False)

    def headings(self) -> tuple[str, ...]:
        """Return the documented headings that the sheet has."""
        return tuple(column.heading for _, column in self.placed)


@cache
def columns_of(kind: SheetKind) -> tuple[Column, ...]:
    """Return every column that such a sheet may have, in the documented order."""
    if kind is SheetKind.HOUSEHOLDS:
        columns = HOUSEHOLD_COLUMNS + _need_columns(
            cell.tolerance_cell, "What the household says of this need, by level.", "can meet low; would discuss medium"
        )
    else:
        columns = CHILD_COLUMNS + _need_columns(
            cell.need_level_cell, "How much of this need the child has: none, low, medium, high or unknown.", "medium"
        )
    names = _other_names(kind)
    return tuple(replace(column, other_names=names.get(column.heading, ())) for column in columns)


def layout_of(sheet: Sheet, kind: SheetKind) -> Layout:
    """Return which column stands where; case and spaces in headings do not matter.

    :raises UnreadableSheet: when a heading is unknown, missing or there twice; it names all of them.
    """
    known = {_key(column.heading): column for column in columns_of(kind)}
    if not known.keys() & {_key(heading) for heading in sheet.headings}:
        # A sheet without headings has somebody's record there: the reason, which is not sealed, must not quote it.
        raise UnreadableSheet(_wrong_kind(sheet, kind) or _NO_HEADINGS)
    complaints = [*_unknown(sheet, known), *_repeated(sheet), *_missing(sheet, known.values())]
    if complaints:
        raise UnreadableSheet(_wrong_kind(sheet, kind) or "The headings do not fit. " + " ".join(complaints))
    placed = [(index, known[_key(heading)]) for index, heading in enumerate(sheet.headings) if heading]
    return with_dates(Layout(kind=kind, placed=tuple(placed)), sheet)


def with_dates(layout: Layout, sheet: Sheet) -> Layout:
    """Return the layout with what the sheet's own cells tell of how its dates are to be read."""
    dates = [index for index, column in layout.placed if column.is_date]
    month_first = frozenset(
        index for index in dates if cell.reads_month_first(_value(row, index) for row in sheet.rows)
    )
    return replace(layout, epoch=sheet.epoch, month_first=month_first)


def heading_table(kind: SheetKind) -> str:
    """Return the documented headings as a Markdown table, for ``docs/data.md`` and for whoever writes a sheet."""
    lines = ["| Heading | What to write | Example |", "|---|---|---|"]
    for column in columns_of(kind):
        needed = " Must be filled." if column.needed else ""
        lines.append(f"| {column.heading} | {column.help}{needed} | {column.example} |")
    return "\n".join(lines)


def _value(row: SheetRow, index: int) -> CellValue:
    return row.cells[index] if index < len(row.cells) else None


def _key(heading: str) -> str:
    # A note in brackets after a heading, such as “Youngest age (years)”, is for people.
    return _NOTE.sub("", " ".join(heading.casefold().split())).replace(" :", ":")


def _unknown(sheet: Sheet, known: dict[str, Column]) -> Iterable[str]:
    for index, heading in enumerate(sheet.headings):
        if not heading:
            if any(index < len(row.cells) and row.cells[index] is not None for row in sheet.rows):
                yield f"Column {column_letter(index)} has values and no heading: give it one or delete it."
        elif _key(heading) not in known:
            yield f"“{heading[:60]}” (column {column_letter(index)}) is not a heading{_suggestion(heading, known)}"


def _suggestion(heading: str, known: dict[str, Column]) -> str:
    meant = process.extractOne(_key(heading), list(known), scorer=fuzz.WRatio, score_cutoff=_ALIKE)
    return f": did you mean “{known[meant[0]].heading}”?" if meant else ": rename or delete it."


def _repeated(sheet: Sheet) -> Iterable[str]:
    seen: dict[str, int] = {}
    for index, heading in enumerate(sheet.headings):
        if heading and seen.setdefault(_key(heading), index) != index:
            first = column_letter(seen[_key(heading)])
            yield f"“{heading[:60]}” stands in columns {first} and {column_letter(index)}: delete one."


def _missing(sheet: Sheet, columns: Iterable[Column]) -> Iterable[str]:
    present = {_key(heading) for heading in sheet.headings}
    for column in columns:
        if column.needed and _key(column.heading) not in present:
            yield f"The column “{column.heading}” is missing."


def _wrong_kind(sheet: Sheet, kind: SheetKind) -> str | None:
    other = SheetKind.CHILDREN if kind is SheetKind.HOUSEHOLDS else SheetKind.HOUSEHOLDS
    if list(_missing(sheet, columns_of(other))) or not list(_missing(sheet, columns_of(kind))):
        return None
    return f"This looks like a sheet of {other}, and {kind} were asked for. Import it as {other}."


def _other_names(kind: SheetKind) -> dict[str, tuple[str, ...]]:
    content = (files("matching") / "data" / "other_headings.csv").read_text(encoding="utf-8")
    names: dict[str, tuple[str, ...]] = {}
    for row in csv.DictReader(content.splitlines()):
        if row["kind"] in {kind.value, "both"}:
            names[row["heading"]] = (*names.get(row["heading"], ()), row["other_name"])
    return names


def _need_columns(parse: Callable[[CellValue], object], text: str, example: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"Need: {need.title}", need.code, parse, text, example, of_need=True) for need in need_catalogue().needs
    )


_NO_HEADINGS = "Row 1 holds none of the headings that are known. Put them in row 1 and the records below them."
