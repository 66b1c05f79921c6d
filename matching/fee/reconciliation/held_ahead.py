"""What payers have paid too much or ahead, and the invoices, and legs of nettings, that it pays later."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from matching.fee.debt_holder import heirs_of
from matching.fee.ledger import (
    Account,
    LedgerTransaction,
    Posting,
    TransactionKind,
    get_transaction,
    mirrored,
    post,
    share_books,
)
from matching.fee.money import pounds
from matching.fee.reconciliation.owed import list_owed
from matching.fee.reconciliation.payment import Payment
from matching.fee.remittance.remittance import lock_remittances
from matching.fee.transfer import undo
from matching.sealed_words import own_agency, own_person, tidy
from tenants import audit
from tenants.database import scope_of
from tenants.error import Conflict, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "ledger_transaction"


class NothingHeld(Conflict):
    """Nothing is held for the payer, or nothing is owed on the invoice."""


class HeldAheadUsed(Conflict):
    """What was held ahead has paid an invoice since, or was paid back."""


class InvoiceNotOwed(NotFound):
    """No such invoice was issued by this agency."""


def list_held(session: Session) -> dict[UUID, int]:
    """Return what the scope's agency holds for each payer in the scope's consortium, in pence, where that is anything.

    What was paid too much in one pays no invoice of another: each keeps its own account of the two.
    """
    require(scope_of(session), Verb.READ_FEES)
    own = own_agency(session)
    query = (
        select(Posting.other_agency_id, func.sum(Posting.pence))
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .where(Posting.agency_id == own, Posting.account == Account.HELD_AHEAD)
        .where(LedgerTransaction.consortium_id == scope_of(session).consortium_id)
        .group_by(Posting.other_agency_id)
        .having(func.sum(Posting.pence) != 0)
        .order_by(Posting.other_agency_id)
    )
    return {payer_id: -int(pence) for payer_id, pence in session.execute(query)}


def allocate_held(session: Session, invoice_id: UUID, *, now: datetime) -> LedgerTransaction:
    """Let what is held for a payer pay one of their invoices, or what they pay after a netting, as far as it goes.

    :raises InvoiceNotOwed: when the agency issued no such invoice.
    :raises NothingHeld: when nothing is held for its payer, or nothing is owed on it.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    own_person(session)
    own = own_agency(session)
    lock_remittances(session, own)
    share_books(session)
    owed = list_owed(session, on=now.date())
    invoice = next((each for each in owed if each.id == invoice_id), None)
    consortium_id = scope_of(session).consortium_id
    if invoice is None or consortium_id is None:
        raise InvoiceNotOwed("There is no such invoice.")
    held = list_held(session).get(invoice.payer_id, 0)
    pence = min(held, invoice.outstanding)
    if pence <= 0:
        raise NothingHeld(f"Nothing is held for it, or nothing of {invoice.number} is owed. Look at the list again.")
    posted = post(
        session,
        consortium_id=consortium_id,
        payer_agency_id=invoice.payer_id,
        payee_agency_id=own,
        kind=TransactionKind.ALLOCATED,
        key=f"held/{uuid4()}/{invoice_id}",
        dated_on=now.date(),
        entries=mirrored(TransactionKind.ALLOCATED, pence, invoice.payer_id, own),
        narrative=f"Held ahead, used for {invoice.words}",
        now=now,
        invoice_id=invoice.invoice_id,
        leg_id=invoice.leg_id,
    )
    audit.record(session, audit.Act.CONFIRM, record_kind=RECORD_KIND, record_id=posted.id, now=now)
    return posted


def list_used(session: Session) -> list[LedgerTransaction]:
    """Return what was taken from what is held in the scope's consortium, and stands, the latest first."""
    require(scope_of(session), Verb.READ_FEES)
    reversal = aliased(LedgerTransaction)
    query = (
        select(LedgerTransaction)
        .outerjoin(reversal, reversal.reverses_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.payee_agency_id == own_agency(session),
            LedgerTransaction.consortium_id == scope_of(session).consortium_id,
            LedgerTransaction.kind == TransactionKind.ALLOCATED,
            reversal.id.is_(None),
        )
        .order_by(LedgerTransaction.posted_at.desc(), LedgerTransaction.id)
    )
    return list(session.scalars(query))


def put_back(session: Session, transaction_id: UUID, *, reason: str, now: datetime) -> LedgerTransaction:
    """Hold for the payer again what had paid an invoice.

    :raises TransactionUnknown: when there is no such transaction.
    :raises NothingHeld: when it is no use of what was held by this agency.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    own_person(session)
    lock_remittances(session, own_agency(session))
    share_books(session)
    said = tidy(reason, what="why it is put back")
    found = get_transaction(session, transaction_id)
    if found.kind is not TransactionKind.ALLOCATED or found.payee_agency_id != own_agency(session):
        raise NothingHeld("This was not taken from what is held ahead.")
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=found.id, now=now)
    return undo(session, found, reason=said, now=now)


def refuse_used(session: Session, payment: Payment) -> None:
    """Refuse to take back what a payment paid too much once that has paid an invoice, or was paid back.

    :raises HeldAheadUsed: when less than that is held.
    """
    payer_id = heirs_of(session).get(payment.payer_agency_id, payment.payer_agency_id)
    # Of an agency that has become part of one's own nothing is held any more, and nothing was used.
    held = list_held(session).get(payer_id, payment.over_pence if payer_id == payment.payee_agency_id else 0)
    if held < payment.over_pence:
        raise HeldAheadUsed(
            f"{pounds(payment.over_pence)} of it was held ahead, and {pounds(payment.over_pence - held)} of that has "
            "paid an invoice or was paid back since. Take that back first."
        )
