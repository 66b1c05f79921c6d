"""How busy a family is: free, being considered, or at its consortium's cap. Never who, and never part of the fit.

A household's agency says for how many groups it is being considered. Other agencies read only which of these it comes
to, and so nobody learns of a link that is not theirs. It moves no points; a list may be narrowed by it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Session

from tenants.consortium import get_consortium
from tenants.database import scope_of

UNCAPPED = 1_000_000
"""Where a scope names no consortium, there is nobody whose cap it could be."""


class Availability(StrEnum):
    """What may be known of how busy a family is."""

    FREE = "free"
    CONSIDERED = "considered"
    AT_CAP = "at_cap"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "free": "Free",
            "considered": "Being considered",
            "at_cap": "At its cap",
            "unknown": "Availability not said",
        }[self]


def availability_of(considered: int | None, *, cap: int) -> Availability:
    """Return how busy somebody is who is being considered so many times, of ``cap`` at most."""
    if considered is None:
        return Availability.UNKNOWN
    if considered >= cap:
        return Availability.AT_CAP
    return Availability.CONSIDERED if considered else Availability.FREE


def household_cap(session: Session) -> int:
    """Return for how many groups the scope's consortium lets a household be considered at once."""
    consortium_id = scope_of(session).consortium_id
    return UNCAPPED if consortium_id is None else get_consortium(session, consortium_id).household_cap


def group_cap(session: Session) -> int:
    """Return how many families the scope's consortium lets be considered for a group at once."""
    consortium_id = scope_of(session).consortium_id
    return UNCAPPED if consortium_id is None else get_consortium(session, consortium_id).group_cap


def is_available(
    considered: InstrumentedAttribute[int | None], availability: Availability, *, cap: int
) -> ColumnElement[Any]:
    """Return the condition under which :func:`availability_of` a column gives ``availability``."""
    return {
        Availability.UNKNOWN: considered.is_(None),
        Availability.AT_CAP: considered >= cap,
        Availability.CONSIDERED: (considered > 0) & (considered < cap),
        Availability.FREE: considered == 0,
    }[availability]
