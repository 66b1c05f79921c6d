"""Which adopter households a list shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from matching.availability import Availability, is_available
from matching.code import comparable, read_code
from matching.household import Household, HouseholdIdentity, HouseholdStatus, HouseholdTolerance
from matching.need import Answer, YesNo
from matching.pool import PoolEntry
from matching.ranking.facts import SexApproved
from matching.search import MONTHS, Attribute, Condition, every, new_to_pool, of_agencies, since, where_exists
from matching.words import Sought, households_saying
from tenants.scope import Scope

_LEVELS = ("low", "medium", "high")


class UpTo(StrEnum):
    """Up to which level of a need an answer is looked for."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Willing(StrEnum):
    """Which answer is looked for."""

    CAN_MEET = "can-meet"
    WOULD_DISCUSS = "would-discuss"


_WANTED = {
    Willing.CAN_MEET: (Answer.CAN_MEET,),
    Willing.WOULD_DISCUSS: (Answer.CAN_MEET, Answer.WOULD_DISCUSS),
}


class HouseholdSort(StrEnum):
    """In which order households are listed; those that are alike stand by code."""

    WAITING = "waiting"
    NEWEST = "newest"
    YOUNGEST = "youngest"
    OLDEST = "oldest"
    LARGEST = "largest"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class HouseholdFilter:
    """What is asked of households. Ages are whole years, both ends included; an empty set asks nothing.

    ``unsaid`` names the filters that also take in households that have not said.
    """

    age_from: int | None = None
    age_to: int | None = None
    children: int | None = None
    sexes: frozenset[SexApproved] = frozenset()
    needs: frozenset[str] = frozenset()
    up_to: UpTo = UpTo.LOW
    willing: Willing = Willing.CAN_MEET
    early_permanence: frozenset[YesNo] = frozenset()
    approved_months: int | None = None
    agencies: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    new_days: int | None = None
    statuses: frozenset[HouseholdStatus] = frozenset()
    availability: frozenset[Availability] = frozenset()
    within: frozenset[UUID] | None = None
    """Those near enough to a group, where that is asked (``matching.near``)."""
    unplaced: frozenset[UUID] = frozenset()
    """Those of whom nobody knows how far they are."""
    sought: Sought | None = None
    """Words that they say (``matching.words``)."""
    unsaid: frozenset[str] = frozenset()


EVERY_HOUSEHOLD = HouseholdFilter()
"""What asks nothing."""


def household_named(text: str, *, agency_id: UUID | None) -> ColumnElement[bool]:
    """Return that a household's code holds a text, or that its own reference does, in that agency alone."""
    wanted = comparable(text)
    own = select(HouseholdIdentity.household_id).where(
        HouseholdIdentity.agency_id == agency_id, HouseholdIdentity.reference.icontains(wanted, autoescape=True)
    )
    return or_(Household.code.contains(read_code(wanted), autoescape=True), Household.id.in_(own))


def household_conditions(
    wanted: HouseholdFilter, *, scope: Scope, cap: int, as_of: date
) -> dict[str, ColumnElement[bool]]:
    """Return what each filter in use asks of a household's row, by the filter's name.

    ``cap`` is for how many groups the consortium lets a household be considered at once.
    """
    household = Household
    of_agency, of_region = of_agencies(household.agency_id, slugs=wanted.agencies, regions=wanted.regions)
    asked = {
        "ages": _ages(wanted),
        "children": _within(household.fewest_children, household.most_children, wanted.children, wanted.children),
        "sex": _one_of(household.sex_approved, wanted.sexes),
        "needs": every(_need(code, wanted) for code in sorted(wanted.needs)) if wanted.needs else None,
        "early": _one_of(household.early_permanence_approved, wanted.early_permanence),
        "approved": since(household.approved_on, months=wanted.approved_months, as_of=as_of, before=False)
        if wanted.approved_months
        else None,
        "agency": of_agency,
        "region": of_region,
        "new": new_to_pool(household.id, PoolEntry.household_id, scope=scope, days=wanted.new_days, as_of=as_of)
        if wanted.new_days
        else None,
        "status": _one_of(household.status, wanted.statuses),
        "distance": None
        if wanted.within is None
        else Condition(household.id.in_(sorted(wanted.within)), household.id.in_(sorted(wanted.unplaced))),
        "availability": _availability(wanted.availability, cap),
        "words": Condition(households_saying(wanted.sought)) if wanted.sought else None,
    }
    return {name: each.kept(with_unsaid=name in wanted.unsaid) for name, each in asked.items() if each is not None}


def household_order(sort: HouseholdSort) -> Sequence[ColumnElement[Any]]:
    """Return by what households are sorted; what nobody has said comes last, and the code settles the rest."""
    household = Household
    by: dict[HouseholdSort, tuple[ColumnElement[Any], ...]] = {
        HouseholdSort.WAITING: (household.approved_on.asc().nulls_last(),),
        HouseholdSort.NEWEST: (household.added_at.desc(),),
        HouseholdSort.YOUNGEST: (household.age_from_months.asc().nulls_last(),),
        HouseholdSort.OLDEST: (household.age_to_months.desc().nulls_last(),),
        HouseholdSort.LARGEST: (household.most_children.desc().nulls_last(),),
        HouseholdSort.CODE: (),
    }
    return (*by[sort], household.code.asc())


def _one_of(column: Attribute, words: frozenset[Any]) -> Condition | None:
    return Condition(column.in_(sorted(words))) if words else None


def _availability(wanted: frozenset[Availability], cap: int) -> Condition | None:
    found = (is_available(Household.considered_for, each, cap=cap) for each in sorted(wanted))
    return Condition(or_(false(), *found)) if wanted else None


def _ages(wanted: HouseholdFilter) -> Condition | None:
    """Approved for the whole of every year asked: a family approved from 18 months is not approved for age one."""
    lowest = wanted.age_from if wanted.age_from is not None else wanted.age_to
    highest = wanted.age_to if wanted.age_to is not None else wanted.age_from
    if lowest is None or highest is None:
        return None
    last_month = highest * MONTHS + MONTHS - 1
    return _within(Household.age_from_months, Household.age_to_months, lowest * MONTHS, last_month)


def _within(low: Attribute, high: Attribute, least: int | None, most: int | None) -> Condition | None:
    """What is asked lies within what is approved; unsaid where an end is not recorded and the other does not fail."""
    if least is None or most is None:
        return None
    return Condition(
        holds=and_(low <= least, high >= most),
        unsaid=and_(
            or_(low.is_(None), high.is_(None)), func.coalesce(low, least) <= least, func.coalesce(high, most) >= most
        ),
    )


def _need(code: str, wanted: HouseholdFilter) -> Condition:
    """The answer is given at every level up to the one asked; unsaid where none of them says otherwise."""
    answers = _WANTED[wanted.willing]
    columns = [getattr(HouseholdTolerance, level) for level in _LEVELS[: _LEVELS.index(wanted.up_to) + 1]]
    said = [where_exists(*_of(code), *(column.in_(answers) for column in columns))]
    refused = where_exists(*_of(code), or_(*(column.not_in((*answers, Answer.UNKNOWN)) for column in columns)))
    return Condition(holds=said[0], unsaid=~refused)


def _of(code: str) -> tuple[ColumnElement[bool], ...]:
    return HouseholdTolerance.household_id == Household.id, HouseholdTolerance.need == code
