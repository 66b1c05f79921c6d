"""What happened to a fee agreement: each event told once, and acted upon by a worker in a transaction of its own.

An event is written in the transaction in which it came to pass, and with it the request that it be settled
(:mod:`matching.fee.settlement`). Telling it again changes nothing; nothing told is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.signer import find_signer
from tenants.base import Base, Id, Word
from tenants.job import request_job

EVENT_JOB = "fee_event"
"""Settle the agreement of one event."""


class FeeEventKind(StrEnum):
    """What can happen to an agreement that moves money, or may."""

    label: str

    def __new__(cls, value: str, label: str) -> FeeEventKind:
        """Keep the words for people beside the word that is stored."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.label = label
        return kind

    AGREEMENT_SIGNED = "agreement_signed", "Both agencies signed"
    PLACED = "placed", "The placement began"
    ORDERED = "ordered", "The adoption order was made"
    MONTHS = "months", "Months passed"
    DISRUPTED = "disrupted", "The placement disrupted"
    WITHDRAWN = "withdrawn", "The agreement was withdrawn"
    LEG_CONFIRMED = "leg_confirmed", "The swap leg was confirmed"
    LEG_FALLEN = "leg_fallen", "The swap leg fell away"
    LEG_UNBALANCED = "leg_unbalanced", "The swap leg was not balanced in time"
    WAIVER = "waiver", "The fee was waived"
    OVERRIDE = "override", "Another fee was agreed"
    REFUND = "refund", "A refund was agreed"
    ADDENDUM = "addendum", "The agreement was amended"


class FeeEvent(Base):
    """One event of one agreement, as it was told."""

    __tablename__ = "fee_event"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agreement_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    kind: Mapped[FeeEventKind] = mapped_column(Word(FeeEventKind))
    key: Mapped[str]
    """What makes it one, such as ``placed`` or ``months/12``."""
    happened_on: Mapped[date]
    facts: Mapped[dict[str, Any]]
    """What else settling needs to know: amounts and rules, never anything of a person."""
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID | None]
    recorded_name: Mapped[str | None]


class Agreed(Protocol):
    """What an event needs to know of its agreement."""

    @property
    def id(self) -> UUID:
        """Return the agreement's id."""

    @property
    def consortium_id(self) -> UUID:
        """Return whose consortium it is in."""

    @property
    def payer_agency_id(self) -> UUID:
        """Return who pays."""

    @property
    def payee_agency_id(self) -> UUID:
        """Return who is paid."""


def record_event(
    session: Session,
    agreement: Agreed,
    kind: FeeEventKind,
    *,
    key: str,
    happened_on: date,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> FeeEvent:
    """Tell an event in this transaction and ask for its settling; the same key again returns the first, asking nothing.

    :param facts: ``{"rule": "charged" | "stays_waived"}`` of a leg that fell; ``{"amounts": {position: pence}}`` of an
        override or addendum; ``{"pence", "vat_pence", "exception_id"}`` of a refund, of which the first is without VAT;
        ``{"kept": [due key], "in_part": {due key: pence}}`` of a waiver: what was invoiced, and how much of it where
        that was not all; nothing of the others.
    """
    event_id = add_event(session, agreement, kind, key=key, happened_on=happened_on, now=now, facts=facts)
    if event_id is not None:
        request_job(session, kind=EVENT_JOB, payload={"event": str(event_id)}, now=now, key=str(event_id))
    found = select(FeeEvent).where(FeeEvent.agreement_id == agreement.id, FeeEvent.key == key)
    return session.scalars(found).one()


def add_event(
    session: Session,
    agreement: Agreed,
    kind: FeeEventKind,
    *,
    key: str,
    happened_on: date,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> UUID | None:
    """Write an event down and return its id, or ``None`` when it was told before."""
    event_id = uuid4()
    signer = find_signer(session)
    values = {
        "id": event_id,
        "consortium_id": agreement.consortium_id,
        "agreement_id": agreement.id,
        "payer_agency_id": agreement.payer_agency_id,
        "payee_agency_id": agreement.payee_agency_id,
        "kind": kind,
        "key": key,
        "happened_on": happened_on,
        "facts": dict(facts or {}),
        "recorded_at": now,
        "recorded_by": signer.person_id if signer else None,
        "recorded_name": signer.name if signer else None,
    }
    session.flush()
    made = session.execute(
        insert(FeeEvent).values(values).on_conflict_do_nothing(index_elements=["agreement_id", "key"])
    )
    return event_id if made.rowcount else None  # type: ignore[attr-defined]


def events_of(session: Session, agreement_id: UUID) -> list[FeeEvent]:
    """Return an agreement's events in the order in which they were told."""
    return events_of_each(session, [agreement_id])[agreement_id]


def events_of_each(session: Session, agreement_ids: Sequence[UUID]) -> dict[UUID, list[FeeEvent]]:
    """Return the same of many agreements, by their ids."""
    query = select(FeeEvent).where(FeeEvent.agreement_id.in_(agreement_ids))
    found: dict[UUID, list[FeeEvent]] = {agreement_id: [] for agreement_id in agreement_ids}
    for event in session.scalars(query.order_by(FeeEvent.recorded_at, FeeEvent.key)):
        found[event.agreement_id].append(event)
    return found
