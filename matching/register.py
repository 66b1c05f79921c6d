"""The register as people leaf through it: groups and households as cards, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from matching import household as households
from matching import sibling_group as groups
from matching.household import Household, HouseholdStatus
from matching.pool import PoolEntry, sharing_of
from matching.sibling_group import GroupStatus, SiblingGroup
from matching.summary import days_waiting, describe_approval, describe_children, describe_home, legal_position_words
from tenants.agency import list_agencies
from tenants.database import scope_of

PAGE_SIZE = 25

Card = TypeVar("Card")
_Record = TypeVar("_Record", SiblingGroup, Household)


@dataclass(frozen=True, slots=True)
class Page(Generic[Card]):
    """Some of many cards; ``number`` counts from 1."""

    cards: tuple[Card, ...]
    total: int
    number: int
    size: int = PAGE_SIZE

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


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records a scope sees: its own agency's, and all."""

    own: int
    all: int


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


def list_group_cards(session: Session, *, own: bool, number: int, as_of: date) -> Page[GroupCard]:
    """Return a page of groups, those who wait first and longest first; with ``own`` the agency's own only."""
    order = (SiblingGroup.waiting_since.asc().nulls_last(), SiblingGroup.code)
    found, total, number = _page(session, SiblingGroup, order=order, own=own, number=number)
    facts = groups.facts_of(session, found)
    entries, names, agency_id = sharing_of(session, [each.id for each in found]), agency_names(session), _own(session)
    cards = tuple(
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
        )
        for group, fact in zip(found, facts, strict=True)
    )
    return Page(cards=cards, total=total, number=number)


def list_household_cards(session: Session, *, own: bool, number: int, as_of: date) -> Page[HouseholdCard]:
    """Return a page of households, those who wait first and longest approved first."""
    order = (Household.approved_on.asc().nulls_last(), Household.code)
    found, total, number = _page(session, Household, order=order, own=own, number=number)
    facts = households.facts_of(session, found)
    entries, names, agency_id = sharing_of(session, [each.id for each in found]), agency_names(session), _own(session)
    cards = tuple(
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
        )
        for household, fact in zip(found, facts, strict=True)
    )
    return Page(cards=cards, total=total, number=number)


def _page(
    session: Session, model: type[_Record], *, order: Sequence[object], own: bool, number: int
) -> tuple[list[_Record], int, int]:
    """Return a page's records, how many there are in all, and the page's number within what there is."""
    listed = _listed(session, model, own=own)
    total = _total(session, listed)
    number = min(max(1, number), max(1, ceil(total / PAGE_SIZE)))
    standing = case({"waiting": 0, "on_hold": 1}, value=model.status, else_=2)
    query = listed.order_by(standing, *order).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)  # type: ignore[arg-type]
    return list(session.scalars(query)), total, number


def _count(session: Session, model: type[_Record]) -> Counts:
    own, everything = (_total(session, _listed(session, model, own=each)) for each in (True, False))
    return Counts(own=own, all=everything)


def _total(session: Session, query: Select[_Record]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _listed(session: Session, model: type[_Record], *, own: bool) -> Select[_Record]:
    # An agency finds its own withdrawn records; in the pool nobody looks for them.
    query = select(model)
    return query.where(model.agency_id == _own(session) if own else model.status != "withdrawn")


def _own(session: Session) -> UUID | None:
    return scope_of(session).agency_id
