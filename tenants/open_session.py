"""Sessions that are open: a person sees and ends their own, an administrator those of a colleague.

The database shows a scope no others; of a colleague's it shows those in which they act for the scope's agency or have
not said yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, DateTime, Text, Uuid, and_, column, or_, select, table, update
from sqlalchemy.orm import Session

from tenants.agency import Agency
from tenants.error import NotFound
from tenants.sign_in import IDLE_MINUTES, LONGEST_HOURS

# The columns that a scope may read, and no model: the table's key is the digest, which nobody reads.
_SESSION = table(
    "sign_in_session",
    *(column(name, Uuid()) for name in ("id", "person_id", "agency_id")),
    *(column(name, DateTime(timezone=True)) for name in ("started_at", "seen_at", "ended_at")),
    *(column(name, Text()) for name in ("address", "browser")),
)
_OF = _SESSION.c


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One session: since when, last seen when and from where, and whose work is done in it."""

    id: UUID
    agency_name: str | None
    started_at: datetime
    seen_at: datetime
    address: str | None
    browser: str | None


class SessionUnknown(NotFound):
    """There is no such session, or it has ended."""


def list_open_sessions(session: Session, person_id: UUID, *, now: datetime) -> list[OpenSession]:
    """Return a person's open sessions as far as this scope may know of them, the last seen first."""
    query = (
        select(_OF.id, Agency.name.label("agency_name"), _OF.started_at, _OF.seen_at, _OF.address, _OF.browser)
        .select_from(_SESSION.outerjoin(Agency, Agency.id == _OF.agency_id))
        .where(_OF.person_id == person_id, _open(now))
        .order_by(_OF.seen_at.desc(), _OF.id)
    )
    return [OpenSession(**row._mapping) for row in session.execute(query)]


def end_session(session: Session, session_id: UUID, *, person_id: UUID, now: datetime) -> None:
    """End one open session of a person.

    :raises SessionUnknown: when they have none by that id, or it is over.
    """
    if not _end(session, _OF.person_id == person_id, _OF.id == session_id, now=now):
        raise SessionUnknown("That sign-in is over already, or it is not yours.")


def end_other_sessions(session: Session, *, person_id: UUID, keep: UUID, now: datetime) -> int:
    """End every open session of a person but one, and return how many there were."""
    return _end(session, _OF.person_id == person_id, _OF.id != keep, now=now)


def end_sessions_at(session: Session, *, person_id: UUID, agency_id: UUID, now: datetime) -> int:
    """End the sessions in which a person acts for an agency or has not said for whom, and return how many."""
    there = or_(_OF.agency_id == agency_id, _OF.agency_id.is_(None))
    return _end(session, _OF.person_id == person_id, there, now=now)


def _end(session: Session, *which: ColumnElement[bool], now: datetime) -> int:
    done = session.execute(update(_SESSION).where(*which, _open(now)).values(ended_at=now))
    return done.rowcount if isinstance(done, CursorResult) else 0


def _open(now: datetime) -> ColumnElement[bool]:
    return and_(
        _OF.ended_at.is_(None),
        _OF.seen_at > now - timedelta(minutes=IDLE_MINUTES),
        _OF.started_at > now - timedelta(hours=LONGEST_HOURS),
    )
