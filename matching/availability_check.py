"""Availability checks: a household's own agency says, before a meeting, whether it is still there to be considered.

Effort spent on a family that is no longer free is lost to everybody; so the families that stand high on lists are
asked about first, and each word stands for as many days as the consortium has set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from matching.availability import Availability, availability_of, household_cap
from matching.household import Household, HouseholdStatus
from matching.link import matched_records
from matching.pack_figure import lists_of
from matching.probing import ask_places
from matching.ranking_run import Pool, open_pool
from tenants import audit
from tenants.consortium import get_consortium
from tenants.database import scope_of
from tenants.error import Forbidden, Invalid

TOP = 5
"""How many families of a group's list count as its first: as many as a pack names."""
MOST_CONSIDERED = 99
DEFAULT_CONFIRM_DAYS = 28


class NotTheirAgency(Forbidden):
    """Only a household's own agency knows how busy it is."""


class AvailabilityInvalid(Invalid):
    """How busy a household is was said in a way that cannot be kept."""


@dataclass(frozen=True, slots=True)
class HouseholdCheck:
    """A household of the agency's own, on how many lists it stands, and when somebody last said how busy it is.

    ``due`` says that nobody has for longer than a word stands.
    """

    id: UUID
    code: str
    lists: int
    considered_for: int | None
    availability: Availability
    confirmed_on: date | None
    due: bool


def confirm_availability(
    session: Session, household: Household, *, available: bool, considered_for: int | None = None, now: datetime
) -> Household:
    """Say of one's own household, today, for how many groups it is being considered, or that it is not available now.

    One that is not available is put on hold; one on hold that is, waits again, and so does one whose match ended.

    :raises NotTheirAgency: when the household is another agency's.
    :raises AvailabilityInvalid: when the number is missing or out of bounds, or the household is matched or was
        withdrawn.
    """
    if household.agency_id != scope_of(session).agency_id:
        raise NotTheirAgency("The household’s own agency says how available it is. Ask it to confirm.")
    if household.status is HouseholdStatus.WITHDRAWN:
        raise AvailabilityInvalid("The household has been withdrawn. Import it again with another status first.")
    if available and matched_records(session, [household.id]):
        raise AvailabilityInvalid("The household is matched. It looks for nobody else until that match has ended.")
    if available and (considered_for is None or not 0 <= considered_for <= MOST_CONSIDERED):
        raise AvailabilityInvalid(f"Say for how many groups they are being considered, from 0 to {MOST_CONSIDERED}.")
    household.status = HouseholdStatus.WAITING if available else HouseholdStatus.ON_HOLD
    household.considered_for = considered_for if available else None
    household.availability_confirmed_on = now.date()
    household.changed_at = now
    session.flush()
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind="household",
        record_id=household.id,
        level=audit.Level.SUMMARY,
        reason="availability confirmed",
        now=now,
    )
    return household


def list_checks(session: Session, *, as_of: date, now: datetime) -> tuple[HouseholdCheck, ...]:
    """Return the agency's own waiting households: those to confirm and on most lists first, then by code.

    :raises AskedTooOften: when the agency has asked too much of others' places in a day.
    """
    pool = open_pool(session, as_of=as_of, members_only=True)
    ask_places(session, pool.groups, pool.households, now=now)
    return checks_of(session, pool, lists_of(pool.rank(TOP), len(pool.households)))


def checks_of(session: Session, pool: Pool, lists: tuple[int, ...]) -> tuple[HouseholdCheck, ...]:
    """Return the same of a pool that is open, with on how many lists each of its households stands."""
    own, cap = scope_of(session).agency_id, household_cap(session)
    stale = pool.as_of - timedelta(days=confirm_days(session))
    found = [
        HouseholdCheck(
            id=household.id,
            code=household.code,
            lists=count,
            considered_for=household.considered_for,
            availability=availability_of(household.considered_for, cap=cap),
            confirmed_on=household.availability_confirmed_on,
            due=household.availability_confirmed_on is None or household.availability_confirmed_on < stale,
        )
        for household, count in zip(pool.households, lists, strict=True)
        if household.agency_id == own
    ]
    return tuple(sorted(found, key=_most_pressing))


def confirm_days(session: Session) -> int:
    """Return for how many days a word on availability stands in the scope's consortium."""
    consortium_id = scope_of(session).consortium_id
    return DEFAULT_CONFIRM_DAYS if consortium_id is None else get_consortium(session, consortium_id).confirm_days


def _most_pressing(check: HouseholdCheck) -> tuple[bool, int, date, str]:
    return not check.due, -check.lists, check.confirmed_on or date.min, check.code
