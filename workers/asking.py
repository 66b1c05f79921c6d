"""Ask for work by the schedule: once by a job's key, whichever of several schedules leads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from tenants.database import Database
from tenants.error import DomainError
from tenants.job import request_job
from tenants.scope import NOBODY, Scope

_LEAD = text("SELECT pg_try_advisory_xact_lock(hashtext('concord.schedule'))")
log = structlog.get_logger(__name__)


def leads(session: Session) -> bool:
    """Say whether this schedule leads; if so, no other does until the transaction ends."""
    return bool(session.scalar(_LEAD))


def ask(
    database: Database, scope: Scope, *, kind: str, key: str, now: datetime, payload: dict[str, Any] | None = None
) -> bool:
    """Ask for a job in a scope and say whether that was taken; asking with its key again asks for nothing."""
    try:
        with database.transaction(scope) as session:
            session.info["request_id"] = "schedule"
            request_job(session, kind=kind, payload=payload or {}, now=now, key=key)
    except DomainError as error:
        # One agency's trouble must not keep the others' work from being asked for.
        log.warning("schedule.not_asked", kind=kind, agency=str(scope.agency_id), error=type(error).__name__)
        return False
    return True


def ask_daily(database: Database, due: TextClause, *, kind: str, now: datetime) -> int:
    """Ask for today's job of each agency that has any, in its own scope.

    Returns how many were asked for; none when another schedule leads.

    :param due: returns ``(consortium_id, agency_id)`` of those not asked for yet on ``:on_day``; no consortium where
        the work is not one's.
    """
    today = now.date()
    with database.transaction(NOBODY) as session:
        if not leads(session):
            return 0
        return sum(
            ask(
                database,
                Scope(agency_id=agency_id, consortium_id=consortium_id),
                kind=kind,
                key=f"{consortium_id}:{today}" if consortium_id else str(today),
                now=now,
            )
            for consortium_id, agency_id in session.execute(due, {"on_day": today}).all()
        )
