"""Look at fee agreements once a day, a job for each agency whose children's placements are paid for, or swapped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.tending import TENDING_JOB, tend_agreements
from tenants.database import Database
from tenants.error import DomainError
from tenants.job import request_job
from tenants.scope import NOBODY, Scope
from workers.work import Work

_DUE = text("SELECT * FROM fee_tending_due(:on_day)")
_LEAD = text("SELECT pg_try_advisory_xact_lock(hashtext('concord.schedule'))")
log = structlog.get_logger(__name__)


def look_at_agreements(session: Session, work: Work) -> dict[str, Any]:
    """Tell what time has done to the agency's agreements; doing it again tells nothing twice."""
    done = tend_agreements(session, now=work.now)
    return {"legs": done.legs, "ended": done.ended}


def ask_for_tending(database: Database, *, now: datetime) -> int:
    """Ask for today's job of each agency that has such agreements, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    with database.transaction(NOBODY) as session:
        if not session.scalar(_LEAD):
            return 0
        due = session.execute(_DUE, {"on_day": now.date()}).all()
        return sum(
            _ask(database, Scope(agency_id=agency_id, consortium_id=consortium_id), now=now)
            for consortium_id, agency_id in due
        )


def _ask(database: Database, scope: Scope, *, now: datetime) -> bool:
    try:
        with database.transaction(scope) as agency:
            agency.info["request_id"] = "schedule"
            request_job(agency, kind=TENDING_JOB, payload={}, now=now, key=f"{scope.consortium_id}:{now.date()}")
    except DomainError as error:
        log.warning("schedule.fees_not_asked", agency=str(scope.agency_id), error=type(error).__name__)
        return False
    return True
