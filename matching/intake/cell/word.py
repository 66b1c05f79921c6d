"""The plain form in which short words are compared, and the words that say that nothing is known."""

from __future__ import annotations

import re
from typing import Final

from matching.intake.cell.problem import CellProblem
from matching.intake.sheet import CellValue

MOST_LISTED: Final = 20
"""How many words, codes or areas one cell may list."""

#: Said in the place of a name or of free text too. “NK” and “Na” are not here: somebody may be called so.
NOTHING_SAID: Final = frozenset(
    (
        *("", "?", "??", "???", "-", "--", "---", "n/a", "n/k", "n.a", "n.k", "tbc", "t.b.c", "unknown", "not known"),
        *("not yet known", "not applicable", "not stated", "not recorded", "to be confirmed", "blank"),
    )
)
#: Said where a word, a number or a date is asked for.
NOT_KNOWN: Final = NOTHING_SAID | frozenset(
    (
        *("na", "nk", "u/k", "unk", "dk", "tba", "tbd", "to be advised", "to be determined", "to be decided"),
        *("don't know", "do not know", "not sure", "unsure", "uncertain", "undecided", "not yet decided"),
        *("no information", "no info", "not given", "not provided", "not said", "not asked", "not discussed"),
        *("not yet discussed", "not yet asked", "awaiting information", "awaiting info"),
    )
)

_AS_ABOVE: Final = frozenset(("ditto", "as above", "same as above", "see above", "as previous", "as row above"))
_DITTO_MARKS: Final = re.compile(r"[-\s]*(?:[\"“”„″〃↑^]+|'')(?:[-\s]|[\"“”„″〃↑^]|'')*")

_MARKS: Final = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "⁄": "/", "\ufe0f": None}
)
_SLASH: Final = re.compile(r"\s*/\s*")
_LIST: Final = re.compile(r"[;\n]")


def plain(text: str) -> str:
    """Return a text in small letters with plain quotes and dashes, single spaces, and no full stop at its end."""
    return _SLASH.sub("/", " ".join(text.translate(_MARKS).casefold().split())).rstrip(".!,:; ")


def word(text: str) -> str:
    """Return the form in which words of a choice are compared: hyphens are spaces, full stops nothing."""
    return " ".join(plain(text).replace("-", " ").replace("_", " ").replace(".", "").split())


def is_not_known(value: CellValue) -> bool:
    """Say whether a cell says in so many words that nothing is known."""
    return isinstance(value, str) and plain(value) in NOT_KNOWN


def is_ditto(text: str) -> bool:
    """Say whether a text stands for what another row says: ditto marks, or “as above”."""
    said = plain(text)
    return said in _AS_ABOVE or _DITTO_MARKS.fullmatch(said) is not None


def said_of(value: CellValue) -> CellValue:
    """Return what a cell says; ``None`` when it says that nothing is known."""
    return None if is_not_known(value) else value


def text_of(value: CellValue) -> str:
    """Return the text of a cell.

    :raises CellProblem: when Excel has made something else of it.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise CellProblem("Excel has changed it into a date, a fraction or true/false; make the column text and retype it")


def listed(text: str, *, separators: re.Pattern[str] = _LIST) -> tuple[str, ...]:
    """Return the parts of a text between separators, tidied, blank ones left out.

    :raises CellProblem: when there are too many.
    """
    parts = tuple(tidied for part in separators.split(text) if (tidied := " ".join(part.split())))
    if len(parts) > MOST_LISTED:
        raise CellProblem(f"it lists {len(parts)} things; expected at most {MOST_LISTED}")
    return parts
