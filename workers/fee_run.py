"""Settle fee agreements: after each event at once, and once a day for what time alone brings.

Always as the agency that is paid, whoever told the event, so that every run reads the same book. An agreement is
settled in a transaction of its own; whatever was killed, the next run completes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEvent
from matching.fee.settlement import RUN_JOB, list_to_settle, settle
from tenants.database import Database
from tenants.scope import Scope
from workers.asking import ask_daily
from workers.work import Work

_DUE = text("SELECT * FROM fee_runs_due(:on_day)")
log = structlog.get_logger(__name__)


def settle_event(session: Session, work: Work) -> dict[str, Any]:
    """Settle the agreement of one event; doing it again posts nothing twice."""
    event = session.get(FeeEvent, UUID(work.payload["event"]))
    agreement = session.get(FeeAgreement, event.agreement_id) if event else None
    if agreement is None:
        # Another agency has it by now, whose own run settles it.
        return {"posted": 0}
    payee = Scope(agency_id=agreement.payee_agency_id, consortium_id=agreement.consortium_id)
    with work.database.acting(session, payee):
        return {"posted": settle(session, agreement.id, on=work.now.date(), now=work.now)}


def settle_all(session: Session, work: Work) -> dict[str, Any]:
    """Settle every agreement by which the job's agency is paid, as of the day of this attempt."""
    agreements = list_to_settle(session, now=work.now)
    return {"agreements": len(agreements), "posted": sum(_each(work, agreements))}


def run_fees(database: Database, scope: Scope, *, now: datetime) -> int:
    """Settle an agency's agreements now, and return how many transactions that took."""
    with database.transaction(scope) as session:
        agreements = list_to_settle(session, now=now)
    return sum(_settle_one(database, scope, each, now=now) for each in agreements)


def ask_for_fee_runs(database: Database, *, now: datetime) -> int:
    """Ask for today's run of each agency that is paid fees, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    return ask_daily(database, _DUE, kind=RUN_JOB, now=now)


def _each(work: Work, agreements: list[UUID]) -> list[int]:
    posted = []
    for number, agreement_id in enumerate(agreements):
        work.progress.tell(number, len(agreements))
        posted.append(_settle_one(work.database, work.scope, agreement_id, now=work.now))
    return posted


def _settle_one(database: Database, scope: Scope, agreement_id: UUID, *, now: datetime) -> int:
    with database.transaction(scope) as session:
        return settle(session, agreement_id, on=now.date(), now=now)
