"""One side's own notes on a link, sealed under its key: the other side does not even know that there are any."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from matching.actor import acting_person
from matching.link import RECORD_KIND, Link
from matching.placement.note import Note
from matching.sealed_words import open_words, own_agency, seal_words, tidy
from matching.sealing.record import require_unsealed
from tenants import audit
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.permission import Verb, require


class LinkNote(Base):
    """One note, sealed."""

    __tablename__ = "link_note"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    at: Mapped[datetime]
    sealed: Mapped[bytes]


def add_note(session: Session, link: Link, *, words: str, now: datetime) -> None:
    """Note something on a link for one's own side.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises WordsMissing: when it says nothing.
    :raises BeingSealed: when the adoption is being sealed.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    require_unsealed(session, link.id)
    note_id, actor, said = uuid4(), acting_person(session), tidy(words, what="what is to be noted")
    session.add(
        LinkNote(
            id=note_id,
            link_id=link.id,
            group_agency_id=link.group_agency_id,
            household_agency_id=link.household_agency_id,
            agency_id=own_agency(session),
            person_id=actor.person_id,
            person_name=actor.name,
            at=now,
            sealed=seal_words(session, {"words": said}, row_id=note_id, now=now),
        )
    )
    session.flush()
    # The entry is the side's own too: it must not tell the other that there is a note.
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=link.id, reason="note", now=now)


def read_notes(session: Session, link: Link, *, now: datetime) -> list[Note]:
    """Return one's own side's notes on a link, the last first, and put it on record where there are any."""
    require(scope_of(session), Verb.READ_LINKS)
    query = select(LinkNote).where(LinkNote.link_id == link.id).order_by(LinkNote.at.desc(), LinkNote.id)
    rows = list(session.scalars(query))
    if rows:
        audit.record(session, audit.Act.READ, record_kind=RECORD_KIND, record_id=link.id, reason="notes", now=now)
    return [
        Note(row.at, row.person_name, open_words(session, row.sealed, row_id=row.id)["words"] or "") for row in rows
    ]
