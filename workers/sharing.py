"""Move records from one stage of sharing to the next, a job a day for each agency in each of its consortia."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.sharing import MOVE_JOB
from matching.sharing_due import move_due
from tenants.database import Database
from tenants.error import DomainError
from tenants.job import request_job
from tenants.scope import NOBODY, Scope
from workers.work import Work

_SHARERS = text("SELECT * FROM sharing_members(:on_day)")
_LEAD = text("SELECT pg_try_advisory_xact_lock(hashtext('concord.schedule'))")
log = structlog.get_logger(__name__)


def move_records(session: Session, work: Work) -> dict[str, Any]:
    """Move what is due on the day of the job's attempt; doing it again moves nothing twice."""
    done = move_due(session, on=work.now.date())
    return {"moved": done.moved, "kept_back": done.kept_back}


def ask_for_moves(database: Database, *, now: datetime) -> int:
    """Ask for today's job of each agency that shares anything, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    with database.transaction(NOBODY) as session:
        if not session.scalar(_LEAD):
            return 0
        sharers = session.execute(_SHARERS, {"on_day": now.date()}).all()
        return sum(
            _ask(database, Scope(agency_id=agency_id, consortium_id=consortium_id), now=now)
            for consortium_id, agency_id in sharers
        )


def _ask(database: Database, scope: Scope, *, now: datetime) -> bool:
    try:
        with database.transaction(scope) as agency:
            agency.info["request_id"] = "schedule"
            request_job(agency, kind=MOVE_JOB, payload={}, now=now, key=f"{scope.consortium_id}:{now.date()}")
    except DomainError as error:
        log.warning("schedule.sharing_not_asked", agency=str(scope.agency_id), error=type(error).__name__)
        return False
    return True
