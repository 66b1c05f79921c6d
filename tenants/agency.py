"""Agencies: the tenants. Each has dates, may have a successor, may act for others."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.error import Conflict, Invalid, NotFound

MOST_GLASS_HOURS = 72
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_URN = re.compile(r"[A-Z0-9-]{4,12}")


class AgencyKind(StrEnum):
    """What an agency is; a child always belongs to a local authority or a trust."""

    LOCAL_AUTHORITY = "local_authority"
    VOLUNTARY_AGENCY = "voluntary_agency"
    REGIONAL_AGENCY = "regional_agency"
    HSC_TRUST = "hsc_trust"
    CONSORTIUM_OFFICE = "consortium_office"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    AgencyKind.LOCAL_AUTHORITY: "Local authority",
    AgencyKind.VOLUNTARY_AGENCY: "Voluntary agency",
    AgencyKind.REGIONAL_AGENCY: "Regional agency",
    AgencyKind.HSC_TRUST: "Health and social care trust",
    AgencyKind.CONSORTIUM_OFFICE: "Consortium office",
}

KINDS_WITH_CHILDREN = frozenset({AgencyKind.LOCAL_AUTHORITY, AgencyKind.REGIONAL_AGENCY, AgencyKind.HSC_TRUST})
KINDS_WITH_HOUSEHOLDS = KINDS_WITH_CHILDREN | {AgencyKind.VOLUNTARY_AGENCY}


class Nation(StrEnum):
    """Whose law and bank holidays an agency works under."""

    ENGLAND = "england"
    WALES = "wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern_ireland"


class Agency(Base):
    """A tenant."""

    __tablename__ = "agency"

    id: Mapped[Id]
    slug: Mapped[str]
    """How commands and addresses name the agency, for instance ``bath-and-north-east-somerset``."""
    name: Mapped[str]
    kind: Mapped[AgencyKind] = mapped_column(Word(AgencyKind))
    nation: Mapped[Nation] = mapped_column(Word(Nation))
    region: Mapped[str | None]
    ofsted_urn: Mapped[str | None]
    """The provider's Ofsted unique reference number, as the safeguarding return names it."""
    colour: Mapped[str]
    """The agency's colour in charts, ``#rrggbb``; never the only sign of anything."""
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    successor_id: Mapped[UUID | None]
    glass_hours: Mapped[int] = mapped_column(default=4)
    """For how many hours a record stays open to who broke glass on it."""


class AgencyUnknown(NotFound):
    """No agency of that name is in this scope's consortium."""


class AgencyNameTaken(Conflict):
    """Another agency has that short name."""


class AgencyOver(Conflict):
    """The agency has merged into another, and nobody acts for it any more."""


class AgencyInvalid(Invalid):
    """An agency was described in a way that cannot be kept."""


def add_agency(
    session: Session,
    *,
    slug: str,
    name: str,
    kind: AgencyKind,
    nation: Nation,
    opened_on: date,
    region: str | None = None,
    ofsted_urn: str | None = None,
    colour: str = "#1d70b8",
) -> Agency:
    """Add an agency to the directory.

    :raises AgencyInvalid: when the short name, colour or URN is malformed.
    :raises AgencyNameTaken: when the short name is in use.
    """
    _check(slug, name, colour, ofsted_urn)
    if session.scalar(select(Agency.id).where(Agency.slug == slug)):
        raise AgencyNameTaken(f"There is already an agency called “{slug}”. Choose another short name.")
    agency = Agency(
        slug=slug,
        name=name.strip(),
        kind=kind,
        nation=nation,
        region=region,
        ofsted_urn=ofsted_urn,
        colour=colour,
        opened_on=opened_on,
    )
    session.add(agency)
    session.flush()
    return agency


def set_glass_hours(session: Session, agency: Agency, *, hours: int) -> None:
    """Set for how many hours a record of the agency stays open to who breaks glass on it.

    :raises AgencyInvalid: when it is less than one or more than 72.
    """
    if not 1 <= hours <= MOST_GLASS_HOURS:
        raise AgencyInvalid(f"Glass stays broken for 1 to {MOST_GLASS_HOURS} hours.")
    agency.glass_hours = hours
    session.flush()


def refuse_over(agency: Agency) -> None:
    """Refuse an agency that has merged into another; let any other pass.

    :raises AgencyOver: when it has.
    """
    if agency.successor_id is not None:
        raise AgencyOver(f"{agency.name} has merged into another agency. Ask people to come to that one.")


def get_agency(session: Session, agency_id: UUID) -> Agency:
    """Return an agency that this scope may know of.

    :raises AgencyUnknown: when there is none.
    """
    agency = session.get(Agency, agency_id)
    if agency is None:
        raise AgencyUnknown("There is no such agency in this consortium.")
    return agency


def get_agency_by_slug(session: Session, slug: str) -> Agency:
    """Return the agency called ``slug``.

    :raises AgencyUnknown: when this scope knows none of that name.
    """
    agency = session.scalar(select(Agency).where(Agency.slug == slug))
    if agency is None:
        raise AgencyUnknown(f"There is no agency called “{slug}”. “concord agency list” shows their short names.")
    return agency


def list_agencies(session: Session) -> list[Agency]:
    """Return every agency that this scope may know of, by name."""
    return list(session.scalars(select(Agency).order_by(Agency.name, Agency.id)))


def _check(slug: str, name: str, colour: str, ofsted_urn: str | None) -> None:
    if not _SLUG.fullmatch(slug):
        raise AgencyInvalid(f"“{slug}” is no short name: use small letters, digits and single hyphens, as in “devon”.")
    if not name.strip():
        raise AgencyInvalid("An agency needs a name.")
    if not _COLOUR.fullmatch(colour):
        raise AgencyInvalid(f"“{colour}” is no colour: write it as “#1d70b8”.")
    if ofsted_urn is not None and not _URN.fullmatch(ofsted_urn):
        raise AgencyInvalid(f"“{ofsted_urn}” is no Ofsted URN: expected four to twelve capitals, digits or hyphens.")
