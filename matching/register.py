"""The register as people leaf through it: groups and households as cards, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from matching import household as households
from matching import sibling_group as groups
from matching.availability import Availability, availability_of, household_cap
from matching.group_search import EVERY_GROUP, GroupFilter, GroupSort, group_conditions, group_named, group_order
from matching.household import Household, HouseholdStatus
from matching.household_search import (
    EVERY_HOUSEHOLD,
    HouseholdFilter,
    HouseholdSort,
    household_conditions,
    household_named,
    household_order,
)
from matching.pool import PoolEntry, sharing_of
from matching.sibling_group import GroupStatus, SiblingGroup
from matching.stretch import Stretch, read_stretch
from matching.summary import days_waiting, describe_approval, describe_children, describe_home, legal_position_words
from matching.words import Excerpt, Sought, excerpts_of_groups, excerpts_of_households
from tenants.agency import list_agencies
from tenants.database import scope_of

PAGE_SIZE = 25
_GONE = ("matched", "withdrawn")

Card = TypeVar("Card")
_Record = TypeVar("_Record", SiblingGroup, Household)


@dataclass(frozen=True, slots=True)
class Page(Generic[Card]):
    """Some of many cards; ``number`` counts from 1."""

    cards: tuple[Card, ...]
    total: int
    number: int
    size: int = PAGE_SIZE

    @staticmethod
    def within(number: int, total: int, size: int = PAGE_SIZE) -> int:
        """Return the page asked for, or the nearest that there is."""
        return min(max(1, number), max(1, ceil(total / size)))

    @property
    def pages(self) -> int:
        """Return how many pages there are; one even where there is nothing."""
        return max(1, ceil(self.total / self.size))

    @property
    def first(self) -> int:
        """Return the position of the first card among all, from 1."""
        return min(self.total, (self.number - 1) * self.size + 1)

    @property
    def last(self) -> int:
        """Return the position of the last card among all."""
        return min(self.total, self.number * self.size)


def count_rows(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    """Return how many rows a query finds."""
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def read_page(session: Session, query: Select[Card], *, number: int, total: int, size: int = PAGE_SIZE) -> Page[Card]:
    """Return the page asked for, or the nearest that there is, of what an ordered query finds ``total`` of."""
    number = Page.within(number, total, size)
    found = session.scalars(query.limit(size).offset((number - 1) * size))
    return Page(tuple(found), total, number, size)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records a scope sees: its own agency's, and all."""

    own: int
    all: int


@dataclass(frozen=True, slots=True)
class Removal:
    """A filter, by name, and how many would be listed without it."""

    name: str
    total: int


@dataclass(frozen=True, slots=True)
class GroupCard:
    """A sibling group in a list."""

    id: UUID
    code: str
    children: str
    days: int | None
    waiting_since: date | None
    legal: str
    agency: str
    own: bool
    sharing: str
    status: GroupStatus
    agency_id: UUID
    why: tuple[Excerpt, ...] = ()
    """Where it says what was looked for."""


@dataclass(frozen=True, slots=True)
class HouseholdCard:
    """A household in a list."""

    id: UUID
    code: str
    approved_for: str
    home: str
    approved_on: date | None
    agency: str
    own: bool
    sharing: str
    status: HouseholdStatus
    availability: Availability
    agency_id: UUID
    why: tuple[Excerpt, ...] = ()
    """Where it says what was looked for."""


def agency_names(session: Session) -> dict[UUID, str]:
    """Return the name of every agency that this scope may know of."""
    return {agency.id: agency.name for agency in list_agencies(session)}


def sharing_words(entry: PoolEntry | None) -> str:
    """Return how far a record is shared; without an entry it is in nobody's pool."""
    if entry is None:
        return "Not in this pool"
    return "Held back" if entry.held else entry.stage.label


def count_listed_groups(session: Session) -> Counts:
    """Return how many groups the lists show: one's own, and all that wait or are on hold."""
    return _count(session, SiblingGroup)


def count_listed_households(session: Session) -> Counts:
    """Return how many households the lists show: one's own, and all that wait or are on hold."""
    return _count(session, Household)


def list_group_cards(
    session: Session,
    *,
    own: bool,
    number: int,
    as_of: date,
    wanted: GroupFilter = EVERY_GROUP,
    sort: GroupSort = GroupSort.WAITING,
) -> Page[GroupCard]:
    """Return a page of the groups that are asked for; with ``own`` the agency's own only.

    Sorted by waiting, those who look for a family now stand first.
    """
    conditions = group_conditions(wanted, scope=scope_of(session), as_of=as_of)
    listed = _listed(session, SiblingGroup, own=own).where(*conditions.values())
    standing = (_standing(SiblingGroup),) if sort is GroupSort.WAITING else ()
    found, total, number = _page(session, listed, order=(*standing, *group_order(sort)), number=number)
    return Page(cards=group_cards(session, found, as_of=as_of, sought=wanted.sought), total=total, number=number)


def list_household_cards(
    session: Session,
    *,
    own: bool,
    number: int,
    as_of: date,
    wanted: HouseholdFilter = EVERY_HOUSEHOLD,
    sort: HouseholdSort = HouseholdSort.WAITING,
) -> Page[HouseholdCard]:
    """Return a page of the households that are asked for; with ``own`` the agency's own only.

    Sorted by waiting, those who look for a match now stand first, longest approved first.
    """
    conditions = _household_conditions(session, wanted, as_of)
    listed = _listed(session, Household, own=own).where(*conditions.values())
    standing = (_standing(Household),) if sort is HouseholdSort.WAITING else ()
    found, total, number = _page(session, listed, order=(*standing, *household_order(sort)), number=number)
    return Page(cards=household_cards(session, found, as_of=as_of, sought=wanted.sought), total=total, number=number)


def list_groups_after(
    session: Session,
    *,
    own: bool,
    as_of: date,
    wanted: GroupFilter,
    sort: GroupSort,
    after: Sequence[object] | None,
    limit: int,
) -> Stretch[GroupCard]:
    """Return the same groups in the same order as ``list_group_cards``, from a place in the list on.

    :raises PlaceInvalid: when the place is none of this order's.
    """
    conditions = group_conditions(wanted, scope=scope_of(session), as_of=as_of)
    listed = _listed(session, SiblingGroup, own=own).where(*conditions.values())
    standing = (_standing(SiblingGroup),) if sort is GroupSort.WAITING else ()
    found = read_stretch(session, listed, (*standing, *group_order(sort)), after=after, limit=limit)
    return Stretch(group_cards(session, found.shown, as_of=as_of, sought=wanted.sought), found.end)


def list_households_after(
    session: Session,
    *,
    own: bool,
    as_of: date,
    wanted: HouseholdFilter,
    sort: HouseholdSort,
    after: Sequence[object] | None,
    limit: int,
) -> Stretch[HouseholdCard]:
    """Return the same households in the same order as ``list_household_cards``, from a place in the list on.

    :raises PlaceInvalid: when the place is none of this order's.
    """
    listed = _listed(session, Household, own=own).where(*_household_conditions(session, wanted, as_of).values())
    standing = (_standing(Household),) if sort is HouseholdSort.WAITING else ()
    found = read_stretch(session, listed, (*standing, *household_order(sort)), after=after, limit=limit)
    return Stretch(household_cards(session, found.shown, as_of=as_of, sought=wanted.sought), found.end)


def search_groups(session: Session, text: str, *, as_of: date) -> Page[GroupCard]:
    """Return the first groups whose code, or whose own agency's reference, holds a text; references are one's own."""
    named = group_named(text, agency_id=_own(session))
    listed = select(SiblingGroup).where(named, or_(SiblingGroup.status.not_in(_GONE), _is_own(session, SiblingGroup)))
    found, total, number = _page(session, listed, order=group_order(GroupSort.CODE), number=1)
    return Page(cards=group_cards(session, found, as_of=as_of), total=total, number=number)


def search_households(session: Session, text: str, *, as_of: date) -> Page[HouseholdCard]:
    """Return the first households whose code, or whose own agency's reference, holds a text."""
    named = household_named(text, agency_id=_own(session))
    listed = select(Household).where(named, or_(Household.status.not_in(_GONE), _is_own(session, Household)))
    found, total, number = _page(session, listed, order=household_order(HouseholdSort.CODE), number=1)
    return Page(cards=household_cards(session, found, as_of=as_of), total=total, number=number)


def group_filter_to_take_off(session: Session, wanted: GroupFilter, *, own: bool, as_of: date) -> Removal | None:
    """Return the one filter without which most groups would be listed; ``None`` where no single one helps."""
    conditions = group_conditions(wanted, scope=scope_of(session), as_of=as_of)
    return _removal(session, _listed(session, SiblingGroup, own=own), conditions)


def household_filter_to_take_off(
    session: Session, wanted: HouseholdFilter, *, own: bool, as_of: date
) -> Removal | None:
    """Return the one filter without which most households would be listed; ``None`` where no single one helps."""
    conditions = _household_conditions(session, wanted, as_of)
    return _removal(session, _listed(session, Household, own=own), conditions)


def group_cards(
    session: Session, found: Sequence[SiblingGroup], *, as_of: date, sought: Sought | None = None
) -> tuple[GroupCard, ...]:
    """Return groups as a list shows them, in the order given."""
    facts = groups.facts_of(session, found)
    why = excerpts_of_groups(session, facts, sought) if sought else {}
    entries, names, agency_id = (
        sharing_of(session, [each.id for each in found], anywhere=True),
        agency_names(session),
        _own(session),
    )
    return tuple(
        GroupCard(
            id=group.id,
            code=group.code,
            children=describe_children(fact.children, as_of),
            days=days_waiting(group.waiting_since, as_of),
            waiting_since=group.waiting_since,
            legal=legal_position_words(group.legal_position),
            agency=names.get(group.agency_id, ""),
            own=group.agency_id == agency_id,
            sharing=sharing_words(entries.get(group.id)),
            status=group.status,
            agency_id=group.agency_id,
            why=why.get(group.id, ()),
        )
        for group, fact in zip(found, facts, strict=True)
    )


def household_cards(
    session: Session, found: Sequence[Household], *, as_of: date, sought: Sought | None = None
) -> tuple[HouseholdCard, ...]:
    """Return households as a list shows them, in the order given."""
    cap = household_cap(session)
    facts = households.facts_of(session, found)
    why = excerpts_of_households(session, facts, sought) if sought else {}
    entries, names, agency_id = (
        sharing_of(session, [each.id for each in found], anywhere=True),
        agency_names(session),
        _own(session),
    )
    return tuple(
        HouseholdCard(
            id=household.id,
            code=household.code,
            approved_for=describe_approval(fact),
            home=describe_home(fact, as_of),
            approved_on=household.approved_on,
            agency=names.get(household.agency_id, ""),
            own=household.agency_id == agency_id,
            sharing=sharing_words(entries.get(household.id)),
            status=household.status,
            availability=availability_of(household.considered_for, cap=cap),
            agency_id=household.agency_id,
            why=why.get(household.id, ()),
        )
        for household, fact in zip(found, facts, strict=True)
    )


def _household_conditions(session: Session, wanted: HouseholdFilter, as_of: date) -> dict[str, ColumnElement[bool]]:
    return household_conditions(wanted, scope=scope_of(session), cap=household_cap(session), as_of=as_of)


def _page(
    session: Session, listed: Select[_Record], *, order: Sequence[ColumnElement[Any]], number: int
) -> tuple[list[_Record], int, int]:
    """Return a page's records, how many there are in all, and the page's number within what there is."""
    total = count_rows(session, listed)
    number = Page.within(number, total)
    query = listed.order_by(*order).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    return list(session.scalars(query)), total, number


def _standing(model: type[_Record]) -> ColumnElement[Any]:
    return case({"waiting": 0, "on_hold": 1}, value=model.status, else_=2)


def _removal(
    session: Session, listed: Select[_Record], conditions: Mapping[str, ColumnElement[bool]]
) -> Removal | None:
    without = (
        Removal(name, count_rows(session, listed.where(*(each for other, each in conditions.items() if other != name))))
        for name in conditions
        # What is looked for stays; the filters are what may have been too many.
        if name != "words"
    )
    best = max(without, key=lambda removal: removal.total, default=None)
    return best if best and best.total else None


def _count(session: Session, model: type[_Record]) -> Counts:
    own, everything = (count_rows(session, _listed(session, model, own=each)) for each in (True, False))
    return Counts(own=own, all=everything)


def _listed(session: Session, model: type[_Record], *, own: bool) -> Select[_Record]:
    # An agency finds its own withdrawn and matched records; in the pool nobody looks for them.
    return select(model).where(_is_own(session, model) if own else model.status.not_in(_GONE))


def _is_own(session: Session, model: type[_Record]) -> ColumnElement[bool]:
    return model.agency_id == _own(session)


def _own(session: Session) -> UUID | None:
    return scope_of(session).agency_id
