"""The scope's own book as a list: its postings by counterparty, month and agreement, with what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Select,
    Text,
    Uuid,
    and_,
    column,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.ledger.account import Account
from matching.fee.ledger.transaction import LedgerTransaction, Posting
from matching.fee.money import plain_pounds
from tenants.database import scope_of
from tenants.permission import Verb, require

MOST_SHOWN = 100
# By name: invoices are made of the ledger, which does not know how.
_INVOICE = table("invoice", column("id", Uuid()), column("number", Text()), column("kind", Text()))
_INVOICE_LINE = table("invoice_line", column("invoice_id", Uuid()), column("agreement_id", Uuid()))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which postings; all of them where nothing is said."""

    other_agency_id: UUID | None = None
    month: date | None = None
    reference: str | None = None
    """Of an agreement: its postings, and those of no agreement of the invoices that hold it alone."""
    account: Account | None = None
    year: int | None = None
    """The calendar year in whose April a financial year begins."""


@dataclass(frozen=True, slots=True)
class Line:
    """One posting with its transaction, and the reference of the agreement that it is about."""

    posting: Posting
    transaction: LedgerTransaction
    reference: str | None


@dataclass(frozen=True, slots=True)
class AccountSum:
    """What the postings of one account add up to, in pence; credits are less than nothing."""

    account: Account
    debits: int
    credits: int
    postings: int

    @property
    def pence(self) -> int:
        """Return debits and credits together."""
        return self.debits + self.credits


def list_lines(session: Session, wanted: Wanted, *, limit: int | None = MOST_SHOWN) -> list[Line]:
    """Return the postings of the scope's own book, the last month and day first."""
    require(scope_of(session), Verb.READ_FEES)
    conditions = _conditions(session, wanted)
    order = (
        *(Posting.period_on.desc(), LedgerTransaction.dated_on.desc(), LedgerTransaction.key),
        *(Posting.account, Posting.id),
    )
    query = (
        select(Posting, LedgerTransaction, FeeAgreement.reference)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .outerjoin(FeeAgreement, FeeAgreement.id == Posting.agreement_id)
        .where(*conditions)
        .order_by(*order)
    )
    if limit is not None:
        query = query.where(Posting.id.in_(_first(conditions, order, limit)))
    return [Line(posting, transaction, reference) for posting, transaction, reference in session.execute(query)]


def sum_accounts(session: Session, wanted: Wanted) -> list[AccountSum]:
    """Return what the same postings add up to by account, in the accounts' order."""
    require(scope_of(session), Verb.READ_FEES)
    debits = func.coalesce(func.sum(Posting.pence).filter(Posting.pence > 0), 0)
    owed = func.coalesce(func.sum(Posting.pence).filter(Posting.pence < 0), 0)
    query = select(Posting.account, debits, owed, func.count()).where(*_conditions(session, wanted))
    rows = session.execute(query.group_by(Posting.account))
    found = {account: AccountSum(account, int(more), int(less), count) for account, more, less, count in rows}
    return [found[account] for account in Account if account in found]


def list_shared_invoices(session: Session, reference: str) -> list[tuple[UUID, str]]:
    """Return the id and number of each invoice on which an agreement stands with others, in the numbers' order.

    What is paid of one, and its VAT, is of no agreement.
    """
    require(scope_of(session), Verb.READ_FEES)
    shared = _INVOICE.c.id.in_(_invoices(reference, shared=True))
    query = select(_INVOICE.c.id, _INVOICE.c.number).where(_INVOICE.c.kind == "invoice", shared)
    rows = session.execute(query.order_by(_INVOICE.c.number, _INVOICE.c.id))
    return [(invoice_id, number) for invoice_id, number in rows]


def references_of(session: Session, postings: Sequence[Posting]) -> dict[UUID, str]:
    """Return the references of the agreements that postings are about, by id, in the references' order."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(FeeAgreement.id, FeeAgreement.reference).order_by(FeeAgreement.reference)
    rows = session.execute(query.where(FeeAgreement.id.in_({each.agreement_id for each in postings})))
    return dict(rows.all())


def list_counterparties(session: Session) -> list[UUID]:
    """Return the agencies with which the scope's own book has postings."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Posting.other_agency_id).where(Posting.agency_id == scope_of(session).agency_id)
    return sorted(session.scalars(query.distinct()))


def list_months(session: Session) -> list[date]:
    """Return the months in which the scope's own book has postings, the last first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Posting.period_on).where(Posting.agency_id == scope_of(session).agency_id)
    return sorted(session.scalars(query.distinct()), reverse=True)


def as_rows(lines: Sequence[Line], names: dict[UUID, str]) -> Iterator[dict[str, str]]:
    """Yield lines as a sheet has them; amounts in pounds with two digits, a credit below nothing."""
    for line in lines:
        posting, transaction = line.posting, line.transaction
        yield {
            "Month": f"{posting.period_on:%Y-%m}",
            "Day": transaction.dated_on.isoformat(),
            "With": names.get(posting.other_agency_id, ""),
            "Account": posting.account.label,
            "What": transaction.kind.label,
            "Words": transaction.narrative,
            "Agreement": line.reference or "",
            "Debit, £": _pounds(max(posting.pence, 0)),
            "Credit, £": _pounds(max(-posting.pence, 0)),
            "Reason": transaction.reason or "",
            "By": transaction.made_name or "",
            "Approved by": transaction.approved_name or "",
        }


def _first(
    conditions: Sequence[ColumnElement[bool]], order: Sequence[ColumnExpressionArgument[Any]], limit: int
) -> Select[UUID]:
    """Return the ids of the first postings, looked for in the last months alone that have as many."""
    months = select(Posting.period_on).where(*conditions).order_by(Posting.period_on.desc())
    earliest = func.coalesce(months.offset(limit - 1).limit(1).scalar_subquery(), date.min)
    query = select(Posting.id).join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
    return query.where(*conditions, Posting.period_on >= earliest).order_by(*order).limit(limit)


def _conditions(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Posting.agency_id == scope_of(session).agency_id]
    if wanted.other_agency_id is not None:
        found.append(Posting.other_agency_id == wanted.other_agency_id)
    if wanted.month is not None:
        found.append(Posting.period_on == wanted.month)
    if wanted.year is not None:
        found.append(Posting.period_on.between(date(wanted.year, 4, 1), date(wanted.year + 1, 3, 1)))
    if wanted.account is not None:
        found.append(Posting.account == wanted.account)
    if wanted.reference is not None:
        # By their ids, for each of which there is an index.
        agreements = session.scalars(_agreements(wanted.reference)).all()
        paid = select(LedgerTransaction.id).where(LedgerTransaction.invoice_id.in_(_invoices(wanted.reference)))
        of_invoices = and_(Posting.transaction_id.in_(session.scalars(paid).all()), Posting.agreement_id.is_(None))
        found.append(or_(Posting.agreement_id.in_(agreements), of_invoices))
    return found


def _agreements(reference: str) -> Select[UUID]:
    return select(FeeAgreement.id).where(FeeAgreement.reference == reference)


def _invoices(reference: str, *, shared: bool = False) -> Select[UUID]:
    """Return the ids of the invoices that hold an agreement alone, or with others."""
    agreements = _agreements(reference)
    line = _INVOICE_LINE.c
    held = select(line.invoice_id).where(line.agreement_id.in_(agreements)).distinct().subquery().c.invoice_id
    among = select(line.invoice_id).where(line.agreement_id.not_in(agreements), line.invoice_id.in_(select(held)))
    return select(held).where(held.in_(among) if shared else held.not_in(among))


def _pounds(pence: int) -> str:
    return plain_pounds(pence) if pence else ""
