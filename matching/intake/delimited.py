"""Text files of separated values, in whichever encoding a spreadsheet program wrote them."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from typing import Final

from matching.intake.formula import unguarded
from matching.intake.grid import Extent, Grid
from matching.intake.sheet import LONGEST_CELL, CellValue, UnreadableSheet, tidy_text

_SAVE_AS: Final = "Save it again as “CSV UTF-8”."
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SEPARATORS: Final = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
_SAID: Final = re.compile(r"sep=(.)\r?\n")
_LOOKED_AT: Final = 50
_DOS_END: Final = b"\x1a"


def read_delimited(content: bytes) -> Grid:
    """Return the one grid that a text file of values holds.

    Commas, semicolons, tabs or bars are told apart by which of them makes even rows; others than commas are said.

    :raises UnreadableSheet: when the encoding or the quoting is wrong, or it is too large; it says where.
    """
    text, notes = decoded(content.rstrip(_DOS_END))
    said = _SAID.match(text)
    # Excel takes such a first line as an order, not as a row, and numbers the rows from the next.
    text = text[said.end() :] if said else text
    delimiter = said[1] if said else _delimiter_of(text)
    if delimiter != "," and not said:
        notes += (f"The columns were taken to be separated by {_SEPARATORS[delimiter]}.",)
    return Grid(title="", cells=_cells(text, delimiter), notes=notes, whole_rows=True)


def decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and what had to be assumed to read it.

    :raises UnreadableSheet: when the bytes are no text in an encoding that is known.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise UnreadableSheet(f"The file is in UTF-32, which is not read. {_SAVE_AS}")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _strictly(content, "utf-16"), ("The file was read as UTF-16.",)
    unmarked = _unmarked_utf16(content)
    if unmarked:
        return _strictly(content, unmarked), ("The file was read as UTF-16.",)
    try:
        return _without_controls(content.decode("utf-8-sig")), ()
    except UnicodeDecodeError as error:
        return _windows_text(content, error)


def _cells(text: str, delimiter: str) -> list[list[CellValue]]:
    lines: list[list[CellValue]] = []
    extent = Extent()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader):
            line: list[CellValue] = [tidy_text(unguarded(cell)) if cell else None for cell in cells]
            for index in range(len(line) - 1, -1, -1):
                if line[index] is not None:
                    extent.reach(number, index)
                    break
            lines.append(line)
    except csv.Error as error:
        raise UnreadableSheet(_quoting_message(error, line=reader.line_num)) from error
    while lines and not any(cell is not None for cell in lines[-1]):
        lines.pop()
    return lines


def _unmarked_utf16(content: bytes) -> str | None:
    """Return which UTF-16 a file without a mark is in: its Latin letters have each a NUL beside them."""
    beginning = content[:2_000]
    if b"\x00" not in beginning or len(content) % 2:
        return None
    even, odd = beginning[::2].count(0), beginning[1::2].count(0)
    if odd * 4 > len(beginning) and not even:
        return "utf-16-le"
    return "utf-16-be" if even * 4 > len(beginning) and not odd else None


def _windows_text(content: bytes, error: UnicodeDecodeError) -> tuple[str, tuple[str, ...]]:
    # A file that begins in UTF-8 and then breaks is a damaged one: read as Windows-1252 it would turn each
    # accented letter into two wrong ones, in silence.
    if not content[: error.start].isascii():
        raise UnreadableSheet(f"{_place(content, error.start)} is not UTF-8, though what is before it is. {_SAVE_AS}")
    text = _strictly(content, "cp1252")
    return text, ("The file is not UTF-8; it was read as Windows-1252. Check the accented letters.",)


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return _without_controls(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise UnreadableSheet(f"{_place(content, error.start)} is not text in a known encoding. {_SAVE_AS}") from error


def _without_controls(text: str) -> str:
    found = _CONTROL.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise UnreadableSheet(f"Line {line} holds a control character, so this is not a CSV file. {_SAVE_AS}")
    return text


def _place(content: bytes, position: int) -> str:
    line = content.count(b"\n", 0, position) + 1
    column = position - (content.rfind(b"\n", 0, position) + 1) + 1
    return f"Line {line}, byte {column}"


def _delimiter_of(text: str) -> str:
    """Return the separator that makes most of the rows one width; of those the widest, and a comma before others."""
    scores = {delimiter: _evenness(text, delimiter) for delimiter in _SEPARATORS}
    return max(scores, key=lambda delimiter: scores[delimiter])


def _evenness(text: str, delimiter: str) -> tuple[float, int, int]:
    """Return the share of rows that have one width, that width, and (below nought) how often it stands in prose.

    A share, for a wrong separator takes each line of a quoted cell for a row, and finds more of them.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [cells for cells in itertools.islice(reader, _LOOKED_AT) if any(cells)]
    except csv.Error:
        return 0, 0, 0
    prose = sum(cell.startswith(" ") for cells in rows if len(cells) > 1 for cell in cells)
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    return max(((count / len(rows), width, -prose) for width, count in widths.items()), default=(0, 0, 0))


def _quoting_message(error: csv.Error, *, line: int) -> str:
    if "field limit" in str(error):
        return f"Line {line} holds a cell of more than {LONGEST_CELL} characters, or a quotation mark is missing there."
    return (
        f"The quotation marks do not match at or before line {line}. A cell that holds a comma or a quotation mark "
        f"must begin and end with one. {_SAVE_AS}"
    )
