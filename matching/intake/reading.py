"""Which kind of file was handed in, and its sheet."""

from __future__ import annotations

from typing import Final

from matching.intake.delimited import read_delimited
from matching.intake.sheet import MOST_BYTES, Sheet, UnreadableSheet
from matching.intake.workbook import read_workbook

# Told by the first bytes, never by the name: a name can lie.
_WORKBOOK: Final = b"PK\x03\x04"
_REFUSED: Final = {
    b"\xd0\xcf\x11\xe0": "This is an old Excel file (.xls) or one with a password. Save it as .xlsx without one.",
    b"%PDF": "This is a PDF. Send the sheet it was made from, as .xlsx or CSV.",
    b"{\\rtf": "This is a text document. Send a sheet, as .xlsx or CSV.",
}


def read_sheet(content: bytes, *, filename: str, wanted: str) -> Sheet:
    """Return the sheet in an uploaded file, CSV or XLSX, told apart by its bytes.

    ``wanted`` is the name to look for when a workbook has several sheets, such as “households”.

    :raises UnreadableSheet: when nothing of it can be taken; the message says what, where and what to do.
    """
    if not content.strip():
        raise UnreadableSheet("The file is empty.")
    if len(content) > MOST_BYTES:
        raise UnreadableSheet(f"The file is larger than {MOST_BYTES // 2**20} MB. Split it in parts.")
    for beginning, message in _REFUSED.items():
        if content.startswith(beginning):
            raise UnreadableSheet(message)
    if content.startswith(_WORKBOOK):
        return read_workbook(content, name=filename, wanted=wanted)
    return read_delimited(content, name=filename)
