"""What a clock needs to know of a record and no sheet says: that a baby is relinquished, when a record was referred."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.household import Household
from matching.link import LinkInvalid, NotYourStep
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.permission import Verb, require


class MarkKind(StrEnum):
    """What is said."""

    RELINQUISHED = "relinquished"
    REFERRED = "referred"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "relinquished": "A relinquished baby under six months",
            "referred": "Referred to the national register",
        }[self]


class ClockMark(Base):
    """One such word with its day. It is never changed; a later one of its kind takes its place."""

    __tablename__ = "clock_mark"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID | None]
    household_id: Mapped[UUID | None]
    kind: Mapped[MarkKind] = mapped_column(Word(MarkKind))
    day: Mapped[date]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    at: Mapped[datetime]


def mark(session: Session, record: SiblingGroup | Household, *, kind: MarkKind, day: date, now: datetime) -> ClockMark:
    """Say of one's own agency's record what a clock needs to know.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises NotYourStep: when the record is another agency's.
    :raises LinkInvalid: when the day lies ahead, or the word is not one for such a record.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    if record.agency_id != scope_of(session).agency_id:
        raise NotYourStep("Its own agency says so.")
    if day > now.date():
        raise LinkInvalid("Choose today or a day before.")
    of_group = isinstance(record, SiblingGroup)
    if kind is MarkKind.RELINQUISHED and not of_group:
        raise LinkInvalid("Only a child can be relinquished.")
    actor = acting_person(session)
    row = ClockMark(
        agency_id=record.agency_id,
        sibling_group_id=record.id if of_group else None,
        household_id=None if of_group else record.id,
        kind=kind,
        day=day,
        person_id=actor.person_id,
        person_name=actor.name,
        at=now,
    )
    session.add(row)
    session.flush()
    kind_of_record = "sibling_group" if of_group else "household"
    audit.record(session, audit.Act.CHANGE, record_kind=kind_of_record, record_id=record.id, reason=kind.value, now=now)
    return row


def marks_of(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, dict[MarkKind, date]]:
    """Return what the scope's own agency said of its records, the last word of each kind, by record."""
    query = select(ClockMark).where(
        or_(ClockMark.sibling_group_id.in_(record_ids), ClockMark.household_id.in_(record_ids))
    )
    found: dict[UUID, dict[MarkKind, date]] = {}
    for row in session.scalars(query.order_by(ClockMark.at, ClockMark.id)):
        record_id = row.sibling_group_id or row.household_id
        assert record_id is not None  # noqa: S101 - the table's own check
        found.setdefault(record_id, {})[row.kind] = row.day
    return found
