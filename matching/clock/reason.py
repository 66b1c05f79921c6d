"""Why a clock was missed: its agency's own word, asked for and kept (Statutory Guidance on Adoption 2013, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.clock.reading import Reading
from matching.clock.rule import ClockName, Subject
from matching.link import NotYet, NotYourStep, written
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.permission import Verb, require

_RECORD_KINDS = {Subject.LINK: "link", Subject.GROUP: "sibling_group", Subject.HOUSEHOLD: "household"}


class ClockReason(Base):
    """Why one clock was missed, as somebody of its agency says. It is never changed; a later word is added."""

    __tablename__ = "clock_reason"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    clock: Mapped[ClockName] = mapped_column(Word(ClockName))
    link_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    household_id: Mapped[UUID | None]
    due_on: Mapped[date]
    reason: Mapped[str]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    at: Mapped[datetime]

    @property
    def subject_id(self) -> UUID:
        """Return the id of what the clock is about."""
        subject = self.link_id or self.sibling_group_id or self.household_id
        assert subject is not None  # noqa: S101 - the table's own check
        return subject


def explain_miss(session: Session, reading: Reading, *, reason: str, now: datetime) -> ClockReason:
    """Say why a clock of one's own agency was missed.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises NotYourStep: when the clock is the other agency's.
    :raises NotYet: when it was not missed.
    :raises LinkInvalid: when no reason is given.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_LINKS)
    words = written(reason, "why it was missed")
    if reading.agency_id != scope.agency_id:
        raise NotYourStep("The other agency says why, for it is its clock.")
    if not reading.missed:
        raise NotYet("It has not been missed, so there is nothing to explain.")
    actor, about = acting_person(session), reading.clock.about
    row = ClockReason(
        agency_id=scope.agency_id,
        clock=reading.clock.name,
        link_id=reading.subject_id if about is Subject.LINK else None,
        sibling_group_id=reading.subject_id if about is Subject.GROUP else None,
        household_id=reading.subject_id if about is Subject.HOUSEHOLD else None,
        due_on=reading.due_on,
        reason=words,
        person_id=actor.person_id,
        person_name=actor.name,
        at=now,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind=_RECORD_KINDS[about],
        record_id=reading.subject_id,
        reason=f"why missed: {reading.clock.name.value}",
        now=now,
    )
    return row


def reasons_of(session: Session, subject_ids: Sequence[UUID]) -> dict[tuple[UUID, ClockName, date], ClockReason]:
    """Return the scope's own agency's last reason for each miss of these links, groups and households."""
    query = select(ClockReason).where(
        or_(
            ClockReason.link_id.in_(subject_ids),
            ClockReason.sibling_group_id.in_(subject_ids),
            ClockReason.household_id.in_(subject_ids),
        )
    )
    found = session.scalars(query.order_by(ClockReason.at, ClockReason.id))
    return {(row.subject_id, row.clock, row.due_on): row for row in found}
