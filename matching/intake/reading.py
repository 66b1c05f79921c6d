"""Which kind of file was handed in, and what it holds."""

from __future__ import annotations

import zipfile
from typing import Final

from matching.intake.archive import SAVE_AS, find_part, opened
from matching.intake.delimited import read_delimited
from matching.intake.grid import Grid
from matching.intake.heading import Likeness
from matching.intake.old_workbook import read_old_workbook
from matching.intake.open_document import read_open_document
from matching.intake.sheet import MOST_BYTES, Book, UnreadableSheet
from matching.intake.table import read_table
from matching.intake.workbook import read_workbook

# Told by the first bytes, never by the name: a name can lie.
_ARCHIVE: Final = b"PK"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"
_PICTURE: Final = "This is a picture. Send the sheet that it shows, as .xlsx or CSV."
_WEB_PAGE: Final = f"This is a web page, whatever its name ends in. {SAVE_AS}"
_REFUSED: Final = {
    b"%PDF": "This is a PDF. Send the sheet it was made from, as .xlsx or CSV.",
    b"{\\rtf": "This is a text document. Send a sheet, as .xlsx or CSV.",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"\x09\x00\x04\x00": f"This is an Excel file of before 1993. {SAVE_AS}",
    b"\x09\x02\x06\x00": f"This is an Excel file of before 1993. {SAVE_AS}",
    b"\x09\x04\x06\x00": f"This is an Excel file of before 1993. {SAVE_AS}",
    b"7z\xbc\xaf": "This is a packed archive. Unpack it and send the sheet.",
    b"Rar!": "This is a packed archive. Unpack it and send the sheet.",
    b"\x1f\x8b": "This is a packed archive. Unpack it and send the sheet.",
}
_MARKUP: Final = ("<!doctype", "<html", "<head", "<meta", "<table", "<body", "<style", "<div", "mime-version:")
_INSIDE: Final = {
    "xl/workbook.bin": f"This is a binary Excel workbook (.xlsb), which is not read. {SAVE_AS}",
    "word/document.xml": "This is a Word document. Send a sheet, as .xlsx or CSV.",
    "ppt/presentation.xml": "This is a presentation. Send a sheet, as .xlsx or CSV.",
    "index/document.iwa": "This is an Apple file. Export it from Numbers as .xlsx or CSV.",
}


def read_book(content: bytes, *, filename: str, likeness: Likeness) -> Book:
    """Return every worksheet in an uploaded file that is not empty, in order, with its headings found.

    CSV, .xlsx, .xlsm, .xls and .ods are told apart by their bytes. ``likeness`` says how much some cells look like
    headings, from 0 to 1.

    :raises UnreadableSheet: when nothing of it can be taken; the message says what, where and what to do.
    """
    grids, notes = _grids(content)
    sheets = tuple(read_table(grid, name=filename, likeness=likeness) for grid in grids if not grid.is_empty())
    if not sheets:
        raise UnreadableSheet("The file holds no cell with anything in it.")
    return Book(name=filename, sheets=sheets, notes=notes)


def _grids(content: bytes) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    if not content.strip():
        raise UnreadableSheet("The file is empty.")
    if len(content) > MOST_BYTES:
        raise UnreadableSheet(f"The file is larger than {MOST_BYTES // 2**20} MB. Split it in parts.")
    for beginning, message in _REFUSED.items():
        if content.startswith(beginning):
            raise UnreadableSheet(message)
    if content.startswith(_ARCHIVE):
        return _packed(content)
    if content.startswith(_COMPOUND):
        return read_old_workbook(content)
    _refuse_markup(content)
    return (read_delimited(content),), ()


def _packed(content: bytes) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    with opened(content) as archive:
        kind = _kind(archive)
    return read_open_document(content) if kind == "content.xml" else read_workbook(content)


def _kind(archive: zipfile.ZipFile) -> str:
    for path, message in _INSIDE.items():
        if find_part(archive, path):
            raise UnreadableSheet(message)
    kind = next((path for path in ("xl/workbook.xml", "content.xml") if find_part(archive, path)), None)
    if kind is None:
        raise UnreadableSheet("This is a packed archive without a workbook in it. Unpack it and send the sheet.")
    return kind


def _refuse_markup(content: bytes) -> None:
    """Refuse what old portals call .xls and is none: web pages, and the XML of Excel 2003."""
    # A mark of UTF-16 leaves a NUL beside each Latin letter: without them the words are plain.
    beginning = content[:4_000].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").decode("latin-1").lower()
    if beginning.startswith(_MARKUP) or ("<html" in beginning and beginning.startswith("<")):
        raise UnreadableSheet(_WEB_PAGE)
    if beginning.startswith("<?xml"):
        sheet = "spreadsheet" in beginning or "excel.sheet" in beginning
        what = "an XML spreadsheet of Excel 2003" if sheet else "an XML file"
        raise UnreadableSheet(f"This is {what}, which is not read. {SAVE_AS}")
