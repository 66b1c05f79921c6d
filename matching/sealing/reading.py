"""Read what sealing left: certificates, and adoption records by who is appointed to keep them, each look on record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.actor import acting_person
from matching.document_opening import Reader, Stamp
from matching.sealing.record import AdoptionRecord, PartKind, SealingCertificate, SealingUnknown
from tenants import audit
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.own_key import unseal_apart
from tenants.permission import Verb, require

RECORD_KIND = "adoption_record"


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """One adoption record as it is listed: its number, until when it is kept, how many parts; nobody's name."""

    number: str
    made_on: date
    kept_until: date
    parts: int


def list_certificates(session: Session) -> list[SealingCertificate]:
    """Return the agency's certificates, the last first."""
    require(scope_of(session), Verb.READ_CERTIFICATES)
    query = select(SealingCertificate).where(SealingCertificate.agency_id == scope_of(session).agency_id)
    return list(session.scalars(query.order_by(SealingCertificate.done_on.desc(), SealingCertificate.number)))


def get_certificate(session: Session, number: str) -> SealingCertificate:
    """Return a certificate of the agency's by the number of its adoption record.

    :raises SealingUnknown: when there is none.
    """
    found = next((each for each in list_certificates(session) if each.number == number), None)
    if found is None:
        raise SealingUnknown("There is no such certificate of your agency.")
    return found


def list_records(session: Session) -> list[RecordFacts]:
    """Return the agency's sealed adoption records, the last first.

    :raises NotAllowed: when the scope's person does not keep adoption records.
    """
    require(scope_of(session), Verb.READ_ADOPTION_RECORDS)
    table = AdoptionRecord
    query = select(table.number, func.min(table.made_on), func.max(table.kept_until), func.count())
    rows = session.execute(_own(query).group_by(table.number).order_by(func.min(table.made_on).desc(), table.number))
    return [RecordFacts(*row) for row in rows]


def open_record(session: Session, number: str, *, now: datetime) -> dict[str, Any]:
    """Return what an adoption record says, and put the look on record.

    :raises SealingUnknown: when the agency has no such record, or it is not the person's to open.
    """
    opened = _open(session, number, PartKind.RECORD, now=now)
    found: dict[str, Any] = json.loads(opened)
    return found


def open_report(session: Session, number: str, kind: PartKind, *, stamp: Stamp, now: datetime) -> bytes:
    """Return a report of an adoption record, marked with who reads it, and put the look on record.

    :raises SealingUnknown: when the record has none, or it is not the person's to open.
    """
    content = _open(session, number, kind, now=now)
    agency_id = scope_of(session).agency_id
    assert agency_id is not None  # noqa: S101 - the record is of an agency
    return stamp(content, Reader(acting_person(session).name, get_agency(session, agency_id).name, now))


def kinds_of(session: Session, number: str) -> Sequence[PartKind]:
    """Return which reports an adoption record has."""
    query = _own(select(AdoptionRecord.kind).where(AdoptionRecord.number == number)).distinct()
    return sorted(kind for kind in session.scalars(query) if kind is not PartKind.RECORD)


def _own(query: Any) -> Any:  # noqa: ANN401 - a query of SQLAlchemy
    return query.where(AdoptionRecord.link_id.is_(None))


def _open(session: Session, number: str, kind: PartKind, *, now: datetime) -> bytes:
    require(scope_of(session), Verb.READ_ADOPTION_RECORDS)
    table = AdoptionRecord
    row = session.scalar(
        _own(select(table).where(table.number == number, table.kind == kind)).order_by(table.id).limit(1)
    )
    if row is None:
        raise SealingUnknown("There is no such adoption record for you to open.")
    audit.record(
        session,
        audit.Act.READ,
        record_kind=RECORD_KIND,
        record_id=row.id,
        owner_agency_id=row.agency_id,
        level=audit.Level.REPORT,
        now=now,
    )
    return unseal_apart(session, row.sealed_key, row.sealed, row_id=row.id)
