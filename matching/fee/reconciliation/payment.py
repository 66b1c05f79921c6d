"""A payment: the part of a bank line that one payer paid, and the invoices that it paid, in both books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id


class Payment(Base):
    """What was received from one payer by one bank line; it stands until it is taken back."""

    __tablename__ = "payment"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    line_id: Mapped[UUID]
    pence: Mapped[int] = mapped_column(BigInteger)
    received_on: Mapped[date]
    over_pence: Mapped[int] = mapped_column(BigInteger)
    """What of it is more than was owed, held for the payer."""
    transaction_id: Mapped[UUID | None]
    """What posted that."""
    confirmed_at: Mapped[datetime]
    confirmed_by: Mapped[UUID]
    confirmed_name: Mapped[str]
    taken_back_at: Mapped[datetime | None]
    taken_back_by: Mapped[UUID | None]
    taken_back_name: Mapped[str | None]
    taken_back_reason: Mapped[str | None]


class PaymentAllocation(Base):
    """What of a payment paid one invoice, or what is left of a netting, and the transaction that posted it."""

    __tablename__ = "payment_allocation"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    invoice_id: Mapped[UUID | None]
    leg_id: Mapped[UUID | None]
    pence: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[UUID]

    @property
    def paid_id(self) -> UUID | None:
        """Return the id of what it paid."""
        return self.invoice_id or self.leg_id


def live_payments(session: Session, line_id: UUID) -> list[Payment]:
    """Return the payments of a line that stand."""
    query = select(Payment).where(Payment.line_id == line_id, Payment.taken_back_at.is_(None))
    return list(session.scalars(query.order_by(Payment.payer_agency_id)))


def list_allocations(session: Session, payment_ids: Sequence[UUID]) -> list[PaymentAllocation]:
    """Return which invoices, and what of nettings, payments paid."""
    query = select(PaymentAllocation).where(PaymentAllocation.payment_id.in_(payment_ids))
    order = (PaymentAllocation.payment_id, PaymentAllocation.invoice_id, PaymentAllocation.leg_id)
    return list(session.scalars(query.order_by(*order)))
