"""What stands in a calendar of one’s links: days on which people meet, and reviews; which kind, when, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.link import DayKind, Link, LinkDay, is_open
from matching.my_links import AHEAD, is_mine
from matching.placement.introduction import PlacementIntroduction
from matching.placement.placement import Placement
from matching.placement.review import next_reviews
from tenants.error import NotFound

HERE = ZoneInfo("Europe/London")
_HOUR = timedelta(hours=1)


class EventUnknown(NotFound):
    """No such day has been said on the link."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry: a whole day, or from one moment to another."""

    uid: str
    """The same for as long as the link is there, however often the day changes."""
    sequence: int
    """Grows with each change (RFC 5545, 3.8.7.4)."""
    changed_at: datetime
    what: str
    link_id: UUID
    starts: date | datetime
    ends: date | datetime


def list_events(session: Session) -> list[Event]:
    """Return what stands in the calendar of the scope’s person: of the open links in which they have had a part."""
    query = select(Link).where(is_open(), is_mine(session)).order_by(Link.changed_at.desc(), Link.id)
    links = session.scalars(query).all()
    ids = [link.id for link in links]
    found = [*_days(session, ids), *_introductions(session, links), *_reviews(session, ids)]
    return sorted(found, key=lambda event: (str(event.starts), event.uid))


def get_event(session: Session, link: Link, kind: DayKind) -> Event:
    """Return the entry of one day of a link.

    :raises EventUnknown: when the day has not been said, or is none on which people meet.
    """
    event = next((each for each in _days(session, [link.id]) if each.uid == f"{link.id}-{kind.value}"), None)
    if event is None:
        raise EventUnknown("No such day has been said on this link.")
    return event


def _days(session: Session, link_ids: Sequence[UUID]) -> list[Event]:
    query = select(LinkDay).where(LinkDay.link_id.in_(link_ids), LinkDay.kind.in_(AHEAD)).order_by(LinkDay.number)
    # The last that was said of a kind is what holds.
    last = {(row.link_id, row.kind): row for row in session.scalars(query)}
    return [
        Event(
            uid=f"{row.link_id}-{row.kind.value}",
            sequence=row.number - 1,
            changed_at=row.at,
            what=row.kind.label,
            link_id=row.link_id,
            starts=row.day,
            ends=row.day + timedelta(days=1),
        )
        for row in last.values()
        if row.day is not None
    ]


def _introductions(session: Session, links: Sequence[Link]) -> list[Event]:
    changed = {link.id: link.changed_at for link in links}
    query = select(PlacementIntroduction).where(PlacementIntroduction.link_id.in_(changed))
    found = []
    for row in session.scalars(query):
        starts = datetime.combine(row.day, row.starts_at, HERE)
        ends = datetime.combine(row.day, row.ends_at, HERE) if row.ends_at else starts + _HOUR
        # One that changes is taken out and planned anew, under another id.
        found.append(Event(str(row.id), 0, changed[row.link_id], "Introductions meeting", row.link_id, starts, ends))
    return found


def _reviews(session: Session, link_ids: Sequence[UUID]) -> list[Event]:
    query = select(Placement).where(Placement.link_id.in_(link_ids), Placement.moved_in_on.is_not(None))
    placements = {placement.link_id: placement for placement in session.scalars(query)}
    return [
        Event(
            uid=f"{link_id}-review-{review.number}",
            sequence=placements[link_id].version,
            changed_at=placements[link_id].made_at,
            what=f"Review {review.number} is due",
            link_id=link_id,
            starts=review.due_on,
            ends=review.due_on + timedelta(days=1),
        )
        for link_id, review in next_reviews(session, list(placements.values())).items()
    ]
