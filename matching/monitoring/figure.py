"""A figure: a table of words and numbers that is shown, drawn and handed out alike."""

from __future__ import annotations

from dataclasses import dataclass

Cell = str | int

FEW = "too few to tell"
NONE = "none"
"""There is nothing to reckon from."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A titled table. ``drawn`` are the columns of which its chart is made, none where there is none."""

    name: str
    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    drawn: tuple[int, ...] = ()
    unit: str = "links"

    def as_dicts(self) -> list[dict[str, Cell]]:
        """Return the rows by their headings."""
        return [dict(zip(self.headings, row, strict=True)) for row in self.rows]


def told_or(value: int | None, otherwise: str) -> Cell:
    """Return a number, or the words for why there is none."""
    return otherwise if value is None else value
