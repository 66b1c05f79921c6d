"""The figures of a pack: how long groups wait, whether households are approved for who waits, who is named most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar
from uuid import UUID

from matching.pack_content import Count, Figures, Named, Supply
from matching.ranking.engine import Ranking
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking_run import Pool
from matching.small_number import LEAST_COUNT, hidden_of, told
from matching.summary import days_waiting

WAITING_BANDS = (
    ("Under 3 months", 0, 91),
    ("3 to 6 months", 91, 183),
    ("6 to 12 months", 183, 365),
    ("12 to 18 months", 365, 548),
    ("18 months and over", 548, None),
)
"""Bands of waiting, in days from the first to before the second."""
AGE_BANDS = (
    ("Under 1", 0, 11),
    ("1 and 2", 12, 35),
    ("3 and 4", 36, 59),
    ("5 and 6", 60, 83),
    ("7 to 9", 84, 119),
    ("10 and over", 120, None),
)
"""Bands of age, in months, both included."""
SIZES = (("1 child", 1), ("2 children", 2), ("3 children", 3), ("4 or more", 4))
NOT_KNOWN = "Not known"
MOST_NAMED = 10
"""How many of the most named households a pack shows."""


def figures_of(pool: Pool, ranking: Ranking, *, own: UUID, agencies: Mapping[UUID, str]) -> Figures:
    """Return the figures of a pool whose lists hold each group's first families."""
    lists = lists_of(ranking, len(pool.household_facts))
    groups, households = pool.group_facts, pool.household_facts
    others = [facts for facts in groups if facts.agency_id != own], [f for f in households if f.agency_id != own]
    never = [facts.agency_id == own for facts, count in zip(households, lists, strict=True) if not count]
    return Figures(
        waiting=_waiting(pool, own),
        ages=_fit_to_tell(_ages(groups, households, pool.as_of), _ages(*others, pool.as_of)),
        sizes=_fit_to_tell(_sizes(groups, households), _sizes(*others)),
        named=_named(households, lists, own, agencies),
        top=ranking.index.shape[1],
        never=None if told(never.count(False)) is None else len(never),
    )


def lists_of(ranking: Ranking, households: int) -> tuple[int, ...]:
    """Return on how many groups' lists each household stands, by its position."""
    found = [0] * households
    for position in range(len(ranking.groups)):
        for family in ranking.families_of(position):
            found[family.household] += 1
    return tuple(found)


def _waiting(pool: Pool, own: UUID) -> tuple[Count, ...]:
    bands = [*(label for label, _, _ in WAITING_BANDS), NOT_KNOWN]
    labels = [(_waiting_band(facts.waiting_since, pool.as_of), facts.agency_id == own) for facts in pool.group_facts]
    hidden = hidden_of(Counter(label for label, ours in labels if not ours))
    in_all = [sum(label == band for label, _ in labels) for band in bands]
    counts = tuple(
        Count(label=band, all=None if band in hidden else count, own=labels.count((band, True)))
        for band, count in zip(bands, in_all, strict=True)
    )
    return _without_empty_end(counts, in_all)


def _waiting_band(since: date | None, as_of: date) -> str:
    days = days_waiting(since, as_of)
    if days is None:
        return NOT_KNOWN
    return next(label for label, first, end in WAITING_BANDS if days >= first and (end is None or days < end))


def _ages(groups: Sequence[GroupFacts], households: Sequence[HouseholdFacts], as_of: date) -> tuple[Supply, ...]:
    """Count groups by their eldest child, whom a family must be approved for, and households by whom they are."""
    eldest = [_eldest_months(facts, as_of) for facts in groups]
    known = tuple(
        Supply(
            label=label,
            groups=sum(months is not None and first <= months and _within(months, last) for months in eldest),
            households=sum(_approved_for_ages(facts, first, last) for facts in households),
        )
        for label, first, last in AGE_BANDS
    )
    unknown = Supply(
        label=NOT_KNOWN,
        groups=eldest.count(None),
        households=sum(facts.age_from_months is None and facts.age_to_months is None for facts in households),
    )
    return (*known, unknown)


def _within(months: int, last: int | None) -> bool:
    return last is None or months <= last


def _eldest_months(facts: GroupFacts, as_of: date) -> int | None:
    born = [child.birth_month for child in facts.children]
    if not born or None in born:
        return None
    first = min(month for month in born if month)
    return max(0, (as_of.year - first.year) * 12 + as_of.month - first.month)


def _approved_for_ages(facts: HouseholdFacts, first: int, last: int | None) -> bool:
    lowest, highest = facts.age_from_months, facts.age_to_months
    if lowest is None and highest is None:
        return False
    return (highest is None or highest >= first) and (last is None or (lowest or 0) <= last)


def _sizes(groups: Sequence[GroupFacts], households: Sequence[HouseholdFacts]) -> tuple[Supply, ...]:
    most = SIZES[-1][1]
    known = tuple(
        Supply(
            label=label,
            groups=sum(min(len(facts.children), most) == size for facts in groups),
            households=sum(_approved_for_number(facts, size, size == most) for facts in households),
        )
        for label, size in SIZES
    )
    unknown = Supply(
        label=NOT_KNOWN,
        groups=sum(not facts.children for facts in groups),
        households=sum(facts.fewest_children is None and facts.most_children is None for facts in households),
    )
    return (*known, unknown)


def _fit_to_tell(bars: tuple[Supply, ...], others: tuple[Supply, ...]) -> tuple[Supply, ...]:
    """Leave out of the bars of all what is of too few of others', and the last bar where it is of nobody."""
    groups = hidden_of(Counter({each.label: each.groups or 0 for each in others if each.groups}))
    households = hidden_of(Counter({each.label: each.households or 0 for each in others if each.households}))
    fit = tuple(
        Supply(
            label=bar.label,
            groups=None if bar.label in groups else bar.groups,
            households=None if bar.label in households else bar.households,
        )
        for bar in bars
    )
    return _without_empty_end(fit, [(bar.groups or 0) + (bar.households or 0) for bar in bars])


def _approved_for_number(facts: HouseholdFacts, size: int, or_more: bool) -> bool:
    fewest, most = facts.fewest_children, facts.most_children
    if fewest is None and most is None:
        return False
    return (most is None or most >= size) and (or_more or (fewest or 1) <= size)


def _named(
    households: Sequence[HouseholdFacts], lists: Sequence[int], own: UUID, agencies: Mapping[UUID, str]
) -> tuple[Named, ...]:
    found = sorted(
        (
            (count, facts)
            for count, facts in zip(lists, households, strict=True)
            if count >= LEAST_COUNT or (count > 1 and facts.agency_id == own)
        ),
        key=lambda each: (-each[0], each[1].code),
    )
    return tuple(
        Named(code=facts.code, agency=agencies.get(facts.agency_id, ""), own=facts.agency_id == own, lists=count)
        for count, facts in found[:MOST_NAMED]
    )


_Bar = TypeVar("_Bar", Count, Supply)


def _without_empty_end(bars: tuple[_Bar, ...], sizes: Sequence[int]) -> tuple[_Bar, ...]:
    """Leave out the last bar, of what is not known, where all is known."""
    return bars if sizes[-1] else bars[:-1]
