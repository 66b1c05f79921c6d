"""Who acts, as the other side of a link reads it: by name and role, for it does not see another agency's people."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.api_client import get_client
from tenants.database import scope_of
from tenants.error import Forbidden
from tenants.person import get_person

PROGRAM = "program"
"""What stands where a person's roles do, of what an agency's program has done."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, with the roles in which they act."""

    person_id: UUID
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doer:
    """A person with the roles in which they act, or a program of the agency, which is no person."""

    person_id: UUID | None
    name: str
    roles: tuple[str, ...]


class NotSomebody(Forbidden):
    """This is done by people, never by commands."""


def acting_person(session: Session) -> Actor:
    """Return who acts.

    :raises NotSomebody: when it is no person, as with a command.
    """
    scope = scope_of(session)
    if scope.person_id is None:
        raise NotSomebody("Links and reports are the work of people. Sign in to do it.")
    roles = tuple(role.value for role in sorted(scope.roles))
    return Actor(scope.person_id, get_person(session, scope.person_id).name, roles)


def acting(session: Session) -> Doer:
    """Return who acts: a person, or the agency's program that asks.

    :raises NotSomebody: when it is neither, as with a command.
    """
    scope = scope_of(session)
    if scope.person_id is None and scope.client_id is not None:
        return Doer(None, get_client(session, scope.client_id).name, (PROGRAM,))
    person = acting_person(session)
    return Doer(person.person_id, person.name, person.roles)
