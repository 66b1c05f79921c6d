"""The need catalogue: what a child may need, how much, and how a household answers.

The catalogue is data (``matching/data/needs.csv``): a code, a group and a title per need. Its version is the
digest of the file, so that a recorded ranking can name exactly the catalogue it used.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class NeedLevel(StrEnum):
    """How much of a need a child has; ``unknown`` is never read as ``none``."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    UNKNOWN = "unknown"


class Answer(StrEnum):
    """What a household says to something a child may bring; ``unknown`` is never yes and never no."""

    CAN_MEET = "can_meet"
    WOULD_DISCUSS = "would_discuss"
    CANNOT = "cannot"
    UNKNOWN = "unknown"


class YesNo(StrEnum):
    """A fact that may not be known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A household's answer to one need at each level that a child may have it."""

    low: Answer = Answer.UNKNOWN
    medium: Answer = Answer.UNKNOWN
    high: Answer = Answer.UNKNOWN


@dataclass(frozen=True, slots=True)
class Need:
    """One entry of the catalogue."""

    code: str
    group: str
    title: str


@dataclass(frozen=True, slots=True)
class NeedCatalogue:
    """All needs in their published order, with the version that names this wording."""

    version: str
    needs: tuple[Need, ...]

    def codes(self) -> tuple[str, ...]:
        """Return every code in catalogue order."""
        return tuple(need.code for need in self.needs)


@cache
def need_catalogue() -> NeedCatalogue:
    """Return the catalogue that this release ships."""
    content = (files("matching") / "data" / "needs.csv").read_bytes()
    rows = csv.DictReader(content.decode("utf-8").splitlines())
    needs = tuple(Need(code=row["code"], group=row["group"], title=row["title"]) for row in rows)
    return NeedCatalogue(version=hashlib.sha256(content).hexdigest()[:12], needs=needs)
