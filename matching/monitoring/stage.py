"""How long the stages of links take: those of an agency, from the steps and days that it may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.link import Link, LinkOutcome, LinkState, LinkStep, of_side
from matching.placement.tally import PlacedFacts
from tenants.database import scope_of


class Stage(StrEnum):
    """A part of the way that is timed, by the state at which it begins."""

    INTEREST = "interest"
    CONSIDERING = "considering"
    SHORTLISTED = "shortlisted"
    VISITING = "visiting"
    LINKING_MEETING = "linking_meeting"
    PANEL = "panel"
    MATCHED = "matched"
    PLACED = "placed"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        named = {"matched": "Match decision to placement", "placed": "Placement to adoption order"}
        return named.get(self.value) or LinkState(self.value).label


class Timed(NamedTuple):
    """One stage of one link: the day on which it was left, and how many days it took."""

    stage: Stage
    left_on: date
    days: int


class Move(NamedTuple):
    """A link's coming to a state."""

    state: LinkState
    at: datetime

    @property
    def day(self) -> date:
        """Return the day, by universal time, as the consortium's figures have it."""
        return self.at.astimezone(UTC).date()


class Course(NamedTuple):
    """A link as it is counted: when it began, where it came to, and what it came to."""

    link_id: UUID
    started_on: date
    outcome: LinkOutcome | None
    moves: tuple[Move, ...]

    @property
    def ended_on(self) -> date | None:
        """Return the day on which it ended before a placement."""
        return next((move.day for move in self.moves if move.state is LinkState.ENDED), None)

    @property
    def reached(self) -> frozenset[LinkState]:
        """Return the states that it came to."""
        return frozenset(move.state for move in self.moves)


def list_courses(session: Session) -> list[Course]:
    """Return the courses of the links of the scope's consortium on either side of which its agency is."""
    scope = scope_of(session)
    ours = (of_side(scope.agency_id, "all"), Link.consortium_id == scope.consortium_id)
    steps = (
        select(LinkStep.link_id, LinkStep.to_state, LinkStep.at)
        .join(Link, Link.id == LinkStep.link_id)
        .where(*ours, LinkStep.from_state.is_distinct_from(LinkStep.to_state))
        .order_by(LinkStep.link_id, LinkStep.version)
    )
    moves: dict[UUID, list[Move]] = {}
    for link_id, state, at in session.execute(steps):
        moves.setdefault(link_id, []).append(Move(state, at))
    links = select(Link.id, Link.started_at, Link.outcome).where(*ours).order_by(Link.started_at, Link.id)
    return [
        Course(link_id, started_at.astimezone(UTC).date(), outcome, tuple(moves.get(link_id, ())))
        for link_id, started_at, outcome in session.execute(links)
    ]


def time_stages(courses: Iterable[Course], placed: Sequence[PlacedFacts]) -> list[Timed]:
    """Return each stage that was left: up to the panel by the steps of links, from then on by days of placements."""
    timed = [
        Timed(Stage(one.state), after.day, (after.day - one.day).days)
        for course in courses
        for one, after in pairwise(course.moves)
        if one.state in _BY_STEPS
    ]
    for each in placed:
        for stage, begins, ends in (
            (Stage.MATCHED, each.matched_on, each.adoptive_start_on),
            (Stage.PLACED, each.adoptive_start_on, each.ordered_on),
        ):
            if begins is not None and ends is not None and begins <= ends:
                timed.append(Timed(stage, ends, (ends - begins).days))
    return timed


_BY_STEPS = frozenset(LinkState(stage) for stage in Stage) - {LinkState.MATCHED, LinkState.PLACED}
