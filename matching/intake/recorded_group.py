"""Sibling groups as they are recorded, written as a sheet would say them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.sharing import recorded_sharing
from matching.link import matched_records
from matching.pool import Stage, sharing_of
from matching.sibling_group import (
    Child,
    ChildIdentity,
    ExclusionArea,
    GroupIdentity,
    GroupPlace,
    GroupProfile,
    SiblingGroup,
    list_needs,
    open_child,
)
from matching.sibling_placement import sibling_household_codes
from tenants.database import scope_of

GROUP_SETS: Final = ("religions", "languages", "cultures")
GROUP_SUMMARY: Final = (
    "legal_position",
    "shobpa_on",
    "placement_order_on",
    "waiting_since",
    "early_permanence",
    "letterbox_contact",
    "direct_contact",
    "sibling_contact",
    "must_be_youngest",
    "must_be_only",
    "no_pets",
    "smoke_free",
    "adopters_hoped_for",
    "experience_needed",
    "training_needed",
    "parent_at_home_needed",
    "support_needed",
    "families_considered",
)


@dataclass(frozen=True, slots=True)
class RecordedChild:
    """A child as recorded, with its place in its group."""

    id: UUID
    row: ChildRow
    position: int
    group_id: UUID
    group_reference: str


@dataclass(frozen=True, slots=True)
class RecordedGroup:
    """A group as recorded. ``row`` names no children; ``ethnicities`` are theirs, by own reference."""

    id: UUID
    row: GroupRow
    stage: Stage
    next_position: int
    ethnicities: dict[str, str | None]
    matched: bool
    """Whether a link's match stands, which no sheet ends."""

    @property
    def child_references(self) -> frozenset[str]:
        """Return the own references of every child recorded in the group."""
        return frozenset(self.ethnicities)


@dataclass(frozen=True, slots=True)
class Register:
    """The groups and children that a sheet names, and the other children of those groups, by own reference."""

    groups: dict[str, RecordedGroup]
    children: dict[str, RecordedChild]


def recorded_groups(session: Session, said: Sequence[GroupRow], *, locked: bool = True) -> Register:
    """Return what the scope's agency has recorded of the groups and children said.

    The groups are ``locked`` until the transaction ends.
    """
    groups = _groups(session, [group.reference for group in said], locked=locked)
    ids = [group.id for group, _, _, _ in groups]
    references = [child.reference for group in said for child in group.children]
    children = _children(session, group_ids=ids, references=references)
    areas = _areas(session, ids)
    siblings = sibling_household_codes(session, ids)
    entries = sharing_of(session, ids)
    matched = matched_records(session, ids)
    members: dict[UUID, list[RecordedChild]] = defaultdict(list)
    for child in children:
        members[child.group_id].append(child)
    register: dict[str, RecordedGroup] = {}
    for group, reference, profile, outward_code in groups:
        entry = entries.get(group.id)
        sharing, reason = recorded_sharing(entry)
        summary: dict[str, Any] = {name: getattr(group, name) for name in GROUP_SUMMARY}
        summary["status"] = group.status.value
        sets: dict[str, Any] = {name: frozenset(getattr(group, name)) for name in GROUP_SETS}
        register[reference] = RecordedGroup(
            id=group.id,
            row=GroupRow(
                reference=reference,
                children=(),
                profile=profile,
                home_outward_code=outward_code,
                exclusion_areas=areas.get(group.id, ()),
                sibling_household=siblings.get(group.id),
                sharing=sharing,
                sharing_reason=reason,
                **summary,
                **sets,
            ),
            stage=entry.stage if entry else Stage.IN_HOUSE,
            next_position=max((child.position for child in members[group.id]), default=-1) + 1,
            ethnicities={child.row.reference: child.row.heritage for child in members[group.id]},
            matched=group.id in matched,
        )
    return Register(groups=register, children={child.row.reference: child for child in children})


def _groups(
    session: Session, references: Sequence[str], *, locked: bool
) -> Sequence[tuple[SiblingGroup, str, str, str]]:
    query = (
        select(SiblingGroup, GroupIdentity.reference, GroupProfile.text, GroupPlace.outward_code)
        .join(GroupIdentity, GroupIdentity.sibling_group_id == SiblingGroup.id)
        .outerjoin(GroupProfile, GroupProfile.sibling_group_id == SiblingGroup.id)
        .outerjoin(GroupPlace, GroupPlace.sibling_group_id == SiblingGroup.id)
        .where(GroupIdentity.agency_id == scope_of(session).agency_id, GroupIdentity.reference.in_(references))
        .order_by(SiblingGroup.id)
        .execution_options(populate_existing=True)
    )
    return session.execute(query.with_for_update(of=SiblingGroup) if locked else query).all()


def _children(session: Session, *, group_ids: Sequence[UUID], references: Sequence[str]) -> list[RecordedChild]:
    query = (
        select(Child, ChildIdentity, GroupIdentity.reference)
        .join(ChildIdentity, ChildIdentity.child_id == Child.id)
        .join(GroupIdentity, GroupIdentity.sibling_group_id == Child.sibling_group_id)
        .where(
            ChildIdentity.agency_id == scope_of(session).agency_id,
            or_(Child.sibling_group_id.in_(group_ids), ChildIdentity.reference.in_(references)),
        )
        .order_by(Child.position, Child.id)
        .execution_options(populate_existing=True)
    )
    found = session.execute(query).all()
    needs = list_needs(session, [child.id for child, _, _ in found])
    recorded = []
    for child, identity, group_reference in found:
        name = open_child(session, identity)
        row = ChildRow(
            number=0,
            reference=identity.reference,
            forename=name.forename,
            surname=name.surname,
            born_on=_day(name.born_on),
            due_on=_day(name.due_on),
            entered_care_on=_day(name.entered_care_on),
            sex=child.sex,
            heritage=name.ethnicity,
            needs=needs.get(child.id, {}),
        )
        recorded.append(RecordedChild(child.id, row, child.position, child.sibling_group_id, group_reference))
    return recorded


def _areas(session: Session, group_ids: Sequence[UUID]) -> dict[UUID, tuple[tuple[str, int], ...]]:
    query = (
        select(ExclusionArea.sibling_group_id, ExclusionArea.outward_code, ExclusionArea.miles)
        .where(ExclusionArea.sibling_group_id.in_(group_ids))
        .order_by(ExclusionArea.sibling_group_id, ExclusionArea.outward_code)
    )
    areas: dict[UUID, list[tuple[str, int]]] = defaultdict(list)
    for group_id, code, miles in session.execute(query):
        areas[group_id].append((code, miles))
    return {group_id: tuple(sorted(each)) for group_id, each in areas.items()}


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
