"""Who acts, as the other side of a link reads it: by name and role, for it does not see another agency's people."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.database import scope_of
from tenants.error import Forbidden
from tenants.person import get_person


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, with the roles in which they act."""

    person_id: UUID
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
