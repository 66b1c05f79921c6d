"""What an agency says that it has paid another and the other has not had: from its own payment files."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.fee.reconciliation.advice import list_advised
from matching.fee.remittance.line import LineState, list_lines
from tenants.database import scope_of
from tenants.permission import Verb, require


def list_sent(session: Session, other_agency_id: UUID, *, until_on: date, now: datetime) -> list[dict[str, Any]]:
    """Return it as a statement keeps it: ``[{"on", "pence", "numbers"}]``, the oldest first."""
    require(scope_of(session), Verb.READ_FEES)
    if not list_lines(session, state=LineState.ADVICE):
        return []
    advised = list_advised(session, now=now, payee_agency_id=other_agency_id, until_on=until_on)
    return [{"on": each.paid_on.isoformat(), "pence": each.pence, "numbers": list(each.numbers)} for each in advised]
