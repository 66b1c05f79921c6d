"""What could be balanced in a swap group: placements that would help most groups and net to little or nothing.

Only pairs that count for the children anyway: the family is within so many points of the best on the group's own list,
and neither agency has declined it. It is for coordinators and managers to read. A leg is taken up by each agency for
itself, as an ordinary link, or declined; whatever becomes of one, the others are links like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.availability import Availability
from matching.household import Household, list_waiting_households
from matching.link import find_open_link
from matching.pool import pooled_here
from matching.probing import ask_places
from matching.ranking.engine import Ranking
from matching.ranking.standing import BANDS, Band
from matching.ranking_run import Pool, open_pool
from matching.sibling_group import SiblingGroup, list_waiting_groups
from matching.summary import describe_children
from matching.swap.agency_ring import plan_rings
from matching.swap.group import RECORD_KIND, SwapGroup, list_members
from matching.swap.plan import Pairs, PlannedLeg, peel, plan_flow
from tenants import audit
from tenants.database import scope_of
from tenants.permission import Verb, require

SECONDS = 20.0
"""How long rings are looked for while somebody waits."""
_DECLINED = text("SELECT sibling_group_id, household_id FROM swap_declined(:wanted)")


@dataclass(frozen=True, slots=True)
class OpportunityLeg:
    """A group that could be placed with a household of another member, and where it stands on the group's list."""

    group: SiblingGroup
    household: Household
    children: str
    children_agency: str
    family_agency: str
    position: int
    points: int
    below_best: int
    band: Band
    own: bool
    """Whether one of the two is the scope's own agency's."""
    linked: bool
    """Whether the scope's own agency sees an open link of the two."""


@dataclass(frozen=True, slots=True)
class Opportunities:
    """Rings, short ones first, and legs in none; for an agency only its own legs, and no rings."""

    as_of: date
    rings: tuple[tuple[OpportunityLeg, ...], ...]
    others: tuple[OpportunityLeg, ...]
    groups: int
    """How many groups of members wait, of which so many had a pair to plan with in ``with_pairs``."""
    with_pairs: int
    planned: int
    """How many groups the plan helps; for an agency by its own legs alone, for others' it cannot see one by one."""
    points: int
    proven: bool = True
    """Whether there are no better ones; where the time was over first, ``at_most`` tells the office the gap."""
    at_most: tuple[int, int | None] | None = None
    """How many groups no rings help more than and, where it is known, how many points those have at most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What is planned over: the pool, its ranking, the members by position, and the pairs with their list lines."""

    pool: Pool
    ranking: Ranking
    members: list[UUID]
    names: dict[UUID, str]
    pairs: Pairs
    line: np.ndarray[tuple[int, ...], np.dtype[np.intp]]


def find_opportunities(session: Session, group: SwapGroup, *, longest: int | None, now: datetime) -> Opportunities:
    """Return what could be balanced: by the plan, or with ``longest`` by rings of at most so many agencies.

    The plan takes no agency further from even than the swap group's bound; rings leave every balance as it is.

    :raises NotAllowed: when the scope's roles do not let it see opportunities.
    :raises LengthUnknown: when ``longest`` is not 2, 3 or 4.
    :raises TooManyAgencies: when rings that long are not looked for among so many members.
    :raises AskedTooOften: when the agency has asked too much of others' places in a day.
    """
    require(scope_of(session), Verb.READ_OPPORTUNITIES)
    ground = _ground(session, group, now=now)
    audit.record(
        session, audit.Act.RANK, record_kind=RECORD_KIND, record_id=group.id, level=audit.Level.SUMMARY, now=now
    )
    proven, at_most = True, None
    if longest is None:
        rings, others = peel(plan_flow(ground.pairs, bound=group.bound))
    else:
        plan = plan_rings(ground.pairs, longest=longest, seconds=SECONDS)
        rings, others, proven = plan.rings, [], plan.proven
        at_most = None if proven else (plan.most_groups, plan.most_points)
    planned = [*(leg for ring in rings for leg in ring), *others]
    office = scope_of(session).agency_id == group.office_id
    if not office:
        rings, others = [], planned
    seen = tuple(_leg(session, ground, leg) for leg in others)
    shown = tuple(leg for leg in seen if leg.own or office)
    return Opportunities(
        as_of=now.date(),
        rings=tuple(tuple(_leg(session, ground, leg) for leg in ring) for ring in rings),
        others=shown,
        groups=sum(each.agency_id in ground.names for each in ground.pool.groups),
        with_pairs=len(np.unique(ground.pairs.group)),
        planned=len(planned) if office else len(shown),
        points=sum(int(ground.pairs.points[leg.pair]) for leg in planned)
        if office
        else sum(leg.points for leg in shown),
        proven=proven,
        at_most=at_most if office else None,
    )


def say_unproven(found: Opportunities) -> str:
    """Say in words that there may be better rings, and how much better to those who may hear of all."""
    words = f"It is not proven that these rings are the best: {SECONDS:.0f} seconds were not enough."
    if found.at_most is None:
        return words
    groups, points = found.at_most
    if groups > found.planned:
        return f"{words} At most {groups} placements are possible; here are {found.planned}."
    return f"{words} None help more groups, and at most {(points or 0) - found.points} points more are possible."


def _ground(session: Session, group: SwapGroup, *, now: datetime) -> _Ground:
    """Return what every viewer in the swap group plans over alike: what members pool, ranked in full."""
    names = {member.agency_id: name for member, name in list_members(session, group) if member.agreed_on}
    there = pooled_here(session)
    groups = [each for each in list_waiting_groups(session) if each.id in there and each.agency_id in names]
    households = [each for each in list_waiting_households(session) if each.id in there]
    pool = open_pool(session, as_of=now.date(), of_groups=groups, of_households=households)
    ask_places(session, pool.groups, pool.households, now=now)
    ranking = pool.rank()
    declined = {(row.sibling_group_id, row.household_id) for row in session.execute(_DECLINED, {"wanted": group.id})}
    members = sorted(names, key=str)
    number = {agency: k for k, agency in enumerate(members)}
    group_agency = np.array([number[each.agency_id] for each in pool.groups], dtype=np.int64)
    household_agency = np.array([number.get(each.agency_id, -1) for each in pool.households], dtype=np.int64)
    at_cap = np.array([pool.availability(k) is Availability.AT_CAP for k in range(len(households))], dtype=np.bool_)
    points = ranking.points.astype(np.int64)
    listed = ranking.index >= 0
    if listed.size:
        listed &= points >= points[:, :1] - group.within_points
    row, line = np.nonzero(listed)
    household = ranking.index[row, line].astype(np.int64)
    kept = (household_agency[household] >= 0) & (household_agency[household] != group_agency[row]) & ~at_cap[household]
    kept &= np.array(
        [(pool.groups[g].id, pool.households[h].id) not in declined for g, h in zip(row, household, strict=True)],
        dtype=np.bool_,
    )
    pairs = Pairs(len(members), group_agency, household_agency, row[kept], household[kept], points[row, line][kept])
    return _Ground(pool, ranking, members, names, pairs, line[kept])


def _leg(session: Session, ground: _Ground, leg: PlannedLeg) -> OpportunityLeg:
    own, pairs = scope_of(session).agency_id, ground.pairs
    row, line = int(pairs.group[leg.pair]), int(ground.line[leg.pair])
    group, household = ground.pool.groups[row], ground.pool.households[int(pairs.household[leg.pair])]
    mine = own in (group.agency_id, household.agency_id)
    return OpportunityLeg(
        group=group,
        household=household,
        children=describe_children(ground.pool.group_facts[row].children, ground.pool.as_of),
        children_agency=ground.names[group.agency_id],
        family_agency=ground.names[household.agency_id],
        position=line + 1,
        points=int(ground.ranking.points[row, line]),
        below_best=int(ground.ranking.points[row, 0]) - int(ground.ranking.points[row, line]),
        band=BANDS[int(ground.ranking.band[row, line])],
        own=mine,
        linked=mine and find_open_link(session, group_id=group.id, household_id=household.id) is not None,
    )
