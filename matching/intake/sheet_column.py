"""One documented column of a sheet, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matching.intake.sheet import CellValue
from matching.intake.value_text import say_value

ANSWER = "can meet, would discuss or cannot."
YES_NO = "yes or no."
DATE = "A date, dd/mm/yyyy."


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``needed`` says that the sheet must have it and every row must fill it.

    ``of_group`` marks what a sibling group has as one, so that it may stand on the group's first row alone. A need's
    column has its code as ``field``, marked by ``of_need``. The parser of a column that ``spreads`` names the same
    fields for every cell.
    """

    heading: str
    field: str
    parse: Callable[[CellValue], object]
    help: str
    example: str
    needed: bool = False
    of_group: bool = False
    of_need: bool = False
    other_names: tuple[str, ...] = ()
    """What sheets that exist call it."""
    is_date: bool = False
    spreads: bool = False
    """Its parser returns a mapping of several fields."""
    say: Callable[[Any], str] = say_value
    """Writes a value of the field as a cell that is read as that value."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Return every field that the column fills."""
        blank = self.parse(None) if self.spreads else None
        return tuple(blank) if isinstance(blank, Mapping) else (self.field,)
