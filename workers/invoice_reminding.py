"""Look at unpaid invoices once a day, a job for each payee, and remind their payers at the stages that it set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.invoice.reminder import JOB, raise_reminders
from tenants.database import Database
from tenants.error import DomainError
from tenants.job import request_job
from tenants.scope import NOBODY, Scope
from workers.work import Work

_DUE = text("SELECT * FROM agencies_with_invoices(:today)")
_LEAD = text("SELECT pg_try_advisory_xact_lock(hashtext('concord.schedule'))")
log = structlog.get_logger(__name__)


def remind_payers(session: Session, work: Work) -> dict[str, Any]:
    """Remind the payers of the agency's unpaid invoices; doing it again reminds nobody twice."""
    return {"reminded": raise_reminders(session, now=work.now)}


def ask_for_reminders(database: Database, *, now: datetime) -> int:
    """Ask for today's job of each agency that has issued invoices, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    today = str(now.date())
    with database.transaction(NOBODY) as session:
        if not session.scalar(_LEAD):
            return 0
        due = session.scalars(_DUE, {"today": today}).all()
        return sum(_ask(database, Scope(agency_id=each), today, now=now) for each in due)


def _ask(database: Database, scope: Scope, today: str, *, now: datetime) -> bool:
    try:
        with database.transaction(scope) as agency:
            agency.info["request_id"] = "schedule"
            request_job(agency, kind=JOB, payload={}, now=now, key=today)
    except DomainError as error:
        log.warning("schedule.reminders_not_asked", agency=str(scope.agency_id), error=type(error).__name__)
        return False
    return True
