"""Gather what one agency's pack says, with that agency's rights and no others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching import household as households
from matching import sibling_group as groups
from matching.household import Household
from matching.meeting import Meeting, find_previous_meeting
from matching.need import YesNo, need_catalogue
from matching.pack import Pack
from matching.pack_content import PLAN, PackContent, PackFamily, PackGroup, PackHousehold, WaitingGroup
from matching.ranking.engine import Ranking
from matching.ranking.facts import GroupFacts
from matching.ranking_run import Pool, open_pool, record_run
from matching.sibling_group import SiblingGroup
from matching.summary import (
    days_waiting,
    describe_children,
    describe_contact_plan,
    describe_heritage,
    describe_home_asked,
    describe_household,
    join_words,
    legal_position_words,
    level_words,
    needs_of,
    yes_no_words,
)
from tenants.agency import get_agency, list_agencies
from tenants.consortium import get_consortium

FAMILIES = 5
"""How many families a pack shows for each group."""
FITS = 5
"""How many groups a pack names for each household."""
REASONS = 4
"""How many reasons a pack gives for a family, heaviest first; the group's page gives them all."""
LONGEST = 20
"""How many groups the list of the longest waiting shows."""


def assemble(session: Session, meeting: Meeting, pack: Pack, *, now: datetime) -> tuple[PackContent, UUID]:
    """Rank, record the run, and return what the pack says with the run's id."""
    pool = open_pool(session, as_of=pack.as_of)
    ranking = pool.rank(FAMILIES)
    run = record_run(session, pool, ranking, now=now)
    agencies = {agency.id: agency.name for agency in list_agencies(session)}
    previous = find_previous_meeting(session, meeting)
    # Where no meeting went before, all is new, and to call each new would tell nobody anything.
    since = date.max if previous is None else previous.held_on
    content = PackContent(
        title=meeting.title,
        consortium=get_consortium(session, meeting.consortium_id).name,
        agency=get_agency(session, pack.agency_id).name,
        meeting_on=meeting.held_on,
        meeting_place=meeting.place,
        version=pack.version,
        as_of=pack.as_of,
        policy=pool.policy.version,
        agenda=tuple(meeting.agenda),
        first=previous is None,
        new_groups=_new_groups(session, pool.groups, since),
        longest_waiting=_longest_waiting(pool),
        groups=_groups(session, pool, ranking, agencies, own=pack.agency_id, now=now),
        households=_households(session, pool, agencies, own=pack.agency_id, since=since),
    )
    return content, run.id


def _new_groups(session: Session, found: Sequence[SiblingGroup], since: date) -> tuple[str, ...]:
    entered = groups.entered_pool_on(session, [group.id for group in found])
    return tuple(group.code for group in found if entered.get(group.id, date.min) > since)


def _longest_waiting(pool: Pool) -> tuple[WaitingGroup, ...]:
    # The pool's groups stand longest waiting first.
    return tuple(
        WaitingGroup(
            code=group.code,
            children=len(facts.children),
            waiting_since=group.waiting_since,
            days=days_waiting(group.waiting_since, pool.as_of),
        )
        for group, facts in zip(pool.groups[:LONGEST], pool.group_facts, strict=False)
    )


def _groups(
    session: Session, pool: Pool, ranking: Ranking, agencies: dict[UUID, str], *, own: UUID, now: datetime
) -> tuple[PackGroup, ...]:
    profiles = groups.read_profiles(session, pool.groups, now=now)
    return tuple(
        PackGroup(
            code=group.code,
            own=group.agency_id == own,
            agency=agencies.get(group.agency_id, ""),
            summary=describe_children(pool.group_facts[position].children, pool.as_of),
            profile=profiles.get(group.id, ""),
            waiting_days=days_waiting(group.waiting_since, pool.as_of),
            legal=legal_position_words(group.legal_position),
            plan=_plan(group, pool.group_facts[position]),
            needs=_needs(pool.group_facts[position]),
            families=_families(pool, ranking, position, agencies),
            families_in_all=int(ranking.families[position]),
        )
        for position, group in enumerate(pool.groups)
    )


def _families(pool: Pool, ranking: Ranking, position: int, agencies: dict[UUID, str]) -> tuple[PackFamily, ...]:
    pairings = [pool.pairing(position, family) for family in ranking.families_of(position)]
    return tuple(
        PackFamily(
            position=pairing.position,
            code=pairing.household.code,
            agency=agencies.get(pairing.household.agency_id, ""),
            band=str(pairing.explanation.band),
            points=pairing.explanation.points,
            why=pairing.explanation.why[:REASONS],
            ask=pairing.explanation.ask,
            against=pairing.explanation.against,
        )
        for pairing in pairings
    )


def _plan(group: SiblingGroup, facts: GroupFacts) -> tuple[tuple[str, str], ...]:
    """Return what is recorded of a group's plan and background; what nobody has recorded is left out."""
    asked = (facts.must_be_youngest, facts.must_be_only, facts.no_pets, facts.smoke_free)
    words = (
        _day(group.shobpa_on),
        _day(group.placement_order_on),
        yes_no_words(facts.early_permanence) if _recorded(facts.early_permanence) else "",
        describe_contact_plan(facts) if _recorded(*facts.contact.values()) else "",
        describe_home_asked(facts) if _recorded(*asked) else "",
        describe_heritage(group.heritage) if group.heritage else "",
        join_words(group.religions) if group.religions else "",
        join_words(group.languages) if group.languages else "",
    )
    return tuple((label, said) for label, said in zip(PLAN, words, strict=True) if said)


def _day(value: date | None) -> str:
    return "" if value is None else f"{value.day} {value:%B %Y}"


def _recorded(*facts: YesNo) -> bool:
    return any(fact is not YesNo.UNKNOWN for fact in facts)


def _needs(facts: GroupFacts) -> tuple[tuple[str, str], ...]:
    children = len(facts.children)
    return tuple(
        (need.title if count == children else f"{need.title} ({count} of {children} children)", level_words(level))
        for need, level, count in needs_of(facts.children, need_catalogue())
    )


def _households(
    session: Session, pool: Pool, agencies: dict[UUID, str], *, own: UUID, since: date
) -> tuple[PackHousehold, ...]:
    # All lists whole: a household that is nobody's best still has groups that it may fit.
    ranking = pool.rank()
    entered = households.entered_pool_on(session, [household.id for household in pool.households])
    return tuple(
        _household(
            pool,
            position,
            household,
            tuple(each.code for each in ranking.groups_of(position)),
            agencies,
            own=own,
            since=since,
            entered=entered,
        )
        for position, household in enumerate(pool.households)
    )


def _household(
    pool: Pool,
    position: int,
    household: Household,
    fits: tuple[str, ...],
    agencies: dict[UUID, str],
    *,
    own: UUID,
    since: date,
    entered: dict[UUID, date],
) -> PackHousehold:
    return PackHousehold(
        code=household.code,
        own=household.agency_id == own,
        agency=agencies.get(household.agency_id, ""),
        approved_on=household.approved_on,
        summary=describe_household(pool.household_facts[position], pool.as_of),
        fits=fits[:FITS],
        fits_in_all=len(fits),
        new=entered.get(household.id, date.min) > since,
    )
