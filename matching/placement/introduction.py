"""Introductions, day by day: who meets whom where, sealed so that both agencies of the placement can open it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session

from matching.placement.placement import (
    Placement,
    PlacementInvalid,
    note_change,
    require_childrens_agency,
    require_going_on,
)
from matching.sealed_words import tidy
from tenants import audit
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.own_key import seal_apart, unseal_apart
from tenants.permission import Verb, require

MOST_MEETINGS = 200
_FARTHEST = timedelta(days=730)
_DAYS_A_WEEK = 7


class PlacementIntroduction(Base):
    """One meeting of the introductions."""

    __tablename__ = "placement_introduction"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    day: Mapped[date]
    starts_at: Mapped[time]
    ends_at: Mapped[time | None]
    sealed_key: Mapped[bytes]
    sealed: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting as it is read: when, and in words who, where and what."""

    id: UUID
    day: date
    starts_at: time
    ends_at: time | None
    words: str


class MeetingUnknown(NotFound):
    """No such meeting is in the introductions."""


def plan_meeting(
    session: Session,
    placement: Placement,
    *,
    day: date,
    starts_at: time,
    ends_at: time | None,
    words: str,
    now: datetime,
) -> UUID:
    """Add a meeting to the introductions, and return its id.

    :raises NotTheChildrensAgency: when the scope acts for the family's agency alone.
    :raises PlacementInvalid: when it would end before it begins, the placement is over, or there are very many.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    require_childrens_agency(session, placement.group_agency_id)
    require_going_on(session, placement)
    if abs(day - now.date()) > _FARTHEST:
        raise PlacementInvalid("Enter a day within two years from now.")
    if ends_at is not None and ends_at <= starts_at:
        raise PlacementInvalid("Enter an end that is after the start.")
    if len(_rows(session, placement)) >= MOST_MEETINGS:
        raise PlacementInvalid(f"There are {MOST_MEETINGS} meetings already. Take one out first.")
    meeting_id, said = uuid4(), tidy(words, what="who meets whom, and where")
    key, sealed = seal_apart(session, said.encode("utf-8", "replace"), row_id=meeting_id)
    session.add(
        PlacementIntroduction(
            id=meeting_id,
            link_id=placement.link_id,
            group_agency_id=placement.group_agency_id,
            household_agency_id=placement.household_agency_id,
            day=day,
            starts_at=starts_at,
            ends_at=ends_at,
            sealed_key=key,
            sealed=sealed,
        )
    )
    session.flush()
    note_change(session, placement, audit.Act.CHANGE, reason="introductions", now=now)
    return meeting_id


def take_out_meeting(session: Session, placement: Placement, meeting_id: UUID, *, now: datetime) -> None:
    """Take a meeting out of the introductions.

    :raises NotTheChildrensAgency: when the scope acts for the family's agency alone.
    :raises MeetingUnknown: when the placement has no such meeting.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    require_childrens_agency(session, placement.group_agency_id)
    table = PlacementIntroduction
    gone = delete(table).where(table.id == meeting_id, table.link_id == placement.link_id).returning(table.id)
    if session.scalar(gone) is None:
        raise MeetingUnknown("There is no such meeting in these introductions. Load the page again.")
    note_change(session, placement, audit.Act.CHANGE, reason="introductions", now=now)


def list_meetings(session: Session, placement: Placement) -> list[Meeting]:
    """Return the introductions' meetings, opened, in the order of time."""
    return [
        Meeting(row.id, row.day, row.starts_at, row.ends_at, _words(session, row)) for row in _rows(session, placement)
    ]


def weeks_of(meetings: list[Meeting]) -> list[list[tuple[date, list[Meeting]]]]:
    """Return the weeks, Monday to Sunday, from the first meeting's to the last's, each day with its meetings."""
    if not meetings:
        return []
    first, last = min(each.day for each in meetings), max(each.day for each in meetings)
    monday, weeks = first - timedelta(days=first.weekday()), []
    while monday <= last:
        days = [monday + timedelta(days=number) for number in range(_DAYS_A_WEEK)]
        week = [(day, [each for each in meetings if each.day == day]) for day in days]
        # A month between two meetings is not shown as empty weeks.
        if any(held for _, held in week):
            weeks.append(week)
        monday += timedelta(days=_DAYS_A_WEEK)
    return weeks


def _rows(session: Session, placement: Placement) -> list[PlacementIntroduction]:
    table = PlacementIntroduction
    query = select(table).where(table.link_id == placement.link_id)
    return list(session.scalars(query.order_by(table.day, table.starts_at, table.id)))


def _words(session: Session, row: PlacementIntroduction) -> str:
    return unseal_apart(session, row.sealed_key, row.sealed, row_id=row.id).decode()
