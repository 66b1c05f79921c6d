"""The code sets of the return, as data: what each column that is read may hold, and what it means."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

PLACEMENT_ORDER: Final = "E1"
FREEING_ORDER: Final = "D1"
ADOPTED: Final = frozenset({"E11", "E12"})
ANOTHER_EPISODE: Final = "X1"
CARE_BEGAN: Final = "S"
WITH_ADOPTERS: Final = frozenset({"A3", "A4", "A5", "A6"})
WITH_CONSENT: Final = frozenset({"A3", "A4"})
"""The codes on which a child's outcome turns."""


@cache
def codes_of(column: str) -> Mapping[str, str]:
    """Return the codes of a column, each with its meaning in words; “” where nobody is told it."""
    content = (files("matching") / "data" / "ssda903_codes.csv").read_text("utf-8")
    return {row["code"]: row["means"] for row in csv.DictReader(content.splitlines()) if row["column"] == column}


def meaning(column: str, code: str) -> str:
    """Return a code with its meaning, as in “E11: adopted”."""
    words = codes_of(column).get(code)
    return f"{code}: {words}" if words else code
