"""Move records from one stage of sharing to the next, a job a day for each agency in each of its consortia."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.sharing import MOVE_JOB
from matching.sharing_due import move_due
from tenants.database import Database
from workers.asking import ask_daily
from workers.work import Work

_SHARERS = text("SELECT * FROM sharing_members(:on_day)")


def move_records(session: Session, work: Work) -> dict[str, Any]:
    """Move what is due on the day of the job's attempt; doing it again moves nothing twice."""
    done = move_due(session, on=work.now.date())
    return {"moved": done.moved, "kept_back": done.kept_back}


def ask_for_moves(database: Database, *, now: datetime) -> int:
    """Ask for today's job of each agency that shares anything, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    return ask_daily(database, _SHARERS, kind=MOVE_JOB, now=now)
