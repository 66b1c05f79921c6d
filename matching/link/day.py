"""The days of a link: visits, meetings, panels as planned, and the days on which something was done.

What was said first stays; the last that was said of a kind is what holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting
from matching.link.record import RECORD_KIND, Link, LinkInvalid
from matching.link.state import DayKind
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of

_LONGEST_PAST = timedelta(days=18 * 366)
_LONGEST_AHEAD = timedelta(days=3 * 366)


class LinkDay(Base):
    """One day of a link as somebody of either side said it. It is never changed; a later word takes its place."""

    __tablename__ = "link_day"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    kind: Mapped[DayKind] = mapped_column(Word(DayKind))
    number: Mapped[int]
    day: Mapped[date | None]
    """Nothing where what was said before has been taken back."""
    agency_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    person_name: Mapped[str]
    at: Mapped[datetime]


def say_day(session: Session, link: Link, *, kind: DayKind, day: date, now: datetime) -> LinkDay:
    """Say a link's day of a kind; said again, the last holds. Who may and when is its caller's to check.

    :raises LinkInvalid: when what was done is said to lie ahead, or no link has such a day.
    """
    # One day that no calendar reckons with would keep both agencies from their lists.
    if not -_LONGEST_PAST <= day - now.date() <= _LONGEST_AHEAD:
        raise LinkInvalid("Enter a day within eighteen years back and three years ahead.")
    if not kind.planned and day > now.date():
        raise LinkInvalid(f"“{kind.label}” is said of a day that has come. Choose today or a day before.")
    return _say(session, link, kind, day, now=now)


def take_day_back(session: Session, link: Link, *, kind: DayKind, now: datetime) -> None:
    """Take a day back that was said of a link, where one stands; that it was said stays."""
    if kind in days_of(session, [link])[link.id]:
        _say(session, link, kind, None, now=now)


def _say(session: Session, link: Link, kind: DayKind, day: date | None, *, now: datetime) -> LinkDay:
    said = session.scalar(select(func.max(LinkDay.number)).where(LinkDay.link_id == link.id, LinkDay.kind == kind))
    actor = acting(session)
    row = LinkDay(
        link_id=link.id,
        group_agency_id=link.group_agency_id,
        household_agency_id=link.household_agency_id,
        kind=kind,
        number=(said or 0) + 1,
        day=day,
        agency_id=scope_of(session).agency_id,
        person_id=actor.person_id,
        person_name=actor.name,
        at=now,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind=RECORD_KIND,
        record_id=link.id,
        owner_agency_id=link.other_agency_id(scope_of(session).agency_id),
        reason=f"day: {kind.value}" if day else f"day taken back: {kind.value}",
        now=now,
    )
    return row


def days_of(session: Session, links: Sequence[Link]) -> dict[UUID, Mapping[DayKind, date]]:
    """Return the days that hold, by link and kind."""
    query = select(LinkDay).where(LinkDay.link_id.in_([link.id for link in links])).order_by(LinkDay.number)
    last: dict[UUID, dict[DayKind, date | None]] = {link.id: {} for link in links}
    for row in session.scalars(query):
        last[row.link_id][row.kind] = row.day
    return {link_id: {kind: day for kind, day in days.items() if day} for link_id, days in last.items()}
