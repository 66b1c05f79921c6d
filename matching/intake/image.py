"""A record as an import found it and as it left it, row for row, so that the import can be taken back."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, Table, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session

from matching.household import (
    Household,
    HouseholdIdentity,
    HouseholdPlace,
    HouseholdProfile,
    HouseholdTolerance,
)
from matching.intake.column import SheetKind
from matching.pool import PoolEntry
from matching.sibling_group import (
    Child,
    ChildIdentity,
    ChildNeed,
    ExclusionArea,
    GroupIdentity,
    GroupPlace,
    GroupProfile,
    SiblingGroup,
)
from matching.sibling_placement import SiblingPlacement
from tenants.base import Base, Id
from tenants.bulk import add_rows, table_of
from tenants.cipher import seal, unseal

Rows = dict[str, list[dict[str, Any]]]
"""A record's rows as the database writes them in JSON, by table."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table of a record. ``record`` is its column that names the record; a child's tables name the child."""

    model: type[Base]
    record: InstrumentedAttribute[Any]
    of_child: bool = False

    @property
    def table(self) -> Table:
        """Return its table."""
        return table_of(self.model)

    def each(self, said: ColumnElement[Any], record_ids: Collection[UUID]) -> Select[Any]:
        """Return the query of an aggregate of its rows, by the record that they belong to."""
        names: Any = Child.sibling_group_id if self.of_child else self.record
        query = select(names, said).select_from(self.table)
        if self.of_child:
            query = query.join(Child, Child.id == self.record)
        return query.where(names.in_(record_ids)).group_by(names)

    def belongs_to(self, record_ids: Collection[UUID]) -> ColumnElement[bool]:
        """Return whether a row of it belongs to one of these records."""
        if not self.of_child:
            return self.record.in_(record_ids)
        return self.record.in_(select(Child.id).where(Child.sibling_group_id.in_(record_ids)))


_OF_HOUSEHOLD: Final = (
    Part(Household, Household.id),
    Part(HouseholdIdentity, HouseholdIdentity.household_id),
    Part(HouseholdProfile, HouseholdProfile.household_id),
    Part(HouseholdPlace, HouseholdPlace.household_id),
    Part(HouseholdTolerance, HouseholdTolerance.household_id),
    Part(PoolEntry, PoolEntry.household_id),
)
_OF_GROUP: Final = (
    Part(SiblingGroup, SiblingGroup.id),
    Part(Child, Child.sibling_group_id),
    Part(ChildIdentity, ChildIdentity.child_id, of_child=True),
    Part(ChildNeed, ChildNeed.child_id, of_child=True),
    Part(GroupIdentity, GroupIdentity.sibling_group_id),
    Part(GroupProfile, GroupProfile.sibling_group_id),
    Part(GroupPlace, GroupPlace.sibling_group_id),
    Part(ExclusionArea, ExclusionArea.sibling_group_id),
    Part(SiblingPlacement, SiblingPlacement.sibling_group_id),
    Part(PoolEntry, PoolEntry.sibling_group_id),
)


class ImportImage(Base):
    """One record that an import wrote."""

    __tablename__ = "import_image"

    id: Mapped[Id]
    import_run_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    record_id: Mapped[UUID]
    sealed_before: Mapped[bytes | None]
    """Its rows as they stood; ``None`` when the import added it."""
    digest_after: Mapped[bytes]
    """SHA-256 of its rows as the import left them."""


def parts_of(kind: SheetKind) -> tuple[Part, ...]:
    """Return the tables in which a record of a kind is kept, the record's own first."""
    return _OF_HOUSEHOLD if kind is SheetKind.HOUSEHOLDS else _OF_GROUP


@dataclass(slots=True)
class ImageKeeper:
    """Keeps the images of the records that one import writes."""

    session: Session
    kind: SheetKind
    import_run_id: UUID
    agency_id: UUID
    now: datetime
    kept: int = field(default=0)

    @contextmanager
    def around(self, records: Sequence[tuple[UUID, bool]]) -> Iterator[None]:
        """Keep how records, each with whether it is new, stand before and after what is done within."""
        before = rows_of(self.session, self.kind, [record_id for record_id, new in records if not new])
        yield
        ids = [record_id for record_id, _ in records]
        after = digests_of(self.session, self.kind, ids)
        rows = [self._row(record_id, before.get(record_id), after[record_id]) for record_id in ids]
        add_rows(self.session, ImportImage, rows)
        self.kept += len(rows)

    def _row(self, record_id: UUID, before: Rows | None, after: bytes) -> dict[str, Any]:
        image_id = uuid4()
        sealed = None
        if before is not None:
            plain = json.dumps(before, ensure_ascii=False).encode()
            sealed = seal(self.session, plain, agency_id=self.agency_id, row_id=image_id, now=self.now)
        return {
            "id": image_id,
            "import_run_id": self.import_run_id,
            "agency_id": self.agency_id,
            "record_id": record_id,
            "sealed_before": sealed,
            "digest_after": after,
        }


def open_before(session: Session, image: ImportImage) -> Rows | None:
    """Return how a record stood before the import; ``None`` when the import added it."""
    if image.sealed_before is None:
        return None
    rows: Rows = json.loads(unseal(session, image.sealed_before, row_id=image.id))
    return rows


def rows_of(session: Session, kind: SheetKind, record_ids: Sequence[UUID]) -> dict[UUID, Rows]:
    """Return every row of each record, by table."""
    if not record_ids:
        return {}
    found: dict[UUID, Rows] = {record_id: {} for record_id in record_ids}
    for part in parts_of(kind):
        row = func.to_jsonb(literal_column(part.table.name), type_=JSONB)
        for record_id, rows in session.execute(part.each(func.jsonb_agg(row, type_=JSONB), record_ids)):
            found[record_id][part.table.name] = rows
    return found


def digests_of(session: Session, kind: SheetKind, record_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the SHA-256 of every row of each record. The database reckons it: the rows stay where they are."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for part in parts_of(kind):
        row = cast(literal_column(part.table.name), Text)
        lines = func.string_agg(row, aggregate_order_by(literal_column("E'\\n'"), row))
        digest = func.encode(func.sha256(func.convert_to(lines, "UTF8")), "hex")
        for record_id, text in session.execute(part.each(digest, record_ids)):
            found[record_id].append(f"{part.table.name} {text}")
    return {record_id: hashlib.sha256("\n".join(found[record_id]).encode()).digest() for record_id in record_ids}
