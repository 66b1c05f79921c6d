"""Notes on a placement: the children's agency's own, sealed, added to and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from matching.actor import acting_person
from matching.placement.placement import Placement, note_change, require_childrens_agency
from matching.sealed_words import open_words, seal_words, tidy
from tenants import audit
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.permission import Verb, require


class PlacementNote(Base):
    """One note, sealed."""

    __tablename__ = "placement_note"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    at: Mapped[datetime]
    sealed: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it is read."""

    at: datetime
    person_name: str
    words: str


def add_note(session: Session, placement: Placement, *, words: str, now: datetime) -> None:
    """Add a note to a placement.

    :raises NotTheChildrensAgency: when the scope acts for the family's agency alone.
    :raises WordsMissing: when it says nothing.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    require_childrens_agency(session, placement.group_agency_id)
    note_id, actor = uuid4(), acting_person(session)
    said = tidy(words, what="what is to be noted")
    session.add(
        PlacementNote(
            id=note_id,
            link_id=placement.link_id,
            agency_id=placement.group_agency_id,
            household_agency_id=placement.household_agency_id,
            person_id=actor.person_id,
            person_name=actor.name,
            at=now,
            sealed=seal_words(session, {"words": said}, row_id=note_id, now=now),
        )
    )
    session.flush()
    note_change(session, placement, audit.Act.ADD, reason="note", now=now)


def list_notes(session: Session, placement: Placement) -> list[Note]:
    """Return a placement's notes, the last first; for the family's agency there are none."""
    query = select(PlacementNote).where(PlacementNote.link_id == placement.link_id)
    rows = session.scalars(query.order_by(PlacementNote.at.desc(), PlacementNote.id))
    return [
        Note(row.at, row.person_name, open_words(session, row.sealed, row_id=row.id)["words"] or "") for row in rows
    ]
