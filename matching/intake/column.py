"""The documented headings of a sheet, as data: what each column is called, holds, means and looks like."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from matching.intake import cell
from matching.intake.child_columns import CHILD_COLUMNS
from matching.intake.household_columns import HOUSEHOLD_COLUMNS
from matching.intake.sheet import CellValue, Sheet, SheetRow
from matching.intake.sheet_column import Column
from matching.need import need_catalogue

__all__ = ["SHEETS", "Column", "Layout", "SheetKind", "columns_of", "heading_table", "with_dates"]


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
