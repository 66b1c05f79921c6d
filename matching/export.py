"""An agency's own records, taken out as the documented sheets have them: imported again, they change nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.household import HouseholdIdentity
from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.column import SHEETS, SheetKind, columns_of
from matching.intake.household_record import recorded_households
from matching.intake.recorded_group import recorded_groups
from matching.intake.saying import Said, say_child, say_group, say_household
from matching.sibling_group import GroupIdentity
from tenants import audit
from tenants.database import scope_of
from tenants.error import Invalid
from tenants.permission import Verb, require

_AT_ONCE = 500
"""How many records are read together, so that a large register is never held as a whole."""


class NotExported(Invalid):
    """There is no documented sheet of that kind to export."""


def export_headings(kind: SheetKind) -> tuple[str, ...]:
    """Return the headings of an exported sheet, in the documented order.

    :raises NotExported: for a kind that has no documented sheet.
    """
    if kind not in SHEETS:
        raise NotExported("Only households and children have a sheet to be exported in.")
    return tuple(column.heading for column in columns_of(kind) if not column.spreads)


def export_records(session: Session, kind: SheetKind, *, now: datetime) -> Iterator[Said]:
    """Yield each row of the scope's own agency's records, by own reference; each record's leaving is put on record.

    Another agency's records are never among them. Children stand in their order within their groups, and every row
    says what the group has as one.

    :raises NotAllowed: when the scope's roles do not let it export.
    :raises NotExported: for a kind that has no documented sheet.
    """
    require(scope_of(session), Verb.EXPORT_RECORDS)
    export_headings(kind)
    return _households(session, now) if kind is SheetKind.HOUSEHOLDS else _children(session, now)


def _households(session: Session, now: datetime) -> Iterator[Said]:
    own, identity = scope_of(session).agency_id, HouseholdIdentity
    query = select(identity.reference, identity.household_id).where(identity.agency_id == own)
    for part in _parts(session.execute(query.order_by(identity.reference)).all()):
        recorded = recorded_households(session, list(part))
        _record(session, "household", list(part.values()), now)
        yield from (say_household(recorded[reference]) for reference in part)


def _children(session: Session, now: datetime) -> Iterator[Said]:
    own, identity = scope_of(session).agency_id, GroupIdentity
    query = select(identity.reference, identity.sibling_group_id).where(identity.agency_id == own)
    for part in _parts(session.execute(query.order_by(identity.reference)).all()):
        asked = [GroupRow(reference=reference, children=()) for reference in part]
        register = recorded_groups(session, asked, locked=False)
        members: dict[UUID, list[ChildRow]] = defaultdict(list)
        for child in sorted(register.children.values(), key=lambda child: child.position):
            members[child.group_id].append(child.row)
        _record(session, "sibling_group", list(part.values()), now)
        for reference, group_id in part.items():
            group = say_group(register.groups[reference].row)
            yield from ({**group, **say_child(child)} for child in members[group_id])


def _parts(found: Sequence[Any]) -> Iterator[dict[str, UUID]]:
    for start in range(0, len(found), _AT_ONCE):
        yield dict(found[start : start + _AT_ONCE])


def _record(session: Session, kind: str, record_ids: Sequence[UUID], now: datetime) -> None:
    audit.record_each(
        session,
        audit.Act.EXPORT,
        record_kind=kind,
        records=[(record_id, None) for record_id in record_ids],
        level=audit.Level.IDENTITY,
        now=now,
    )
