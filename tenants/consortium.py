"""Consortia and which agencies belong to them, from when to when."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.agency import Agency, AgencyKind
from tenants.base import Base, Id
from tenants.error import Conflict, Invalid, NotFound

_CAP = "A cap is one or more; with none, nobody could be considered."
_NEVER_NONE = frozenset({"council_in_house_days", "voluntary_in_house_days"})
SHARING_DAYS = _NEVER_NONE | {"group_in_house_days", "household_national_days", "group_national_days"}
"""The columns that say how long a record stays at a stage of sharing."""
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Consortium(Base):
    """Agencies that pool their approved adopters."""

    __tablename__ = "consortium"

    id: Mapped[Id]
    slug: Mapped[str]
    name: Mapped[str]
    council_in_house_days: Mapped[int]
    """How long a council's new household stays in-house before it is pooled, in days."""
    voluntary_in_house_days: Mapped[int]
    """The same for a voluntary agency's, in days."""
    group_in_house_days: Mapped[int | None]
    """The same for a sibling group; ``None``: until its family-finder shares it."""
    household_national_days: Mapped[int | None]
    """How long a household stays in the consortium before it is shared nationally; ``None``: never by itself."""
    group_national_days: Mapped[int | None]
    """The same for a sibling group."""
    household_cap: Mapped[int]
    """For how many sibling groups a household may be considered at once."""
    group_cap: Mapped[int]
    """How many families may be considered for a sibling group at once."""
    pack_days: Mapped[int] = mapped_column(default=28)
    """How many days after its meeting a pack can be opened; then its files are destroyed."""
    confirm_days: Mapped[int] = mapped_column(default=28)
    """For how many days an agency's word that a household is available stands."""


class ConsortiumMember(Base):
    """An agency's membership of a consortium."""

    __tablename__ = "consortium_member"

    consortium_id: Mapped[Id]
    agency_id: Mapped[Id]
    joined_on: Mapped[date]
    left_on: Mapped[date | None]


class ConsortiumUnknown(NotFound):
    """No consortium of that name is in this scope."""


class ConsortiumNameTaken(Conflict):
    """Another consortium has that short name."""


class ConsortiumInvalid(Invalid):
    """A consortium was described in a way that cannot be kept."""


class NotAMember(Invalid):
    """The agency belongs to no consortium, or to several and none was named."""


def create_consortium(
    session: Session,
    *,
    slug: str,
    name: str,
    council_in_house_days: int = 90,
    voluntary_in_house_days: int = 0,
    household_cap: int = 3,
    group_cap: int = 3,
) -> Consortium:
    """Create a consortium with its own timing of sharing, in days, and its own caps on considering at once.

    :raises ConsortiumInvalid: when the short name is malformed, a time is negative or a cap is below one.
    :raises ConsortiumNameTaken: when the short name is in use.
    """
    if not _SLUG.fullmatch(slug) or not name.strip():
        raise ConsortiumInvalid(f"“{slug}” is no short name: use small letters, digits and single hyphens.")
    if min(council_in_house_days, voluntary_in_house_days) < 0:
        raise ConsortiumInvalid("Days in-house cannot be negative.")
    if min(household_cap, group_cap) < 1:
        raise ConsortiumInvalid(_CAP)
    if session.scalar(select(Consortium.id).where(Consortium.slug == slug)):
        raise ConsortiumNameTaken(f"There is already a consortium called “{slug}”. Choose another short name.")
    consortium = Consortium(
        slug=slug,
        name=name.strip(),
        council_in_house_days=council_in_house_days,
        voluntary_in_house_days=voluntary_in_house_days,
        household_cap=household_cap,
        group_cap=group_cap,
    )
    session.add(consortium)
    session.flush()
    return consortium


def set_meeting_days(
    session: Session, consortium: Consortium, *, pack_days: int | None = None, confirm_days: int | None = None
) -> Consortium:
    """Set how long packs and availability checks stand, in days; what is not given stays.

    Packs that have been asked for keep the day that they were given.

    :raises ConsortiumInvalid: when packs were to end before their meeting, or checks on the day they are made.
    """
    if (pack_days is not None and pack_days < 0) or (confirm_days is not None and confirm_days < 1):
        raise ConsortiumInvalid(
            "Packs can be opened for no days or more after a meeting; a check stands a day or more."
        )
    if pack_days is not None:
        consortium.pack_days = pack_days
    if confirm_days is not None:
        consortium.confirm_days = confirm_days
    session.flush()
    return consortium


def set_caps(
    session: Session, consortium: Consortium, *, household_cap: int | None = None, group_cap: int | None = None
) -> Consortium:
    """Set for how many groups a household, and how many families for a group, may be considered at once.

    What is not given stays.

    :raises ConsortiumInvalid: when a cap is below one.
    """
    if min(cap for cap in (household_cap, group_cap, 1) if cap is not None) < 1:
        raise ConsortiumInvalid(_CAP)
    if household_cap is not None:
        consortium.household_cap = household_cap
    if group_cap is not None:
        consortium.group_cap = group_cap
    session.flush()
    return consortium


def set_sharing_days(session: Session, consortium: Consortium, **days: int | None) -> Consortium:
    """Set how long records stay at each stage of sharing, in days, by the columns' names; what is not given stays.

    ``None`` says not by itself, for what need not have a time.

    :raises ConsortiumInvalid: when a time is negative, or is taken from what must have one.
    """
    for name, value in days.items():
        if (value is None and name in _NEVER_NONE) or (value is not None and value < 0):
            raise ConsortiumInvalid("Days are none or more; a household’s days in-house cannot be left open.")
        if name not in SHARING_DAYS:
            raise TypeError(f"{name} is no time of sharing")
        setattr(consortium, name, value)
    session.flush()
    return consortium


def join(session: Session, consortium: Consortium, *, agency: Agency, joined_on: date) -> ConsortiumMember:
    """Make ``agency`` a member from a date; the consortium office is a member too.

    :raises Conflict: when it is one already, or the consortium has an office.
    """
    if session.get(ConsortiumMember, (consortium.id, agency.id)):
        raise Conflict(f"{agency.name} is already a member of {consortium.name}.")
    if agency.kind is AgencyKind.CONSORTIUM_OFFICE and find_office(session, consortium.id):
        raise Conflict(f"{consortium.name} already has a consortium office.")
    member = ConsortiumMember(consortium_id=consortium.id, agency_id=agency.id, joined_on=joined_on)
    session.add(member)
    session.flush()
    return member


def get_consortium(session: Session, consortium_id: UUID) -> Consortium:
    """Return a consortium of this scope.

    :raises ConsortiumUnknown: when there is none.
    """
    consortium = session.get(Consortium, consortium_id)
    if consortium is None:
        raise ConsortiumUnknown("There is no such consortium.")
    return consortium


def get_consortium_by_slug(session: Session, slug: str) -> Consortium:
    """Return the consortium called ``slug``.

    :raises ConsortiumUnknown: when this scope knows none of that name.
    """
    consortium = session.scalar(select(Consortium).where(Consortium.slug == slug))
    if consortium is None:
        raise ConsortiumUnknown(f"There is no consortium called “{slug}”.")
    return consortium


def list_consortia(session: Session) -> list[Consortium]:
    """Return the consortia of this scope by name."""
    return list(session.scalars(select(Consortium).order_by(Consortium.name, Consortium.id)))


def list_members(session: Session, consortium_id: UUID, *, on: date) -> list[Agency]:
    """Return the agencies that are members on a day, the office included, by name."""
    query = (
        select(Agency)
        .join(ConsortiumMember, ConsortiumMember.agency_id == Agency.id)
        .where(
            ConsortiumMember.consortium_id == consortium_id,
            ConsortiumMember.joined_on <= on,
            or_(ConsortiumMember.left_on.is_(None), ConsortiumMember.left_on > on),
        )
        .order_by(Agency.name, Agency.id)
    )
    return list(session.scalars(query))


def list_consortia_of(session: Session, agency: Agency, *, on: date) -> list[Consortium]:
    """Return the consortia that ``agency`` belongs to on a day, by name."""
    query = (
        select(Consortium)
        .join(ConsortiumMember, ConsortiumMember.consortium_id == Consortium.id)
        .where(
            ConsortiumMember.agency_id == agency.id,
            ConsortiumMember.joined_on <= on,
            or_(ConsortiumMember.left_on.is_(None), ConsortiumMember.left_on > on),
        )
        .order_by(Consortium.name, Consortium.id)
    )
    return list(session.scalars(query))


def consortium_of(session: Session, agency: Agency, *, on: date, slug: str | None = None) -> Consortium:
    """Return the consortium called ``slug`` that ``agency`` belongs to on a day; without ``slug``, its only one.

    :raises NotAMember: when it belongs to none of that name, or without a name to none or to several.
    """
    consortia = list_consortia_of(session, agency, on=on)
    wanted = [consortium for consortium in consortia if slug in (None, consortium.slug)]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(consortium.slug for consortium in consortia)
    if not names:
        raise NotAMember(f"{agency.name} belongs to no consortium on {on:%d/%m/%Y}.")
    raise NotAMember(f"{agency.name} belongs to these consortia: {names}. Name one of them.")


def find_office(session: Session, consortium_id: UUID) -> Agency | None:
    """Return the consortium's office, if it has one."""
    return session.scalar(
        select(Agency)
        .join(ConsortiumMember, ConsortiumMember.agency_id == Agency.id)
        .where(
            ConsortiumMember.consortium_id == consortium_id,
            Agency.kind == AgencyKind.CONSORTIUM_OFFICE,
        )
    )
