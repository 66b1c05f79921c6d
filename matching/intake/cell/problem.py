"""Why a cell cannot be taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tenants.error import Invalid

_LONGEST_QUOTED: Final = 40


class CellProblem(Invalid):
    """The cell cannot be taken; the text says what was expected."""


def quoted(text: str) -> str:
    """Return the text in quotation marks, cut so short that no cell is given away whole."""
    return f"“{text}”" if len(text) <= _LONGEST_QUOTED else f"“{text[: _LONGEST_QUOTED - 1]}…”"


def either(words: Sequence[str]) -> str:
    """Return the words as a choice: “a, b or c”."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
