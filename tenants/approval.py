"""Two people for one thing: nobody approves both sides of it, nor what they asked for themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tenants.database import scope_of
from tenants.error import Forbidden
from tenants.person import Appointment, held_on


class NobodyNamed(Forbidden):
    """An approval needs a person who can be named for it, and a command has none."""


class SamePerson(Forbidden):
    """The second person is the first."""


class NobodyOfItsOwn(Forbidden):
    """Both of two people act for the agency by delegation."""


class BothSides(Forbidden):
    """The person holds roles in both agencies that the thing concerns."""


def require_one_side(session: Session, *, agencies: Collection[UUID], on: date) -> UUID:
    """Return the scope's person when they may speak for one side of a thing between ``agencies``.

    Whichever agency they act for at the time, they hold roles in no other that it concerns.

    :raises NobodyNamed: when the scope is of no person.
    :raises BothSides: when they hold roles in another of the agencies.
    """
    scope = scope_of(session)
    if scope.person_id is None:
        raise NobodyNamed("This needs the word of a person. Sign in and give it on the page.")
    others = set(agencies) - {scope.agency_id}
    if others & _agencies_of(session, scope.person_id, on=on):
        raise BothSides(
            "You hold roles in both agencies that this concerns, and nobody approves both sides of one thing. "
            "Ask a colleague who works for one of them alone."
        )
    return scope.person_id


def require_another(
    session: Session, *, first_person_id: UUID | None, on: date, agencies: Collection[UUID] = ()
) -> UUID:
    """Return the scope's person when they may approve what ``first_person_id`` has asked for or approved.

    :param first_person_id: who spoke first; ``None`` when it was a command, so that nobody can be told apart from it.
    :param agencies: the agencies that the thing concerns, where it is more than one's own.
    :raises NobodyNamed: when one of the two is no person who can be named.
    :raises SamePerson: when the two are one.
    :raises BothSides: when either of them holds roles in both agencies.
    """
    second = require_one_side(session, agencies=agencies, on=on)
    if first_person_id is None:
        raise NobodyNamed("Nobody can be named as the first of the two people this needs. Begin it again on the page.")
    if first_person_id == second:
        raise SamePerson("This needs a second person, and you are the first. Ask a colleague to look at it.")
    own = scope_of(session).agency_id
    # Of a person of another agency this scope sees whether they hold a role here, and nothing else: it is enough.
    if set(agencies) - {own} and own in _agencies_of(session, first_person_id, on=on):
        raise BothSides(
            "Whoever approved this for the other agency holds a role in yours too, and nobody approves both sides of "
            "one thing. Ask the other agency to have it approved by somebody else."
        )
    return second


def require_two(session: Session, *, first_person_id: UUID | None, on: date) -> UUID:
    """Return the scope's person when they may approve what another of the same agency asked for.

    Others may act for the agency, by delegation: one of the two at least is its own. The database holds to that too.

    :raises NobodyOfItsOwn: when neither is.
    :raises NobodyNamed, SamePerson: as :func:`require_another`.
    """
    second = require_another(session, first_person_id=first_person_id, on=on)
    own = select(Appointment.id).where(
        Appointment.agency_id == scope_of(session).agency_id,
        Appointment.person_id.in_((first_person_id, second)),
        Appointment.delegation_id.is_(None),
        *held_on(on),
    )
    if session.scalar(own.limit(1)) is None:
        raise NobodyOfItsOwn(
            "Both of you act for this agency by delegation, and one of the two who decide this is its own. Ask its "
            "manager, or a finance officer of its own."
        )
    return second


def _agencies_of(session: Session, person_id: UUID, *, on: date) -> set[UUID]:
    return set(
        session.scalars(
            select(Appointment.agency_id).where(Appointment.person_id == person_id, *held_on(on)).distinct()
        )
    )
