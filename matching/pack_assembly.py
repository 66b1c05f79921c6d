"""Gather what one agency's pack says, with that agency's rights and no others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching import household as households
from matching import sibling_group as groups
from matching.availability import availability_of, household_cap
from matching.availability_check import TOP as FAMILIES
from matching.availability_check import checks_of, confirm_days
from matching.household import Household, HouseholdIdentity
from matching.meeting import Meeting, find_previous_meeting
from matching.meeting_action import list_carried_actions
from matching.need import YesNo, need_catalogue
from matching.pack import Pack
from matching.pack_change import LastPack, compare, find_last_pack
from matching.pack_content import (
    PLAN,
    ActionLine,
    Check,
    PackContent,
    PackFamily,
    PackGroup,
    PackHousehold,
    Telling,
    WaitingGroup,
)
from matching.pack_figure import figures_of, lists_of
from matching.pack_pool import pool_words
from matching.probing import ask_places
from matching.ranking.engine import RankedFamily, Ranking
from matching.ranking.facts import GroupFacts
from matching.ranking_run import Pool, open_pool, record_run
from matching.sibling_group import GroupIdentity, SiblingGroup
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
from tenants import audit
from tenants.agency import AgencyKind, get_agency, list_agencies
from tenants.consortium import get_consortium

CONCERNED = 3
"""How many of a group's first families are looked at for one of the reader's own, who will be asked about it."""
FITS = 5
"""How many groups a pack names for each household."""
REASONS = 4
"""How many reasons a pack gives for a family, heaviest first; the group's page gives them all."""
LONGEST = 20
"""How many groups the list of the longest waiting shows."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Whose pack it is, and what that agency sees: the pool, its lists, and the codes of what is new in it."""

    pool: Pool
    ranking: Ranking
    whole: Ranking
    """Every list to its end: a household that is nobody's best still has groups that it may fit."""
    agencies: Mapping[UUID, str]
    own: UUID
    office: bool
    cap: int
    lists: tuple[int, ...]
    new_groups: frozenset[str]
    new_households: frozenset[str]

    def name(self, agency_id: UUID) -> str:
        """Return an agency's name, as far as the reader may know of it."""
        return self.agencies.get(agency_id, "")

    def availability(self, household: Household) -> str:
        """Return how busy a household is, in the words that every agency may read."""
        return availability_of(household.considered_for, cap=self.cap).label


def assemble(session: Session, meeting: Meeting, pack: Pack, *, now: datetime) -> tuple[PackContent, UUID]:
    """Rank, record the run, and return what the pack says with the run's id.

    :raises AskedTooOften: when the agency has asked too much of others' places in a day.
    """
    pool = open_pool(session, as_of=pack.as_of, members_only=True)
    ask_places(session, pool.groups, pool.households, now=now)
    ranking = pool.rank(FAMILIES)
    run = record_run(session, pool, ranking, now=now)
    previous, last = find_previous_meeting(session, meeting), find_last_pack(session, meeting, pack)
    reader = _reader(session, pack, pool, ranking, previous=previous, last=last)
    content = PackContent(
        title=meeting.title,
        consortium=get_consortium(session, meeting.consortium_id).name,
        agency=get_agency(session, pack.agency_id).name,
        meeting_on=meeting.held_on,
        meeting_place=meeting.place,
        version=pack.version,
        as_of=pack.as_of,
        expires_on=pack.expires_on,
        policy=pool.policy.version,
        agenda=tuple(meeting.agenda),
        first=previous is None,
        actions=_actions(session, meeting, reader),
        changes=None
        if last is None
        else compare(session, pool, ranking, last, own=pack.agency_id, agencies=reader.agencies),
        new_groups=tuple(group.code for group in pool.groups if group.code in reader.new_groups),
        longest_waiting=_longest_waiting(pool),
        figures=figures_of(pool, ranking, own=pack.agency_id, agencies=reader.agencies),
        groups=_groups(session, reader, now=now),
        households=_households(session, reader, now=now),
        checks=_checks(session, reader),
        confirm_days=confirm_days(session),
        pool=pool_words(pool, reader.whole, own=None if reader.office else reader.own),
    )
    return content, run.id


def _reader(
    session: Session, pack: Pack, pool: Pool, ranking: Ranking, *, previous: Meeting | None, last: LastPack | None
) -> _Reader:
    return _Reader(
        pool=pool,
        ranking=ranking,
        whole=pool.rank(),
        agencies={agency.id: agency.name for agency in list_agencies(session)},
        own=pack.agency_id,
        office=get_agency(session, pack.agency_id).kind is AgencyKind.CONSORTIUM_OFFICE,
        cap=household_cap(session),
        lists=lists_of(ranking, len(pool.households)),
        new_groups=_new_groups(session, pool.groups, previous, last),
        new_households=_new_households(session, pool.households, previous, last),
    )


def _new_groups(
    session: Session, found: Sequence[SiblingGroup], previous: Meeting | None, last: LastPack | None
) -> frozenset[str]:
    entered = groups.entered_pool_on(session, [group.id for group in found])
    known = {facts.id for facts in last.snapshot.groups} if last else set()
    return _new({group.id: group.code for group in found}, entered, known, previous, last)


def _new_households(
    session: Session, found: Sequence[Household], previous: Meeting | None, last: LastPack | None
) -> frozenset[str]:
    entered = households.entered_pool_on(session, [household.id for household in found])
    known = {facts.id for facts in last.snapshot.households} if last else set()
    return _new({household.id: household.code for household in found}, entered, known, previous, last)


def _new(
    codes: Mapping[UUID, str],
    entered: Mapping[UUID, date],
    known: Collection[UUID],
    previous: Meeting | None,
    last: LastPack | None,
) -> frozenset[str]:
    """Return what the reader's pack for the last meeting did not show; where it had none, what joined since then."""
    if previous is None:
        # All is new, and to call each new would tell nobody anything.
        return frozenset()
    if last is not None and last.of_earlier_meeting:
        return frozenset(code for record, code in codes.items() if record not in known)
    return frozenset(code for record, code in codes.items() if entered.get(record, date.min) > previous.held_on)


def _actions(session: Session, meeting: Meeting, reader: _Reader) -> tuple[ActionLine, ...]:
    return tuple(
        ActionLine(
            what=action.what,
            about=action.about,
            agency=reader.name(action.agency_id),
            own=action.agency_id == reader.own,
            person=action.person,
            due_on=action.due_on,
            late=action.done_on is None and action.due_on < reader.pool.as_of,
            done_on=action.done_on,
            outcome=action.outcome,
        )
        for action in list_carried_actions(session, meeting)
    )


def _longest_waiting(pool: Pool) -> tuple[WaitingGroup, ...]:
    # The pool's groups stand longest waiting first.
    return tuple(
        WaitingGroup(
            code=group.code,
            children=len(facts.children),
            waiting_since=group.waiting_since,
            days=days_waiting(group.waiting_since, pool.as_of),
            shobpa_days=days_waiting(group.shobpa_on, pool.as_of),
            order_days=days_waiting(group.placement_order_on, pool.as_of),
        )
        for group, facts in zip(pool.groups[:LONGEST], pool.group_facts, strict=False)
    )


def _groups(session: Session, reader: _Reader, *, now: datetime) -> tuple[PackGroup, ...]:
    pool = reader.pool
    tellings = [_telling(reader, position) for position in range(len(pool.groups))]
    told = [group for group, telling in zip(pool.groups, tellings, strict=True) if telling is not Telling.LINE]
    profiles = groups.read_profiles(session, told, now=now)
    references = _group_references(session, reader, now=now)
    return tuple(
        _group(reader, position, telling, profiles.get(group.id, ""), references.get(group.id))
        for position, (group, telling) in enumerate(zip(pool.groups, tellings, strict=True))
    )


def _telling(reader: _Reader, position: int) -> Telling:
    """Say how much the pack tells of a group: the more, the likelier the reader will be asked about it."""
    group = reader.pool.groups[position]
    if group.agency_id == reader.own:
        return Telling.FULL
    listed = (reader.pool.households[family.household] for family in reader.ranking.families_of(position))
    concerned = any(household.agency_id == reader.own for household in islice(listed, CONCERNED))
    # The office leads the meeting through the new and the longest waiting, and has no records of its own.
    led = reader.office and position < LONGEST
    return Telling.SHORT if concerned or led or group.code in reader.new_groups else Telling.LINE


def _group(reader: _Reader, position: int, telling: Telling, profile: str, reference: str | None) -> PackGroup:
    pool, told = reader.pool, telling is not Telling.LINE
    group, facts = pool.groups[position], pool.group_facts[position]
    return PackGroup(
        code=group.code,
        own=group.agency_id == reader.own,
        agency=reader.name(group.agency_id),
        summary=describe_children(facts.children, pool.as_of),
        profile=profile,
        waiting_days=days_waiting(group.waiting_since, pool.as_of),
        legal=legal_position_words(group.legal_position),
        plan=_plan(group, facts) if told else (),
        needs=_needs(facts) if told else (),
        families=tuple(_family(reader, position, family, telling) for family in reader.ranking.families_of(position)),
        families_in_all=int(reader.ranking.families[position]),
        telling=telling,
        reference=reference,
    )


def _family(reader: _Reader, position: int, family: RankedFamily, telling: Telling) -> PackFamily:
    household = reader.pool.households[family.household]
    explained = telling is Telling.FULL or (telling is Telling.SHORT and household.agency_id == reader.own)
    why = reader.pool.explain(position, family.household) if explained else None
    return PackFamily(
        position=family.position,
        code=household.code,
        agency=reader.name(household.agency_id),
        band=str(family.band),
        points=family.points,
        why=why.why[:REASONS] if why else (),
        ask=why.ask if why else (),
        against=why.against if why else (),
        availability=reader.availability(household),
        explained=explained,
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
        (need.title if count == children else f"{need.title} ({count} of {children})", level_words(level))
        for need, level, count in needs_of(facts.children, need_catalogue())
    )


def _households(session: Session, reader: _Reader, *, now: datetime) -> tuple[PackHousehold, ...]:
    references = _household_references(session, reader, now=now)
    return tuple(
        _household(
            reader,
            position,
            tuple(each.code for each in reader.whole.groups_of(position)),
            references.get(household.id),
        )
        for position, household in enumerate(reader.pool.households)
    )


def _household(reader: _Reader, position: int, fits: tuple[str, ...], reference: str | None) -> PackHousehold:
    household = reader.pool.households[position]
    return PackHousehold(
        code=household.code,
        own=household.agency_id == reader.own,
        agency=reader.name(household.agency_id),
        approved_on=household.approved_on,
        summary=describe_household(reader.pool.household_facts[position], reader.pool.as_of),
        fits=fits[:FITS],
        fits_in_all=len(fits),
        new=household.code in reader.new_households,
        availability=reader.availability(household),
        confirmed_on=household.availability_confirmed_on,
        lists=reader.lists[position],
        reference=reference,
    )


def _checks(session: Session, reader: _Reader) -> tuple[Check, ...]:
    return tuple(
        Check(code=each.code, lists=each.lists, availability=each.availability.label, confirmed_on=each.confirmed_on)
        for each in checks_of(session, reader.pool, reader.lists)
        if each.due and each.lists
    )


def _group_references(session: Session, reader: _Reader, *, now: datetime) -> dict[UUID, str]:
    own = [group.id for group in reader.pool.groups if group.agency_id == reader.own]
    table = GroupIdentity
    found = session.execute(select(table.sibling_group_id, table.reference).where(table.sibling_group_id.in_(own)))
    return _on_record(session, "sibling_group", dict(found.all()), now=now)


def _household_references(session: Session, reader: _Reader, *, now: datetime) -> dict[UUID, str]:
    own = [household.id for household in reader.pool.households if household.agency_id == reader.own]
    table = HouseholdIdentity
    found = session.execute(select(table.household_id, table.reference).where(table.household_id.in_(own)))
    return _on_record(session, "household", dict(found.all()), now=now)


def _on_record(session: Session, kind: str, references: dict[UUID, str], *, now: datetime) -> dict[UUID, str]:
    # A reference leads to a person, so that taking it into a spreadsheet is a look at who they are.
    audit.record_each(
        session,
        audit.Act.READ,
        record_kind=kind,
        records=[(record_id, None) for record_id in references],
        level=audit.Level.IDENTITY,
        now=now,
    )
    return references
