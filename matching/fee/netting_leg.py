"""A leg of a netting: what one agency pays another in the end, by which day, and what of it is owed still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.ledger import Account, LedgerTransaction, Posting, TransactionKind
from matching.sealed_words import own_agency
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.permission import Verb, require


class NettingLeg(Base):
    """What one agency pays another in the end; the two read it."""

    __tablename__ = "netting_leg"

    id: Mapped[Id]
    netting_id: Mapped[UUID]
    consortium_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    reference: Mapped[str]
    """What the payer writes on its payment."""
    pence: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date | None]
    """The last day to pay it, from when it was posted on."""


@dataclass(frozen=True, slots=True)
class OwedLeg:
    """A leg, and what of it is owed still by the scope's own book, in pence; nothing before it is posted."""

    leg: NettingLeg
    to_us: int
    by_us: int
    posted_on: date | None

    @property
    def owed(self) -> int:
        """Return what of it is owed, to the scope's agency or by it."""
        return self.to_us + self.by_us

    @property
    def paid(self) -> int:
        """Return what of it is not owed any more since it was posted."""
        return self.leg.pence - self.owed if self.posted_on else 0

    def is_overdue(self, on: date) -> bool:
        """Say whether it should have been paid before a day."""
        return self.owed > 0 and self.leg.due_on is not None and self.leg.due_on < on


def read_legs(session: Session, *wanted: ColumnElement[bool], open_only: bool = False) -> list[OwedLeg]:
    """Return the legs that the scope's agency pays or is paid, in the order of their days.

    Whoever has taken a book over owes, or is owed, what is in it, and whoever handed it over no more.
    """
    to_us, by_us = (
        func.coalesce(func.sum(sign * Posting.pence).filter(Posting.account == account), 0)
        for account, sign in ((Account.RECEIVABLE, 1), (Account.PAYABLE, -1))
    )
    posted_on = func.min(LedgerTransaction.dated_on).filter(LedgerTransaction.kind == TransactionKind.NETTED)
    query = (
        select(NettingLeg, to_us, by_us, posted_on)
        .outerjoin(LedgerTransaction, LedgerTransaction.leg_id == NettingLeg.id)
        .outerjoin(
            Posting,
            (Posting.transaction_id == LedgerTransaction.id) & (Posting.agency_id == own_agency(session)),
        )
        .where(*wanted)
        .group_by(NettingLeg.id)
        .order_by(NettingLeg.due_on, NettingLeg.payer_agency_id, NettingLeg.payee_agency_id, NettingLeg.id)
    )
    found = session.execute(query.having(to_us + by_us > 0) if open_only else query)
    return [OwedLeg(leg, int(ours), int(theirs), day) for leg, ours, theirs, day in found]


def list_open_legs(session: Session) -> list[OwedLeg]:
    """Return the legs in the scope's consortium of which something is owed to its agency, or by it."""
    require(scope_of(session), Verb.READ_FEES)
    return read_legs(session, NettingLeg.consortium_id == scope_of(session).consortium_id, open_only=True)


def count_overdue_legs(session: Session, *, on: date) -> int:
    """Count the legs that the scope's agency should have paid before a day."""
    return sum(each.is_overdue(on) and each.by_us > 0 for each in list_open_legs(session))
