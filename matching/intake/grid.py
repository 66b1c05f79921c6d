"""The cells of one worksheet as its file holds them, before headings and records are told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from matching.intake.sheet import (
    LONGEST_CELL,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    CellValue,
    UnreadableSheet,
    cell_name,
)

EPOCH_1900: Final = date(1899, 12, 30)
EPOCH_1904: Final = date(1904, 1, 1)
"""Day nought of the two ways in which workbooks count days."""

FARTHEST_ROW: Final = MOST_ROWS + 100
"""How many rows a worksheet may have: a few more than the records, for the titles and headings above them."""

_MOST_NAMED: Final = 12
_MOST_MERGED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Merged:
    """A block of cells that show one value, counted from 0, both ends within it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Grid:
    """One worksheet: ``cells`` by row and column from 0, merged blocks already filled with their first cell's value.

    ``whole_rows`` says that every row of such a file has all its cells, so that a short one is a sign of damage.
    """

    title: str
    cells: list[list[CellValue]]
    merged: tuple[Merged, ...] = ()
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    comments: int = 0
    epoch: date | None = None
    notes: tuple[str, ...] = ()
    whole_rows: bool = False
    filled_across: frozenset[tuple[int, int]] = field(default=frozenset(), init=False)
    filled_down: frozenset[tuple[int, int]] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        _check_lengths(self)
        _fill_merged(self)

    def is_empty(self) -> bool:
        """Say whether no cell holds anything."""
        return not any(cell is not None for row in self.cells for cell in row)

    def at(self, row: int, column: int) -> CellValue:
        """Return a cell, blank where the row ends before it."""
        cells = self.cells[row] if 0 <= row < len(self.cells) else ()
        return cells[column] if column < len(cells) else None


class Extent:
    """Watches how far the cells of a whole file reach, before anything makes room for them.

    Readers make a full grid up to the furthest cell, so one cell far away would fill the memory.
    """

    def __init__(self) -> None:
        self._before = self._rows = self._columns = self._characters = 0

    def next_sheet(self) -> None:
        """Begin another worksheet of the same file."""
        self._before += self._rows * self._columns
        self._rows = self._columns = 0

    def reach(self, row: int, column: int) -> None:
        """Take note of a cell that holds something, counted from 0.

        :raises UnreadableSheet: when it lies beyond what can be read.
        """
        if row < self._rows and column < self._columns:
            return
        if row >= FARTHEST_ROW or column >= MOST_COLUMNS:
            raise UnreadableSheet(
                f"A sheet reaches to cell {cell_name(row, column)}; at most {MOST_ROWS} rows and {MOST_COLUMNS} "
                "columns can be read. Delete what stands below and beside the records, and save again."
            )
        self._rows, self._columns = max(self._rows, row + 1), max(self._columns, column + 1)
        if self._before + self._rows * self._columns > MOST_CELLS:
            raise UnreadableSheet(f"The file holds more than {MOST_CELLS} cells. Split it in parts.")

    def text(self, characters: int, *, most: int) -> None:
        """Take note of so many characters in a cell.

        :raises UnreadableSheet: when all cells hold more than ``most``.
        """
        self._characters += characters
        if self._characters > most:
            raise UnreadableSheet("The file holds more text than can be read. Split it in parts.")


def check_merged(merged: Sequence[Merged]) -> None:
    """Refuse more merged blocks than a person makes.

    :raises UnreadableSheet: when there are too many.
    """
    if len(merged) > _MOST_MERGED:
        raise UnreadableSheet(f"A sheet has more than {_MOST_MERGED} merged cells. Unmerge them and save it again.")


def numbers_text(numbers: Iterable[int]) -> str:
    """Return numbers in words for a note, runs drawn together: “2–4, 7 and 9”."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return listed(["–".join(str(end) for end in run) for run in runs])


def listed(parts: Sequence[str]) -> str:
    """Return a list as an English phrase; a long one says how many it leaves out."""
    if len(parts) > _MOST_NAMED:
        parts = [*parts[:_MOST_NAMED], f"{len(parts) - _MOST_NAMED} more"]
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def _check_lengths(grid: Grid) -> None:
    for row, cells in enumerate(grid.cells):
        for column, cell in enumerate(cells):
            if isinstance(cell, str) and len(cell) > LONGEST_CELL:
                raise UnreadableSheet(
                    f"Cell {cell_name(row, column)} holds {len(cell)} characters; at most {LONGEST_CELL} can be "
                    "read. Shorten it."
                )


def _fill_merged(grid: Grid) -> None:
    """Give each cell of a merged block its first cell's value, as the eye does."""
    across: set[tuple[int, int]] = set()
    down: set[tuple[int, int]] = set()
    width = max((len(row) for row in grid.cells), default=0)
    budget = len(grid.cells) * width
    for block in grid.merged:
        bottom, right = min(block.bottom, len(grid.cells) - 1), min(block.right, MOST_COLUMNS - 1)
        budget -= max(0, bottom - block.top + 1) * max(0, min(right, width) - block.left + 1)
        if budget < 0:
            raise UnreadableSheet("Merged cells lie one over the other. Unmerge them and save the workbook again.")
        value = grid.at(block.top, block.left)
        if value is None:
            continue
        for row in range(block.top, bottom + 1):
            cells = grid.cells[row]
            cells.extend([None] * (right + 1 - len(cells)))
            for column in range(block.left, right + 1):
                if cells[column] is None:
                    cells[column] = value
                    (down if column == block.left else across).add((row, column))
    grid.filled_across, grid.filled_down = frozenset(across), frozenset(down)
