"""What makes a placement a leg of a swap: a group's rule over plain facts, which says in words why it fired or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from matching.placement.tally import Ages, PlacedFacts

MOST_YEARS = 18


class Basis(StrEnum):
    """Whose age counts, and on which day."""

    MOVING_IN = "moving_in"
    MATCH_DECISION = "match_decision"
    ADOPTIVE_START = "adoptive_start"
    YOUNGEST = "youngest"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _BASES[self]


_BASES = {
    Basis.MOVING_IN: "Every child, on the day they move in",
    Basis.MATCH_DECISION: "Every child, on the day of the match decision",
    Basis.ADOPTIVE_START: "Every child, on the day the adoptive placement begins",
    Basis.YOUNGEST: "The youngest child, on the day they move in",
}
_DAYS = {
    Basis.MOVING_IN: "on the day they moved in",
    Basis.MATCH_DECISION: "on the day of the match decision",
    Basis.ADOPTIVE_START: "on the day the adoptive placement began",
    Basis.YOUNGEST: "on the day they moved in",
}


class Disruption(StrEnum):
    """What becomes of a leg whose placement disrupts before an order."""

    FALLS_AWAY = "falls_away"
    STANDS = "stands"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return "It no longer counts" if self is Disruption.FALLS_AWAY else "It still counts"


class Follow(StrEnum):
    """What follows from a leg that nothing balances."""

    CARRY_FORWARD = "carry_forward"
    STANDARD_FEE = "standard_fee"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return "It is carried forward" if self is Follow.CARRY_FORWARD else "The standard fee, after some months"


@dataclass(frozen=True, slots=True)
class SwapRule:
    """A swap group's rule: a period, an age in whole years that children are under, and what follows."""

    begins_on: date
    ends_on: date | None
    basis: Basis = Basis.MOVING_IN
    under_years: int = 3
    disruption: Disruption = Disruption.FALLS_AWAY
    follow: Follow = Follow.CARRY_FORWARD
    follow_months: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a placement is a leg of a swap, and why, in words. ``on`` is the day from which it counts."""

    fires: bool
    words: str
    on: date | None = None


def judge(rule: SwapRule, placed: PlacedFacts, members: Mapping[UUID, date]) -> Judgement:
    """Return whether the rule makes a placement a leg of a swap between members, each a member from its day on.

    The leg counts from the day that the children are placed for adoption: under early permanence that is when the
    adoptive placement begins, not the fostering one.
    """
    outside = _outside(rule, placed, members)
    if outside is not None:
        return Judgement(False, outside)
    known = [_months(rule.basis, ages) for ages in placed.ages]
    when = _DAYS[rule.basis]
    limit = f"under {years(rule.under_years)}"
    if not known or None in known:
        return Judgement(False, f"A child’s age {when} isn’t known, so the rule can’t tell; unknown is never yes.")
    months = sorted(month for month in known if month is not None)
    over = [month for month in months if month >= 12 * rule.under_years]
    said = " and ".join(say_age(month) for month in months)
    if rule.basis is Basis.YOUNGEST:
        if months[0] >= 12 * rule.under_years:
            return Judgement(False, f"The youngest child was {say_age(months[0])} {when}, not {limit}.")
        fallen = _fallen(rule, placed)
        return fallen or Judgement(
            True, f"The youngest child was {limit} {when}: {say_age(months[0])}.", placed.adoptive_start_on
        )
    if over:
        whose = (
            "The child was"
            if len(months) == 1
            else f"{len(over)} of {len(months)} children {'was' if len(over) == 1 else 'were'}"
        )
        return Judgement(False, f"{whose} not {limit} {when}: {said}.")
    whose = "The child was" if len(months) == 1 else "Every child was"
    return _fallen(rule, placed) or Judgement(True, f"{whose} {limit} {when}: {said}.", placed.adoptive_start_on)


def say_age(months: int) -> str:
    """Return an age in words, in years and months."""
    whole, rest = divmod(months, 12)
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((whole, "year"), (rest, "month")) if count
    ]
    return " ".join(parts) or "under a month"


def years(count: int) -> str:
    """Return an age in years as people say it."""
    words = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[count] if 0 < count < len(words) else str(count)


def _outside(rule: SwapRule, placed: PlacedFacts, members: Mapping[UUID, date]) -> str | None:
    """Return why a placement isn't the rule's to judge, if so."""
    if placed.group_agency_id == placed.household_agency_id:
        return "Children and family are of one agency: an in-house placement swaps nothing."
    if not {placed.group_agency_id, placed.household_agency_id} <= set(members):
        return "One of the two agencies isn’t in the swap group."
    day = placed.adoptive_start_on
    if day is None:
        return "The adoptive placement hasn’t begun."
    if day < rule.begins_on or (rule.ends_on is not None and day > rule.ends_on):
        return f"{_day(day)} isn’t in the group’s period."
    if day < max(members[placed.group_agency_id], members[placed.household_agency_id]):
        return f"One of the two agencies had not agreed to the group’s rules by {_day(day)}."
    return None


def _fallen(rule: SwapRule, placed: PlacedFacts) -> Judgement | None:
    if placed.disrupted_on is None or rule.disruption is Disruption.STANDS:
        return None
    return Judgement(
        False, f"It met the rule, and fell away when the placement disrupted on {_day(placed.disrupted_on)}."
    )


def _months(basis: Basis, ages: Ages) -> int | None:
    if basis is Basis.MATCH_DECISION:
        return ages.matched
    return ages.adoptive if basis is Basis.ADOPTIVE_START else ages.moved_in


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
