"""Whom an invoice, or a netting's leg, is between once the books of one of its agencies were handed over.

The invoice names whom it was issued to. What is owed of it is in the books, and this says whose they are: who owes, who
is owed, and who reads the invoice for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.orm import Mapped, Session

from matching.sealed_words import own_agency
from tenants.agency import Agency
from tenants.base import Base, Id


class DebtHolder(Base):
    """The two agencies that a debt is between since one of the two before let it go on."""

    __tablename__ = "debt_holder"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    debt_id: Mapped[UUID]
    """An invoice, or a leg of a netting."""
    giver_agency_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    position: Mapped[int]
    owed_since: Mapped[date]
    taken_at: Mapped[datetime]


class Debt(Protocol):
    """An invoice, or a leg."""

    @property
    def id(self) -> UUID:
        """Return its id."""

    @property
    def payer_agency_id(self) -> UUID:
        """Return who was to pay."""

    @property
    def payee_agency_id(self) -> UUID:
        """Return who was to be paid."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Who owes and who is owed."""

    payer_agency_id: UUID
    payee_agency_id: UUID

    @property
    def both(self) -> tuple[UUID, UUID]:
        """Return the two."""
        return self.payer_agency_id, self.payee_agency_id


def sides_of(session: Session, debt: Debt) -> Sides:
    """Return whom a debt is between by now, as far as the scope's agency reads it."""
    last = find_last(session, debt.id)
    found = last or debt
    return Sides(found.payer_agency_id, found.payee_agency_id)


def find_last(session: Session, debt_id: UUID) -> DebtHolder | None:
    """Return whom a debt is between since it was last handed over, if it was."""
    query = select(DebtHolder).where(DebtHolder.debt_id == debt_id).order_by(DebtHolder.position.desc())
    return session.scalar(query.limit(1))


def list_taken(session: Session, *, as_payee: bool) -> list[UUID]:
    """Return the debts that the scope's agency took over, or whose other side was, to be paid them or to pay them."""
    side = DebtHolder.payee_agency_id if as_payee else DebtHolder.payer_agency_id
    return list(session.scalars(select(DebtHolder.debt_id).where(side == own_agency(session)).distinct()))


def list_last(session: Session) -> dict[UUID, Sides]:
    """Return whom each debt is between that was handed over."""
    query = select(DebtHolder).order_by(DebtHolder.position)
    return {each.debt_id: Sides(each.payer_agency_id, each.payee_agency_id) for each in session.scalars(query)}


def hand_on(
    session: Session,
    debt_id: UUID,
    *,
    consortium_id: UUID,
    giver_id: UUID,
    sides: Sides,
    owed_since: date,
    now: datetime,
) -> None:
    """Put down that a debt is between two others from now on; who reads it follows from that."""
    last = find_last(session, debt_id)
    row = {
        "id": uuid4(),
        "consortium_id": consortium_id,
        "debt_id": debt_id,
        "giver_agency_id": giver_id,
        "payer_agency_id": sides.payer_agency_id,
        "payee_agency_id": sides.payee_agency_id,
        "position": last.position + 1 if last else 1,
        "owed_since": last.owed_since if last else owed_since,
        "taken_at": now,
    }
    session.execute(insert(DebtHolder).values(row))


def heirs_of(session: Session) -> dict[UUID, UUID]:
    """Return for each agency that has become part of another which one that is by now."""
    query = select(Agency.id, Agency.successor_id).where(Agency.successor_id.is_not(None))
    after = {agency_id: heir for agency_id, heir in session.execute(query) if heir is not None}
    found = {}
    for agency_id in after:
        heir = agency_id
        while heir in after:
            heir = after[heir]
        found[agency_id] = heir
    return found
