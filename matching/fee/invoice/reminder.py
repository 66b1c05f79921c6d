"""Reminders of what is not paid, at stages that the payee sets: each once, and none while an invoice is in dispute.

Of invoices, and of what is left to pay after a netting, which is never in dispute.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.debt_holder import sides_of
from matching.fee.invoice.invoice import (
    RECORD_KIND,
    Invoice,
    InvoiceKind,
    InvoiceState,
    rows_of,
    side_of,
    standing,
)
from matching.fee.netting_leg import NettingLeg, read_legs
from matching.register import count_rows
from matching.sealed_words import own_agency, own_person
from tenants import audit
from tenants.approval import require_another, require_one_side
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require
from tenants.person import get_person

JOB: Final = "invoice_reminders"
STAGES: Final = (7, 21, 42)
"""Days after an invoice is due at which its payer is reminded, where the payee has set no others."""
_MOST = 9


class ReminderStage(Base):
    """One stage that a payee has set."""

    __tablename__ = "reminder_stage"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int]


class InvoiceReminder(Base):
    """One reminder of one invoice, or of what is left after a netting, which both sides see."""

    __tablename__ = "invoice_reminder"

    id: Mapped[Id]
    invoice_id: Mapped[UUID | None]
    leg_id: Mapped[UUID | None]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    days: Mapped[int]
    raised_on: Mapped[date]
    outstanding_pence: Mapped[int] = mapped_column(BigInteger)


class PayApproval(Base):
    """The payer's note that an invoice is approved to be paid."""

    __tablename__ = "pay_approval"

    invoice_id: Mapped[UUID] = mapped_column(primary_key=True)
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    approved_by: Mapped[UUID]
    approved_name: Mapped[str]
    approved_at: Mapped[datetime]
    note: Mapped[str]


class StagesInvalid(Invalid):
    """Reminders cannot be sent at such stages."""


class ApprovedBefore(Conflict):
    """The invoice is approved to be paid already, or is not the agency's to pay."""


def stages_of(session: Session) -> tuple[int, ...]:
    """Return at which days after an invoice is due the scope's own agency reminds its payer."""
    query = select(ReminderStage.days).where(ReminderStage.agency_id == own_agency(session))
    return tuple(session.scalars(query.order_by(ReminderStage.days))) or STAGES


def set_stages(session: Session, days: Collection[int], *, now: datetime) -> None:
    """Set the stages anew; none brings the usual ones back."""
    require(scope_of(session), Verb.KEEP_FEES)
    own, wanted = own_agency(session), sorted(set(days))
    if len(wanted) > _MOST or any(not -30 <= each <= 365 for each in wanted):
        raise StagesInvalid(f"Set at most {_MOST} stages, from 30 days before an invoice is due to 365 after.")
    session.execute(delete(ReminderStage).where(ReminderStage.agency_id == own))
    for position, each in enumerate(wanted, start=1):
        session.add(ReminderStage(agency_id=own, position=position, days=each))
    session.flush()
    audit.record(session, audit.Act.CHANGE, record_kind="reminder_stage", record_id=own, now=now)


def raise_reminders(session: Session, *, now: datetime) -> int:
    """Remind the payers of the scope's own agency of what is unpaid, and return of how much.

    A stage is raised once for an invoice, or a leg of a netting, whenever this is run; of stages that were missed only
    the last is.
    """
    on = now.date()
    issued = select(Invoice).where(side_of(session, received=False), Invoice.kind == InvoiceKind.INVOICE)
    invoices = session.scalars(issued.order_by(Invoice.id)).all()
    unpaid: list[tuple[Invoice | NettingLeg, int]] = [
        (row.invoice, row.outstanding)
        for row in rows_of(session, invoices, on=on)
        if row.outstanding > 0 and row.state is not InvoiceState.DISPUTED
    ]
    unpaid += [(each.leg, each.to_us) for each in read_legs(session, open_only=True) if each.to_us > 0]
    stages, raised = stages_of(session), 0
    for what, pence in unpaid:
        reached = [days for days in stages if what.due_on and what.due_on + timedelta(days=days) <= on]
        if reached:
            raised += _raise(session, what, reached[-1], pence, now=now)
    return raised


def reminders_of(session: Session, invoice: Invoice) -> Sequence[InvoiceReminder]:
    """Return an invoice's reminders, the first first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(InvoiceReminder).where(InvoiceReminder.invoice_id == invoice.id)
    return session.scalars(query.order_by(InvoiceReminder.raised_on, InvoiceReminder.id)).all()


def leg_reminders_of(session: Session, leg_ids: Collection[UUID]) -> Sequence[InvoiceReminder]:
    """Return the reminders of what the scope's agency pays, or is paid, after a netting, the first first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(InvoiceReminder).where(InvoiceReminder.leg_id.in_(leg_ids))
    return session.scalars(query.order_by(InvoiceReminder.raised_on, InvoiceReminder.id)).all()


def count_reminded(session: Session, *, on: date) -> int:
    """Return of how many invoices that are still owed the scope's own agency was reminded."""
    require(scope_of(session), Verb.READ_FEES)
    reminded = select(InvoiceReminder.invoice_id).where(InvoiceReminder.payer_agency_id == own_agency(session))
    stands = standing(session, on=on)
    return count_rows(session, stands.query.where(Invoice.id.in_(reminded), stands.owed > 0))


def approve_payment(session: Session, invoice: Invoice, *, note: str, now: datetime) -> None:
    """Note that an invoice which the scope's own agency received is approved to be paid; it moves no money.

    :raises ApprovedBefore: when it is already, or is not the agency's to pay.
    :raises SamePerson, BothSides: as :func:`require_approving`.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    sides = sides_of(session, invoice)
    if sides.payer_agency_id != own_agency(session) or invoice.kind is not InvoiceKind.INVOICE:
        raise ApprovedBefore("Only the agency that is to pay approves an invoice to be paid.")
    require_approving(session, invoice, on=now.date())
    person = get_person(session, own_person(session))
    row = {
        "invoice_id": invoice.id,
        "payer_agency_id": sides.payer_agency_id,
        "payee_agency_id": sides.payee_agency_id,
        "approved_by": person.id,
        "approved_name": person.name,
        "approved_at": now,
        "note": " ".join(note.split())[:500],
    }
    query = insert(PayApproval).values(row).on_conflict_do_nothing().returning(PayApproval.invoice_id)
    if session.scalar(query) is None:
        raise ApprovedBefore("This invoice is approved to be paid already.")
    audit.record(session, audit.Act.APPROVE, record_kind=RECORD_KIND, record_id=invoice.id, now=now)


def require_approving(session: Session, invoice: Invoice, *, on: date) -> None:
    """Let whoever may approve an invoice to be paid pass.

    :raises SamePerson, BothSides: when the person issued it, or works for the agency that did.
    """
    require_one_side(session, agencies=sides_of(session, invoice).both, on=on)
    if invoice.issued_by is not None:
        require_another(session, first_person_id=invoice.issued_by, on=on)


def find_approval(session: Session, invoice: Invoice) -> PayApproval | None:
    """Return the payer's approval of an invoice, if there is one."""
    require(scope_of(session), Verb.READ_FEES)
    return session.get(PayApproval, invoice.id)


def count_unapproved(session: Session, *, on: date) -> int:
    """Return how many invoices wait for the scope's own agency to approve them to be paid."""
    require(scope_of(session), Verb.READ_FEES)
    approved = select(PayApproval.invoice_id)
    stands = standing(session, on=on)
    query = stands.query.where(
        side_of(session, received=True),
        Invoice.kind == InvoiceKind.INVOICE,
        Invoice.id.not_in(approved),
        stands.owed > 0,
        stands.state != InvoiceState.DISPUTED.value,
    )
    return count_rows(session, query)


def _raise(session: Session, what: Invoice | NettingLeg, days: int, pence: int, *, now: datetime) -> bool:
    of_leg, sides = isinstance(what, NettingLeg), sides_of(session, what)
    if sides.payee_agency_id != own_agency(session):
        # Its bank took back what it had been paid before it handed the rest over.
        return False
    row = {
        "id": uuid4(),
        "invoice_id": None if of_leg else what.id,
        "leg_id": what.id if of_leg else None,
        "payer_agency_id": sides.payer_agency_id,
        "payee_agency_id": sides.payee_agency_id,
        "days": days,
        "raised_on": now.date(),
        "outstanding_pence": pence,
    }
    query = insert(InvoiceReminder).values(row).on_conflict_do_nothing().returning(InvoiceReminder.id)
    if session.scalar(query) is None:
        return False
    audit.record(
        session,
        audit.Act.ADD,
        record_kind="netting_leg" if of_leg else RECORD_KIND,
        record_id=what.id,
        owner_agency_id=sides.payer_agency_id,
        reason="reminder",
        now=now,
    )
    return True
