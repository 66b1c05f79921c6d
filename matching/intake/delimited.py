"""Text files of separated values, in whichever encoding a spreadsheet program wrote them."""

from __future__ import annotations

import codecs
import csv
import io
from typing import Final

from matching.intake.sheet import LONGEST_CELL, MOST_ROWS, CellValue, Sheet, UnreadableSheet, sheet_of, tidy_text

_SAVE_AS: Final = "Save it again as “CSV UTF-8”, or as an Excel workbook (.xlsx)."


def read_delimited(content: bytes, *, name: str) -> Sheet:
    """Return the sheet that a CSV file holds.

    Commas are expected; semicolons or tabs are taken, and said, when the headings hold no comma.

    :raises UnreadableSheet: when the encoding, the quoting or a row's length is wrong; it says where.
    """
    text, notes = decoded(content)
    delimiter, note = _delimiter_of(text)
    lines: list[list[CellValue]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            lines.append([tidy_text(cell) for cell in cells])
            if len(lines) > 2 * MOST_ROWS:
                raise UnreadableSheet(f"The file has more than {MOST_ROWS} rows. Split it in parts.")
    except csv.Error as error:
        raise UnreadableSheet(_quoting_message(error, line=reader.line_num)) from error
    _check_lengths(lines)
    return sheet_of(name, lines, notes=notes + note)


def decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and what had to be assumed to read it.

    :raises UnreadableSheet: when the bytes are no text in an encoding that is known.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise UnreadableSheet(f"The file is in UTF-32, which is not read. {_SAVE_AS}")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _strictly(content, "utf-16"), ("The file was read as UTF-16.",)
    try:
        return _without_controls(content.decode("utf-8-sig")), ()
    except UnicodeDecodeError as error:
        return _windows_text(content, error)


def _windows_text(content: bytes, error: UnicodeDecodeError) -> tuple[str, tuple[str, ...]]:
    # A file that begins in UTF-8 and then breaks is a damaged one: read as Windows-1252 it would turn each
    # accented letter into two wrong ones, in silence.
    if any(byte >= 0x80 for byte in content[: error.start]) or content.startswith(codecs.BOM_UTF8):
        raise UnreadableSheet(f"{_place(content, error.start)} is not UTF-8, though what is before it is. {_SAVE_AS}")
    text = _strictly(content, "cp1252")
    return text, ("The file is not UTF-8; it was read as Windows-1252. Check the accented letters.",)


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return _without_controls(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise UnreadableSheet(f"{_place(content, error.start)} is not text in a known encoding. {_SAVE_AS}") from error


def _without_controls(text: str) -> str:
    for position, character in enumerate(text):
        if character < " " and character not in "\t\n\r":
            line = text.count("\n", 0, position) + 1
            raise UnreadableSheet(f"Line {line} holds a control character, so this is not a CSV file. {_SAVE_AS}")
    return text


def _place(content: bytes, position: int) -> str:
    line = content.count(b"\n", 0, position) + 1
    column = position - (content.rfind(b"\n", 0, position) + 1) + 1
    return f"Line {line}, byte {column}"


def _delimiter_of(text: str) -> tuple[str, tuple[str, ...]]:
    headings = text.split("\n", 1)[0]
    if "," in headings:
        return ",", ()
    for delimiter, word in (("\t", "tabs"), (";", "semicolons")):
        if delimiter in headings:
            return delimiter, (f"The columns were taken to be separated by {word}.",)
    return ",", ()


def _quoting_message(error: csv.Error, *, line: int) -> str:
    if "field limit" in str(error):
        return f"Line {line} holds a cell of more than {LONGEST_CELL} characters, or a quotation mark is missing there."
    return (
        f"The quotation marks do not match at or before line {line}. A cell that holds a comma or a quotation mark "
        f"must begin and end with one. {_SAVE_AS}"
    )


def _check_lengths(lines: list[list[CellValue]]) -> None:
    """Refuse a row that is shorter than the headings: read on, its missing cells would wipe what is known."""
    width = len(lines[0]) if lines else 0
    for number, cells in enumerate(lines[1:], start=2):
        if 0 < len(cells) < width and any(cell is not None for cell in cells):
            raise UnreadableSheet(
                f"Row {number} has {len(cells)} cells and the headings have {width}. "
                f"The file may be cut off or a quotation mark missing. {_SAVE_AS}"
            )
