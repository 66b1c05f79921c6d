"""One row being read: its cells parsed, and what is wrong with them, in words for its author."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from matching.intake.cell import CellProblem
from matching.intake.column import Column, Layout
from matching.intake.sheet import CellValue, SheetRow, column_letter

_LONGEST_SHOWN: Final = 80
_SHORT: Final = 60


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
    """What a row's cells say, by the field of their column; needs apart, by code."""

    number: int
    fields: Mapping[str, Any]
    needs: Mapping[str, Any]


def read_row(row: SheetRow, layout: Layout) -> tuple[RowCells, tuple[RowProblem, ...]]:
    """Return what could be read of a row, and every problem with it. A cell with a problem is left out."""
    fields: dict[str, object] = {}
    needs: dict[str, object] = {}
    problems: list[RowProblem] = []
    for index, column in layout.placed:
        value = row.cells[index] if index < len(row.cells) else None
        try:
            (needs if column.of_need else fields)[column.field] = _parsed(layout, index, column, value)
        except CellProblem as problem:
            problems.append(RowProblem(row.number, column.heading, shown(value), f"{problem}"))
    problems.extend(_beyond(row, layout))
    return RowCells(row.number, fields, needs), tuple(problems)


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


def repeated_references(rows: Iterable[tuple[int, str | None]], *, heading: str) -> tuple[RowProblem, ...]:
    """Return a problem for each row whose reference another row of the file has too, naming the others."""
    by_reference: dict[str, list[int]] = {}
    for number, reference in rows:
        if reference is not None:
            by_reference.setdefault(reference, []).append(number)
    return tuple(
        RowProblem(number, heading, shown(reference), f"the same reference is on {_rows(numbers, without=number)}")
        for reference, numbers in by_reference.items()
        if len(numbers) > 1
        for number in numbers
    )


def _rows(numbers: list[int], *, without: int) -> str:
    others = [str(number) for number in numbers if number != without]
    listed = others if len(others) <= 5 else [*others[:5], f"{len(others) - 5} more"]
    return ("row " if len(others) == 1 else "rows ") + ", ".join(listed)


def _parsed(layout: Layout, index: int, column: Column, value: CellValue) -> object:
    if not (value is None or (isinstance(value, str) and len(value) <= _SHORT)):
        return column.parse(value)
    key = (index, value)
    if key not in layout.read:
        if value is None and column.needed:
            raise CellProblem("it is blank and must be filled")
        layout.read[key] = column.parse(value)
    return layout.read[key]


def _beyond(row: SheetRow, layout: Layout) -> Iterable[RowProblem]:
    last = max(index for index, _ in layout.placed)
    for index, value in enumerate(row.cells[last + 1 :], start=last + 1):
        if value is not None:
            yield RowProblem(row.number, None, shown(value), f"column {column_letter(index)} has no heading")
