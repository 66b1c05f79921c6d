"""What lies behind a transaction: the event of its agreement that it was settled from."""

from __future__ import annotations

from sqlalchemy.orm import Session

from matching.fee.event import FeeEvent
from matching.fee.ledger import LedgerTransaction
from tenants.database import scope_of
from tenants.permission import Verb, require


def find_event(session: Session, transaction: LedgerTransaction) -> FeeEvent | None:
    """Return the event from which a transaction was posted, or ``None`` where people posted it themselves."""
    require(scope_of(session), Verb.READ_FEES)
    return None if transaction.event_id is None else session.get(FeeEvent, transaction.event_id)
