"""A payer's dispute of an invoice: what both say, sealed, and how it ended. It posts nothing; a credit note does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.fee.debt_holder import Sides, list_taken, sides_of
from matching.fee.invoice.invoice import Invoice, InvoiceKind, record_look
from matching.sealed_words import own_agency, own_person, tidy
from tenants import audit
from tenants.approval import require_one_side
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden
from tenants.own_key import seal_apart, unseal_apart
from tenants.permission import Verb, require


class DisputeStatus(StrEnum):
    """Whose turn it is."""

    OPENED = "opened"
    ANSWERED = "answered"
    RESOLVED = "resolved"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"opened": "The payee answers", "answered": "The payer answers", "resolved": "Resolved"}[self]


class DisputeOutcome(StrEnum):
    """How it ended."""

    CREDITED = "credited"
    UPHELD = "upheld"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "credited": "Credited: the payee agreed",
            "upheld": "Upheld: the invoice stands",
            "withdrawn": "Withdrawn by the payer",
        }[self]


class Dispute(Base):
    """One dispute of one invoice."""

    __tablename__ = "dispute"

    id: Mapped[Id]
    invoice_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    status: Mapped[DisputeStatus] = mapped_column(Word(DisputeStatus))
    outcome: Mapped[DisputeOutcome | None] = mapped_column(Word(DisputeOutcome))
    version: Mapped[int]
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]
    resolved_by: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]


class DisputeMessage(Base):
    """What one side said, sealed under a key that both open."""

    __tablename__ = "dispute_message"

    id: Mapped[Id]
    dispute_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    at: Mapped[datetime]
    sealed_key: Mapped[bytes]
    sealed: Mapped[bytes]


class DisputeOpen(Conflict):
    """The invoice is in dispute already."""


class DisputeMoved(Conflict):
    """Somebody said something meanwhile, or it is resolved."""


class NotYourSide(Forbidden):
    """This is the other side's to do."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message as it is read."""

    at: datetime
    person_name: str
    agency_id: UUID
    words: str


def open_dispute(session: Session, invoice: Invoice, *, words: str, now: datetime) -> Dispute:
    """Dispute an invoice that the scope's agency received, saying why.

    :raises NotYourSide: when it did not receive it, or it is a credit note.
    :raises DisputeOpen: when it is in dispute already.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    sides = sides_of(session, invoice)
    if sides.payer_agency_id != own_agency(session) or invoice.kind is not InvoiceKind.INVOICE:
        raise NotYourSide("Only the agency that is to pay an invoice disputes it.")
    parties = {"payer_agency_id": sides.payer_agency_id, "payee_agency_id": sides.payee_agency_id}
    who = {"opened_by": own_person(session), "opened_at": now}
    dispute = Dispute(
        id=uuid4(), invoice_id=invoice.id, status=DisputeStatus.OPENED, outcome=None, version=1, **parties, **who
    )
    try:
        with session.begin_nested():
            session.add(dispute)
            session.flush()
    except IntegrityError:
        raise DisputeOpen("This invoice is in dispute already. Answer there.") from None
    _say(session, dispute, sides, words, now=now)
    record_look(session, invoice, audit.Act.CHANGE, "dispute opened", now=now)
    return dispute


def answer_dispute(
    session: Session,
    invoice: Invoice,
    *,
    words: str,
    version: int,
    now: datetime,
    outcome: DisputeOutcome | None = None,
) -> Dispute:
    """Say something in an invoice's dispute, and end it where an outcome is given.

    The payer withdraws it; the payee says that it was credited, or that the invoice stands.

    :param version: of the dispute as it was read.
    :raises NotYourSide: when the outcome is the other side's to give.
    :raises BothSides: when the person who ends it works for both.
    :raises DisputeMoved: when somebody was first.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    dispute, sides = find_dispute(session, invoice), sides_of(session, invoice)
    if own_agency(session) not in sides.both:
        raise NotYourSide("This invoice has gone to another agency with what was handed over.")
    if dispute is None or dispute.status is DisputeStatus.RESOLVED:
        raise DisputeMoved("This dispute is resolved. Look at the invoice again.")
    by_payer = own_agency(session) == sides.payer_agency_id
    if outcome is not None and (outcome is DisputeOutcome.WITHDRAWN) is not by_payer:
        raise NotYourSide("The payer withdraws a dispute; the payee says that it credits, or that the invoice stands.")
    if outcome is not None:
        require_one_side(session, agencies=sides.both, on=now.date())
    turn = DisputeStatus.OPENED if by_payer else DisputeStatus.ANSWERED
    changes = {"status": turn, "version": version + 1}
    if outcome is not None:
        changes |= {
            "status": DisputeStatus.RESOLVED,
            "outcome": outcome,
            "resolved_by": own_person(session),
            "resolved_at": now,
        }
    waiting = update(Dispute).where(
        Dispute.id == dispute.id, Dispute.version == version, Dispute.status != DisputeStatus.RESOLVED
    )
    if session.scalar(waiting.values(**changes).returning(Dispute.id)) is None:
        raise DisputeMoved("Somebody said something meanwhile. Read it, then answer.")
    _say(session, dispute, sides, words, now=now)
    session.refresh(dispute)
    record_look(session, invoice, audit.Act.CHANGE, f"dispute {outcome or 'answered'}", now=now)
    return dispute


def find_dispute(session: Session, invoice: Invoice) -> Dispute | None:
    """Return an invoice's latest dispute, if it has had any."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Dispute).where(Dispute.invoice_id == invoice.id).order_by(Dispute.opened_at.desc(), Dispute.id)
    return session.scalar(query.limit(1).execution_options(populate_existing=True))


def read_messages(session: Session, dispute: Dispute) -> Sequence[Said]:
    """Return what both sides said, in order."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(DisputeMessage).where(DisputeMessage.dispute_id == dispute.id)
    return [
        Said(
            row.at,
            row.person_name,
            row.agency_id,
            json.loads(unseal_apart(session, row.sealed_key, row.sealed, row_id=row.id))["words"],
        )
        for row in session.scalars(query.order_by(DisputeMessage.at, DisputeMessage.id))
    ]


def count_to_answer(session: Session, *, received: bool) -> int:
    """Return in how many disputes of invoices received, or issued, it is the scope's own agency's turn."""
    require(scope_of(session), Verb.READ_FEES)
    return _count(session, DisputeStatus.ANSWERED if received else DisputeStatus.OPENED, received=received)


def count_unresolved(session: Session, *, received: bool) -> int:
    """Return how many invoices that the scope's own agency received, or issued, are in dispute."""
    require(scope_of(session), Verb.READ_FEES)
    return _count(session, DisputeStatus.OPENED, DisputeStatus.ANSWERED, received=received)


def _count(session: Session, *statuses: DisputeStatus, received: bool) -> int:
    side = Dispute.payer_agency_id if received else Dispute.payee_agency_id
    ours = or_(side == own_agency(session), Dispute.invoice_id.in_(list_taken(session, as_payee=not received)))
    query = select(func.count()).where(ours, Dispute.status.in_(statuses))
    return session.scalar(query) or 0


def _say(session: Session, dispute: Dispute, sides: Sides, words: str, *, now: datetime) -> None:
    said, actor, message_id = (
        tidy(words, what="what you want to tell the other agency"),
        acting_person(session),
        uuid4(),
    )
    key, sealed = seal_apart(session, json.dumps({"words": said}).encode(), row_id=message_id)
    session.add(
        DisputeMessage(
            id=message_id,
            dispute_id=dispute.id,
            payer_agency_id=sides.payer_agency_id,
            payee_agency_id=sides.payee_agency_id,
            agency_id=own_agency(session),
            person_id=actor.person_id,
            person_name=actor.name,
            at=now,
            sealed_key=key,
            sealed=sealed,
        )
    )
    session.flush()
