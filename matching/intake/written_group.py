"""Sibling groups and children being written, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.record import add_coded_rows, replace_rows
from matching.intake.recorded_group import GROUP_SETS, GROUP_SUMMARY, RecordedGroup
from matching.intake.sharing import asked_sharing
from matching.pool import Stage, share_each
from matching.sibling_group import (
    Child,
    ChildIdentity,
    ChildName,
    ChildNeed,
    ExclusionArea,
    GroupIdentity,
    GroupPlace,
    GroupProfile,
    GroupStatus,
    SiblingGroup,
    seal_child,
)
from matching.sibling_placement import SiblingPlacement
from tenants import audit
from tenants.bulk import Values, add_rows, change_rows
from tenants.database import scope_of


@dataclass(frozen=True, slots=True)
class TakenChild:
    """A child that is written."""

    id: UUID
    row: ChildRow
    position: int
    new: bool


@dataclass(frozen=True, slots=True)
class TakenGroup:
    """A group that is written, with those of its children that are, and how it stood before."""

    id: UUID
    row: GroupRow
    children: tuple[TakenChild, ...]
    before: RecordedGroup | None


def write_groups(session: Session, taken: Sequence[TakenGroup], *, now: datetime) -> None:
    """Write groups with everything that belongs to them, and put each on record."""
    new = [group for group in taken if group.before is None]
    changed = [group for group in taken if group.before is not None]
    ids = [group.id for group in changed]
    added = [_summary(session, group, now) | {"added_at": now} for group in new]
    add_coded_rows(session, SiblingGroup, added, prefix="G")
    add_rows(session, GroupIdentity, [{**_owner(session, group), "reference": group.row.reference} for group in new])
    change_rows(session, SiblingGroup, [_summary(session, group, now) for group in changed])
    replace_rows(session, GroupProfile, GroupProfile.sibling_group_id, ids, _profiles(session, taken))
    replace_rows(session, GroupPlace, GroupPlace.sibling_group_id, ids, _places(session, taken))
    replace_rows(session, ExclusionArea, ExclusionArea.sibling_group_id, ids, _areas(session, taken))
    replace_rows(session, SiblingPlacement, SiblingPlacement.sibling_group_id, ids, _siblings(session, taken))
    _write_children(session, [(group, child) for group in taken for child in group.children], now=now)
    _share(session, taken, now=now)
    _record(session, "sibling_group", [group.id for group in new], [group.id for group in changed], now=now)


def _write_children(session: Session, taken: Sequence[tuple[TakenGroup, TakenChild]], *, now: datetime) -> None:
    new = [(group, child) for group, child in taken if child.new]
    changed = [(group, child) for group, child in taken if not child.new]
    ids = [child.id for _, child in changed]
    add_rows(session, Child, [_child(session, group, child) for group, child in new])
    add_rows(session, ChildIdentity, [_child_identity(session, child, now) for _, child in new])
    change_rows(session, Child, [_child(session, group, child) for group, child in changed])
    change_rows(session, ChildIdentity, [_child_identity(session, child, now) for _, child in changed])
    needs = [
        {"child_id": child.id, "agency_id": scope_of(session).agency_id, "need": code, "level": level}
        for _, child in taken
        for code, level in child.row.needs.items()
    ]
    replace_rows(session, ChildNeed, ChildNeed.child_id, ids, needs)
    _record(session, "child", [child.id for _, child in new], ids, now=now)


def _record(session: Session, kind: str, added: Sequence[UUID], changed: Sequence[UUID], *, now: datetime) -> None:
    for act, ids in ((audit.Act.ADD, added), (audit.Act.CHANGE, changed)):
        audit.record_each(
            session,
            act,
            record_kind=kind,
            records=[(record_id, None) for record_id in ids],
            level=audit.Level.IDENTITY,
            now=now,
        )


def _owner(session: Session, group: TakenGroup) -> Values:
    return {"sibling_group_id": group.id, "agency_id": scope_of(session).agency_id}


def _summary(session: Session, group: TakenGroup, now: datetime) -> Values:
    ethnicities = dict(group.before.ethnicities) if group.before else {}
    ethnicities.update({child.row.reference: child.row.heritage for child in group.children})
    return {
        "id": group.id,
        "agency_id": scope_of(session).agency_id,
        "heritage": sorted({code for code in ethnicities.values() if code is not None}),
        "changed_at": now,
        "status": GroupStatus(group.row.status or GroupStatus.WAITING),
        **{name: getattr(group.row, name) for name in GROUP_SUMMARY},
        **{name: sorted(getattr(group.row, name)) for name in GROUP_SETS},
    }


def _profiles(session: Session, taken: Sequence[TakenGroup]) -> list[Values]:
    return [{**_owner(session, group), "text": group.row.profile} for group in taken if group.row.profile]


def _places(session: Session, taken: Sequence[TakenGroup]) -> list[Values]:
    return [
        {**_owner(session, group), "outward_code": group.row.home_outward_code}
        for group in taken
        if group.row.home_outward_code
    ]


def _areas(session: Session, taken: Sequence[TakenGroup]) -> list[Values]:
    return [
        {**_owner(session, group), "outward_code": code, "miles": miles}
        for group in taken
        for code, miles in group.row.exclusion_areas
    ]


def _siblings(session: Session, taken: Sequence[TakenGroup]) -> list[Values]:
    return [
        {**_owner(session, group), "household_code": group.row.sibling_household}
        for group in taken
        if group.row.sibling_household
    ]


def _child(session: Session, group: TakenGroup, child: TakenChild) -> Values:
    month = child.row.born_on or child.row.due_on
    return {
        "id": child.id,
        "agency_id": scope_of(session).agency_id,
        "sibling_group_id": group.id,
        "position": child.position,
        "birth_month": month.replace(day=1) if month else None,
        "unborn": child.row.born_on is None and child.row.due_on is not None,
        "sex": child.row.sex,
    }


def _child_identity(session: Session, child: TakenChild, now: datetime) -> Values:
    agency_id = scope_of(session).agency_id
    assert agency_id is not None  # noqa: S101 - request_import saw to it
    row = child.row
    name = ChildName(
        forename=row.forename,
        surname=row.surname,
        born_on=row.born_on.isoformat() if row.born_on else None,
        due_on=row.due_on.isoformat() if row.due_on else None,
        ethnicity=row.heritage,
        entered_care_on=row.entered_care_on.isoformat() if row.entered_care_on else None,
    )
    sealed = seal_child(session, name, child_id=child.id, agency_id=agency_id, now=now)
    return {"child_id": child.id, "agency_id": agency_id, "reference": row.reference, "sealed": sealed}


def _share(session: Session, taken: Sequence[TakenGroup], *, now: datetime) -> None:
    """Share as the sheet says; a new group of which it says nothing stays in-house until somebody shares it."""
    entries: list[tuple[UUID | None, UUID | None, Stage, bool, str | None]] = []
    for group in taken:
        before = group.before
        said = (group.row.sharing, group.row.sharing_reason)
        if before is not None and said == (before.row.sharing, before.row.sharing_reason):
            continue
        present = before.stage if before else Stage.IN_HOUSE
        entries.append((None, group.id, *asked_sharing(*said, present=present)))
    share_each(session, entries, on=now.date())
