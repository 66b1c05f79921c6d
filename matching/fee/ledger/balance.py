"""What the accounts of the scope's own book come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Subquery, case, func, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from matching.fee.ledger.account import Account
from matching.fee.ledger.transaction import LedgerTransaction, Posting
from tenants.database import scope_of
from tenants.permission import Verb, require

_TOTAL = func.coalesce(func.sum(Posting.pence), 0)


@dataclass(frozen=True, slots=True)
class DueLine:
    """An instalment that is due and not, or not wholly, invoiced."""

    agreement_id: UUID
    due_key: str
    pence: int


def balance(
    session: Session,
    account: Account,
    *,
    other_agency_id: UUID | None = None,
    agreement_id: UUID | None = None,
    due_key: str | None = None,
    until_on: date | None = None,
) -> int:
    """Return what an account of the scope's own book comes to, in pence: debits less credits.

    :param until_on: leave out the months that begin after this day.
    """
    wanted = [Posting.account == account, *_about(other_agency_id, agreement_id, due_key)]
    if until_on is not None:
        wanted.append(Posting.period_on <= until_on)
    return int(session.scalar(select(_TOTAL).where(_own(session), *wanted)) or 0)


def balances_of(
    session: Session, *, other_agency_id: UUID | None = None, agreement_id: UUID | None = None
) -> dict[Account, int]:
    """Return what each account of the scope's own book comes to, where that is not nothing, in the accounts' order."""
    query = (
        select(Posting.account, func.sum(Posting.pence))
        .where(_own(session), *_about(other_agency_id, agreement_id, None))
        .group_by(Posting.account)
        .having(func.sum(Posting.pence) != 0)
    )
    found = {account: int(pence) for account, pence in session.execute(query)}
    return {account: found[account] for account in Account if account in found}


def outstanding(session: Session, invoice_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how much of each invoice is owed still, in pence, by the scope's own book; less than nothing if too much.

    Invoices of which nothing was posted are not among them.
    """
    rows = session.execute(select(owed_by_invoice(session, invoice_ids)))
    return {invoice_id: int(pence) for invoice_id, pence in rows}


def owed_by_invoice(session: Session, invoice_ids: Sequence[UUID] | None = None) -> Subquery:
    """Return the same of some invoices, or of every one, as ``invoice_id`` and ``pence``, to be joined with."""
    invoice_id = LedgerTransaction.invoice_id
    owed = case((Posting.account == Account.RECEIVABLE, Posting.pence), else_=-Posting.pence)
    return (
        select(invoice_id, func.sum(owed).label("pence"))
        .join(Posting, Posting.transaction_id == LedgerTransaction.id)
        .where(
            invoice_id.is_not(None) if invoice_ids is None else invoice_id.in_(invoice_ids),
            _own(session),
            Posting.account.in_((Account.RECEIVABLE, Account.PAYABLE)),
        )
        .group_by(invoice_id)
        .subquery()
    )


def moves_of(session: Session, invoice_id: UUID) -> list[tuple[LedgerTransaction, int]]:
    """Return what each transaction added to what is owed of an invoice, the first first: together, what is left."""
    require(scope_of(session), Verb.READ_FEES)
    owed = case((Posting.account == Account.RECEIVABLE, Posting.pence), else_=-Posting.pence)
    query = (
        select(LedgerTransaction, func.sum(owed))
        .join(Posting, Posting.transaction_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.invoice_id == invoice_id,
            _own(session),
            Posting.account.in_((Account.RECEIVABLE, Account.PAYABLE)),
        )
        .group_by(LedgerTransaction.id)
        .order_by(LedgerTransaction.posted_at, LedgerTransaction.key)
    )
    return [(each, int(pence)) for each, pence in session.execute(query)]


def list_to_invoice(
    session: Session,
    *,
    payer_agency_id: UUID | None = None,
    agreement_id: UUID | None = None,
    until_on: date | None = None,
) -> list[DueLine]:
    """Return what is due to the scope's own agency and not invoiced, by agreement and instalment.

    An amount below nothing is what was invoiced too much. Take :func:`lock_agreement` before invoicing any of it.

    :param until_on: leave out what fell due in the months that begin after this day.
    """
    fell_due = func.min(Posting.period_on) <= until_on if until_on is not None else true()
    query = (
        select(Posting.agreement_id, Posting.due_key, func.sum(Posting.pence))
        .where(_own(session), Posting.account == Account.TO_INVOICE, Posting.due_key.is_not(None))
        .where(*_about(payer_agency_id, agreement_id, None))
        .group_by(Posting.agreement_id, Posting.due_key)
        .having(func.sum(Posting.pence) != 0, fell_due)
        .order_by(Posting.agreement_id, Posting.due_key)
    )
    return [
        DueLine(agreement, key, int(pence)) for agreement, key, pence in session.execute(query) if agreement and key
    ]


def parts_to_invoice(session: Session, agreement_id: UUID) -> dict[str, int]:
    """Return what is due and not invoiced of an agreement by due key, in pence, by either side's own book."""
    return parts_to_invoice_each(session, [agreement_id])[agreement_id]


def parts_to_invoice_each(session: Session, agreement_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Return the same of many agreements, by their ids."""
    turned = case((Posting.account == Account.TO_INVOICE, Posting.pence), else_=-Posting.pence)
    query = (
        select(Posting.agreement_id, Posting.due_key, func.sum(turned))
        .where(_own(session), Posting.account.in_((Account.TO_INVOICE, Account.TO_BE_INVOICED)))
        .where(Posting.agreement_id.in_(agreement_ids), Posting.due_key.is_not(None))
        .group_by(Posting.agreement_id, Posting.due_key)
    )
    found: dict[UUID, dict[str, int]] = {agreement_id: {} for agreement_id in agreement_ids}
    for agreement_id, key, pence in session.execute(query):
        if agreement_id and key:
            found[agreement_id][key] = int(pence)
    return found


def _own(session: Session) -> ColumnElement[bool]:
    return Posting.agency_id == scope_of(session).agency_id


def _about(other_agency_id: UUID | None, agreement_id: UUID | None, due_key: str | None) -> list[ColumnElement[bool]]:
    wanted = (
        (Posting.other_agency_id, other_agency_id),
        (Posting.agreement_id, agreement_id),
        (Posting.due_key, due_key),
    )
    return [column == value for column, value in wanted if value is not None]
