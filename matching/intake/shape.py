"""The shapes of an agency's sheets, and what it has said that their columns hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.intake.column import SheetKind, columns_of
from matching.intake.mapping import BookMapping, SheetMapping
from matching.intake.proposal import Remembered, memory_of
from tenants.base import Base, Id, Word
from tenants.cipher import keyed_digest, seal, unseal
from tenants.database import scope_of


class ImportShape(Base):
    """One order of headings that an agency has handed in, with what its columns hold, sealed."""

    __tablename__ = "import_shape"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    kind: Mapped[SheetKind] = mapped_column(Word(SheetKind))
    shape: Mapped[bytes]
    """The headings in their order, as an HMAC under the agency's key."""
    sealed: Mapped[bytes]
    person_id: Mapped[UUID | None]
    """Who confirmed it; ``None`` when there was nothing to ask."""
    remembered_at: Mapped[datetime]


def recall(
    session: Session, shapes: Iterable[str], *, kind: SheetKind, agency_id: UUID, now: datetime
) -> dict[str, Remembered]:
    """Return what the agency has said of sheets of these shapes, by shape."""
    by_digest = {_digest(session, shape, agency_id, now): shape for shape in shapes}
    query = select(ImportShape).where(
        ImportShape.agency_id == agency_id, ImportShape.kind == kind, ImportShape.shape.in_(by_digest)
    )
    found = {by_digest[row.shape]: _opened(session, row) for row in session.scalars(query)}
    documented = {column.heading for column in columns_of(kind)}
    # A heading that is documented no longer is asked about again.
    return {shape: said for shape, said in found.items() if {*said.columns, *said.keys} - {None} <= documented}


def remember(session: Session, mapping: BookMapping, *, agency_id: UUID, now: datetime) -> None:
    """Keep what the columns of each sheet hold, for the next sheet of its shape."""
    # Of sheets of one shape in one file, the ones that are read say more than the ones that are not.
    for sheet in sorted(mapping.sheets, key=lambda sheet: sheet.read):
        if sheet.columns:
            _keep(session, mapping.kind, sheet, agency_id, now)


def _keep(session: Session, kind: SheetKind, sheet: SheetMapping, agency_id: UUID, now: datetime) -> None:
    shape = _digest(session, sheet.shape, agency_id, now)
    known = select(ImportShape.id).where(
        ImportShape.agency_id == agency_id, ImportShape.kind == kind, ImportShape.shape == shape
    )
    row_id = session.scalar(known) or uuid4()
    plain = json.dumps(asdict(memory_of(sheet)), ensure_ascii=False).encode()
    values = {
        "id": row_id,
        "agency_id": agency_id,
        "kind": kind,
        "shape": shape,
        "sealed": seal(session, plain, agency_id=agency_id, row_id=row_id, now=now),
        "person_id": scope_of(session).person_id if sheet.confirmed else None,
        "remembered_at": now,
    }
    changed = {name: values[name] for name in ("sealed", "person_id", "remembered_at")}
    session.execute(insert(ImportShape).values(values).on_conflict_do_update(index_elements=["id"], set_=changed))


def _opened(session: Session, row: ImportShape) -> Remembered:
    said = json.loads(unseal(session, row.sealed, row_id=row.id))
    return Remembered(tuple(said["columns"]), said["read"], tuple(said["keys"]), tuple(said["empty"]))


def _digest(session: Session, shape: str, agency_id: UUID, now: datetime) -> bytes:
    return keyed_digest(session, shape.encode(), purpose="sheet shape", agency_id=agency_id, now=now)
