"""What sealing keeps: who asked, the adoption record, the certificate, and the placement as a plain count."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.error import Conflict, NotFound

ROTATE_JOB = "sealing.rotate"
GATHER_JOB = "sealing.gather"


class PartKind(StrEnum):
    """What a part of an adoption record holds."""

    RECORD = "record"
    PAR = "par"
    CPR = "cpr"


class Sealing(Base):
    """Somebody of the children's agency asked that an adoption be sealed; it goes with the link."""

    __tablename__ = "sealing"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    asked_by: Mapped[UUID]
    asked_name: Mapped[str]
    asked_at: Mapped[datetime]


class AdoptionRecord(Base):
    """One part of one agency's record of one adoption, sealed under a key of its own."""

    __tablename__ = "adoption_record"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    number: Mapped[str]
    kind: Mapped[PartKind] = mapped_column(Word(PartKind))
    kept_until: Mapped[date]
    made_on: Mapped[date]
    sealed_key: Mapped[bytes]
    sealed: Mapped[bytes]
    link_id: Mapped[UUID | None]
    """What it is gathered from, until that is severed."""


class SealingCertificate(Base):
    """That an adoption was sealed, when and by whom, and what was removed: by tables and rows, with nobody's id."""

    __tablename__ = "sealing_certificate"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    number: Mapped[str]
    done_on: Mapped[date]
    asked_name: Mapped[str]
    confirmed_name: Mapped[str]
    removed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    rotated_on: Mapped[date | None]
    """When the agency's own record was given new identifiers; until then a worker has yet to do it."""


class SealedPlacement(Base):
    """A placement that was sealed, under an id that stands nowhere else but in the adoption record."""

    __tablename__ = "sealed_placement"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    matched_on: Mapped[date | None]
    moved_in_on: Mapped[date]
    adoptive_start_on: Mapped[date | None]
    ordered_on: Mapped[date]
    ages: Mapped[list[list[int | None]]] = mapped_column(JSONB)


class SealingUnknown(NotFound):
    """Nothing of the kind is the agency's."""


class NotToBeSealed(Conflict):
    """Something has to be done before the adoption can be sealed."""


class BeingSealed(Conflict):
    """What would be said now would be lost: each agency has gathered what it keeps."""


def require_unsealed(session: Session, link_id: UUID) -> None:
    """Pass while nobody has asked to seal the link's adoption; the database refuses the same.

    :raises BeingSealed: when somebody has.
    """
    if session.get(Sealing, link_id, populate_existing=True) is not None:
        raise BeingSealed("This adoption is being sealed, so nothing is added to the link any more.")
