"""Look at fee agreements once a day, a job for each agency whose children's placements are paid for, or swapped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.tending import TENDING_JOB, tend_agreements
from tenants.database import Database
from workers.asking import ask_daily
from workers.work import Work

_DUE = text("SELECT * FROM fee_tending_due(:on_day)")


def look_at_agreements(session: Session, work: Work) -> dict[str, Any]:
    """Tell what time has done to the agency's agreements; doing it again tells nothing twice."""
    done = tend_agreements(session, now=work.now)
    return {"legs": done.legs, "ended": done.ended}


def ask_for_tending(database: Database, *, now: datetime) -> int:
    """Ask for today's job of each agency that has such agreements, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    return ask_daily(database, _DUE, kind=TENDING_JOB, now=now)
