"""What the whole consortium comes to: counts to the nearest five, and nothing that comes from few."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

NEAREST = 5
"""Counts of the consortium are told to the nearest of these."""


class Kind(NamedTuple):
    """What is counted, and for which quarter; for all three years without one."""

    kind: str
    label: str
    quarter: date | None = None


class Told(NamedTuple):
    """What is told of it; ``None`` for what comes from too few, or from one other agency alone."""

    links: int | None
    median: int | None
    ninetieth: int | None


NOTHING = Told(0, None, None)
"""What is told where nobody in the consortium has anything."""


def read_consortium(session: Session) -> dict[Kind, Told]:
    """Return the figures of the scope's consortium for the twelve quarters that are over; what is not in it is none."""
    rows = session.execute(text("SELECT kind, label, quarter, links, median, ninetieth FROM consortium_figures()"))
    return {Kind(row.kind, row.label, row.quarter): Told(row.links, row.median, row.ninetieth) for row in rows}
