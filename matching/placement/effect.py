"""What steps of a link do to its placement, and what they ask of it: hung on rows of the table of transitions."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from matching.link import Link, NotYet, find_decision
from matching.placement.placement import (
    Court,
    EndedBy,
    Placement,
    find_placement,
    keep_ages,
    lock_placement,
    make_placement,
)

if TYPE_CHECKING:
    from matching.transition.fact import StepFacts

COURT = "court"
"""The name of the court among a step's facts."""
ENDED_BY = "ended_by"
"""The name of who ended a placement, among a step's facts."""


def plan_agreed(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - a guard
    """Let children move in once their placement plan is agreed (Adoption Agencies Regulations 2005, regulation 35).

    :raises NotYet: when it is not.
    """
    placement = find_placement(session, link.id)
    if placement is None or placement.plan_agreed_on is None:
        raise NotYet("The placement plan has not been agreed. Enter the day on which it was on the placement’s page.")


def begin(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - an effect
    """Begin the placement with the match."""
    decision = find_decision(session, link)
    make_placement(session, link, matched_on=decision.decided_on if decision else None, now=now)


def introduce(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:
    """Keep the day on which introductions begin."""
    _placement(session, link, now).introductions_on = _day(facts)
    session.flush()


def move_in(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:
    """Keep the day on which the children moved in, or on which fostering became a placement for adoption.

    :raises NotYet: when that was before they were fostered there, or before the match was decided.
    """
    placement, day = _placement(session, link, now), _day(facts)
    if link.fostered_on is not None and day < link.fostered_on:
        raise NotYet("The placement for adoption begins on the day the children moved in as fostered, or after.")
    if placement.matched_on is not None and day < placement.matched_on:
        raise NotYet(
            f"The match was decided on {placement.matched_on:%d/%m/%Y}; nobody is placed for adoption before that."
        )
    placement.moved_in_on = link.fostered_on or day
    placement.adoptive_start_on = day
    session.flush()
    keep_ages(session, placement)


def make_order(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:
    """Keep the day of the order, and the court.

    :raises NotYet: when it is before the placement.
    """
    placement, day = _placement(session, link, now), _day(facts)
    _require_placed(placement, day, "an order")
    placement.ordered_on = day
    placement.court = Court(facts.more[COURT]) if facts.more.get(COURT) else None
    session.flush()


def disrupt(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:
    """Keep the day on which the placement disrupted, and who ended it.

    :raises NotYet: when it is before the placement.
    """
    placement, day = _placement(session, link, now), _day(facts)
    _require_placed(placement, day, "a disruption")
    placement.disrupted_on = day
    placement.ended_by = EndedBy(facts.more[ENDED_BY]) if facts.more.get(ENDED_BY) else None
    session.flush()


def _placement(session: Session, link: Link, now: datetime) -> Placement:
    # A link that came as far before there were placements gets its row with its next step.
    placement = find_placement(session, link.id)
    if placement is None:
        begin_late = find_decision(session, link)
        placement = make_placement(session, link, matched_on=begin_late.decided_on if begin_late else None, now=now)
    lock_placement(session, placement)
    placement.version += 1
    return placement


def _day(facts: StepFacts) -> date:
    if facts.day is None:
        raise NotYet("Say the day of this step.")
    return facts.day


def _require_placed(placement: Placement, day: date, what: str) -> None:
    start = placement.adoptive_start_on or placement.moved_in_on
    if start is not None and day < start:
        raise NotYet(f"The children moved in on {start:%d/%m/%Y}; {what} cannot be before that.")
