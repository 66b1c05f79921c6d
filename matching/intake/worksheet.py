"""What a workbook's parts say of a worksheet that its cells' values do not: where they are, and what went wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from matching.intake.grid import FARTHEST_ROW, Extent, Merged, check_merged
from matching.intake.sheet import (
    LONGEST_CELL,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_TEXT,
    NOT_WORKED_OUT,
    UnreadableSheet,
    cell_name,
)

_POSITION: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_MOST_FOUND: Final = 100_000
# What Excel writes to a file; newer errors, such as #SPILL!, it writes as one of these.
_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NAME?", "#NULL!"})
_TRUE: Final = frozenset({"1", "true"})


@dataclass(slots=True)
class StringLengths:
    """How long each shared string is, so that a long one used many times is seen before it is copied."""

    lengths: list[int] = field(default_factory=list)

    def start(self, element: str, _: dict[str, str]) -> None:
        """Begin a string."""
        if element.rpartition(":")[2] == "si":
            self.lengths.append(0)
            if len(self.lengths) > MOST_CELLS:
                raise UnreadableSheet(f"The file holds more than {MOST_CELLS} texts. Split it in parts.")

    def end(self, element: str) -> None:
        """Do nothing: a string ends where the next begins."""

    def text(self, text: str) -> None:
        """Count text."""
        if self.lengths:
            self.lengths[-1] += len(text)


@dataclass(slots=True)
class Elements:
    """The attributes of each element of one name, in order."""

    wanted: frozenset[str]
    found: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def start(self, element: str, attributes: dict[str, str]) -> None:
        """Keep an element that is wanted, under its name without a prefix."""
        tag = element.rpartition(":")[2]
        if tag in self.wanted:
            self.found.append((tag, attributes))
            if len(self.found) > _MOST_FOUND:
                raise UnreadableSheet(f"The file lists more than {_MOST_FOUND} parts or comments. Split it in parts.")

    def end(self, element: str) -> None:
        """Do nothing: attributes come with the beginning."""

    def text(self, text: str) -> None:
        """Do nothing: only attributes are wanted."""


@dataclass(slots=True)
class WorksheetWatch:
    """Follows the cells of one worksheet's XML: how far they reach, which hold an error or no result, what is hidden.

    ``troubles`` are the texts that stand in place of values, by row and column from 0.
    """

    extent: Extent
    lengths: list[int]
    troubles: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Merged] = field(default_factory=list)
    _row: int = -1
    _column: int = -1
    _kind: str = ""
    _formula: bool = False
    _in_value: bool = False
    _held: str = ""

    def start(self, element: str, attributes: dict[str, str]) -> None:
        """Take the beginning of a cell, of what it holds, of a row, or of what is said of columns."""
        tag = element.rpartition(":")[2]
        if tag == "c":
            self._begin_cell(attributes)
        elif tag == "v":
            self._in_value, self._held = True, ""
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._begin_row(attributes)
        elif tag == "col":
            self._hide_columns(attributes)
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def end(self, element: str) -> None:
        """Take the end of a value or of a cell."""
        tag = element.rpartition(":")[2]
        if tag == "v":
            self._in_value = False
        elif tag == "c":
            self._end_cell()

    def text(self, text: str) -> None:
        """Take what a cell holds."""
        if self._in_value:
            self._held += text
            if len(self._held) > LONGEST_CELL:
                raise UnreadableSheet(
                    f"Cell {cell_name(self._row, self._column)} holds more than {LONGEST_CELL} characters. Shorten it."
                )
        elif self._kind == "inlineStr":
            self.extent.reach(self._row, self._column)
            self.extent.text(len(text), most=MOST_TEXT)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r", "")
        self._row = int(said) - 1 if said.isascii() and said.isdigit() and len(said) < 9 else self._row + 1
        self._column = -1
        if attributes.get("hidden") in _TRUE and self._row < FARTHEST_ROW:
            self.hidden_rows.add(self._row)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._kind = attributes.get("t", "")
        self._formula, self._held = False, ""
        self._column += 1
        match = _POSITION.fullmatch(attributes.get("r", ""))
        if match:
            self._column, self._row = column_number(match[1]), int(match[2]) - 1

    def _end_cell(self) -> None:
        if self._held or self._formula or self._kind == "e":
            self.extent.reach(self._row, self._column)
            self.extent.text(self._length(), most=MOST_TEXT)
        if self._kind == "e":
            if self._held not in _ERRORS:
                raise UnreadableSheet(
                    f"Cell {cell_name(self._row, self._column)} shows an error that no workbook holds. Mend it or "
                    "clear it, and save again."
                )
            self.troubles[self._row, self._column] = self._held
        elif self._formula and not self._held and self._kind not in {"str", "inlineStr"}:
            # A formula whose result is no text at all is marked as a text: without that mark it has no result.
            self.troubles[self._row, self._column] = NOT_WORKED_OUT
        self._kind = ""

    def _length(self) -> int:
        held = self._held
        if self._kind == "s" and held.isascii() and held.isdigit() and int(held) < len(self.lengths):
            return self.lengths[int(held)]
        return len(held)

    def _hide_columns(self, attributes: dict[str, str]) -> None:
        first, last = attributes.get("min", ""), attributes.get("max", "")
        if attributes.get("hidden") in _TRUE and first.isdecimal() and last.isdecimal():
            self.hidden_columns.update(range(int(first) - 1, min(int(last), MOST_COLUMNS)))

    def _merge(self, ref: str) -> None:
        ends = [_POSITION.fullmatch(end) for end in ref.split(":")]
        if len(ends) == 2 and ends[0] and ends[1]:
            columns = sorted(column_number(end[1]) for end in ends if end)
            rows = sorted(int(end[2]) - 1 for end in ends if end)
            self.merged.append(Merged(max(rows[0], 0), columns[0], rows[1], columns[1]))
            check_merged(self.merged)


def column_number(letters: str) -> int:
    """Return which column, from 0, is called by those letters."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
