"""The scope's own book as a list: its postings by counterparty, month and agreement, with what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ColumnExpressionArgument, Select, func, select
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.ledger.account import Account
from matching.fee.ledger.transaction import LedgerTransaction, Posting
from tenants.database import scope_of
from tenants.permission import Verb, require

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which postings; all of them where nothing is said."""

    other_agency_id: UUID | None = None
    month: date | None = None
    reference: str | None = None
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
    order = (
        *(Posting.period_on.desc(), LedgerTransaction.dated_on.desc(), LedgerTransaction.key),
        *(Posting.account, Posting.id),
    )
    query = (
        select(Posting, LedgerTransaction, FeeAgreement.reference)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .outerjoin(FeeAgreement, FeeAgreement.id == Posting.agreement_id)
        .where(*_conditions(session, wanted))
        .order_by(*order)
    )
    if limit is not None:
        query = query.where(Posting.id.in_(_first(_conditions(session, wanted), order, limit)))
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


HEADINGS = (
    *("Month", "Day", "With", "Account", "What", "Words", "Agreement", "Debit, £", "Credit, £", "Reason", "By"),
    "Approved by",
)


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
        agreements = select(FeeAgreement.id).where(FeeAgreement.reference == wanted.reference)
        found.append(Posting.agreement_id.in_(agreements))
    return found


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}" if pence else ""
