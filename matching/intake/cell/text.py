"""Cells of free text: names, references, addresses, and lists of words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from matching.intake.cell.problem import CellProblem, quoted
from matching.intake.cell.word import NOTHING_SAID, is_ditto, listed, plain, said_of, text_of
from matching.intake.sheet import ERROR_TEXTS, CellValue

_TELEPHONE: Final = re.compile(r"(?:\+|\(?0)[0-9 ()-]{5,24}")
_NO_FIRST_NOUGHT: Final = re.compile(r"[1-9][0-9 ]{8,10}")
_EMAIL: Final = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")
_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '\u2019().-]){0,59}")
_WORDS: Final = re.compile(r"[;\n,/&+]|\band\b", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SMALL: Final = frozenset({"of", "the"})
_ONE_NAME: Final = {
    "c of e": "Church of England",
    "cofe": "Church of England",
    "rc": "Roman Catholic",
    "bsl": "British Sign Language",
}


def text_cell(longest: int, *, lines: bool = False) -> Callable[[CellValue], str | None]:
    """Return a parser of free text of at most ``longest`` characters, on one line unless ``lines``.

    A text such as “n/a” or “-” says nothing.
    """

    def parse(value: CellValue) -> str | None:
        if value is None:
            return None
        text = checked_text(value, longest)
        if plain(text) in NOTHING_SAID:
            return None
        return text if lines else " ".join(text.split())

    return parse


def checked_text(value: CellValue, longest: int) -> str:
    """Return the text of a cell as it stands.

    :raises CellProblem: when it is too long, cannot be shown, or is no text.
    """
    text = text_of(value)
    if text in ERROR_TEXTS:
        raise CellProblem("a formula gave an error here; expected its value: mend it in the sheet, or write the value")
    if is_ditto(text):
        # Taken as it stands, it would be a name or a word of its own, and one group of all whose reference is “″”.
        raise CellProblem("it stands for what another row says, and rows may be sorted; expected it written out here")
    if len(text) > longest:
        raise CellProblem(f"it has {len(text)} characters; expected at most {longest}")
    if _CONTROL.search(text):
        raise CellProblem("it holds a character that cannot be shown; expected plain text, so type it again")
    return text


def reference_cell(value: CellValue) -> str | None:
    """Return an agency's own reference; words such as “TBC” are none, for two records would share it."""
    if value is None:
        return None
    text = " ".join(checked_text(value, 64).split())
    if plain(text) in NOTHING_SAID:
        raise CellProblem("expected the agency’s own reference, a different one for each record")
    return text


def email_cell(value: CellValue) -> str | None:
    """Return an e-mail address in the case it was typed."""
    text = text_cell(254)(value)
    if text is not None and not _EMAIL.fullmatch(text):
        raise CellProblem("expected one e-mail address, such as name@example.org")
    return text


def telephone_cell(value: CellValue) -> str | None:
    """Return a telephone number as typed: digits, spaces, brackets, hyphens, the first 0 among them."""
    text = None if isinstance(value, int | float) else text_cell(30)(value)
    if isinstance(value, int | float) or (text is not None and _NO_FIRST_NOUGHT.fullmatch(text)):
        raise CellProblem(
            "Excel has made a number of it and dropped its first 0; expected such as 01632 960001: "
            "make the column text and retype it"
        )
    if text is not None and not _TELEPHONE.fullmatch(text):
        raise CellProblem("expected one telephone number, such as 01632 960001")
    return text


def words_cell(value: CellValue) -> frozenset[str]:
    """Return words, each in one form, so that “ENGLISH” and “English” are one word.

    They are separated by semicolons, commas, slashes, “&” or “and”.
    """
    value = said_of(value)
    text = "" if value is None else checked_text(value, 2_000)
    return frozenset(_one_form(each) for each in listed(text, separators=_WORDS))


def _one_form(text: str) -> str:
    known = _ONE_NAME.get(plain(text).replace(".", ""))
    if known is not None:
        return known
    if not _WORD.fullmatch(text):
        raise CellProblem(f"{quoted(text)} is not a word; expected words separated by semicolons")
    return " ".join(part if part in _SMALL else part.capitalize() for part in text.lower().split())
