"""The children's agency's own copy of the adopters' record, from the match on (Statutory Guidance 2013, 4.32).

The family's agency gives it once the match is made: who the adopters are, what the register says of them, and their
prospective adopter report. It is a snapshot, sealed under keys of its own, and stays as it was given.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.document import ReportKind, list_documents_of, unseal_version
from matching.document_opening import Reader, Stamp
from matching.household import Household, HouseholdIdentity, HouseholdProfile, list_tolerances, open_identity
from matching.placement.placement import RECORD_KIND, Placement, require_childrens_agency
from tenants import audit
from tenants.agency import get_agency
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, NotFound
from tenants.own_key import seal_apart, unseal_apart
from tenants.permission import Verb, require


class CopyKind(StrEnum):
    """What of the adopters' record a copy holds."""

    RECORD = "record"
    PAR = "par"


class AdoptersCopy(Base):
    """One part of the copy, sealed."""

    __tablename__ = "adopters_copy"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    kind: Mapped[CopyKind] = mapped_column(Word(CopyKind))
    given_by: Mapped[UUID]
    given_name: Mapped[str]
    given_at: Mapped[datetime]
    sealed_key: Mapped[bytes]
    sealed: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """Who gave a copy and when, and whether a report is with it; nothing of what it holds."""

    given_name: str
    given_at: datetime
    with_par: bool


class CopyUnknown(NotFound):
    """The adopters' record has not been given."""


class CopyGiven(Conflict):
    """The adopters' record has been given already."""


class CopyNotNow(Conflict):
    """There is no match yet, or the placement is over."""


class NotTheFamilysAgency(Forbidden):
    """The family's agency gives its adopters' record."""


def find_copy(session: Session, placement: Placement) -> CopyFacts | None:
    """Return what is known of the copy, where there is one."""
    rows = {row.kind: row for row in session.scalars(_rows(placement))}
    record = rows.get(CopyKind.RECORD)
    return CopyFacts(record.given_name, record.given_at, CopyKind.PAR in rows) if record else None


def give_copy(session: Session, placement: Placement, *, now: datetime) -> None:
    """Give the children's agency its copy of the adopters' record, as the family's agency, once.

    :raises NotTheFamilysAgency: when the scope acts for the children's agency, or both sides are one.
    :raises CopyNotNow: before the match, and when the placement is over.
    :raises CopyGiven: when it was given.
    """
    require(scope_of(session), Verb.KEEP_REPORTS)
    own = scope_of(session).agency_id
    if own != placement.household_agency_id or own == placement.group_agency_id:
        raise NotTheFamilysAgency("The family’s agency gives the adopters’ record to the children’s agency.")
    if placement.over or placement.matched_on is None:
        raise CopyNotNow("The adopters’ record is given from the match until the placement is over.")
    # Two people may give it at once: the second waits here, and finds it given.
    household = session.scalars(select(Household).where(Household.id == placement.household_id).with_for_update()).one()
    if find_copy(session, placement) is not None:
        raise CopyGiven("The adopters’ record has been given already.")
    _keep(session, placement, CopyKind.RECORD, json.dumps(_facts(session, household)).encode(), now=now)
    for document in list_documents_of(session, [household.id]):
        content = unseal_version(session, document) if document.kind is ReportKind.PAR else None
        if content is not None:
            _keep(session, placement, CopyKind.PAR, content, now=now)
    _note(session, placement, audit.Act.HAND_OVER, now=now)


def read_copy(session: Session, placement: Placement, *, now: datetime) -> dict[str, Any]:
    """Return what the copy says of the adopters, as the children's agency, and put the look on record.

    :raises NotTheChildrensAgency: when the scope acts for the family's agency.
    :raises CopyUnknown: when none was given.
    """
    found: dict[str, Any] = json.loads(_open(session, placement, CopyKind.RECORD, now=now))
    return found


def read_par_copy(session: Session, placement: Placement, *, stamp: Stamp, now: datetime) -> bytes:
    """Return the copy's prospective adopter report, marked with who reads it, and put the look on record.

    :raises NotTheChildrensAgency: when the scope acts for the family's agency.
    :raises CopyUnknown: when none was given.
    """
    content = _open(session, placement, CopyKind.PAR, now=now)
    agency = get_agency(session, placement.group_agency_id)
    return stamp(content, Reader(acting_person(session).name, agency.name, now))


def _open(session: Session, placement: Placement, kind: CopyKind, *, now: datetime) -> bytes:
    require(scope_of(session), Verb.READ_REPORTS)
    require_childrens_agency(session, placement.group_agency_id)
    row = session.scalar(_rows(placement).where(AdoptersCopy.kind == kind))
    if row is None:
        raise CopyUnknown("The family’s agency has not given the adopters’ record yet. Ask its worker for it.")
    _note(session, placement, audit.Act.READ, now=now)
    return unseal_apart(session, row.sealed_key, row.sealed, row_id=row.id)


def _note(session: Session, placement: Placement, act: audit.Act, *, now: datetime) -> None:
    audit.record(
        session,
        act,
        record_kind=RECORD_KIND,
        record_id=placement.link_id,
        owner_agency_id=placement.household_agency_id,
        level=audit.Level.IDENTITY,
        reason="adopters’ record",
        now=now,
    )


def _rows(placement: Placement) -> Any:  # noqa: ANN401 - a query of SQLAlchemy
    return select(AdoptersCopy).where(AdoptersCopy.link_id == placement.link_id)


def _keep(session: Session, placement: Placement, kind: CopyKind, content: bytes, *, now: datetime) -> None:
    copy_id, actor = uuid4(), acting_person(session)
    key, sealed = seal_apart(session, content, row_id=copy_id)
    session.add(
        AdoptersCopy(
            id=copy_id,
            link_id=placement.link_id,
            group_agency_id=placement.group_agency_id,
            household_agency_id=placement.household_agency_id,
            kind=kind,
            given_by=actor.person_id,
            given_name=actor.name,
            given_at=now,
            sealed_key=key,
            sealed=sealed,
        )
    )
    session.flush()


def _facts(session: Session, household: Household) -> dict[str, Any]:
    identity = session.scalars(select(HouseholdIdentity).where(HouseholdIdentity.household_id == household.id)).one()
    profile = session.scalar(select(HouseholdProfile.text).where(HouseholdProfile.household_id == household.id))
    tolerances = list_tolerances(session, [household.id]).get(household.id, {})
    return {
        "reference": identity.reference,
        **asdict(open_identity(session, identity)),
        "code": household.code,
        "approved_on": household.approved_on.isoformat() if household.approved_on else None,
        "profile": profile,
        "tolerances": {need: asdict(said) for need, said in sorted(tolerances.items())},
    }
