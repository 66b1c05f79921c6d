"""One row being read: its cells parsed, and what is wrong with them, in words for its author."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from matching.intake.cell import CellProblem, could_be_month_first, dated
from matching.intake.column import Column, Layout
from matching.intake.sheet import CellValue, SheetRow, column_letter

_LONGEST_SHOWN: Final = 80
_SHORT: Final = 60
_SEVERAL: Final = 3
"""From how many columns that are read a row is expected to say more than whose it is."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is not taken. ``column`` and ``value`` are ``None`` when the reason lies outside one cell."""

    row: int
    column: str | None
    value: str | None
    reason: str
    sheet: str = ""
    """The worksheet's name; blank for CSV."""


@dataclass(frozen=True, slots=True)
class RowCells:
    """What a row's cells say, by the field of their column; needs apart, by code.

    ``keys`` names the columns that its reference is made of, where the sheet has none of its own.
    """

    number: int
    fields: Mapping[str, Any]
    needs: Mapping[str, Any]
    sheet: str = ""
    keys: tuple[str, ...] = ()


def read_row(row: SheetRow, layout: Layout) -> tuple[RowCells, tuple[RowProblem, ...]]:
    """Return what could be read of a row, and every problem with it. A cell with a problem is left out."""
    fields: dict[str, object] = {}
    needs: dict[str, object] = {}
    problems: list[RowProblem] = []
    for index, column in layout.placed:
        value = row.cells[index] if index < len(row.cells) else None
        try:
            said = _parsed(layout, index, column, value)
            _keep(needs if column.of_need else fields, said if column.spreads else {column.field: said})
        except CellProblem as problem:
            problems.append(RowProblem(row.number, column.heading, shown(value), f"{problem}", layout.sheet))
    problems.extend(_beyond(row, layout))
    problems.extend(_reference_alone(row, layout))
    return RowCells(row.number, fields, needs, layout.sheet), tuple(problems)


def shown(value: object) -> str | None:
    """Return a value as a person would write it in a sheet, cut short; ``None`` for a blank."""
    if value is None:
        return None
    if isinstance(value, date):
        text = value.strftime("%d/%m/%Y")
    elif isinstance(value, StrEnum):
        text = value.value.replace("_", " ")
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def repeated_references(rows: Iterable[RowCells], *, heading: str) -> tuple[RowProblem, ...]:
    """Return a problem for each row whose reference another row of the file has too, naming the others."""
    by_reference: dict[str, list[RowCells]] = {}
    for cells in rows:
        reference = cells.fields.get("reference")
        if reference is not None:
            by_reference.setdefault(reference, []).append(cells)
    return tuple(
        _repeated(cells, heading, reference, alike)
        for reference, alike in by_reference.items()
        if len(alike) > 1
        for cells in alike
    )


def name_rows(rows: Iterable[tuple[str, int]], *, seen_from: str) -> str:
    """Return rows as words, those of another worksheet with its name: “rows 3, 7 and 2 of “Families””."""
    by_sheet: dict[str, list[str]] = {}
    for sheet, number in rows:
        by_sheet.setdefault(sheet, []).append(str(number))
    return " and ".join(
        _numbered(numbers) + (f" of “{sheet}”" if sheet != seen_from else "") for sheet, numbers in by_sheet.items()
    )


def _repeated(cells: RowCells, heading: str, reference: str, alike: list[RowCells]) -> RowProblem:
    others = [(other.sheet, other.number) for other in alike if other is not cells]
    where = name_rows(others, seen_from=cells.sheet)
    if not cells.keys:
        return RowProblem(cells.number, heading, shown(reference), f"the same reference is on {where}", cells.sheet)
    reason = f"the same {' and '.join(cells.keys)} {'is' if len(cells.keys) == 1 else 'are'} on {where}"
    return RowProblem(cells.number, cells.keys[0], None, reason, cells.sheet)


def _numbered(numbers: list[str]) -> str:
    listed = numbers if len(numbers) <= 5 else [*numbers[:5], f"{len(numbers) - 5} more"]
    return ("row " if len(numbers) == 1 else "rows ") + ", ".join(listed)


def _keep(kept: dict[str, object], said: Any) -> None:  # noqa: ANN401 - what a parser gives
    """Keep what a cell says; where two columns speak of one field, a blank agrees with whatever the other says."""
    for name, value in said.items():
        if kept.get(name) is None:
            kept[name] = value
        elif value is not None and value != kept[name]:
            raise CellProblem("another column of the row says otherwise; expected both to say the same, or one of them")


def _parsed(layout: Layout, index: int, column: Column, value: CellValue) -> object:
    if column.is_date:
        value = dated(value, layout.epoch)
    if not (value is None or (isinstance(value, str) and len(value) <= _SHORT)):
        return column.parse(value)
    key = (index, value)
    if key not in layout.read:
        if value is None and column.needed:
            raise CellProblem("it is blank and must be filled")
        if index in layout.month_first and could_be_month_first(value):
            raise CellProblem(
                "its day and month cannot be told apart: another date here has the month first; expected dd/mm/yyyy"
            )
        layout.read[key] = column.parse(value)
    return layout.read[key]


def _reference_alone(row: SheetRow, layout: Layout) -> Iterable[RowProblem]:
    """Refuse a row that says nothing but a reference: “* = awaiting panel” under a table is nobody’s."""
    filled = [index for index, value in enumerate(row.cells) if value is not None]
    if len(filled) != 1 or len(layout.placed) < _SEVERAL:
        return
    for index, column in layout.placed:
        if index == filled[0] and column.field == "reference":
            reason = "nothing else stands on the row, so it may be a note; expected a record, or the row taken out"
            yield RowProblem(row.number, column.heading, shown(row.cells[index]), reason, layout.sheet)


def _beyond(row: SheetRow, layout: Layout) -> Iterable[RowProblem]:
    width = max(layout.width, *(index + 1 for index, _ in layout.placed))
    for index, value in enumerate(row.cells[width:], start=width):
        if value is not None:
            reason = f"column {column_letter(index)} has no heading"
            yield RowProblem(row.number, None, shown(value), reason, layout.sheet)
