"""A placement that disrupts, and its review: between 28 and 42 days after (Statutory Guidance 2013, 5.40)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from matching.placement.placement import Placement, PlacementInvalid, change_placement
from matching.sealed_words import tidy

EARLIEST = timedelta(days=28)
LATEST = timedelta(days=42)


@dataclass(frozen=True, slots=True)
class Window:
    """The days within which the review of a disruption is to be held, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        """Say whether a day is within it."""
        return self.first <= day <= self.last


def review_window(disrupted_on: date) -> Window:
    """Return when the review of a disruption is to be held."""
    return Window(disrupted_on + EARLIEST, disrupted_on + LATEST)


def plan_disruption_review(
    session: Session, placement: Placement, *, day: date, version: int, now: datetime
) -> Placement:
    """Set the day for the review of a disruption.

    :raises PlacementInvalid: when the placement has not disrupted, or the day is before it did.
    """
    if day < _disrupted(placement):
        raise PlacementInvalid("Enter a day after the disruption.")
    return change_placement(
        session, placement, version=version, now=now, what="disruption review planned", disruption_review_on=day
    )


def hold_disruption_review(
    session: Session, placement: Placement, *, day: date, why: str, version: int, now: datetime
) -> Placement:
    """Record when the review of a disruption was held; outside its days that wants a reason.

    :raises PlacementInvalid: when the placement has not disrupted, or the day cannot be.
    :raises WordsMissing: when it was held outside its days and no reason is given.
    """
    disrupted_on = _disrupted(placement)
    if not disrupted_on <= day <= now.date():
        raise PlacementInvalid("Enter the day on which the review was held: after the disruption, not after today.")
    outside = day not in review_window(disrupted_on)
    reason = tidy(why, what="why it was held outside its days") if outside else (why.strip() or None)
    return change_placement(
        session,
        placement,
        version=version,
        now=now,
        what="disruption review held",
        disruption_reviewed_on=day,
        disruption_review_why=reason,
    )


def _disrupted(placement: Placement) -> date:
    if placement.disrupted_on is None:
        raise PlacementInvalid("The placement has not disrupted, so there is no review of a disruption.")
    return placement.disrupted_on
