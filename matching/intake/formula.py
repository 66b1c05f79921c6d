"""Cells of a text file that a spreadsheet program would take for a formula: guarded on the way out, and read back.

A program that opens a CSV file runs a cell that begins with one of these characters. An apostrophe before it shows the
cell as text (OWASP, “CSV injection”). A cell that has apostrophes before such a character already is given one more,
so that reading takes away exactly what writing added. An amount of money below nothing, such as -12.50, is no
formula: guarded, a column of them would not add up.
"""

from __future__ import annotations

import re
from typing import Final

_DANGEROUS: Final = re.compile(r"'*[=+\-@\t\r]")
_AMOUNT: Final = re.compile(r"-[0-9]+\.[0-9]{2}")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str) -> str:
    """Return a cell's text so that no spreadsheet program runs it."""
    return f"'{text}" if _DANGEROUS.match(text) and not _AMOUNT.fullmatch(text) else text


def unguarded(text: str) -> str:
    """Return the text that a guarded cell stands for; any other as it is."""
    return text[1:] if _GUARDED.match(text) else text
