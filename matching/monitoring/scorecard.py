"""The scorecard's two measures of time: what they count, and the thresholds they are held against."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from matching.monitoring.spread import Spread, spread_of


class Measure(StrEnum):
    """A measure of the adoption scorecards."""

    A10 = "a10"
    A2 = "a2"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"a10": "A10: entering care to moving in", "a2": "A2: placement order to match decision"}[self]


class Journey(NamedTuple):
    """The days of one child that the measures count from and to, as far as they are known."""

    entered_care_on: date | None
    placement_order_on: date | None
    matched_on: date | None
    moved_in_on: date | None
    """The day from which the child lives with the family: where it began as fostering, the day on which that began."""

    def between(self, measure: Measure) -> tuple[date | None, date | None]:
        """Return from when and to when a measure counts."""
        if measure is Measure.A10:
            return self.entered_care_on, self.moved_in_on
        return self.placement_order_on, self.matched_on


class Period(NamedTuple):
    """Three years, by their last day."""

    ends_on: date
    begins_on: date


@dataclass(frozen=True, slots=True)
class Score:
    """One measure over one period: the children, how many are not known, and how many were within the threshold."""

    measure: Measure
    period: Period
    spread: Spread
    unknown: int
    threshold: int
    within: int


@cache
def _thresholds() -> tuple[tuple[Measure, date, int, str], ...]:
    found = tomllib.loads((files(__package__) / "scorecard.toml").read_text("utf-8"))["threshold"]
    return tuple((Measure(x["measure"]), x["first_period_ends"], x["days"], x["source"]) for x in found)


def threshold(measure: Measure, *, on: date) -> tuple[int, str]:
    """Return the threshold, in days, of the three years that end on a day or run then, with its source."""
    known = [(first, days, source) for each, first, days, source in _thresholds() if each is measure]
    return max((x for x in known if x[0] <= on), default=min(known))[1:]


def periods(on: date) -> tuple[Period, ...]:
    """Return the last three periods of three years to 31 March that are over on a day, and the one that runs."""
    year = on.year - (on <= date(on.year, 3, 31))
    over = [Period(date(end, 3, 31), date(end - 3, 4, 1)) for end in range(year - 2, year + 1)]
    return (*over, Period(on, date(year - 2, 4, 1)))


def days_of(journey: Journey, measure: Measure) -> int | None:
    """Return a child's days, or ``None`` where a day is missing or the two are the wrong way round."""
    begins, ends = journey.between(measure)
    return (ends - begins).days if begins is not None and ends is not None and begins <= ends else None


def score(journeys: Iterable[Journey], measure: Measure, period: Period) -> Score:
    """Return a measure of the children who came to its end within a period; siblings count one by one."""
    days = [
        days_of(each, measure)
        for each in journeys
        if (end := each.between(measure)[1]) is not None and period.begins_on <= end <= period.ends_on
    ]
    known = [each for each in days if each is not None]
    limit, _ = threshold(measure, on=period.ends_on)
    return Score(
        measure=measure,
        period=period,
        spread=spread_of(known),
        unknown=len(days) - len(known),
        threshold=limit,
        within=sum(each < limit for each in known),
    )
