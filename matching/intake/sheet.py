"""A sheet as it was handed in: headings, and rows that know the number their author sees."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, time
from typing import Final

from tenants.error import Invalid

#: What one cell can hold once read. ``None`` is a blank cell; a ``time`` is never wanted but must not be lost.
CellValue = str | int | float | bool | date | time | None

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_ROWS: Final = 50_000
MOST_COLUMNS: Final = 200
LONGEST_CELL: Final = 20_000
MOST_CELLS: Final = 3_000_000
MOST_TEXT: Final = 200 * 1024 * 1024
"""Caps on a file: bytes, rows below the headings, columns, characters in a cell; cells and characters in all."""

NOT_WORKED_OUT: Final = "#NOT WORKED OUT"
ERROR_TEXTS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NAME?", "#NULL!", "#SPILL!", "#CALC!", "#ERROR!", NOT_WORKED_OUT}
)
"""What a cell holds in place of a value: a spreadsheet program's error, or a formula that was never worked out."""


class UnreadableSheet(Invalid):
    """The whole file is refused, and nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row below the headings; ``number`` counts from 1 as a spreadsheet program does."""

    number: int
    cells: tuple[CellValue, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet that was read: its records as they stand, nothing yet understood.

    ``title`` is the worksheet's name, “” for a text file. ``headings`` has one text per column, “” where there is
    none; it is empty when no row looked like headings, and then ``heading_row`` is 0. ``epoch`` is day nought of bare
    day numbers, ``None`` where that is unknown. ``notes`` say what the reader left out or had to assume; they never
    quote a cell, so that they may be kept unsealed.
    """

    name: str
    headings: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    notes: tuple[str, ...] = ()
    title: str = ""
    heading_row: int = 1
    epoch: date | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """A file that was read: its worksheets that are not empty, in their order; ``notes`` are about the whole file."""

    name: str
    sheets: tuple[Sheet, ...]
    notes: tuple[str, ...] = ()


def column_letter(index: int) -> str:
    """Return the letters of a column, counted from 0: A, B, … Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_name(row: int, column: int) -> str:
    """Return what a spreadsheet calls a cell, both counted from 0: B7."""
    return f"{column_letter(column)}{row + 1}"


def tidy_text(text: str) -> str | None:
    """Return the text in one Unicode form, without odd spaces or blank ends; ``None`` when nothing is left."""
    if text.isascii():
        return text.replace("\r\n", "\n").replace("\r", "\n").strip() or None
    text = unicodedata.normalize("NFC", text.translate(_ODD_CHARACTERS))
    return text.replace("\r\n", "\n").replace("\r", "\n").strip() or None


# Spaces that look like a space, marks that look like nothing, and dashes and quotes are left as typed.
_ODD_CHARACTERS: Final = {
    0x00A0: " ",
    0x1680: " ",
    **dict.fromkeys(range(8192, 8203), " "),
    0x202F: " ",
    0x205F: " ",
    0x3000: " ",
    0x200B: None,
    0x2060: None,
    0xFEFF: None,
    0x00AD: None,
    0x2028: "\n",
    0x2029: "\n",
    0x0085: "\n",
}
