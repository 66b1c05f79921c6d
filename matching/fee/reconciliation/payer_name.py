"""Which agency a bank means by a name: shortened, cut at 18 letters, with its kind as “CC”, “MBC” or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID

from rapidfuzz import fuzz

from matching.fee.reconciliation.fact import Payer

_KINDS: Final = frozenset(
    (
        "COUNCIL",
        "COUNTY",
        "CITY",
        "BOROUGH",
        "DISTRICT",
        "METROPOLITAN",
        "UNITARY",
        "AUTHORITY",
        "ROYAL",
        "LONDON",
        "OF",
        "THE",
        "AND",
        "FOR",
        "CC",
        "MBC",
        "BC",
        "DC",
        "LB",
        "UA",
        "LBC",
        "RBC",
        "CBC",
        "MDC",
        "LTD",
        "LIMITED",
        "CIO",
        "PLC",
        "CIC",
        "CHARITY",
        "TRUST",
        "BACS",
        "FPI",
        "FP",
        "BGC",
        "FASTER",
        "PAYMENT",
        "PAYMENTS",
        "FROM",
        "CREDITORS",
    )
)
"""Words that say what somebody is and not who."""
_ALIKE: Final = 90
"""From which likeness (RapidFuzz, 0 to 100) two words are taken for one, mistyped."""
_SHORTEST: Final = 3


def find_payer(name: str, payers: Sequence[Payer]) -> UUID | None:
    """Return whom a bank's name means, or ``None`` where it is nobody's or might be two agencies'."""
    said = telling_words(name)
    if not said:
        return None
    scored = sorted(
        ((max((_likeness(said, telling_words(each)) for each in payer.names), default=0.0), payer) for payer in payers),
        key=lambda each: (-each[0], each[1].id),
    )
    if not scored or scored[0][0] <= 0:
        return None
    return None if len(scored) > 1 and scored[1][0] == scored[0][0] else scored[0][1].id


@lru_cache(maxsize=20_000)
def telling_words(name: str) -> tuple[str, ...]:
    """Return the words of a name that say who somebody is, in capitals."""
    words = re.findall(r"[A-Z]+", name.upper().replace("'", "").replace("’", ""))
    if len(words) > 1 and any(kind.startswith(words[-1]) for kind in _KINDS):
        # At the end stands what a limit of letters has left of such a word: NORTH SOMERSET CO.
        words.pop()
    return tuple(word for word in words if not _says_kind(word))


def _says_kind(word: str) -> bool:
    # What a limit of letters leaves of such a word is one too: COUNC, BOROU.
    return word in _KINDS or (len(word) >= 4 and any(kind.startswith(word) for kind in _KINDS))


def _likeness(said: tuple[str, ...], name: tuple[str, ...]) -> float:
    """Return how much of an agency's name a bank's name says, 0 where any word of it says something else."""
    left = list(name)
    letters = 0
    for word in said:
        match = next((each for each in left if _same(word, each)), None)
        if match is None:
            return 0.0
        left.remove(match)
        letters += len(match)
    whole = sum(map(len, name))
    # Initials alone might be anybody's.
    return letters / whole if letters and any(len(word) >= _SHORTEST for word in said) else 0.0


def _same(word: str, other: str) -> bool:
    if word == other or (other.startswith(word) and (len(word) >= _SHORTEST or len(word) == 1)):
        return True
    return min(len(word), len(other)) >= 5 and fuzz.ratio(word, other) >= _ALIKE
