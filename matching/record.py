"""One group or household as a person opens it: its summary, its anonymous profile, how far it is shared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching import household as households
from matching import sibling_group as groups
from matching.household import Household
from matching.pool import sharing_of
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.register import sharing_words
from matching.sibling_group import SiblingGroup
from tenants.agency import get_agency
from tenants.database import scope_of


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A sibling group, with what its profile says."""

    group: SiblingGroup
    facts: GroupFacts
    profile: str | None
    agency: str
    own: bool
    sharing: str


@dataclass(frozen=True, slots=True)
class HouseholdRecord:
    """A household, with what its profile says."""

    household: Household
    facts: HouseholdFacts
    profile: str | None
    agency: str
    own: bool
    sharing: str


def open_group(session: Session, group_id: UUID, *, now: datetime) -> GroupRecord:
    """Return a group that this scope may see, and put the look at its profile on record.

    :raises GroupUnknown: when there is none.
    """
    group = groups.get_group(session, group_id)
    return GroupRecord(
        group=group,
        facts=groups.facts_of(session, [group])[0],
        profile=groups.read_profile(session, group, now=now),
        agency=get_agency(session, group.agency_id).name,
        own=group.agency_id == scope_of(session).agency_id,
        sharing=sharing_words(sharing_of(session, [group.id], anywhere=True).get(group.id)),
    )


def open_household(session: Session, household_id: UUID, *, now: datetime) -> HouseholdRecord:
    """Return a household that this scope may see, and put the look at its profile on record.

    :raises HouseholdUnknown: when there is none.
    """
    household = households.get_household(session, household_id)
    return HouseholdRecord(
        household=household,
        facts=households.facts_of(session, [household])[0],
        profile=households.read_profile(session, household, now=now),
        agency=get_agency(session, household.agency_id).name,
        own=household.agency_id == scope_of(session).agency_id,
        sharing=sharing_words(sharing_of(session, [household.id], anywhere=True).get(household.id)),
    )
