"""An agency's people: who works there in which roles, what they were, and how an administrator changes it.

Nobody changes their own roles, an agency keeps an administrator, and whoever leaves is out at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from tenants.agency import Agency, AgencyKind
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid
from tenants.open_session import end_sessions_at
from tenants.permission import Verb, require
from tenants.person import Appointment, Person, PersonUnknown, held_on
from tenants.role import Role

OFFICE_ROLES = (Role.COORDINATOR, Role.MANAGER, Role.FINANCE_OFFICER, Role.INFORMATION_GOVERNANCE, Role.ADMINISTRATOR)
"""What people do in a consortium's office, which has no children and no households of its own."""
AGENCY_ROLES = tuple(role for role in Role if role not in {Role.COORDINATOR, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of an agency: what they do there on a day, or, with no role left, what they did until when."""

    person: Person
    roles: frozenset[Role]
    since: date
    until: date | None


class OwnRoles(Forbidden):
    """Nobody changes their own roles."""


class LastAdministrator(Conflict):
    """Without this person nobody could manage the agency's people."""


class RolesInvalid(Invalid):
    """No role was chosen, or one that an agency of this kind has not."""


def roles_of(kind: AgencyKind) -> tuple[Role, ...]:
    """Return the roles that an administrator can give in an agency of a kind, in the order of pages."""
    return OFFICE_ROLES if kind is AgencyKind.CONSORTIUM_OFFICE else AGENCY_ROLES


def list_colleagues(session: Session, *, agency_id: UUID, on: date) -> list[Colleague]:
    """Return who holds a role in an agency on a day, by name."""
    return [each for each in _list_all(session, agency_id, on=on) if each.roles]


def list_leavers(session: Session, *, agency_id: UUID, on: date) -> list[Colleague]:
    """Return who held a role in an agency and holds none on a day, those who left last first."""
    left = [each for each in _list_all(session, agency_id, on=on) if not each.roles and each.until is not None]
    return sorted(left, key=lambda each: each.until or on, reverse=True)


def get_colleague(session: Session, person_id: UUID, *, agency_id: UUID, on: date) -> Colleague:
    """Return a person who holds or held a role in an agency.

    :raises PersonUnknown: when they never did.
    """
    found = _list_all(session, agency_id, on=on, person_id=person_id)
    if not found:
        raise PersonUnknown("There is no such person in this agency.")
    return found[0]


def list_history(session: Session, person_id: UUID, *, agency_id: UUID) -> list[Appointment]:
    """Return every role that a person was given in an agency, the latest first."""
    query = select(Appointment).where(Appointment.person_id == person_id, Appointment.agency_id == agency_id)
    return list(session.scalars(query.order_by(Appointment.starts_on.desc(), Appointment.role, Appointment.id)))


def change_roles(session: Session, person: Person, *, agency: Agency, roles: Collection[Role], on: date) -> None:
    """Have a person do exactly ``roles`` in an agency from a day: others end, missing ones begin.

    :raises NotAllowed: when the scope does not keep the agency's people.
    :raises OwnRoles: when it is the person's own.
    :raises RolesInvalid: when no role is left, or the agency has not such a role.
    :raises PersonUnknown: when they hold no role there: they are to be invited.
    :raises LastAdministrator: when nobody else would be left to manage people.
    """
    held = _begin(session, person, agency=agency, on=on)
    check_roles(session, agency, roles, held={each.role for each in held})
    _end(session, [each for each in held if each.role not in roles], agency, on=on)
    for role in sorted(set(roles) - {each.role for each in held}):
        session.add(Appointment(person_id=person.id, agency_id=agency.id, role=role, starts_on=on))
    session.flush()


def leave(session: Session, person: Person, *, agency: Agency, now: datetime) -> int:
    """End all that a person does in an agency, and their sessions there with it; return how many sessions ended.

    :raises NotAllowed: when the scope does not keep the agency's people.
    :raises OwnRoles: when it is the person's own.
    :raises PersonUnknown: when they hold no role there.
    :raises LastAdministrator: when nobody else would be left to manage people.
    """
    held = _begin(session, person, agency=agency, on=now.date())
    ended = end_sessions_at(session, person_id=person.id, agency_id=agency.id, now=now)
    _end(session, held, agency, on=now.date())
    return ended


def require_keeper(session: Session, agency_id: UUID) -> None:
    """Let the scope pass when it may change an agency's people: the agency's administrator, or the operator.

    :raises NotAllowed: when it may not.
    :raises PersonUnknown: when it is another agency.
    """
    scope = scope_of(session)
    if scope.operator:
        return
    require(scope, Verb.MANAGE_PEOPLE)
    if scope.agency_id != agency_id:
        raise PersonUnknown("There is no such person in this agency.")


def check_roles(session: Session, agency: Agency, roles: Collection[Role], *, held: Collection[Role] = ()) -> None:
    """Let roles pass that an administrator can give in an agency, or that are ``held``; the operator can give any.

    :raises RolesInvalid: when there is none, or another among them.
    """
    if not roles:
        raise RolesInvalid("Choose at least one role. When somebody leaves, end their work here instead.")
    strange = set() if scope_of(session).operator else set(roles) - set(held) - set(roles_of(agency.kind))
    if strange:
        words = ", ".join(sorted(role.label.lower() for role in strange))
        raise RolesInvalid(f"{agency.name} has no such role to give: {words}.")


def _list_all(session: Session, agency_id: UUID, *, on: date, person_id: UUID | None = None) -> list[Colleague]:
    query = select(Person, Appointment).join(Appointment, Appointment.person_id == Person.id)
    query = query.where(Appointment.agency_id == agency_id, Appointment.starts_on <= on)
    if person_id is not None:
        query = query.where(Person.id == person_id)
    people: dict[UUID, Person] = {}
    held: dict[UUID, list[Appointment]] = defaultdict(list)
    for person, appointment in session.execute(query.order_by(Person.name, Person.id)):
        people[person.id] = person
        held[person.id].append(appointment)
    return [_colleague(people[each], appointments, on=on) for each, appointments in held.items()]


def _colleague(person: Person, appointments: list[Appointment], *, on: date) -> Colleague:
    present = [each for each in appointments if each.ends_on is None or each.ends_on > on]
    counted = present or appointments
    ends = [each.ends_on for each in counted if each.ends_on is not None]
    return Colleague(
        person=person,
        roles=frozenset(each.role for each in present),
        since=min(each.starts_on for each in counted),
        until=max(ends) if len(ends) == len(counted) else None,
    )


def _begin(session: Session, person: Person, *, agency: Agency, on: date) -> list[Appointment]:
    """Return what the person holds, with the agency's people to oneself until the transaction ends."""
    require_keeper(session, agency.id)
    if person.id == scope_of(session).person_id:
        raise OwnRoles("Nobody changes their own roles. Ask another administrator, or those who run Concord.")
    # Two administrators who end one another's work at the same moment must not both succeed.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"concord.people.{agency.id}"))))
    query = select(Appointment).where(
        Appointment.person_id == person.id,
        Appointment.agency_id == agency.id,
        or_(Appointment.ends_on.is_(None), Appointment.ends_on > on),
    )
    held = list(session.scalars(query.order_by(Appointment.role), execution_options={"populate_existing": True}))
    if not held:
        raise PersonUnknown(f"{person.name} holds no role in {agency.name}. Invite them.")
    return held


def _end(session: Session, ending: list[Appointment], agency: Agency, *, on: date) -> None:
    for appointment in ending:
        if appointment.role is Role.ADMINISTRATOR:
            _require_another_administrator(session, agency, appointment.person_id, on=on)
        appointment.ends_on = max(on, appointment.starts_on)
    session.flush()


def _require_another_administrator(session: Session, agency: Agency, person_id: UUID, *, on: date) -> None:
    others = select(Appointment.id).where(
        Appointment.agency_id == agency.id,
        Appointment.role == Role.ADMINISTRATOR,
        Appointment.person_id != person_id,
        *held_on(on),
    )
    if session.scalar(others.limit(1)) is None:
        raise LastAdministrator(
            f"Nobody else could manage the people of {agency.name}. Make somebody else its administrator first."
        )
