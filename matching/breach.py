"""The record of breaches: what happened, whom it concerns, what was done, each line added and none changed.

The Information Commissioner is told within 72 hours of the agency becoming aware, unless a risk to people is unlikely
(UK GDPR Article 33); the people concerned without undue delay where the risk is high (Article 34).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.sealed_words import open_words, own_agency, own_person, seal_words, tidy
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require

NOTICE: Final = timedelta(hours=72)


class EntryKind(StrEnum):
    """What a line of a breach's record says."""

    WHAT_HAPPENED = "what_happened"
    CONCERNED = "concerned"
    RISK = "risk"
    ICO_TOLD = "ico_told"
    ICO_NOT_TOLD = "ico_not_told"
    PEOPLE_TOLD = "people_told"
    LEARNT = "learnt"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _LABELS[self]


_LABELS: Final = {
    EntryKind.WHAT_HAPPENED: "What happened",
    EntryKind.CONCERNED: "Records and agencies concerned",
    EntryKind.RISK: "The risk to people",
    EntryKind.ICO_TOLD: "The Information Commissioner was told",
    EntryKind.ICO_NOT_TOLD: "Why the Information Commissioner is not told",
    EntryKind.PEOPLE_TOLD: "People were told",
    EntryKind.LEARNT: "What was learnt",
    EntryKind.CLOSED: "Closed",
}


class Breach(Base):
    """One breach; ``found_at`` is when the agency became aware of it."""

    __tablename__ = "breach"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    number: Mapped[int]
    found_at: Mapped[datetime]
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]


class BreachEntry(Base):
    """One line of a breach's record, sealed."""

    __tablename__ = "breach_entry"

    id: Mapped[Id]
    breach_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    kind: Mapped[EntryKind] = mapped_column(Word(EntryKind))
    sealed: Mapped[bytes]
    written_by: Mapped[UUID]
    written_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class EntrySaid:
    """A line opened."""

    entry: BreachEntry
    text: str


@dataclass(frozen=True, slots=True)
class BreachSaid:
    """A breach with its lines, the oldest first, and how the clock of 72 hours stands."""

    breach: Breach
    entries: tuple[EntrySaid, ...]

    @property
    def due_at(self) -> datetime:
        """Return until when the Information Commissioner is to be told."""
        return self.breach.found_at + NOTICE

    def first(self, *kinds: EntryKind) -> BreachEntry | None:
        """Return the first line of one of some kinds."""
        return next((said.entry for said in self.entries if said.entry.kind in kinds), None)

    @property
    def closed(self) -> bool:
        """Say whether it is closed."""
        return self.first(EntryKind.CLOSED) is not None

    def hours_left(self, now: datetime) -> int | None:
        """Return how many whole hours are left to tell, below nought when it is late; ``None`` once that is settled."""
        if self.first(EntryKind.ICO_TOLD, EntryKind.ICO_NOT_TOLD):
            return None
        return int((self.due_at - now).total_seconds() // 3600)


class BreachUnknown(NotFound):
    """No such breach is this agency's."""


class BreachInvalid(Invalid):
    """The breach cannot have been found then."""


class BreachClosed(Conflict):
    """The breach is closed, or cannot be closed yet."""


def open_breach(session: Session, *, what: str, found_at: datetime, now: datetime) -> Breach:
    """Begin the record of a breach with what happened; the clock of 72 hours runs from when it was found.

    :raises NotAllowed: when the scope's roles do not keep the record of breaches.
    :raises BreachInvalid: when it was found after now, or more than ten years ago.
    :raises WordsMissing: when it is not said what happened.
    """
    require(scope_of(session), Verb.KEEP_BREACHES)
    if not now - timedelta(days=3653) <= found_at <= now:
        raise BreachInvalid("Enter when it was found: not in the future, and within the last ten years.")
    # Two that are begun at once take their numbers one after the other.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"breach {own_agency(session)}", 0))))
    numbers = session.scalars(select(Breach.number).where(Breach.agency_id == own_agency(session)))
    breach = Breach(
        agency_id=own_agency(session),
        number=max(numbers, default=0) + 1,
        found_at=found_at,
        opened_by=own_person(session),
        opened_at=now,
    )
    session.add(breach)
    session.flush()
    add_entry(session, breach, kind=EntryKind.WHAT_HAPPENED, text=what, now=now)
    return breach


def add_entry(session: Session, breach: Breach, *, kind: EntryKind, text: str, now: datetime) -> BreachEntry:
    """Add a line to a breach's record, in one's own name; no line is ever changed.

    :raises BreachClosed: when it is closed, or is to be closed before it is said whether the Commissioner was told.
    :raises WordsMissing: when nothing is said.
    """
    require(scope_of(session), Verb.KEEP_BREACHES)
    words = tidy(text, what=kind.label.lower())
    said = _opened(session, breach)
    if said.closed:
        raise BreachClosed("The breach is closed. Begin a new record if more has come to light.")
    if kind is EntryKind.CLOSED and not said.first(EntryKind.ICO_TOLD, EntryKind.ICO_NOT_TOLD):
        raise BreachClosed("Say first whether the Information Commissioner was told, or why not.")
    entry_id = uuid4()
    entry = BreachEntry(
        id=entry_id,
        breach_id=breach.id,
        agency_id=breach.agency_id,
        kind=kind,
        sealed=seal_words(session, {"text": words}, row_id=entry_id, now=now),
        written_by=own_person(session),
        written_at=now,
    )
    session.add(entry)
    session.flush()
    audit.record(session, audit.Act.ADD, record_kind="breach", record_id=breach.id, reason=kind.value, now=now)
    return entry


def get_breach(session: Session, breach_id: UUID) -> Breach:
    """Return a breach of the scope's own agency.

    :raises BreachUnknown: when there is none.
    """
    breach = session.get(Breach, breach_id)
    if breach is None:
        raise BreachUnknown("There is no such breach in your agency.")
    return breach


def read_breach(session: Session, breach: Breach, *, now: datetime) -> BreachSaid:
    """Return a breach with its lines opened, and put the look on record."""
    require(scope_of(session), Verb.KEEP_BREACHES)
    audit.record(session, audit.Act.READ, record_kind="breach", record_id=breach.id, now=now)
    return _opened(session, breach)


def list_breaches(session: Session, *, now: datetime) -> list[BreachSaid]:
    """Return the agency's breaches, the newest first, each look on record."""
    require(scope_of(session), Verb.KEEP_BREACHES)
    found = session.scalars(select(Breach).order_by(Breach.number.desc(), Breach.id))
    return [read_breach(session, breach, now=now) for breach in found]


def export_breach(session: Session, breach: Breach, *, names: Mapping[UUID, str], now: datetime) -> dict[str, Any]:
    """Return a breach's record as data to hand over, and put that on record."""
    said = read_breach(session, breach, now=now)
    audit.record(session, audit.Act.EXPORT, record_kind="breach", record_id=breach.id, now=now)
    return {
        "number": breach.number,
        "found_at": breach.found_at.isoformat(),
        "tell_by": said.due_at.isoformat(),
        "entries": [
            {
                "kind": each.entry.kind.value,
                "text": each.text,
                "by": names.get(each.entry.written_by, "Somebody who has left"),
                "at": each.entry.written_at.isoformat(),
            }
            for each in said.entries
        ],
    }


def _opened(session: Session, breach: Breach) -> BreachSaid:
    query = select(BreachEntry).where(BreachEntry.breach_id == breach.id)
    entries = session.scalars(query.order_by(BreachEntry.written_at, BreachEntry.id))
    return BreachSaid(
        breach,
        tuple(EntrySaid(entry, open_words(session, entry.sealed, row_id=entry.id)["text"] or "") for entry in entries),
    )
