"""People and what they do where: a person may hold roles in several agencies, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.agency import Agency, refuse_over
from tenants.base import Base, Id, Word
from tenants.error import Conflict, Invalid, NotFound
from tenants.role import Role

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Person(Base):
    """Someone who signs in."""

    __tablename__ = "person"

    id: Mapped[Id]
    name: Mapped[str]
    email: Mapped[str]


class PersonIdentity(Base):
    """How an identity provider knows a person: by issuer and subject, never by e-mail alone."""

    __tablename__ = "person_identity"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]


class Appointment(Base):
    """A person holds a role in an agency between two dates."""

    __tablename__ = "appointment"

    id: Mapped[Id]
    person_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    role: Mapped[Role] = mapped_column(Word(Role))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    vouched_by: Mapped[str | None]
    """The issuer by whose claim the role is held; without, it was given by hand."""
    ended_with_claim: Mapped[bool] = mapped_column(server_default="false")
    delegation_id: Mapped[UUID | None]
    """By which delegation a person of another agency holds it; it ends with that."""


class PersonUnknown(NotFound):
    """No such person is in this scope."""


class PersonInvalid(Invalid):
    """A person was described in a way that cannot be kept."""


class AlreadyAppointed(Conflict):
    """The person holds that role there already."""


def held_on(on: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions under which an appointment is held on a day; the day it ends on is the first without."""
    return Appointment.starts_on <= on, or_(Appointment.ends_on.is_(None), Appointment.ends_on > on)


def invite_person(session: Session, *, name: str, email: str, issuer: str, subject: str) -> Person:
    """Add a person with the identity by which their agency's provider will name them.

    :raises PersonInvalid: when the name is blank or the e-mail address is none.
    :raises Conflict: when that identity already belongs to someone.
    """
    name, email = tidy_name(name), tidy_email(email)
    if session.get(PersonIdentity, (issuer, subject)):
        raise Conflict(f"The identity “{subject}” of {issuer} already belongs to someone.")
    person = Person(name=name, email=email)
    session.add(person)
    session.flush()
    session.add(PersonIdentity(issuer=issuer, subject=subject, person_id=person.id))
    session.flush()
    return person


def tidy_name(name: str) -> str:
    """Return a name without blank ends.

    :raises PersonInvalid: when nothing is left.
    """
    if not name.strip():
        raise PersonInvalid("A person needs a name.")
    return name.strip()


def tidy_email(email: str) -> str:
    """Return an e-mail address as it is compared: in small letters, without blank ends.

    :raises PersonInvalid: when it is none.
    """
    address = email.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise PersonInvalid(f"“{address}” is no e-mail address, such as sam.sample@example.org.")
    return address


def find_person_by_identity(session: Session, *, issuer: str, subject: str) -> Person | None:
    """Return the person whom ``issuer`` calls ``subject``, if this scope may know of one."""
    return session.scalar(
        select(Person)
        .join(PersonIdentity, PersonIdentity.person_id == Person.id)
        .where(PersonIdentity.issuer == issuer, PersonIdentity.subject == subject)
    )


def appoint(session: Session, person: Person, *, agency: Agency, role: Role, starts_on: date) -> Appointment:
    """Give a person a role in an agency from a date.

    :raises AlreadyAppointed: when they hold it.
    :raises AgencyOver: when the agency has merged into another.
    """
    refuse_over(agency)
    held = session.scalar(
        select(Appointment.id).where(
            Appointment.person_id == person.id,
            Appointment.agency_id == agency.id,
            Appointment.role == role,
            Appointment.ends_on.is_(None),
        )
    )
    if held:
        raise AlreadyAppointed(f"{person.name} is already {role.label.lower()} of {agency.name}.")
    appointment = Appointment(person_id=person.id, agency_id=agency.id, role=role, starts_on=starts_on)
    session.add(appointment)
    session.flush()
    return appointment


def get_person(session: Session, person_id: UUID) -> Person:
    """Return a person of this scope.

    :raises PersonUnknown: when there is none.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise PersonUnknown("There is no such person in this agency.")
    return person


def get_person_by_email(session: Session, email: str, *, agency_id: UUID | None = None) -> Person:
    """Return the one person who is known under an address, or the one of an agency.

    :raises PersonUnknown: when this scope knows of none.
    :raises PersonInvalid: when it knows of several: an address alone then says not enough.
    """
    query = select(Person).where(func.lower(Person.email) == tidy_email(email)).order_by(Person.id)
    if agency_id is not None:
        query = query.where(Person.id.in_(select(Appointment.person_id).where(Appointment.agency_id == agency_id)))
    found = list(session.scalars(query.limit(2)))
    if not found:
        raise PersonUnknown(f"Nobody is known here under {email}.")
    if len(found) > 1:
        raise PersonInvalid(f"Several people are known under {email}. Change them on their agency’s page of people.")
    return found[0]


def list_appointments(session: Session, person_id: UUID, *, on: date) -> list[tuple[Agency, Role]]:
    """Return what a person does where on a day, by agency and role."""
    query = (
        select(Agency, Appointment.role)
        .join(Appointment, Appointment.agency_id == Agency.id)
        .where(Appointment.person_id == person_id, *held_on(on))
        .order_by(Agency.name, Appointment.role)
    )
    return [(agency, role) for agency, role in session.execute(query)]


def list_people(session: Session, *, agency_id: UUID, on: date) -> list[tuple[Person, Role]]:
    """Return an agency's people with their roles on a day, by name."""
    query = (
        select(Person, Appointment.role)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(Appointment.agency_id == agency_id, *held_on(on))
        .order_by(Person.name, Appointment.role, Person.id)
    )
    return [(person, role) for person, role in session.execute(query)]


def names_of(session: Session, person_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of those people whom this scope may know of."""
    asked = {each for each in person_ids if each is not None}
    return {person.id: person.name for person in session.scalars(select(Person).where(Person.id.in_(asked)))}
