"""Look at unpaid invoices once a day, a job for each payee, and remind their payers at the stages that it set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.invoice.reminder import JOB, raise_reminders
from tenants.database import Database
from workers.asking import ask_daily
from workers.work import Work

_DUE = text("SELECT NULL::uuid, * FROM agencies_with_invoices(CAST(:on_day AS text))")


def remind_payers(session: Session, work: Work) -> dict[str, Any]:
    """Remind the payers of the agency's unpaid invoices; doing it again reminds nobody twice."""
    return {"reminded": raise_reminders(session, now=work.now)}


def ask_for_reminders(database: Database, *, now: datetime) -> int:
    """Ask for today's job of each agency that has issued invoices, in its own scope.

    Returns how many were asked for; none when another schedule leads.
    """
    return ask_daily(database, _DUE, kind=JOB, now=now)
