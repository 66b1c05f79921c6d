"""Give a record new identifiers once its adoption is sealed, so that what named it by the old ones leads nowhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from matching.code import new_code
from matching.document import Document
from matching.household import HouseholdIdentity, open_identity, seal_identity
from matching.pool import PoolEntry
from matching.sealing.record import NotToBeSealed, SealingCertificate
from matching.sibling_group import (
    Child,
    ChildIdentity,
    GroupStatus,
    SiblingGroup,
    list_children,
    open_child,
    seal_child,
)
from tenants import audit
from tenants.database import scope_of

GROUP, HOUSEHOLD = "sibling_group", "household"
_NOBODY = UUID(int=0)
_ASKED = text("""
    SELECT EXISTS (SELECT FROM subject_request s WHERE s.record_id = :id AND s.closed_at IS NULL)
        OR EXISTS (SELECT FROM rectification c WHERE c.record_id = :id AND c.decided_at IS NULL)
""")
_ROTATE = text("SELECT rotate_record(:what, :old, :anew, :code)")
_KEEP_FLOOR = text("""
    INSERT INTO adoption_order (id, agency_id, household_id, sibling_group_id, ordered_on, recorded_by, recorded_at)
    VALUES (:id, :agency, :household, :sibling_group, :day, :nobody, :at)
""")


def rotate(session: Session, kind: str, record_id: UUID, *, certificate_id: UUID, year: int, now: datetime) -> bool:
    """Give one's own agency's group or household new ids and a new code; done before, it stays as it is.

    Returns whether there was anything to do.

    :raises NotToBeSealed: while somebody's request about the record is open.
    """
    if session.get(SealingCertificate, certificate_id) is None:
        return False
    model_table = GROUP if kind == GROUP else HOUSEHOLD
    here = text(f"SELECT id FROM {model_table} WHERE id = :id AND agency_id = :own")  # noqa: S608 - one of two names
    if session.scalar(here, {"id": record_id, "own": scope_of(session).agency_id}) is None:
        return False
    if session.scalar(_ASKED, {"id": record_id}):
        raise NotToBeSealed("Somebody’s request about this record is open. Answer it; a worker then goes on.")
    anew = (
        _rotate_group(session, record_id, now=now) if kind == GROUP else _rotate_household(session, record_id, now=now)
    )
    _rotate_documents(session, anew)
    _forget(session, record_id)
    _keep_floor(session, kind, anew, year=year)
    _certify(session, certificate_id, now=now)
    audit.record(session, audit.Act.ROTATE, record_kind="sealing", record_id=certificate_id, now=now)
    return True


def _rotate_group(session: Session, old: UUID, *, now: datetime) -> UUID:
    # A child who is adopted is in no pool, and no family is looked for.
    session.execute(delete(PoolEntry).where(PoolEntry.sibling_group_id == old))
    session.execute(update(SiblingGroup).where(SiblingGroup.id == old).values(status=GroupStatus.WITHDRAWN))
    anew = uuid4()
    for child in list_children(session, [old]).get(old, []):
        _rotate_child(session, child, now=now)
    session.execute(_ROTATE, {"what": GROUP, "old": old, "anew": anew, "code": new_code("G")})
    session.expire_all()
    return anew


def _rotate_child(session: Session, child: Child, *, now: datetime) -> None:
    old, anew, agency_id = child.id, uuid4(), child.agency_id
    row = session.get(ChildIdentity, old)
    name = open_child(session, row) if row is not None else None
    session.expunge_all()
    session.execute(_ROTATE, {"what": "child", "old": old, "anew": anew, "code": None})
    if name is not None:
        sealed = seal_child(session, name, child_id=anew, agency_id=agency_id, now=now)
        session.execute(update(ChildIdentity).where(ChildIdentity.child_id == anew).values(sealed=sealed))


def _rotate_household(session: Session, old: UUID, *, now: datetime) -> UUID:
    anew, row = uuid4(), session.get(HouseholdIdentity, old)
    identity = open_identity(session, row) if row is not None else None
    agency_id = row.agency_id if row is not None else None
    session.expunge_all()
    session.execute(_ROTATE, {"what": HOUSEHOLD, "old": old, "anew": anew, "code": new_code("H")})
    if identity is not None and agency_id is not None:
        sealed = seal_identity(session, identity, household_id=anew, agency_id=agency_id, now=now)
        session.execute(update(HouseholdIdentity).where(HouseholdIdentity.household_id == anew).values(sealed=sealed))
    return anew


def _rotate_documents(session: Session, record_id: UUID) -> None:
    about = (Document.household_id == record_id) | (Document.sibling_group_id == record_id)
    for document_id in session.scalars(select(Document.id).where(about)).all():
        session.execute(_ROTATE, {"what": "document", "old": document_id, "anew": uuid4(), "code": None})


def _forget(session: Session, old: UUID) -> None:
    """Remove what was gathered about the record for requests that are answered: it names the other side."""
    for table in ("subject_request", "rectification"):
        session.execute(text(f"DELETE FROM {table} WHERE record_id = :id"), {"id": old})  # noqa: S608 - named above


def _certify(session: Session, certificate_id: UUID, *, now: datetime) -> None:
    # Within one agency the group and the household have one certificate between them: the last to be done says when.
    table = SealingCertificate
    session.execute(update(table).where(table.id == certificate_id).values(rotated_on=now.date()))


def _keep_floor(session: Session, kind: str, record_id: UUID, *, year: int) -> None:
    # By the end of the year: a hundred years are kept, and the day does not tie the two records to one another.
    day = date(year, 12, 31)
    session.execute(
        _KEEP_FLOOR,
        {
            "id": uuid4(),
            "agency": scope_of(session).agency_id,
            "household": record_id if kind == HOUSEHOLD else None,
            "sibling_group": record_id if kind == GROUP else None,
            "day": day,
            "nobody": _NOBODY,
            "at": datetime(year, 1, 1, tzinfo=UTC),
        },
    )
