"""What the timing moves on a day, and what of it stays because its profile surely gives away who it is about.

Nobody looks before the schedule moves a record. So it takes none from in-house of which the anonymity check is sure:
that waits, on its agency's work list, until the profile is better or a person shares the record as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matching.household import Household, HouseholdStatus
from matching.pool import PoolEntry, Stage, Way, share_each
from matching.profile_check import telling_codes
from matching.sibling_group import GroupStatus, SiblingGroup
from matching.timing import next_move, timing_of
from tenants.database import scope_of

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """How many records were moved, and how many stayed in-house because of their profile."""

    moved: int
    kept_back: int


@dataclass(frozen=True, slots=True)
class KeptBack:
    """One of the agency's records that the schedule does not share because of its profile."""

    id: UUID
    code: str
    household: bool


def move_due(session: Session, *, on: date) -> Moved:
    """Move what is due in the scope's agency's share of its consortium's pool.

    Only records that wait are moved, and only by the timing: what is held back or kept where it is stays, and so does
    what would leave in-house with a profile that surely gives somebody away. Doing it again moves nothing twice.
    """
    due = _due(session, on=on, lock=True)
    back = {each.id for each in _kept_back(session, due)}
    moved: list[tuple[UUID | None, UUID | None, Stage, bool, str | None]] = [
        (entry.household_id, entry.sibling_group_id, stage, False, None)
        for entry, stage in due
        if (entry.household_id or entry.sibling_group_id) not in back
    ]
    for first in range(0, len(moved), _BATCH):
        share_each(session, moved[first : first + _BATCH], on=on, way=Way.SCHEDULE)
    session.expire_all()
    return Moved(len(moved), len(back))


def list_kept_back(session: Session, *, on: date) -> list[KeptBack]:
    """Return the agency's records that would have left in-house by a day but for their profiles, by code."""
    return _kept_back(session, _due(session, on=on, lock=False))


# ── within ──


def _due(session: Session, *, on: date, lock: bool) -> list[tuple[PoolEntry, Stage]]:
    scope, timing = scope_of(session), timing_of(session)
    query = (
        select(PoolEntry, Household.approved_on)
        .outerjoin(Household, Household.id == PoolEntry.household_id)
        .outerjoin(SiblingGroup, SiblingGroup.id == PoolEntry.sibling_group_id)
        .where(
            PoolEntry.agency_id == scope.agency_id,
            PoolEntry.consortium_id == scope.consortium_id,
            PoolEntry.stage != Stage.NATIONAL,
            ~PoolEntry.held,
            ~PoolEntry.kept,
            or_(Household.status == HouseholdStatus.WAITING, SiblingGroup.status == GroupStatus.WAITING),
        )
        .order_by(PoolEntry.id)
        .execution_options(populate_existing=True)
    )
    if lock:
        # A person may be deciding about one of them at this moment.
        query = query.with_for_update(of=PoolEntry)
    coming = ((entry, next_move(entry, timing, approved_on=on_day)) for entry, on_day in session.execute(query).all())
    return [(entry, move.stage) for entry, move in coming if move is not None and move.on <= on]


def _kept_back(session: Session, due: list[tuple[PoolEntry, Stage]]) -> list[KeptBack]:
    leaving = [entry for entry, _ in due if entry.stage is Stage.IN_HOUSE]
    households = [each.household_id for each in leaving if each.household_id]
    groups = [each.sibling_group_id for each in leaving if each.sibling_group_id]
    codes = telling_codes(session, households=households, groups=groups)
    found = [
        KeptBack(row.id, row.code, household)
        for model, ids, household in ((Household, households, True), (SiblingGroup, groups, False))
        for row in session.execute(select(model.id, model.code).where(model.id.in_(ids), model.code.in_(codes)))
    ]
    return sorted(found, key=lambda each: each.code)
