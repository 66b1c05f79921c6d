"""What was paid of an agreement, by the payee's own book: its fee, and the VAT that was paid with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEventKind, events_of
from matching.fee.ledger import Account, LedgerTransaction, Posting, outstanding


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid and not paid back, in pence."""

    net: int
    """Without VAT."""
    vat: int
    """The VAT that was paid with it."""

    def vat_with(self, pence: int) -> int:
        """Return the VAT that comes back with so much of the fee; with the last of it, all that is left."""
        return share_of(self.vat, pence, self.net)


def share_of(amount: int, part: int, whole: int) -> int:
    """Return what of an amount belongs to a part of a whole, rounded to the nearest penny and half a penny up."""
    return (2 * amount * part + whole) // (2 * whole) if whole else 0


def paid_of(session: Session, agreement: FeeAgreement) -> Paid:
    """Return what was paid of an agreement and not paid back, in the payee's scope.

    What is still owed of an invoice over several agreements counts as unpaid of each.
    """
    invoices = _invoices(session, agreement)
    taxes, left = _taxes(session, agreement, list(invoices)), outstanding(session, list(invoices))
    net = vat = 0
    for invoice_id, parts in invoices.items():
        whole, tax = sum(parts.values()), taxes.get(invoice_id, 0)
        own = parts[agreement.id]
        # Rounded up: no penny counts as paid that is not.
        unpaid = min(own, -(-max(0, left.get(invoice_id, 0)) * whole // (whole + tax))) if whole + tax else own
        net += own - unpaid
        vat += share_of(_tax_of(parts, tax, agreement.id), own - unpaid, own)
    for event in events_of(session, agreement.id):
        if event.kind is FeeEventKind.REFUND:
            net -= int(event.facts["pence"])
            vat -= int(event.facts.get("vat_pence", 0))
    return Paid(net, vat)


def _invoices(session: Session, agreement: FeeAgreement) -> dict[UUID, dict[UUID, int]]:
    """Return by invoice what stands invoiced of each of its agreements without VAT, of those that are of this one."""
    own = Posting.agency_id == agreement.payee_agency_id
    of_it = select(LedgerTransaction.invoice_id).join(Posting, Posting.transaction_id == LedgerTransaction.id)
    query = (
        select(LedgerTransaction.invoice_id, Posting.agreement_id, func.sum(Posting.pence))
        .join(Posting, Posting.transaction_id == LedgerTransaction.id)
        .where(own, Posting.account == Account.RECEIVABLE, Posting.agreement_id.is_not(None))
        .where(LedgerTransaction.invoice_id.in_(of_it.where(own, Posting.agreement_id == agreement.id)))
        .group_by(LedgerTransaction.invoice_id, Posting.agreement_id)
    )
    found: dict[UUID, dict[UUID, int]] = {}
    for invoice_id, agreement_id, pence in session.execute(query):
        if invoice_id and agreement_id and pence > 0:
            found.setdefault(invoice_id, {})[agreement_id] = int(pence)
    return {invoice_id: parts for invoice_id, parts in found.items() if agreement.id in parts}


def _taxes(session: Session, agreement: FeeAgreement, invoice_ids: list[UUID]) -> dict[UUID, int]:
    query = (
        select(LedgerTransaction.invoice_id, -func.sum(Posting.pence))
        .join(Posting, Posting.transaction_id == LedgerTransaction.id)
        .where(Posting.agency_id == agreement.payee_agency_id, Posting.account == Account.VAT_OUT)
        .where(LedgerTransaction.invoice_id.in_(invoice_ids))
        .group_by(LedgerTransaction.invoice_id)
    )
    return {invoice_id: int(pence) for invoice_id, pence in session.execute(query) if invoice_id}


def _tax_of(parts: Mapping[UUID, int], tax: int, agreement_id: UUID) -> int:
    """Return an agreement's part of an invoice's VAT, so that those of all its agreements add up to it."""
    before = sum(pence for each, pence in parts.items() if str(each) < str(agreement_id))
    whole = sum(parts.values())
    return share_of(tax, before + parts[agreement_id], whole) - share_of(tax, before, whole)
