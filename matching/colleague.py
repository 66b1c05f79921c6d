"""Names of the people of one's own agency, for pages that say who did what."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.sealed_words import own_agency
from tenants.person import Appointment, Person


def colleague_names(session: Session) -> dict[UUID, str]:
    """Return the name of everybody who holds, or held, a role in the scope's own agency, by id."""
    ours = select(Appointment.person_id).where(Appointment.agency_id == own_agency(session))
    return dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(ours))).all())
