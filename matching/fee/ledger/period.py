"""Months of a book: closed with their totals, and reopened by two people with a reason.

A closed month takes no posting. Closing waits until nobody is posting into the book, and postings wait for closing: the
database sees to both, and adds up the totals that are kept. What comes late counts in the first open month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.ledger.account import Account
from matching.fee.ledger.lock import lock_book
from matching.fee.ledger.transaction import Posting
from matching.fee.signer import find_signer, require_signer
from matching.sealed_words import own_agency
from matching.working_day import add_months
from tenants import audit
from tenants.approval import require_two
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "fee_period"


class FeePeriod(Base):
    """One closing of one month of one agency's book."""

    __tablename__ = "fee_period"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    month: Mapped[date]
    closed_at: Mapped[datetime]
    closed_by: Mapped[UUID | None]
    closed_name: Mapped[str | None]
    totals: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """By account ``{"brought", "debits", "credits", "carried", "postings"}``, in pence, as the database added it up."""
    reopen_asked_at: Mapped[datetime | None]
    reopen_asked_by: Mapped[UUID | None]
    reopen_asked_name: Mapped[str | None]
    reopen_reason: Mapped[str | None]
    reopened_at: Mapped[datetime | None]
    reopened_by: Mapped[UUID | None]
    reopened_name: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Total:
    """What one account brought into a month, took in it and carried out of it, in pence."""

    account: Account
    brought: int
    debits: int
    credits: int
    postings: int

    @property
    def carried(self) -> int:
        """Return what it comes to at the month's end."""
        return self.brought + self.debits + self.credits


class PeriodUnknown(NotFound):
    """That month is not closed."""


class MonthNotOver(Invalid):
    """The month has not ended yet."""


class BeforeBook(Invalid):
    """Nothing has been posted in the book until the end of that month."""


class MonthClosed(Conflict):
    """The month is closed already."""


class EarlierOpen(Conflict):
    """An earlier month has postings and is open."""


class LaterClosed(Conflict):
    """A later month is closed."""


class NotAsked(Forbidden):
    """Whoever asked takes it back, and nobody else."""


def close_month(session: Session, month: date, *, now: datetime) -> FeePeriod:
    """Close a month of the scope's agency's book, and keep its totals.

    :raises MonthNotOver: before its last day is over.
    :raises BeforeBook: when the book's first posting counts in a later month, or there is none.
    :raises MonthClosed, EarlierOpen: when it is closed, or an earlier one that has postings is not.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    own, month = own_agency(session), month.replace(day=1)
    if now.date() < add_months(month, 1):
        raise MonthNotOver("The month is not over. Close it from the first of the next.")
    lock_book(session, own)
    if month in _closed_months(session):
        raise MonthClosed("This month is closed already.")
    _refuse_before_book(session, month)
    earlier = next((each for each in open_months(session) if each < month), None)
    if earlier is not None:
        raise EarlierOpen(f"{earlier:%B %Y} has postings and is open. Close it first.")
    signer = find_signer(session)
    period = FeePeriod(
        agency_id=own,
        month=month,
        closed_at=now,
        closed_by=signer.person_id if signer else None,
        closed_name=signer.name if signer else None,
        totals={},
    )
    session.add(period)
    session.flush()
    session.refresh(period)
    audit.record(session, audit.Act.CONFIRM, record_kind=RECORD_KIND, record_id=period.id, reason="closed", now=now)
    return period


def ask_to_reopen(session: Session, period: FeePeriod, *, reason: str, now: datetime) -> None:
    """Ask for the last closed month to be opened again; another person has to agree.

    :raises LaterClosed: when a later month is closed.
    :raises MonthClosed: when it was asked for or opened already.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    signer = require_signer(session)
    _lock_open(session, period)
    _refuse_inner(session, period)
    if period.reopen_asked_at is not None:
        raise MonthClosed("Somebody has asked for this already.")
    if not reason.strip():
        raise Invalid("Say why the month has to be opened again.")
    period.reopen_asked_at, period.reopen_asked_by, period.reopen_asked_name = now, signer.person_id, signer.name
    period.reopen_reason = reason.strip()
    session.flush()
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=period.id, reason=reason.strip(), now=now)


def withdraw_reopening(session: Session, period: FeePeriod, *, now: datetime) -> None:
    """Take back what one asked for oneself: the month stays closed, and somebody may ask again.

    :raises MonthClosed: when nobody asked for it, or it is open.
    :raises NotAsked: when somebody else asked.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    signer = require_signer(session)
    _lock_open(session, period)
    if period.reopen_asked_at is None:
        raise MonthClosed("Nobody has asked for this month to be opened.")
    if period.reopen_asked_by != signer.person_id:
        raise NotAsked(f"{period.reopen_asked_name} asked for this, and takes it back. Ask them to.")
    reason = f"withdrawn: {period.reopen_reason}"
    period.reopen_asked_at = period.reopen_asked_by = period.reopen_asked_name = period.reopen_reason = None
    session.flush()
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=period.id, reason=reason, now=now)


def reopen(session: Session, period: FeePeriod, *, now: datetime) -> None:
    """Open a closed month again, as the second person.

    :raises LaterClosed: when a later month is closed.
    :raises MonthClosed: when nobody asked for it, or it is open.
    :raises SamePerson, NobodyOfItsOwn: as :func:`require_reopening`.
    """
    require(scope_of(session), Verb.APPROVE_FEES)
    _lock_open(session, period)
    if period.reopen_asked_at is None:
        raise MonthClosed("Nobody has asked for this month to be opened.")
    _refuse_inner(session, period)
    require_reopening(session, period, on=now.date())
    signer = require_signer(session)
    period.reopened_at, period.reopened_by, period.reopened_name = now, signer.person_id, signer.name
    session.flush()
    reason = period.reopen_reason
    audit.record(session, audit.Act.APPROVE, record_kind=RECORD_KIND, record_id=period.id, reason=reason, now=now)


def require_reopening(session: Session, period: FeePeriod, *, on: date) -> None:
    """Let whoever may open a month pass, as the second person.

    :raises SamePerson: when it is who asked; NobodyOfItsOwn when both act by delegation.
    """
    require(scope_of(session), Verb.APPROVE_FEES)
    require_two(session, first_person_id=period.reopen_asked_by, on=on)


def list_periods(session: Session) -> list[FeePeriod]:
    """Return every closing of the scope's agency's months, the latest month and closing first."""
    require(scope_of(session), Verb.READ_FEES)
    own = scope_of(session).agency_id
    query = select(FeePeriod).where(FeePeriod.agency_id == own)
    return list(session.scalars(query.order_by(FeePeriod.month.desc(), FeePeriod.closed_at.desc())))


def get_period(session: Session, period_id: UUID) -> FeePeriod:
    """Return one closing of the scope's agency's own.

    :raises PeriodUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    found = session.get(FeePeriod, period_id)
    if found is None:
        raise PeriodUnknown("Your agency has closed no such month.")
    return found


def open_months(session: Session) -> list[date]:
    """Return the open months that have postings in the scope's agency's book, the earliest first."""
    own = scope_of(session).agency_id
    closed = exists().where(
        FeePeriod.agency_id == own, FeePeriod.month == Posting.period_on, FeePeriod.reopened_at.is_(None)
    )
    query = select(Posting.period_on).where(Posting.agency_id == own, ~closed).distinct()
    return sorted(session.scalars(query))


def count_to_close(session: Session, now: datetime) -> int:
    """Count the months of the scope's agency's book that are over and open."""
    require(scope_of(session), Verb.READ_FEES)
    return sum(now.date() >= add_months(month, 1) for month in open_months(session))


def totals_of(session: Session, month: date) -> list[Total]:
    """Return what each account of the scope's own book has come to in a month, in the accounts' order."""
    require(scope_of(session), Verb.READ_FEES)
    within = Posting.period_on == month
    sums = (
        func.coalesce(func.sum(Posting.pence).filter(Posting.period_on < month), 0),
        func.coalesce(func.sum(Posting.pence).filter(within, Posting.pence > 0), 0),
        func.coalesce(func.sum(Posting.pence).filter(within, Posting.pence < 0), 0),
        func.count().filter(within),
    )
    query = (
        select(Posting.account, *sums)
        .where(Posting.agency_id == scope_of(session).agency_id, Posting.period_on <= month)
        .group_by(Posting.account)
    )
    found = {row[0]: Total(row[0], *(int(each) for each in row[1:])) for row in session.execute(query)}
    return [found[account] for account in Account if account in found]


def kept_totals(period: FeePeriod) -> list[Total]:
    """Return the totals that were kept when a month was closed, in the accounts' order."""
    return [
        Total(account, *(int(period.totals[account][each]) for each in ("brought", "debits", "credits", "postings")))
        for account in Account
        if account in period.totals
    ]


def _closed_months(session: Session) -> set[date]:
    own = scope_of(session).agency_id
    query = select(FeePeriod.month).where(FeePeriod.agency_id == own, FeePeriod.reopened_at.is_(None))
    return set(session.scalars(query))


def _refuse_before_book(session: Session, month: date) -> None:
    own = scope_of(session).agency_id
    first = session.scalar(select(func.min(Posting.period_on)).where(Posting.agency_id == own))
    if first is None:
        raise BeforeBook("Nothing has been posted in your agency’s book yet, so there is no month to close.")
    if month < first:
        raise BeforeBook(f"Your agency’s book begins in {first:%B %Y}. Close that month or a later one.")


def _refuse_inner(session: Session, period: FeePeriod) -> None:
    if any(month > period.month for month in _closed_months(session)):
        raise LaterClosed("A later month is closed. Open that one first.")


def _lock_open(session: Session, period: FeePeriod) -> None:
    still = select(FeePeriod.id).where(FeePeriod.id == period.id, FeePeriod.reopened_at.is_(None)).with_for_update()
    if session.scalar(still) is None:
        raise MonthClosed("This month was opened again already.")
    session.refresh(period)
