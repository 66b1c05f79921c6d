"""Rows of totals, which people put under their records and which are no record."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from matching.intake.sheet import CellValue

_LABEL: Final = re.compile(
    r"((grand|sub|overall|running)[ -]?)?(totals?|counts?|sums?|averages?|mean)"
    r"( (number|no\.?))?( (of|for) [^\W\d_]+( [^\W\d_]+){0,2}| [^\W\d_]+)?( ?[:=])?( ?\d+([.,]\d+)?)?",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?%?")


def says_total(cells: Sequence[CellValue]) -> bool:
    """Say whether a row names itself a total: “Total” or the like first, and nothing but numbers after it.

    A row with any other word is a record: to refuse a total as a record costs a look, the other way costs a family.
    """
    filled = [cell for cell in cells if cell is not None]
    first = filled[0] if filled else None
    if not isinstance(first, str) or not _LABEL.fullmatch(first):
        return False
    return all(_is_number(cell) or (isinstance(cell, str) and _LABEL.fullmatch(cell)) for cell in filled[1:])


def is_sum_of(cells: Sequence[CellValue], records: Sequence[Sequence[CellValue]]) -> bool:
    """Say whether a row below the records holds nothing but counts, sums or averages of what stands above each.

    A column of words can only be counted. A row that has a number where the records are numbered is a record, and so
    is one of which a single figure does not agree.
    """
    filled = {column: cell for column, cell in enumerate(cells) if cell is not None}
    if not filled or len(records) < 2 or _has_number_of_its_own(filled, records):
        return False
    return all(_sums(cell, [_at(record, column) for record in records]) for column, cell in filled.items())


def _has_number_of_its_own(filled: Mapping[int, CellValue], records: Sequence[Sequence[CellValue]]) -> bool:
    """Say whether the first column that every record fills holds numbers, and the row has one there too."""
    widest = max(map(len, records))
    first = next(
        (column for column in range(widest) if all(_at(record, column) is not None for record in records)), None
    )
    return first in filled and any(_is_number(_at(record, first)) for record in records if first is not None)


def _sums(cell: CellValue, above: Sequence[CellValue]) -> bool:
    if not _is_number(cell):
        return False
    figure = _number(cell)
    said = [value for value in above if value is not None]
    numbers = [_number(value) for value in said if _is_number(value)]
    if not numbers:
        return bool(said) and figure in (len(said), len(above))
    if len(numbers) < len(said) or len(numbers) < 2:
        return False
    total = math.fsum(numbers)
    return any(math.isclose(figure, wanted, abs_tol=1e-6) for wanted in (total, total / len(numbers)))


def _is_number(cell: CellValue) -> bool:
    if isinstance(cell, bool):
        return False
    return isinstance(cell, int | float) or (isinstance(cell, str) and bool(_NUMBER.fullmatch(cell)))


def _number(cell: CellValue) -> float:
    return float(str(cell).rstrip("%"))


def _at(record: Sequence[CellValue], column: int) -> CellValue:
    return record[column] if column < len(record) else None
