"""Look for families for a group, or groups for a family: the list with reasons, and what keeps others off it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.household import Household
from matching.need import need_catalogue
from matching.ranking.criterion import criteria
from matching.ranking.engine import GateCount, Ranking
from matching.ranking.explain import PairExplanation
from matching.ranking.near_miss import NearMiss, near_misses
from matching.ranking_run import open_pool, record_look, why
from matching.register import agency_names
from matching.sibling_group import SiblingGroup
from matching.summary import days_waiting, describe_children, describe_household
from tenants.database import scope_of

FEW = 5
"""With fewer families than this, why there are few is worth saying at once."""


@dataclass(frozen=True, slots=True)
class FoundFamily:
    """One household on a group's list."""

    position: int
    household: Household
    summary: str
    agency: str
    own: bool
    explanation: PairExplanation


@dataclass(frozen=True, slots=True)
class FoundFamilies:
    """What the pool holds for one group.

    ``families`` is how many households no gate bars, of ``households`` that wait; ``best`` are the first of them.
    """

    best: tuple[FoundFamily, ...]
    families: int
    households: int
    gates: tuple[tuple[str, GateCount], ...]
    """Each gate that does not let everyone by, with its title."""
    near_misses: tuple[NearMiss, ...]

    @property
    def few(self) -> bool:
        """Say whether the list is short."""
        return self.families < FEW


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """One group that a household may fit."""

    position: int
    group: SiblingGroup
    children: str
    days: int | None
    agency: str
    own: bool
    explanation: PairExplanation


@dataclass(frozen=True, slots=True)
class FoundGroups:
    """The groups that a household may fit: how many no gate bars, and the best of them."""

    best: tuple[FoundGroup, ...]
    groups: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ExplainedFamily:
    """Why one household is, or is not, on a group's list; ``position`` is its place where it is on it."""

    household: Household
    position: int | None
    families: int
    explanation: PairExplanation


def find_families(
    session: Session, group: SiblingGroup, *, as_of: date, top: int | None, now: datetime
) -> FoundFamilies:
    """Return the first ``top`` of a group's list, or all, with what keeps others off it; the look is put on record."""
    pool = open_pool(session, as_of=as_of, of_groups=[group])
    ranking = pool.rank(top)
    names, own = agency_names(session), scope_of(session).agency_id
    record_look(session, "sibling_group", group.id, group.agency_id, now=now)
    return FoundFamilies(
        best=tuple(
            FoundFamily(
                position=family.position,
                household=pool.households[family.household],
                summary=describe_household(pool.household_facts[family.household], as_of),
                agency=names.get(pool.households[family.household].agency_id, ""),
                own=pool.households[family.household].agency_id == own,
                explanation=pool.explain(0, family.household),
            )
            for family in ranking.families_of(0)
        ),
        families=int(ranking.families[0]),
        households=len(pool.households),
        gates=_gates(ranking),
        near_misses=near_misses(pool.group_facts[0], pool.household_facts, pool.places, pool.policy, as_of),
    )


def find_groups(session: Session, household: Household, *, as_of: date, top: int | None, now: datetime) -> FoundGroups:
    """Return the first ``top`` groups a household may fit, or all, by its fit; the look is put on record."""
    pool = open_pool(session, as_of=as_of, of_households=[household])
    fitting = pool.rank().groups_of(0)
    names, own = agency_names(session), scope_of(session).agency_id
    record_look(session, "household", household.id, household.agency_id, now=now)
    return FoundGroups(
        best=tuple(
            FoundGroup(
                position=each.position,
                group=pool.groups[each.group],
                children=describe_children(pool.group_facts[each.group].children, as_of),
                days=days_waiting(pool.groups[each.group].waiting_since, as_of),
                agency=names.get(pool.groups[each.group].agency_id, ""),
                own=pool.groups[each.group].agency_id == own,
                explanation=pool.explain(each.group, 0),
            )
            for each in fitting[:top]
        ),
        groups=len(fitting),
        waiting=len(pool.groups),
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
        explanation=why(session, group, household, as_of=as_of, now=now),
    )


def _gates(ranking: Ranking) -> tuple[tuple[str, GateCount], ...]:
    titles = {each.code: each.title for each in criteria(need_catalogue(), age_margin_months=0)}
    return tuple((titles[count.gate], count) for count in ranking.gates_of(0) if count.failed or count.asked)
