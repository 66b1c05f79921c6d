"""Sibling groups: one or more children to be placed together, the unit of match.

As with households, each level of need-to-know is a table of its own: the summary and what a ranking reads; the
anonymous profile; and the identity, home and exclusion areas, which never leave the children's own agency.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.code import comparable, read_code
from matching.need import NeedLevel, YesNo
from matching.pool import PoolEntry
from matching.ranking.facts import ChildFacts, ContactKind, GroupFacts, LegalPosition, Sex
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import NotFound


class GroupStatus(StrEnum):
    """Whether a family is looked for now."""

    WAITING = "waiting"
    ON_HOLD = "on_hold"
    MATCHED = "matched"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"waiting": "Waiting", "on_hold": "On hold", "matched": "Matched", "withdrawn": "Withdrawn"}[self]


class SiblingGroup(Base):
    """The summary: anonymous, and with its children all that a ranking reads."""

    __tablename__ = "sibling_group"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    code: Mapped[str]
    status: Mapped[GroupStatus] = mapped_column(Word(GroupStatus))
    legal_position: Mapped[LegalPosition] = mapped_column(Word(LegalPosition))
    shobpa_on: Mapped[date | None]
    placement_order_on: Mapped[date | None]
    waiting_since: Mapped[date | None]
    early_permanence: Mapped[YesNo] = mapped_column(Word(YesNo))
    letterbox_contact: Mapped[YesNo] = mapped_column(Word(YesNo))
    direct_contact: Mapped[YesNo] = mapped_column(Word(YesNo))
    sibling_contact: Mapped[YesNo] = mapped_column(Word(YesNo))
    must_be_youngest: Mapped[YesNo] = mapped_column(Word(YesNo))
    must_be_only: Mapped[YesNo] = mapped_column(Word(YesNo))
    no_pets: Mapped[YesNo] = mapped_column(Word(YesNo))
    smoke_free: Mapped[YesNo] = mapped_column(Word(YesNo))
    heritage: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    religions: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    languages: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    cultures: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    adopters_hoped_for: Mapped[int | None]
    """One or two, where the plan says which would suit the children better; it bars nobody."""
    experience_needed: Mapped[YesNo] = mapped_column(Word(YesNo))
    training_needed: Mapped[YesNo] = mapped_column(Word(YesNo))
    parent_at_home_needed: Mapped[YesNo] = mapped_column(Word(YesNo))
    support_needed: Mapped[YesNo] = mapped_column(Word(YesNo))
    families_considered: Mapped[int | None]
    """How many families are being considered for the group, as its agency says; never which."""
    added_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Child(Base):
    """A child of a group as the pool sees one: month of birth, sex, needs."""

    __tablename__ = "child"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID]
    position: Mapped[int]
    birth_month: Mapped[date | None]
    """The first of the month of birth, or of the month in which an unborn child is due."""
    unborn: Mapped[bool]
    sex: Mapped[Sex] = mapped_column(Word(Sex))


class ChildNeed(Base):
    """How much of one need a child has."""

    __tablename__ = "child_need"

    child_id: Mapped[UUID] = mapped_column(primary_key=True)
    need: Mapped[str] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    level: Mapped[NeedLevel] = mapped_column(Word(NeedLevel))


class GroupProfile(Base):
    """The anonymous profile, read on need."""

    __tablename__ = "sibling_group_profile"

    sibling_group_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    text: Mapped[str]


class GroupIdentity(Base):
    """The agency's own reference for the group."""

    __tablename__ = "sibling_group_identity"

    sibling_group_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    reference: Mapped[str]


class ChildIdentity(Base):
    """Who a child is: its own agency's alone. Names, birth date and ethnicity are sealed."""

    __tablename__ = "child_identity"

    child_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    reference: Mapped[str]
    sealed: Mapped[bytes]


class GroupPlace(Base):
    """The outward code of the children's home area: the agency's own."""

    __tablename__ = "sibling_group_place"

    sibling_group_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    outward_code: Mapped[str]


class ExclusionArea(Base):
    """An area where the children must not live, because birth family does: the agency's own."""

    __tablename__ = "exclusion_area"

    sibling_group_id: Mapped[UUID] = mapped_column(primary_key=True)
    outward_code: Mapped[str] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    miles: Mapped[int]


@dataclass(frozen=True, slots=True)
class ChildName:
    """What is sealed of a child; dates are ISO text, for they are only shown."""

    forename: str | None = None
    surname: str | None = None
    born_on: str | None = None
    due_on: str | None = None
    ethnicity: str | None = None
    entered_care_on: str | None = None


class GroupUnknown(NotFound):
    """No such sibling group is in this scope's view of the pool."""


def seal_child(session: Session, name: ChildName, *, child_id: UUID, agency_id: UUID, now: datetime) -> bytes:
    """Return a child's identity sealed for its row."""
    fields = {field: getattr(name, field) for field in ChildName.__slots__}
    plain = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()
    return seal(session, plain, agency_id=agency_id, row_id=child_id, now=now)


def open_child(session: Session, row: ChildIdentity) -> ChildName:
    """Return what a sealed child's identity holds."""
    return ChildName(**json.loads(unseal(session, row.sealed, row_id=row.child_id)))


def get_group(session: Session, group_id: UUID) -> SiblingGroup:
    """Return the summary of a group that this scope may see.

    :raises GroupUnknown: when there is none.
    """
    group = session.get(SiblingGroup, group_id)
    if group is None:
        raise GroupUnknown("There is no such sibling group in your view of the pool.")
    return group


def get_group_by_reference(session: Session, reference: str) -> SiblingGroup:
    """Return a group by its pool code, or by the scope's own agency's reference.

    :raises GroupUnknown: when neither names one that this scope may see.
    """
    wanted = comparable(reference)
    own = select(GroupIdentity.sibling_group_id).where(
        GroupIdentity.agency_id == scope_of(session).agency_id, GroupIdentity.reference == wanted
    )
    found = session.scalar(
        select(SiblingGroup)
        .where(or_(SiblingGroup.code == read_code(wanted), SiblingGroup.id.in_(own)))
        .order_by(SiblingGroup.id.in_(own).desc(), SiblingGroup.id)
        .limit(1)
    )
    if found is None:
        raise GroupUnknown(
            f"There is no sibling group “{reference}” in your view of the pool. Give its code, as in G-3QX8ZA, "
            "or your own agency’s reference."
        )
    return found


def groups(*, own_agency: UUID | None = None, status: GroupStatus | None = None) -> Select[SiblingGroup]:
    """Return the query of the groups in a scope's view, longest waiting first."""
    query = select(SiblingGroup).order_by(SiblingGroup.waiting_since.asc().nulls_last(), SiblingGroup.code)
    if own_agency is not None:
        query = query.where(SiblingGroup.agency_id == own_agency)
    if status is not None:
        query = query.where(SiblingGroup.status == status)
    return query


def list_waiting_groups(session: Session, *, own_agency: UUID | None = None) -> list[SiblingGroup]:
    """Return every group that waits in this scope's view, longest waiting first."""
    return list(session.scalars(groups(own_agency=own_agency, status=GroupStatus.WAITING)))


def count_groups(session: Session, *, own_agency: UUID | None = None) -> int:
    """Return how many groups this scope sees."""
    return session.scalar(select(func.count()).select_from(groups(own_agency=own_agency).subquery())) or 0


def list_children(session: Session, group_ids: Sequence[UUID]) -> dict[UUID, list[Child]]:
    """Return the children of each group in their order, by group."""
    query = select(Child).where(Child.sibling_group_id.in_(group_ids)).order_by(Child.position, Child.id)
    children: dict[UUID, list[Child]] = defaultdict(list)
    for child in session.scalars(query):
        children[child.sibling_group_id].append(child)
    return children


def list_needs(session: Session, child_ids: Sequence[UUID]) -> dict[UUID, dict[str, NeedLevel]]:
    """Return the recorded needs of each child, by child and need."""
    needs: dict[UUID, dict[str, NeedLevel]] = defaultdict(dict)
    query = select(ChildNeed.child_id, ChildNeed.need, ChildNeed.level).where(ChildNeed.child_id.in_(child_ids))
    for child_id, need, level in session.execute(query):
        needs[child_id][need] = level
    return needs


def read_profile(session: Session, group: SiblingGroup, *, now: datetime) -> str | None:
    """Return the anonymous profile and put the look on record."""
    profile = session.scalar(select(GroupProfile.text).where(GroupProfile.sibling_group_id == group.id))
    audit.record(
        session,
        audit.Act.READ,
        record_kind="sibling_group",
        record_id=group.id,
        owner_agency_id=group.agency_id,
        level=audit.Level.PROFILE,
        now=now,
    )
    return profile


def read_profiles(session: Session, found: Sequence[SiblingGroup], *, now: datetime) -> dict[UUID, str]:
    """Return the anonymous profiles of many groups and put each look on record."""
    ids = [group.id for group in found]
    query = select(GroupProfile.sibling_group_id, GroupProfile.text).where(GroupProfile.sibling_group_id.in_(ids))
    profiles = dict(session.execute(query).all())
    audit.record_each(
        session,
        audit.Act.READ,
        record_kind="sibling_group",
        records=[(group.id, group.agency_id) for group in found if group.id in profiles],
        level=audit.Level.PROFILE,
        now=now,
    )
    return profiles


def read_identity(session: Session, group: SiblingGroup, *, now: datetime) -> tuple[str, list[tuple[str, ChildName]]]:
    """Return the own reference and each child's reference and name, and put the look on record.

    :raises GroupUnknown: when the group is another agency's.
    """
    reference = session.scalar(select(GroupIdentity.reference).where(GroupIdentity.sibling_group_id == group.id))
    if reference is None:
        raise GroupUnknown("There is no such sibling group in your agency.")
    query = (
        select(ChildIdentity)
        .join(Child, Child.id == ChildIdentity.child_id)
        .where(Child.sibling_group_id == group.id)
        .order_by(Child.position, Child.id)
    )
    children = [(row.reference, open_child(session, row)) for row in session.scalars(query)]
    audit.record(
        session,
        audit.Act.READ,
        record_kind="sibling_group",
        record_id=group.id,
        owner_agency_id=group.agency_id,
        level=audit.Level.IDENTITY,
        now=now,
    )
    return reference, children


def entered_pool_on(session: Session, group_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Return the day on which each group reached its present stage in this consortium."""
    query = select(PoolEntry.sibling_group_id, PoolEntry.entered_on).where(
        PoolEntry.sibling_group_id.in_(group_ids), PoolEntry.consortium_id == scope_of(session).consortium_id
    )
    return {group_id: entered_on for group_id, entered_on in session.execute(query) if group_id}


def facts_of(session: Session, found: Sequence[SiblingGroup]) -> list[GroupFacts]:
    """Return what a ranking reads of each group, in the order given."""
    children = list_children(session, [group.id for group in found])
    needs = list_needs(session, [child.id for siblings in children.values() for child in siblings])
    return [_facts(group, children.get(group.id, []), needs) for group in found]


def _facts(group: SiblingGroup, children: list[Child], needs: dict[UUID, dict[str, NeedLevel]]) -> GroupFacts:
    return GroupFacts(
        id=group.id,
        code=group.code,
        agency_id=group.agency_id,
        children=tuple(
            ChildFacts(birth_month=child.birth_month, sex=child.sex, needs=needs.get(child.id, {}))
            for child in children
        ),
        legal_position=group.legal_position,
        early_permanence=group.early_permanence,
        contact={
            ContactKind.LETTERBOX: group.letterbox_contact,
            ContactKind.DIRECT: group.direct_contact,
            ContactKind.SIBLINGS: group.sibling_contact,
        },
        must_be_youngest=group.must_be_youngest,
        must_be_only=group.must_be_only,
        no_pets=group.no_pets,
        smoke_free=group.smoke_free,
        heritage=frozenset(group.heritage),
        religions=frozenset(group.religions),
        languages=frozenset(group.languages),
        cultures=frozenset(group.cultures),
        adopters_hoped_for=group.adopters_hoped_for,
        experience_needed=group.experience_needed,
        training_needed=group.training_needed,
        parent_at_home_needed=group.parent_at_home_needed,
        support_needed=group.support_needed,
        waiting_since=group.waiting_since,
    )
