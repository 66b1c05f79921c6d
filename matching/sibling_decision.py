"""Brothers and sisters together or apart: who decided, when and why, and the groups and children that followed it.

Children keep their ids, references and records; only the group that they belong to changes. A sheet cannot undo it:
an import that names a child in another group than the one on record refuses the row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import inspect, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.document import Document
from matching.intake.child_row import MOST_CHILDREN
from matching.intake.record import add_coded_rows
from matching.link import LinkInvalid, LinkOutcome, NotYet, written
from matching.pool import Stage, Way, share_each
from matching.sibling_group import (
    Child,
    ChildIdentity,
    ExclusionArea,
    GroupIdentity,
    GroupPlace,
    GroupStatus,
    SiblingGroup,
    get_group,
    list_children,
    open_child,
)
from matching.sibling_placement import SiblingPlacement
from matching.sibling_safeguard import carry_safeguards
from matching.transition.group_end import end_links_of, lock_groups
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.bulk import add_rows


class SiblingCourse(StrEnum):
    """What was decided."""

    APART = "apart"
    TOGETHER = "together"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"apart": "Placed apart", "together": "Placed together"}[self]


class SiblingDecision(Base):
    """A together-or-apart decision. It is never changed; a later one is another."""

    __tablename__ = "sibling_decision"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    kind: Mapped[SiblingCourse] = mapped_column(Word(SiblingCourse))
    decided_by: Mapped[str]
    """Whose decision it was, as the agency names them."""
    decided_on: Mapped[date]
    reason: Mapped[str]
    person_id: Mapped[UUID]
    """Who recorded it."""
    person_name: Mapped[str]
    at: Mapped[datetime]


class SiblingMove(Base):
    """One child that a decision brought from one group to another."""

    __tablename__ = "sibling_move"

    id: Mapped[Id]
    sibling_decision_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    child_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID]
    from_group_id: Mapped[UUID]


@dataclass(frozen=True, slots=True)
class Decided:
    """Who decided, on which day and why; and what the other agencies of open links can use."""

    by: str
    on: date
    reason: str
    feedback: str


def split_group(
    session: Session,
    group: SiblingGroup,
    *,
    child_ids: Collection[UUID],
    reference: str,
    decided: Decided,
    now: datetime,
) -> SiblingGroup:
    """Put some of a group's children in a group of their own, and return that; open links of the group end.

    The new group takes over what the register says of the old one, but for the profile, which was written of all the
    children; and is in-house until somebody shares it. Who is shut out of the old one is shut out of it, and holds
    stand for both.

    :param reference: the new group's own reference in its agency.
    :raises NotAllowed: when the scope's roles do not let it change plans.
    :raises NotYourStep: when the children are another agency's.
    :raises NotYet: when they are placed, or the reference is taken.
    :raises LinkInvalid: when it would leave a group without children, or something is not said.
    """
    decision = _decision(SiblingCourse.APART, decided, now=now)
    [group] = lock_groups(session, [group])
    children = list_children(session, [group.id])[group.id]
    leaving = [child for child in children if child.id in set(child_ids)]
    if not leaving or len(leaving) == len(children) or len(leaving) != len(set(child_ids)):
        raise LinkInvalid("Choose the children who get a group of their own; at least one stays.")
    reference = _free_reference(session, group.agency_id, reference)
    _end(session, [group], decided, now=now)
    added = _add_like(session, group, reference=reference, now=now)
    _keep(session, decision, leaving, to=added, now=now)
    carry_safeguards(session, group, added, now=now)
    _count_heritage(session, [group, added], now=now)
    return added


def join_groups(session: Session, group: SiblingGroup, other: SiblingGroup, *, decided: Decided, now: datetime) -> None:
    """Put the children of another group into a group, and withdraw the other; open links of both end.

    Where the children must not live, who is shut out of them and what holds stand is added up; all else stays as the
    group has it.

    :raises NotAllowed: when the scope's roles do not let it change plans.
    :raises NotYourStep: when one of the groups is another agency's.
    :raises NotYet: when children of either are placed.
    :raises LinkInvalid: when the two are one, one is withdrawn, they are too many, or something is not said.
    """
    decision = _decision(SiblingCourse.TOGETHER, decided, now=now)
    if group.id == other.id:
        raise LinkInvalid("Choose another group than this one.")
    group, other = lock_groups(session, [group, other])
    children = list_children(session, [group.id, other.id])
    if GroupStatus.WITHDRAWN in (group.status, other.status) or not children[other.id]:
        raise LinkInvalid("One of the two groups has been withdrawn.")
    if len(children[group.id]) + len(children[other.id]) > MOST_CHILDREN:
        raise LinkInvalid(f"Together they would be more than {MOST_CHILDREN} children.")
    _end(session, [group, other], decided, now=now)
    _keep(session, decision, children[other.id], to=group, now=now)
    _add_areas(session, other, group)
    carry_safeguards(session, other, group, now=now)
    other.status, other.changed_at = GroupStatus.WITHDRAWN, now
    _count_heritage(session, [group], now=now)


def list_decisions_of(session: Session, group: SiblingGroup) -> list[tuple[SiblingDecision, list[SiblingMove]]]:
    """Return the scope's own agency's decisions that brought children to a group or from it, the newest first."""
    query = (
        select(SiblingDecision, SiblingMove)
        .join(SiblingMove, SiblingMove.sibling_decision_id == SiblingDecision.id)
        .where(or_(SiblingMove.sibling_group_id == group.id, SiblingMove.from_group_id == group.id))
        .order_by(SiblingDecision.at.desc(), SiblingDecision.id, SiblingMove.id)
    )
    found: dict[UUID, tuple[SiblingDecision, list[SiblingMove]]] = {}
    for decision, move in session.execute(query):
        found.setdefault(decision.id, (decision, []))[1].append(move)
    return list(found.values())


def _decision(kind: SiblingCourse, decided: Decided, *, now: datetime) -> SiblingDecision:
    if decided.on > now.date():
        raise LinkInvalid("A decision is recorded on the day it is made, or after. Choose today or a day before.")
    return SiblingDecision(
        id=uuid4(),
        kind=kind,
        decided_by=written(decided.by, "who decided"),
        decided_on=decided.on,
        reason=written(decided.reason, "why they are placed together or apart"),
        at=now,
    )


def _free_reference(session: Session, agency_id: UUID, reference: str) -> str:
    wanted = written(reference, "the new group’s reference")
    taken = select(GroupIdentity.sibling_group_id).where(
        GroupIdentity.agency_id == agency_id, GroupIdentity.reference == wanted
    )
    if session.scalar(taken) is not None:
        raise NotYet(f"Your agency has a group “{wanted}” already. Give the new group a reference of its own.")
    return wanted


def _end(session: Session, groups: Sequence[SiblingGroup], decided: Decided, *, now: datetime) -> None:
    end_links_of(
        session,
        groups,
        outcome=LinkOutcome.GROUP_CHANGED,
        reason="It was decided anew which of the brothers and sisters are placed together.",
        feedback=decided.feedback,
        now=now,
    )


def _add_like(session: Session, group: SiblingGroup, *, reference: str, now: datetime) -> SiblingGroup:
    columns = [column.key for column in inspect(SiblingGroup).columns if column.key not in {"id", "code"}]
    values = {name: getattr(group, name) for name in columns}
    new_id = uuid4()
    row = {**values, "id": new_id, "added_at": now, "changed_at": now, "families_considered": None}
    add_coded_rows(session, SiblingGroup, [row], prefix="G")
    owner = {"sibling_group_id": new_id, "agency_id": group.agency_id}
    add_rows(session, GroupIdentity, [{**owner, "reference": reference}])
    for place in session.scalars(select(GroupPlace).where(GroupPlace.sibling_group_id == group.id)).all():
        add_rows(session, GroupPlace, [{**owner, "outward_code": place.outward_code}])
    for placed in session.scalars(select(SiblingPlacement).where(SiblingPlacement.sibling_group_id == group.id)).all():
        add_rows(session, SiblingPlacement, [{**owner, "household_code": placed.household_code}])
    added = get_group(session, new_id)
    _add_areas(session, group, added)
    share_each(session, [(None, new_id, Stage.IN_HOUSE, False, None)], on=now.date(), way=Way.PERSON)
    return added


def _add_areas(session: Session, source: SiblingGroup, target: SiblingGroup) -> None:
    """Let a group's children live nowhere that another's must not: of two circles round one place the wider holds."""
    query = select(ExclusionArea).where(ExclusionArea.sibling_group_id.in_([source.id, target.id]))
    areas = session.scalars(query).all()
    held = {area.outward_code: area for area in areas if area.sibling_group_id == target.id}
    for area in areas:
        if area.sibling_group_id == target.id:
            continue
        there = held.get(area.outward_code)
        if there is not None:
            there.miles = max(there.miles, area.miles)
        else:
            owner = {"sibling_group_id": target.id, "agency_id": target.agency_id}
            add_rows(session, ExclusionArea, [{**owner, "outward_code": area.outward_code, "miles": area.miles}])
    session.flush()


def _keep(
    session: Session, decision: SiblingDecision, children: Sequence[Child], *, to: SiblingGroup, now: datetime
) -> None:
    actor = acting_person(session)
    decision.agency_id, decision.person_id, decision.person_name = to.agency_id, actor.person_id, actor.name
    session.add(decision)
    session.flush()
    left_id, there = children[0].sibling_group_id, list_children(session, [to.id])[to.id]
    position = max((child.position for child in there), default=-1) + 1
    for number, child in enumerate(children):
        move = SiblingMove(
            sibling_decision_id=decision.id,
            agency_id=to.agency_id,
            child_id=child.id,
            sibling_group_id=to.id,
            from_group_id=child.sibling_group_id,
        )
        session.add(move)
        child.sibling_group_id, child.position = to.id, position + number
        # The report on one child goes with the child; one on all of them stays where it was.
        session.execute(update(Document).where(Document.child_id == child.id).values(sibling_group_id=to.id))
    session.flush()
    for group_id in (to.id, left_id):
        _record(session, get_group(session, group_id), now=now)


def _count_heritage(session: Session, groups: Sequence[SiblingGroup], *, now: datetime) -> None:
    """Say of each group the heritage of the children that it has now."""
    for group in groups:
        query = (
            select(ChildIdentity)
            .join(Child, Child.id == ChildIdentity.child_id)
            .where(Child.sibling_group_id == group.id)
        )
        said = {open_child(session, row).ethnicity for row in session.scalars(query)}
        group.heritage, group.changed_at = sorted(each for each in said if each), now
    session.flush()


def _record(session: Session, group: SiblingGroup, *, now: datetime) -> None:
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind="sibling_group",
        record_id=group.id,
        owner_agency_id=group.agency_id,
        level=audit.Level.IDENTITY,
        reason="together or apart",
        now=now,
    )
