"""Settle fee agreements: after each event at once, and once a day for what time alone brings.

Always as the agency that is paid, whoever told the event, so that every run reads the same book. An agreement is
settled in a transaction of its own; whatever was killed, the next run completes. One that cannot be settled stops none
of the others: the run ends by saying which they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEvent
from matching.fee.settlement import RUN_JOB, list_to_settle, settle
from tenants.database import Database
from tenants.error import Conflict
from tenants.scope import Scope
from workers.asking import ask_daily
from workers.work import Work

_DUE = text("SELECT * FROM fee_runs_due(:on_day)")
log = structlog.get_logger(__name__)


class AgreementsUnsettled(Conflict):
    """Some agreements could not be settled, by their references; the others were."""


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
    """Settle every agreement by which the job's agency is paid, as of the day of this attempt.

    :raises AgreementsUnsettled: when some could not be settled; the others were.
    """
    agreements = list_to_settle(session, now=work.now)
    posted = _settle_each(work.database, work.scope, agreements, now=work.now, tell=work.progress.tell)
    return {"agreements": len(agreements), "posted": posted}


def run_fees(database: Database, scope: Scope, *, now: datetime) -> int:
    """Settle an agency's agreements now, and return how many transactions that took.

    :raises AgreementsUnsettled: when some could not be settled; the others were.
    """
    with database.transaction(scope) as session:
        agreements = list_to_settle(session, now=now)
    return _settle_each(database, scope, agreements, now=now)


def ask_for_fee_runs(database: Database, *, now: datetime) -> int:
    """Ask for today's run of each agency that is paid fees, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    return ask_daily(database, _DUE, kind=RUN_JOB, now=now)


def _settle_each(
    database: Database,
    scope: Scope,
    agreements: Sequence[UUID],
    *,
    now: datetime,
    tell: Callable[[int, int], None] | None = None,
) -> int:
    posted, failed = 0, dict[UUID, Exception]()
    for number, agreement_id in enumerate(agreements):
        if tell:
            tell(number, len(agreements))
        try:
            posted += _settle_one(database, scope, agreement_id, now=now)
        except Exception as error:  # whatever it is, the others are settled
            log.exception("fees.not_settled", agreement=str(agreement_id), error=type(error).__name__)
            failed[agreement_id] = error
    for fault in failed.values():
        if isinstance(fault, OperationalError):
            raise fault  # which may pass: the job is tried again
    if failed:
        raise AgreementsUnsettled(_say(database, scope, failed, of=len(agreements)))
    return posted


def _say(database: Database, scope: Scope, failed: Collection[UUID], *, of: int) -> str:
    with database.transaction(scope) as session:
        references = list(session.scalars(select(FeeAgreement.reference).where(FeeAgreement.id.in_(failed))))
    return (
        f"{len(failed)} of {of} could not be settled, and all others were: {', '.join(sorted(references))}. Every run "
        "tries again; tell whoever runs this service."
    )


def _settle_one(database: Database, scope: Scope, agreement_id: UUID, *, now: datetime) -> int:
    with database.transaction(scope) as session:
        return settle(session, agreement_id, on=now.date(), now=now)
