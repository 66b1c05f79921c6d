"""The placement plan: its meeting, when it was sent and agreed, introductions and their midpoint, moving in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from matching.placement.placement import Placement, PlacementInvalid, change_placement, require_going_on

_FARTHEST = timedelta(days=1_095)


@dataclass(frozen=True, slots=True)
class Plan:
    """The days of a placement plan; those of what is done already lie in the past."""

    plan_meeting_on: date | None = None
    plan_sent_on: date | None = None
    plan_agreed_on: date | None = None
    introductions_on: date | None = None
    midpoint_review_on: date | None = None
    midpoint_held_on: date | None = None
    moving_in_on: date | None = None


def plan_of(placement: Placement) -> Plan:
    """Return a placement's plan as it stands."""
    return Plan(**{name: getattr(placement, name) for name in Plan.__slots__})


def set_plan(session: Session, placement: Placement, plan: Plan, *, version: int, now: datetime) -> Placement:
    """Set the days of a placement's plan.

    :raises PlacementInvalid: when the placement is over, or the days cannot follow one another so.
    :raises DomainError: as a change of a placement does.
    """
    require_going_on(session, placement)
    _check(plan, now.date())
    return change_placement(session, placement, version=version, now=now, what="plan", **asdict(plan))


def _check(plan: Plan, today: date) -> None:
    for day in asdict(plan).values():
        if day is not None and abs(day - today) > _FARTHEST:
            raise PlacementInvalid("Enter days within three years from now.")
    for day, what in (
        (plan.plan_sent_on, "the plan was sent"),
        (plan.plan_agreed_on, "the plan was agreed"),
        (plan.midpoint_held_on, "the midpoint review was held"),
    ):
        if day is not None and day > today:
            raise PlacementInvalid(f"Enter the day on which {what}: today or before.")
    in_order = (
        (plan.plan_sent_on, plan.plan_agreed_on, "The plan is agreed after it was sent."),
        (plan.introductions_on, plan.midpoint_review_on, "The midpoint review is within the introductions."),
        (plan.introductions_on, plan.midpoint_held_on, "The midpoint review is within the introductions."),
        (plan.introductions_on, plan.moving_in_on, "The children move in after the introductions have begun."),
    )
    for earlier, later, rule in in_order:
        if earlier is not None and later is not None and later < earlier:
            raise PlacementInvalid(f"{rule} Check the two days.")
