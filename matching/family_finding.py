"""Look for families for a group, or groups for a family: the list with reasons, and what keeps others off it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.availability import Availability, availability_of, group_cap, household_cap
from matching.household import Household
from matching.need import need_catalogue
from matching.probing import ask_places
from matching.ranking.criterion import criteria
from matching.ranking.engine import GateCount, Ranking
from matching.ranking.explain import PairExplanation
from matching.ranking.near_miss import NearMiss, near_misses, near_misses_of_household
from matching.ranking.policy import RankingPolicy
from matching.ranking_run import Pool, open_pool, record_look, why
from matching.register import agency_names
from matching.sibling_group import GroupStatus, SiblingGroup
from matching.sibling_placement import (
    find_sibling_household,
    find_sibling_household_code,
    list_groups_with_sibling_in,
)
from matching.summary import days_waiting, describe_children, describe_household
from tenants.database import scope_of

FEW = 5
"""With fewer families than this, why there are few is worth saying at once."""


@dataclass(frozen=True, slots=True)
class FoundFamily:
    """One household on a group's list; ``position`` is ``None`` for one that is shown though it is not on it."""

    position: int | None
    household: Household
    summary: str
    agency: str
    own: bool
    availability: Availability
    explanation: PairExplanation


@dataclass(frozen=True, slots=True)
class SiblingFirst:
    """The household that a brother or sister of a group lives with, to whom the group is shown first.

    ``family`` is ``None`` where the scope knows the code, for the children's agency wrote it, and sees no household
    of that code.
    """

    code: str
    family: FoundFamily | None


@dataclass(frozen=True, slots=True)
class FoundFamilies:
    """What the pool holds for one group.

    ``families`` is how many households no gate bars, of ``households`` that wait; ``best`` are the first of them, or
    of the ``free`` among them where only those were asked for. ``considered`` says how many families are being
    considered for the group already. ``first`` stands above the list, and only two agencies ever see it.
    """

    first: SiblingFirst | None
    best: tuple[FoundFamily, ...]
    families: int
    free: int
    considered: Availability
    households: int
    gates: tuple[tuple[str, GateCount, bool], ...]
    """Each gate that does not let everyone by, with its title, and whether its fail keeps a household off the list."""
    near_misses: tuple[NearMiss, ...]

    @property
    def few(self) -> bool:
        """Say whether the list is short."""
        return self.families < FEW


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """One group that a household may fit; ``position`` is ``None`` for one that is shown though it is not listed."""

    position: int | None
    group: SiblingGroup
    children: str
    days: int | None
    agency: str
    own: bool
    explanation: PairExplanation


@dataclass(frozen=True, slots=True)
class FoundGroups:
    """The groups that a household may fit: how many no gate bars, and the best of them.

    ``first`` are those with a brother or sister in the household, which its agency shows to it before the others.
    """

    first: tuple[FoundGroup, ...]
    best: tuple[FoundGroup, ...]
    groups: int
    waiting: int
    availability: Availability
    near_misses: tuple[NearMiss, ...]

    @property
    def few(self) -> bool:
        """Say whether the list is short."""
        return self.groups < FEW


@dataclass(frozen=True, slots=True)
class ExplainedFamily:
    """Why one household is, or is not, on a group's list; ``position`` is its place where it is on it.

    ``sibling`` says that a brother or sister lives with it, to who may know.
    """

    household: Household
    position: int | None
    families: int
    availability: Availability
    sibling: bool
    explanation: PairExplanation


def find_families(
    session: Session, group: SiblingGroup, *, as_of: date, top: int | None, now: datetime, only_free: bool = False
) -> FoundFamilies:
    """Return the first ``top`` of a group's list, or all, with what keeps others off it; the look is put on record.

    ``only_free`` leaves out who is being considered, is at its cap or has not said; each keeps its place of the whole.
    """
    pool = open_pool(session, as_of=as_of, of_groups=[group])
    ask_places(session, pool.groups, pool.households, now=now)
    ranking = pool.rank()
    say = _Saying(session, pool)
    listed = list(ranking.families_of(0))
    free = [each for each in listed if pool.availability(each.household) is Availability.FREE]
    record_look(session, "sibling_group", group.id, group.agency_id, now=now)
    return FoundFamilies(
        first=_sibling_first(session, group, {each.code: each.position for each in listed}, as_of=as_of, now=now),
        best=tuple(say.family(each.position, each.household) for each in (free if only_free else listed)[:top]),
        families=int(ranking.families[0]),
        free=len(free),
        considered=availability_of(group.families_considered, cap=group_cap(session)),
        households=len(pool.households),
        gates=_gates(ranking, pool.policy),
        near_misses=near_misses(pool.group_facts[0], pool.household_facts, pool.places, pool.policy, as_of),
    )


def find_groups(session: Session, household: Household, *, as_of: date, top: int | None, now: datetime) -> FoundGroups:
    """Return the first ``top`` groups a household may fit, or all, by its fit; the look is put on record.

    :raises AskedTooOften: when the agency has asked too much of others' places in a day.
    """
    pool = open_pool(session, as_of=as_of, of_households=[household])
    ask_places(session, pool.groups, pool.households, now=now)
    fitting = pool.rank().groups_of(0)
    say = _Saying(session, pool)
    record_look(session, "household", household.id, household.agency_id, now=now)
    return FoundGroups(
        first=_new_siblings(session, household, {each.code: each.position for each in fitting}, as_of=as_of, now=now),
        best=tuple(say.group(each.position, each.group) for each in fitting[:top]),
        groups=len(fitting),
        waiting=len(pool.groups),
        availability=pool.availability(0),
        near_misses=near_misses_of_household(
            pool.group_facts, pool.household_facts[0], pool.places, pool.policy, as_of
        ),
    )


def explain_family(
    session: Session, group: SiblingGroup, household: Household, *, as_of: date, now: datetime
) -> ExplainedFamily:
    """Return why a household is, or is not, on a group's list; the look is put on record for both owners.

    A household that does not wait is on no list; it is explained as if it did.
    """
    ranking = open_pool(session, as_of=as_of, of_groups=[group]).rank()
    listed = {family.code: family for family in ranking.families_of(0)}
    place = listed.get(household.code)
    return ExplainedFamily(
        household=household,
        position=place.position if place else None,
        families=int(ranking.families[0]),
        availability=availability_of(household.considered_for, cap=household_cap(session)),
        sibling=find_sibling_household_code(session, group) == household.code,
        explanation=why(session, group, household, as_of=as_of, now=now),
    )


def _sibling_first(
    session: Session, group: SiblingGroup, listed: dict[str, int], *, as_of: date, now: datetime
) -> SiblingFirst | None:
    """Return the household that a brother or sister lives with, whether or not it waits and whatever bars it."""
    code = find_sibling_household_code(session, group)
    if code is None:
        return None
    household = find_sibling_household(session, group)
    if household is None:
        return SiblingFirst(code, None)
    pool = open_pool(session, as_of=as_of, of_groups=[group], of_households=[household])
    record_look(session, "household", household.id, household.agency_id, now=now)
    return SiblingFirst(code, _Saying(session, pool).family(listed.get(code), 0))


def _new_siblings(
    session: Session, household: Household, listed: dict[str, int], *, as_of: date, now: datetime
) -> tuple[FoundGroup, ...]:
    """Return the waiting groups with a brother or sister in a household, as far as the scope may know."""
    found = [each for each in list_groups_with_sibling_in(session, household) if each.status is GroupStatus.WAITING]
    if not found:
        return ()
    pool = open_pool(session, as_of=as_of, of_groups=found, of_households=[household])
    for group in found:
        record_look(session, "sibling_group", group.id, group.agency_id, now=now)
    say = _Saying(session, pool)
    return tuple(say.group(listed.get(group.code), position) for position, group in enumerate(found))


class _Saying:
    """Says the records of a pool as one scope reads them, by their positions in it."""

    def __init__(self, session: Session, pool: Pool) -> None:
        self._pool = pool
        self._names = agency_names(session)
        self._own = scope_of(session).agency_id

    def family(self, position: int | None, household: int) -> FoundFamily:
        """Return a household as a line of the list of the pool's only group."""
        found = self._pool.households[household]
        return FoundFamily(
            position=position,
            household=found,
            summary=describe_household(self._pool.household_facts[household], self._pool.as_of),
            agency=self._names.get(found.agency_id, ""),
            own=found.agency_id == self._own,
            availability=self._pool.availability(household),
            explanation=self._pool.explain(0, household),
        )

    def group(self, position: int | None, group: int) -> FoundGroup:
        """Return a group as a line of the list of the pool's only household."""
        found = self._pool.groups[group]
        return FoundGroup(
            position=position,
            group=found,
            children=describe_children(self._pool.group_facts[group].children, self._pool.as_of),
            days=days_waiting(found.waiting_since, self._pool.as_of),
            agency=self._names.get(found.agency_id, ""),
            own=found.agency_id == self._own,
            explanation=self._pool.explain(group, 0),
        )


def _gates(ranking: Ranking, policy: RankingPolicy) -> tuple[tuple[str, GateCount, bool], ...]:
    titles = {each.code: each.title for each in criteria(need_catalogue(), age_margin_months=0)}
    counts = (count for count in ranking.gates_of(0) if count.failed or count.asked)
    return tuple((titles[count.gate], count, policy.bars(count.gate)) for count in counts)
