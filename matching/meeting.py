"""Matching meetings: a consortium's regular look at who waits and who might fit whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Forbidden, Invalid, NotFound

DEFAULT_AGENDA = (
    "Welcome and apologies",
    "Actions from last time",
    "Groups that are new to the pool",
    "Groups that have waited longest",
    "Each group and the families that may fit",
    "Households that wait, and the groups that may fit them",
    "Date of the next meeting",
)


class Meeting(Base):
    """One matching meeting, arranged by the consortium office."""

    __tablename__ = "meeting"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    """The consortium office that arranged it."""
    title: Mapped[str]
    held_on: Mapped[date]
    place: Mapped[str]
    agenda: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    arranged_at: Mapped[datetime]


class MeetingUnknown(NotFound):
    """No such meeting is in this scope's consortium."""


class MeetingInvalid(Invalid):
    """A meeting was described in a way that cannot be kept."""


class OfficeOnly(Forbidden):
    """Only the consortium office may do this."""


def is_office(session: Session) -> bool:
    """Say whether the scope's agency is a consortium office."""
    agency_id = scope_of(session).agency_id
    return agency_id is not None and get_agency(session, agency_id).kind is AgencyKind.CONSORTIUM_OFFICE


def require_office(session: Session) -> None:
    """Let the consortium office pass.

    :raises OfficeOnly: when the scope's agency is another.
    """
    if not is_office(session):
        raise OfficeOnly("The consortium office arranges this. Ask it for what you need.")


def arrange_meeting(
    session: Session, *, title: str, held_on: date, place: str, now: datetime, agenda: Sequence[str] = DEFAULT_AGENDA
) -> Meeting:
    """Arrange a meeting of the scope's consortium.

    :raises MeetingInvalid: when it has no title or agenda, or lies in the past.
    """
    points = [point.strip() for point in agenda if point.strip()]
    if not title.strip() or not points:
        raise MeetingInvalid("A meeting needs a title and at least one point on its agenda.")
    if held_on < now.date():
        raise MeetingInvalid(f"{held_on:%d/%m/%Y} has passed. Choose today or a later day.")
    scope = scope_of(session)
    if scope.consortium_id is None or scope.agency_id is None:
        raise MeetingInvalid("Choose the consortium you work for first.")
    meeting = Meeting(
        consortium_id=scope.consortium_id,
        agency_id=scope.agency_id,
        title=title.strip(),
        held_on=held_on,
        place=place.strip(),
        agenda=points,
        arranged_at=now,
    )
    session.add(meeting)
    session.flush()
    audit.record(session, audit.Act.ADD, record_kind="meeting", record_id=meeting.id, now=now)
    return meeting


def get_meeting(session: Session, meeting_id: UUID) -> Meeting:
    """Return a meeting of the scope's consortium.

    :raises MeetingUnknown: when there is none.
    """
    meeting = session.get(Meeting, meeting_id)
    if meeting is None:
        raise MeetingUnknown("There is no such meeting in your consortium.")
    return meeting


def list_meetings(session: Session) -> list[Meeting]:
    """Return the consortium's meetings, latest first."""
    return list(session.scalars(select(Meeting).order_by(Meeting.held_on.desc(), Meeting.id)))


def find_previous_meeting(session: Session, meeting: Meeting) -> Meeting | None:
    """Return the meeting before ``meeting``, if there was one."""
    return session.scalar(
        select(Meeting)
        .where(Meeting.consortium_id == meeting.consortium_id, Meeting.held_on < meeting.held_on)
        .order_by(Meeting.held_on.desc(), Meeting.id)
        .limit(1)
    )
