"""What has changed since an agency's last pack, in what that agency sees: from the run that the last one recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matching.household import Household
from matching.meeting import Meeting
from matching.need import NeedCatalogue, NeedLevel, need_catalogue
from matching.pack import Pack
from matching.pack_content import Change, Changes, Compared
from matching.ranking.engine import Ranking
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.snapshot import Snapshot, SnapshotInvalid, SnapshotOfAnEarlierRelease
from matching.ranking_run import Pool, list_lines, open_snapshot
from matching.sibling_group import SiblingGroup
from matching.summary import describe_approval, join_words, legal_position_words

GONE = "No longer in your view of the pool"
_WORDS_OF_GROUP = {
    "Early permanence": ("early_permanence",),
    "Contact plan": ("contact",),
    "What is asked of the home": ("must_be_youngest", "must_be_only", "no_pets", "smoke_free"),
    "Background": ("heritage", "religions", "languages", "cultures"),
    "What is hoped for of a family": (
        *("adopters_hoped_for", "experience_needed", "training_needed", "parent_at_home_needed", "support_needed"),
    ),
}
_WORDS_OF_HOUSEHOLD = {
    "Who lives at home": ("children_at_home", "youngest_at_home", "pets", "smokers"),
    "Early permanence": ("early_permanence_approved",),
    "Legal positions and contact": ("legal", "contact"),
    "Background": ("heritage", "religions", "languages", "cultures"),
    "What the family brings": (
        *("adopters", "experience", "training", "parent_at_home", "support_nearby", "available_from"),
    ),
}

Facts = TypeVar("Facts", GroupFacts, HouseholdFacts)


@dataclass(frozen=True, slots=True)
class LastPack:
    """An agency's earlier pack: which it was, what it was made from, and the first families of each group then."""

    compared: Compared
    of_earlier_meeting: bool
    snapshot: Snapshot
    lists: Mapping[UUID, tuple[UUID, ...]]


def find_last_pack(session: Session, meeting: Meeting, pack: Pack) -> LastPack | None:
    """Return the newest pack that the agency had for the latest meeting before, else its version before for this one.

    None where there is neither, or an earlier release made it and what it saw can no longer be read.
    """
    found = _earlier(session, meeting, pack)
    if found is None or found[0].ranking_run_id is None:
        return None
    last, held = found
    try:
        snapshot = open_snapshot(session, found[0].ranking_run_id)
    except (SnapshotOfAnEarlierRelease, SnapshotInvalid):
        return None
    lists: dict[UUID, list[UUID]] = defaultdict(list)
    for line in list_lines(session, found[0].ranking_run_id):
        lists[line.sibling_group_id].append(line.household_id)
    return LastPack(
        compared=Compared(meeting_on=held.held_on, version=last.version, as_of=last.as_of),
        of_earlier_meeting=held.id != meeting.id,
        snapshot=snapshot,
        lists={group_id: tuple(households) for group_id, households in lists.items()},
    )


def compare(
    session: Session, pool: Pool, ranking: Ranking, last: LastPack, *, own: UUID, agencies: Mapping[UUID, str]
) -> Changes:
    """Return what has changed, new records first, then what left, then what changed, each by code."""
    lists = {
        facts.id: tuple(pool.households[family.household].id for family in ranking.families_of(position))
        for position, facts in enumerate(pool.group_facts)
    }
    moves, standing = _moves(pool, last, lists, own), _standing(session, last.snapshot)
    groups = [
        *_arrivals(pool.group_facts, last.snapshot.groups),
        *_departures(pool.group_facts, last.snapshot.groups, standing),
        *_alterations(pool.group_facts, last.snapshot.groups, _group_words, moves),
    ]
    households = [
        *_arrivals(pool.household_facts, last.snapshot.households),
        *_departures(pool.household_facts, last.snapshot.households, standing),
        *_alterations(pool.household_facts, last.snapshot.households, _household_words, moves),
    ]
    return Changes(
        compared=last.compared,
        groups=tuple(_change(each, own, agencies) for each in groups),
        households=tuple(_change(each, own, agencies) for each in households),
    )


_Found = tuple[Facts, str, tuple[str, ...]]
"""A record's facts, the kind of its change, and what there is to say of it."""


def _earlier(session: Session, meeting: Meeting, pack: Pack) -> tuple[Pack, Meeting] | None:
    query = (
        select(Pack, Meeting)
        .join(Meeting, Meeting.id == Pack.meeting_id)
        .where(
            Pack.agency_id == pack.agency_id,
            Pack.consortium_id == pack.consortium_id,
            Pack.ranking_run_id.is_not(None),
            # Never somebody's own: it lacks what they are shut out of, and would call it new.
            or_(Pack.reader_id.is_(None), Pack.reader_id == pack.reader_id),
        )
        .order_by(Meeting.held_on.desc(), Meeting.id, Pack.version.desc())
        .limit(1)
    )
    of_another = session.execute(query.where(Meeting.held_on < meeting.held_on)).first()
    of_this = query.where(Pack.meeting_id == meeting.id, Pack.version < pack.version)
    found = of_another or session.execute(of_this).first()
    return None if found is None else (found[0], found[1])


def _change(found: _Found[GroupFacts] | _Found[HouseholdFacts], own: UUID, agencies: Mapping[UUID, str]) -> Change:
    facts, kind, words = found
    return Change(
        code=facts.code,
        own=facts.agency_id == own,
        agency=agencies.get(facts.agency_id, ""),
        kind=kind,
        words=words,
    )


def _arrivals(now: Sequence[Facts], then: Sequence[Facts]) -> Iterator[_Found[Facts]]:
    known = {facts.id for facts in then}
    for facts in sorted(now, key=_code):
        if facts.id not in known:
            yield facts, "new", ()


def _departures(now: Sequence[Facts], then: Sequence[Facts], status: Mapping[UUID, str]) -> Iterator[_Found[Facts]]:
    present = {facts.id for facts in now}
    for facts in then:
        if facts.id not in present:
            yield facts, "left", (status.get(facts.id, GONE),)


def _standing(session: Session, snapshot: Snapshot) -> dict[UUID, str]:
    # Read again under the reader's own rights: of what is no longer shown to it, it learns that alone.
    groups = select(SiblingGroup).where(SiblingGroup.id.in_([facts.id for facts in snapshot.groups]))
    households = select(Household).where(Household.id.in_([facts.id for facts in snapshot.households]))
    standing = {group.id: group.status.label for group in session.scalars(groups)}
    return standing | {household.id: household.status.label for household in session.scalars(households)}


def _alterations(
    now: Sequence[Facts],
    then: Sequence[Facts],
    words_of: Callable[[Facts, Facts], Iterable[str]],
    moves: Mapping[UUID, Sequence[str]],
) -> Iterator[_Found[Facts]]:
    before = {each.id: each for each in then}
    for facts in sorted(now, key=_code):
        if facts.id in before:
            words = tuple(words_of(before[facts.id], facts)) + tuple(moves.get(facts.id, ()))
            if words:
                yield facts, "changed", words


def _code(facts: GroupFacts | HouseholdFacts) -> str:
    return facts.code


def _group_words(then: GroupFacts, now: GroupFacts) -> Iterator[str]:
    if then.legal_position is not now.legal_position:
        yield f"{legal_position_words(now.legal_position)}; it was: {legal_position_words(then.legal_position).lower()}"
    if _children(then) != _children(now):
        yield "Who the children are"
    needs = _needs_changed(then, now, need_catalogue())
    if needs:
        yield f"Needs: {join_words(needs)}"
    if then.waiting_since != now.waiting_since:
        yield "Since when they wait"
    yield from _parts(then, now, _WORDS_OF_GROUP)


def _household_words(then: HouseholdFacts, now: HouseholdFacts) -> Iterator[str]:
    if describe_approval(then) != describe_approval(now):
        yield f"Approved for {describe_approval(now)}; it was: {describe_approval(then)}"
    answered = [
        need.title for need in need_catalogue().needs if then.tolerances.get(need.code) != now.tolerances.get(need.code)
    ]
    if answered:
        yield (
            f"Answers about {join_words(answered)}"
            if len(answered) <= _NAMED
            else f"Answers about {len(answered)} needs"
        )
    yield from _parts(then, now, _WORDS_OF_HOUSEHOLD)


_NAMED = 4
"""How many needs are named one by one."""


def _parts(then: Facts, now: Facts, words: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for said, fields in words.items():
        if any(getattr(then, field) != getattr(now, field) for field in fields):
            yield said


def _children(facts: GroupFacts) -> list[tuple[str, str]]:
    return sorted((str(child.birth_month), child.sex.value) for child in facts.children)


def _needs_changed(then: GroupFacts, now: GroupFacts, catalogue: NeedCatalogue) -> list[str]:
    changed = [need.title for need in catalogue.needs if _levels(then, need.code) != _levels(now, need.code)]
    return changed if len(changed) <= _NAMED else [f"{len(changed)} of them"]


def _levels(facts: GroupFacts, need: str) -> list[NeedLevel]:
    return sorted(child.needs.get(need, NeedLevel.UNKNOWN) for child in facts.children)


def _moves(
    pool: Pool, last: LastPack, lists: Mapping[UUID, tuple[UUID, ...]], own: UUID
) -> dict[UUID, tuple[str, ...]]:
    """Say which families are newly among a group's first, or no longer, for the reader's own groups and households."""
    codes = {facts.id: facts.code for facts in (*last.snapshot.households, *pool.household_facts)}
    joined: dict[UUID, list[str]] = defaultdict(list)
    left: dict[UUID, list[str]] = defaultdict(list)
    ours = {facts.id for facts in pool.group_facts if facts.agency_id == own}
    ours |= {facts.id for facts in pool.household_facts if facts.agency_id == own}
    then = {facts.id for facts in last.snapshot.groups}
    for group in sorted(pool.group_facts, key=lambda each: each.code):
        if group.id not in then:
            continue
        before, after = last.lists.get(group.id, ()), lists[group.id]
        for found, apart in (
            (joined, [each for each in after if each not in before]),
            (left, [each for each in before if each not in after]),
        ):
            for household in apart:
                found[group.id].append(codes.get(household, "one that is gone"))
                found[household].append(group.code)
    return {
        record: tuple(_move_words(joined[record], left[record], record in then)) for record in ours & {*joined, *left}
    }


def _move_words(joined: Sequence[str], left: Sequence[str], group: bool) -> Iterator[str]:
    if joined:
        yield f"{'New among its first families' if group else 'New among the first families of'}: {', '.join(joined)}"
    if left:
        yield f"{'No longer among them' if group else 'No longer among the first families of'}: {', '.join(left)}"
