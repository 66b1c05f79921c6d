"""Which sibling groups a list shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, and_, false, func, or_, select

from matching.code import comparable, read_code
from matching.need import NeedLevel
from matching.pool import PoolEntry
from matching.ranking.facts import LegalPosition, Sex
from matching.search import MONTHS, Condition, every, new_to_pool, of_agencies, since, where_exists
from matching.sibling_group import Child, ChildIdentity, ChildNeed, GroupIdentity, GroupStatus, SiblingGroup
from matching.words import Sought, groups_saying
from tenants.scope import Scope

LARGEST = 4
"""The size that stands for itself and for all larger ones."""
_DEGREES = (NeedLevel.NONE, NeedLevel.LOW, NeedLevel.MEDIUM, NeedLevel.HIGH)


class GroupSex(StrEnum):
    """Which children a group is made of."""

    GIRLS = "girls"
    BOYS = "boys"
    BOTH = "both"
    UNKNOWN = "unknown"


class HowMuch(StrEnum):
    """How much of a need is looked for: some child has at least so much, or no child has more."""

    LOW_OR_MORE = "low-or-more"
    MEDIUM_OR_MORE = "medium-or-more"
    HIGH = "high"
    NONE = "none"
    LOW_AT_MOST = "low-at-most"
    MEDIUM_AT_MOST = "medium-at-most"


_LEAST = {
    HowMuch.LOW_OR_MORE: NeedLevel.LOW,
    HowMuch.MEDIUM_OR_MORE: NeedLevel.MEDIUM,
    HowMuch.HIGH: NeedLevel.HIGH,
}
_MOST = {
    HowMuch.NONE: NeedLevel.NONE,
    HowMuch.LOW_AT_MOST: NeedLevel.LOW,
    HowMuch.MEDIUM_AT_MOST: NeedLevel.MEDIUM,
}


class GroupSort(StrEnum):
    """In which order groups are listed; groups that are alike stand by code."""

    WAITING = "waiting"
    NEWEST = "newest"
    YOUNGEST = "youngest"
    OLDEST = "oldest"
    LARGEST = "largest"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """What is asked of groups. Ages are whole years, both ends included; an empty set asks nothing.

    ``unsaid`` names the filters that also take in groups of which nobody has said.
    """

    age_from: int | None = None
    age_to: int | None = None
    sizes: frozenset[int] = frozenset()
    sexes: frozenset[GroupSex] = frozenset()
    legal: frozenset[LegalPosition] = frozenset()
    needs: frozenset[str] = frozenset()
    how_much: HowMuch = HowMuch.LOW_OR_MORE
    waiting_months: int | None = None
    agencies: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    new_days: int | None = None
    statuses: frozenset[GroupStatus] = frozenset()
    sought: Sought | None = None
    """Words that they say (``matching.words``)."""
    unsaid: frozenset[str] = frozenset()


EVERY_GROUP = GroupFilter()
"""What asks nothing."""


def group_named(text: str, *, agency_id: UUID | None) -> ColumnElement[bool]:
    """Return that a group's code holds a text, or that its own reference or a child's does, in that agency alone."""
    wanted = comparable(text)
    groups = select(GroupIdentity.sibling_group_id).where(
        GroupIdentity.agency_id == agency_id, GroupIdentity.reference.icontains(wanted, autoescape=True)
    )
    children = (
        select(Child.sibling_group_id)
        .join(ChildIdentity, ChildIdentity.child_id == Child.id)
        .where(ChildIdentity.agency_id == agency_id, ChildIdentity.reference.icontains(wanted, autoescape=True))
    )
    code = SiblingGroup.code.contains(read_code(wanted), autoescape=True)
    return or_(code, SiblingGroup.id.in_(groups), SiblingGroup.id.in_(children))


def group_conditions(wanted: GroupFilter, *, scope: Scope, as_of: date) -> dict[str, ColumnElement[bool]]:
    """Return what each filter in use asks of a group's row, by the filter's name."""
    group = SiblingGroup
    of_agency, of_region = of_agencies(group.agency_id, slugs=wanted.agencies, regions=wanted.regions)
    asked = {
        "ages": _ages(wanted, as_of) if wanted.age_from is not None or wanted.age_to is not None else None,
        "size": _size(wanted.sizes) if wanted.sizes else None,
        "sex": Condition(or_(*(_SEXES[each] for each in sorted(wanted.sexes)))) if wanted.sexes else None,
        "legal": Condition(group.legal_position.in_(sorted(wanted.legal))) if wanted.legal else None,
        "needs": every(_need(code, wanted.how_much) for code in sorted(wanted.needs)) if wanted.needs else None,
        "waiting": since(group.waiting_since, months=wanted.waiting_months, as_of=as_of, before=True)
        if wanted.waiting_months
        else None,
        "agency": of_agency,
        "region": of_region,
        "new": new_to_pool(group.id, PoolEntry.sibling_group_id, scope=scope, days=wanted.new_days, as_of=as_of)
        if wanted.new_days
        else None,
        "status": Condition(group.status.in_(sorted(wanted.statuses))) if wanted.statuses else None,
        "words": Condition(groups_saying(wanted.sought)) if wanted.sought else None,
    }
    return {name: each.kept(with_unsaid=name in wanted.unsaid) for name, each in asked.items() if each is not None}


def group_order(sort: GroupSort) -> Sequence[ColumnElement[Any]]:
    """Return by what groups are sorted; what nobody has said comes last, and the code settles the rest."""
    group = SiblingGroup
    youngest = select(func.max(Child.birth_month)).where(Child.sibling_group_id == group.id).scalar_subquery()
    oldest = select(func.min(Child.birth_month)).where(Child.sibling_group_id == group.id).scalar_subquery()
    by: dict[GroupSort, tuple[ColumnElement[Any], ...]] = {
        GroupSort.WAITING: (group.waiting_since.asc().nulls_last(),),
        GroupSort.NEWEST: (group.added_at.desc(),),
        GroupSort.YOUNGEST: (youngest.desc().nulls_last(),),
        GroupSort.OLDEST: (oldest.asc().nulls_last(),),
        GroupSort.LARGEST: (_children().desc(),),
        GroupSort.CODE: (),
    }
    return (*by[sort], group.code.asc())


def _of_group(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return where_exists(Child.sibling_group_id == SiblingGroup.id, *conditions)


def _children() -> ColumnElement[int]:
    return select(func.count(Child.id)).where(Child.sibling_group_id == SiblingGroup.id).scalar_subquery()


def _ages(wanted: GroupFilter, as_of: date) -> Condition:
    """Every child is of one of these ages; before birth a child counts as nought years old."""
    month, outside = as_of.replace(day=1), []
    if wanted.age_from:
        outside.append(Child.birth_month > month - relativedelta(months=wanted.age_from * MONTHS))
    if wanted.age_to is not None:
        outside.append(Child.birth_month <= month - relativedelta(months=(wanted.age_to + 1) * MONTHS))
    fails, unknown = _of_group(or_(false(), *outside)), _of_group(Child.birth_month.is_(None))
    return Condition(
        holds=and_(~fails, ~unknown, _of_group()),
        unsaid=and_(~fails, or_(unknown, ~_of_group())),
    )


def _size(sizes: Iterable[int]) -> Condition:
    exact = sorted(set(sizes))
    holds: ColumnElement[bool] = _children().in_(exact)
    return Condition(holds=or_(holds, _children() > LARGEST) if LARGEST in exact else holds, unsaid=_children() == 0)


_GIRL, _BOY, _UNKNOWN = (_of_group(Child.sex == sex) for sex in (Sex.FEMALE, Sex.MALE, Sex.UNKNOWN))
_SEXES: dict[GroupSex, ColumnElement[bool]] = {
    GroupSex.GIRLS: and_(_GIRL, ~_BOY, ~_UNKNOWN),
    GroupSex.BOYS: and_(_BOY, ~_GIRL, ~_UNKNOWN),
    GroupSex.BOTH: and_(_GIRL, _BOY),
    GroupSex.UNKNOWN: or_(~_of_group(), and_(_UNKNOWN, ~and_(_GIRL, _BOY))),
}


def _need(code: str, how_much: HowMuch) -> Condition:
    """Some child has at least so much of a need, or none more; unsaid where a child's level could change it."""
    if how_much in _LEAST:
        degrees = _DEGREES[_DEGREES.index(_LEAST[how_much]) :]
        has = _of_group(_level(code, degrees))
        return Condition(holds=has, unsaid=_unsaid_of(code))
    allowed = _DEGREES[: _DEGREES.index(_MOST[how_much]) + 1]
    more = _of_group(_level(code, tuple(level for level in _DEGREES if level not in allowed)))
    return Condition(holds=and_(~more, ~_unsaid_of(code)), unsaid=and_(~more, _unsaid_of(code)))


def _level(code: str, levels: Sequence[NeedLevel]) -> ColumnElement[bool]:
    return where_exists(ChildNeed.child_id == Child.id, ChildNeed.need == code, ChildNeed.level.in_(levels)).correlate(
        Child
    )


def _unsaid_of(code: str) -> ColumnElement[bool]:
    return or_(~_of_group(), _of_group(~_level(code, _DEGREES)))
