"""What an agency says that it has paid and the payee has not confirmed: from its own payment files, never posted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching.fee.reconciliation.fact import Facts, Share, WaitingLine
from matching.fee.reconciliation.matcher import propose
from matching.fee.reconciliation.owed import list_others, list_owed
from matching.fee.remittance.line import LineState, list_lines, words_of
from tenants.database import scope_of
from tenants.permission import Verb, require


@dataclass(frozen=True, slots=True)
class AdvisedPayment:
    """A line of one's own payment file: to whom it most likely went, and which open invoices it was for."""

    line_id: UUID
    paid_on: date
    pence: int
    payee_agency_id: UUID
    shares: tuple[Share, ...]
    numbers: tuple[str, ...]


def list_advised(
    session: Session, *, now: datetime, payee_agency_id: UUID | None = None, until_on: date | None = None
) -> list[AdvisedPayment]:
    """Return what the scope's agency says that it has paid on invoices that are still open, the oldest first.

    Once the payee has confirmed a receipt, the invoice is settled in both books, and the line is no difference more.
    """
    require(scope_of(session), Verb.READ_FEES)
    lines = [
        each for each in list_lines(session, state=LineState.ADVICE) if until_on is None or each.dated_on <= until_on
    ]
    invoices = {each.id: each for each in list_owed(session, on=now.date(), as_payee=False)}
    words = {line.id: words_of(session, line) for line in lines}
    facts = Facts(
        payers=list_others(session),
        invoices=tuple(invoices.values()),
        lines=tuple(
            WaitingLine(line.id, line.dated_on, -line.pence, words[line.id].payer, words[line.id].reference)
            for line in lines
        ),
    )
    return [
        AdvisedPayment(
            line.id,
            line.dated_on,
            -line.pence,
            proposal.payer_id,
            proposal.shares,
            tuple(invoices[share.invoice_id].number for share in proposal.shares),
        )
        for line, proposal in zip(lines, propose(facts), strict=True)
        if proposal.payer_id is not None and payee_agency_id in (None, proposal.payer_id)
    ]
