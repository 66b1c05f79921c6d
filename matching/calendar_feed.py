"""A person's calendar as other programs read it: by an address that holds a secret, until it is withdrawn.

The secret is told once, when it is made; its digest alone is kept. A newer address replaces the one before.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, text, update
from sqlalchemy.orm import Mapped, Session

from matching.sealed_words import own_agency, own_person
from tenants import audit
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.permission import Verb, require
from tenants.scope import Scope

RECORD_KIND = "calendar_feed"
# The digest is written and never read: no model maps it.
_ADD = text(
    "INSERT INTO calendar_feed (id, agency_id, person_id, digest, made_at) "
    "VALUES (:id, :agency_id, :person_id, :digest, :made_at)"
)
_OWNER = text("SELECT * FROM calendar_of(:digest)")


class CalendarFeed(Base):
    """One address of one person's calendar in one agency."""

    __tablename__ = "calendar_feed"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    made_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


def make_feed(session: Session, *, now: datetime) -> str:
    """Make a new address for the scope's person's calendar, withdraw the one before, and return its secret.

    :raises NotAllowed: when the scope's roles do not let it read links.
    """
    require(scope_of(session), Verb.READ_LINKS)
    withdraw_feed(session, now=now)
    secret, feed_id = secrets.token_urlsafe(32), uuid4()
    owner = {"agency_id": own_agency(session), "person_id": own_person(session)}
    session.execute(_ADD, {"id": feed_id, **owner, "digest": _digest(secret), "made_at": now})
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=feed_id, now=now)
    return secret


def find_feed(session: Session) -> CalendarFeed | None:
    """Return the scope's person's present address, without its secret, which nobody has but they."""
    own = select(CalendarFeed).where(CalendarFeed.person_id == own_person(session))
    return session.scalars(
        own.where(CalendarFeed.withdrawn_at.is_(None)).order_by(CalendarFeed.made_at.desc(), CalendarFeed.id)
    ).first()


def withdraw_feed(session: Session, *, now: datetime) -> bool:
    """Let the scope's person's calendar be read by its address no more; false when there was none."""
    open_ones = update(CalendarFeed).where(
        CalendarFeed.person_id == own_person(session), CalendarFeed.withdrawn_at.is_(None)
    )
    gone = session.scalars(open_ones.values(withdrawn_at=now).returning(CalendarFeed.id)).all()
    for feed_id in gone:
        audit.record(session, audit.Act.REVOKE, record_kind=RECORD_KIND, record_id=feed_id, now=now)
    return bool(gone)


def owner_of_feed(session: Session, secret: str) -> Scope | None:
    """Return in whose scope a calendar is read, from its secret; in nobody's scope, before anyone is known."""
    row = session.execute(_OWNER, {"digest": _digest(secret)}).one_or_none()
    return Scope(agency_id=row.agency_id, person_id=row.person_id) if row else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
