"""What waits for a person's agency: who waits longest, who has no family to look at, which meeting comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.household import Household, HouseholdStatus
from matching.meeting import Meeting
from matching.pack import Pack, list_packs
from matching.pack_progress import MeetingPacks, packs_of
from matching.placement.review import DueReview, list_due_reviews
from matching.ranking_run import open_pool
from matching.sharing_due import KeptBack, list_kept_back
from matching.sibling_group import GroupStatus, SiblingGroup, list_waiting_groups
from matching.summary import days_waiting
from tenants.database import scope_of
from tenants.permission import Verb, may
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """One group of the agency's, by its code, with how many days it has waited and how many families may fit."""

    id: UUID
    code: str
    days: int | None
    families: int


@dataclass(frozen=True, slots=True)
class GroupWork:
    """The agency's groups that wait: how many, the one that waits longest, and those with nobody on their list."""

    waiting: int
    longest: WaitingGroup | None
    without_family: tuple[WaitingGroup, ...]


@dataclass(frozen=True, slots=True)
class HouseholdWork:
    """The agency's households that wait: how many, and since when the longest is approved."""

    waiting: int
    id: UUID | None
    code: str | None
    approved_on: date | None


@dataclass(frozen=True, slots=True)
class PoolWork:
    """Everyone who waits in the scope's view."""

    groups: int
    households: int


@dataclass(frozen=True, slots=True)
class EarlierPacks:
    """How many other agencies have an earlier version of their pack while a newer one is not ready.

    ``newer`` and ``earlier`` are those versions; ``None`` where the agencies' differ.
    """

    agencies: int
    newer: int | None
    earlier: int | None


@dataclass(frozen=True, slots=True)
class MeetingWork:
    """The next meeting, and how far its packs are."""

    meeting: Meeting
    days: int
    packs: MeetingPacks
    earlier: EarlierPacks


@dataclass(frozen=True, slots=True)
class Work:
    """A work list; a part is absent where the roles have nothing to do with it, or nothing is there."""

    groups: GroupWork | None
    households: HouseholdWork | None
    pool: PoolWork | None
    meeting: MeetingWork | None
    kept_back: tuple[KeptBack, ...] = ()
    """Records that the schedule does not share because their profiles surely give somebody away."""
    reviews: tuple[DueReview, ...] = ()
    """Reviews of placements of the agency's children that are due within two weeks, or overdue."""


def group_work(session: Session, *, as_of: date) -> GroupWork:
    """Return what waits among the agency's own groups. Only counts are looked at, so no look is put on record."""
    own = list_waiting_groups(session, own_agency=scope_of(session).agency_id)
    if not own:
        return GroupWork(waiting=0, longest=None, without_family=())
    families = open_pool(session, as_of=as_of, of_groups=own).rank(1).families.tolist()
    found = [
        WaitingGroup(id=group.id, code=group.code, days=days_waiting(group.waiting_since, as_of), families=count)
        for group, count in zip(own, families, strict=True)
    ]
    # The list stands longest waiting first, and those of whom nobody has said since when come last.
    longest = found[0] if found[0].days is not None else None
    return GroupWork(
        waiting=len(found), longest=longest, without_family=tuple(each for each in found if not each.families)
    )


def household_work(session: Session) -> HouseholdWork:
    """Return what waits among the agency's own households."""
    own = (Household.agency_id == scope_of(session).agency_id, Household.status == HouseholdStatus.WAITING)
    count = session.scalar(select(func.count()).select_from(Household).where(*own)) or 0
    longest = session.scalar(
        select(Household).where(*own).order_by(Household.approved_on.asc().nulls_last(), Household.code).limit(1)
    )
    return HouseholdWork(
        waiting=count,
        id=longest.id if longest else None,
        code=longest.code if longest else None,
        approved_on=longest.approved_on if longest else None,
    )


def pool_work(session: Session) -> PoolWork:
    """Return how many groups and households wait in the scope's view."""
    groups, households = (
        session.scalar(select(func.count()).select_from(model).where(model.status == status)) or 0
        for model, status in ((SiblingGroup, GroupStatus.WAITING), (Household, HouseholdStatus.WAITING))
    )
    return PoolWork(groups=groups, households=households)


def find_next_meeting(session: Session, *, as_of: date) -> MeetingWork | None:
    """Return the consortium's next meeting, today's included, if one is arranged."""
    meeting = session.scalar(
        select(Meeting).where(Meeting.held_on >= as_of).order_by(Meeting.held_on, Meeting.id).limit(1)
    )
    if meeting is None:
        return None
    return MeetingWork(
        meeting=meeting,
        days=(meeting.held_on - as_of).days,
        packs=packs_of(session, meeting),
        earlier=earlier_packs(session, meeting),
    )


def earlier_packs(session: Session, meeting: Meeting) -> EarlierPacks:
    """Return what the other agencies have while a newer version is not ready, as far as the scope may know."""
    newest: dict[UUID, Pack] = {}
    ready: dict[UUID, int] = {}
    for pack in list_packs(session, meeting.id):
        newest.setdefault(pack.agency_id, pack)
        if pack.built_at is not None:
            ready.setdefault(pack.agency_id, pack.version)
    own = scope_of(session).agency_id
    between = [each for each in ready if each != own and newest[each].built_at is None]
    return EarlierPacks(
        agencies=len(between),
        newer=_the_one({newest[each].version for each in between}),
        earlier=_the_one({ready[each] for each in between}),
    )


def list_work(session: Session, *, as_of: date) -> Work:
    """Return what waits for the scope's agency, as far as the scope's roles have to do with it."""
    scope = scope_of(session)
    return Work(
        groups=group_work(session, as_of=as_of) if may(scope, Verb.READ_GROUPS) else None,
        households=household_work(session) if may(scope, Verb.READ_HOUSEHOLDS) else None,
        pool=pool_work(session) if may(scope, Verb.READ_RANKING) else None,
        meeting=find_next_meeting(session, as_of=as_of) if may(scope, Verb.READ_MEETINGS) else None,
        kept_back=tuple(list_kept_back(session, on=as_of)) if scope.consortium_id and _shares(scope) else (),
        reviews=tuple(list_due_reviews(session, on=as_of)) if may(scope, Verb.READ_LINKS) else (),
    )


def _shares(scope: Scope) -> bool:
    # What is found in a profile tells who the record is about.
    return may(scope, Verb.SHARE_RECORDS) and may(scope, Verb.READ_IDENTITY)


def _the_one(versions: set[int]) -> int | None:
    return next(iter(versions)) if len(versions) == 1 else None
