"""The pool as a whole, for a meeting to discuss: who could have whom, who is named most, and who is never named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.household import Household
from matching.need import NeedLevel
from matching.probing import ask_places
from matching.ranking.assignment import AssignedPair, Assignment, assign_best, assign_in_turn
from matching.ranking.engine import Ranking
from matching.ranking.facts import GroupFacts
from matching.ranking.standing import Band
from matching.ranking_run import Pool, open_pool
from matching.sibling_group import SiblingGroup
from matching.small_number import LEAST_COUNT, hidden_of, is_small, told, with_others
from matching.summary import days_waiting, describe_children
from tenants import audit

TOP = 5
"""How far down a list a household counts as among its first."""
_DISABILITIES = ("physical_disability", "learning_disability", "sensory_impairment")
_LEVELS = (NeedLevel.LOW, NeedLevel.MEDIUM, NeedLevel.HIGH)


@dataclass(frozen=True, slots=True)
class PoolPair:
    """A group and the household that it is given, with how well the two fit; ``position`` is on the group's list."""

    group: SiblingGroup
    household: Household
    children: str
    days: int | None
    position: int
    points: int
    band: Band


@dataclass(frozen=True, slots=True)
class PoolPairs:
    """One way to give groups a family each: the pairs, longest waiting group first, with points and days added up."""

    pairs: tuple[PoolPair, ...]
    points: int
    days: int


@dataclass(frozen=True, slots=True)
class UnseenGroup:
    """A group whose list is empty."""

    group: SiblingGroup
    children: str
    days: int | None


@dataclass(frozen=True, slots=True)
class FrequentFamily:
    """A household, and on how many groups' lists it is among the first five."""

    household: Household
    lists: int


@dataclass(frozen=True, slots=True)
class Concentration:
    """How evenly the pool's lists look at its households.

    ``frequent`` are the households among the first five of at least five lists, most often first; ``never`` how many
    households are among the first five of none, ``None`` where too few to tell. ``share`` is what part of all
    first-five places the ten most named households have, in hundredths, or ``None`` where there are no such places.
    """

    frequent: tuple[FrequentFamily, ...]
    never: int | None
    share: int | None


@dataclass(frozen=True, slots=True)
class EquityRow:
    """How many groups are of one kind, and how many of them no family is listed for; ``None`` where too few to tell."""

    label: str
    groups: int | None
    unseen: int | None


@dataclass(frozen=True, slots=True)
class EquityTable:
    """The pool's groups by one thing about them."""

    title: str
    rows: tuple[EquityRow, ...]


@dataclass(frozen=True, slots=True)
class PoolView:
    """The whole of what a scope sees waiting on one day."""

    as_of: date
    groups: int
    households: int
    best: PoolPairs
    in_turn: PoolPairs
    unseen: tuple[UnseenGroup, ...]
    concentration: Concentration
    equity: tuple[EquityTable, ...]


def view_pool(session: Session, *, as_of: date, now: datetime) -> PoolView:
    """Return the view of all that the scope sees waiting, and put the look on record.

    :raises AskedTooOften: when the agency has asked too much of others' places in a day.
    """
    pool = open_pool(session, as_of=as_of, members_only=True)
    ask_places(session, pool.groups, pool.households, now=now)
    audit.record(session, audit.Act.RANK, record_kind="pool", level=audit.Level.SUMMARY, now=now)
    return read_pool_view(pool, pool.rank())


def read_pool_view(pool: Pool, ranking: Ranking) -> PoolView:
    """Return the view of a pool that is open; ``ranking`` must hold its whole lists (``pool.rank()``)."""
    days = [days_waiting(group.waiting_since, pool.as_of) for group in pool.groups]
    return PoolView(
        as_of=pool.as_of,
        groups=len(pool.groups),
        households=len(pool.households),
        best=_pairs(pool, assign_best(ranking, days)),
        in_turn=_pairs(pool, assign_in_turn(ranking, days)),
        unseen=_unseen(pool, ranking),
        concentration=_concentration(pool, ranking),
        equity=equity_tables(pool.group_facts, ranking.families.tolist(), as_of=pool.as_of),
    )


def _pairs(pool: Pool, assignment: Assignment) -> PoolPairs:
    return PoolPairs(
        pairs=tuple(_pair(pool, pair) for pair in assignment.pairs), points=assignment.points, days=assignment.days
    )


def _pair(pool: Pool, pair: AssignedPair) -> PoolPair:
    group, family = pool.groups[pair.group], pair.family
    return PoolPair(
        group=group,
        household=pool.households[family.household],
        children=describe_children(pool.group_facts[pair.group].children, pool.as_of),
        days=days_waiting(group.waiting_since, pool.as_of),
        position=family.position,
        points=family.points,
        band=family.band,
    )


def _unseen(pool: Pool, ranking: Ranking) -> tuple[UnseenGroup, ...]:
    alone = [k for k, families in enumerate(ranking.families.tolist()) if not families]
    return tuple(
        UnseenGroup(
            group=pool.groups[k],
            children=describe_children(pool.group_facts[k].children, pool.as_of),
            days=days_waiting(pool.groups[k].waiting_since, pool.as_of),
        )
        for k in sorted(alone, key=lambda k: int(ranking.group_order[k]))
    )


def _concentration(pool: Pool, ranking: Ranking) -> Concentration:
    first = ranking.index[:, :TOP]
    lists = Counter(first[first >= 0].tolist())
    most = sorted(lists.values(), reverse=True)
    frequent = sorted(
        (FrequentFamily(pool.households[k], count) for k, count in lists.items() if count >= LEAST_COUNT),
        key=lambda family: (-family.lists, family.household.code),
    )
    never = len(pool.households) - len(lists)
    return Concentration(
        frequent=tuple(frequent),
        never=told(never),
        share=100 * sum(most[:10]) // sum(most) if most else None,
    )


def equity_tables(groups: Iterable[GroupFacts], families: Iterable[int], *, as_of: date) -> tuple[EquityTable, ...]:
    """Return, by each thing that must not decide a child's chance, how many groups no family is listed for."""
    counted = list(zip(groups, families, strict=True))
    return tuple(
        EquityTable(title=title, rows=_rows([(kind(group, as_of), not count) for group, count in counted], labels))
        for title, kind, labels in _DIMENSIONS
    )


def _rows(counted: list[tuple[str, bool]], labels: tuple[str, ...]) -> tuple[EquityRow, ...]:
    groups = Counter(label for label, _ in counted)
    unseen = Counter(label for label, alone in counted if alone)
    # Those who are seen are a count too: six of seven unseen tells of the one who is not.
    few = {label for label in groups if is_small(unseen[label]) or is_small(groups[label] - unseen[label])}
    hidden = hidden_of(groups)
    unseen_hidden = with_others(hidden | few, Counter({label: unseen[label] for label in groups}))
    return tuple(
        EquityRow(
            label=label,
            groups=None if label in hidden else groups[label],
            unseen=None if label in unseen_hidden else unseen[label],
        )
        for label in labels
    )


def _age(group: GroupFacts, as_of: date) -> str:
    births = [child.birth_month for child in group.compared_children]
    known = [birth for birth in births if birth is not None]
    if len(known) < len(births):
        return "Not recorded"
    months = max((as_of.year - birth.year) * 12 + as_of.month - birth.month for birth in known)
    return "Under 2" if months < 24 else "2 to 4" if months < 60 else "5 and over"


def _heritage(group: GroupFacts, _as_of: date) -> str:
    known = group.heritage - {"REFU", "NOBT"}
    if not known:
        return "Not recorded"
    if known == {"WBRI"}:
        return "White British"
    return "Other White backgrounds" if known <= _WHITE else "Black, Asian, mixed and other backgrounds"


_WHITE = frozenset({"WBRI", "WIRI", "WOTH", "WIRT", "WROM"})


def _disability(group: GroupFacts, _as_of: date) -> str:
    levels = [child.needs.get(code, NeedLevel.UNKNOWN) for child in group.compared_children for code in _DISABILITIES]
    if any(level in _LEVELS for level in levels):
        return "A child with a disability"
    return "Not recorded" if NeedLevel.UNKNOWN in levels else "None recorded"


def _size(group: GroupFacts, _as_of: date) -> str:
    return {1: "One child", 2: "Two children"}.get(len(group.compared_children), "Three or more")


_DIMENSIONS: tuple[tuple[str, Callable[[GroupFacts, date], str], tuple[str, ...]], ...] = (
    ("Age of the oldest child", _age, ("Under 2", "2 to 4", "5 and over", "Not recorded")),
    (
        "Heritage",
        _heritage,
        (
            "White British",
            "Other White backgrounds",
            "Black, Asian, mixed and other backgrounds",
            "Not recorded",
        ),
    ),
    ("Disability", _disability, ("A child with a disability", "None recorded", "Not recorded")),
    ("Children to be placed together", _size, ("One child", "Two children", "Three or more")),
)
