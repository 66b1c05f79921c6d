"""Who did something about fees, by id and by the name they had: the other agency does not see people's records."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.approval import NobodyNamed
from tenants.database import scope_of
from tenants.person import get_person


@dataclass(frozen=True, slots=True)
class Signer:
    """A person and their name."""

    person_id: UUID
    name: str


def find_signer(session: Session) -> Signer | None:
    """Return the scope's person, or ``None`` when it is of a program or a command."""
    person_id = scope_of(session).person_id
    return None if person_id is None else Signer(person_id, get_person(session, person_id).name)


def require_signer(session: Session) -> Signer:
    """Return the scope's person.

    :raises NobodyNamed: when it is of no person.
    """
    signer = find_signer(session)
    if signer is None:
        raise NobodyNamed("This needs the word of a person. Sign in and give it on the page.")
    return signer
