"""What a link's page says of its way: how far it is, what comes next and what is missing, its days and its clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching.clock.reading import Reading, clocks_of_groups, clocks_of_links
from matching.clock.reason import ClockReason, reasons_of
from matching.legal_hold import list_legal_holds
from matching.link import (
    WAY,
    DayKind,
    Link,
    LinkState,
    LinkStep,
    MatchDecision,
    Passable,
    StepName,
    days_of,
    find_decision,
)
from matching.sibling_group import SiblingGroup
from matching.transition import Transition, guard, is_taker, missing, sayable_days, transitions_from
from tenants.database import scope_of
from tenants.permission import may

_SAID_ELSEWHERE = frozenset({StepName.HOLD, StepName.RELEASE})


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step that leads on from where a link is: whether it is the reader's to take, and what it still needs."""

    step: StepName
    target: LinkState | None
    mine: bool
    missing: tuple[str, ...]
    capped: str | None
    """What is said of a cap that is reached, or of papers that are missing, so that a reason is asked for."""

    @property
    def forward(self) -> bool:
        """Say whether it is a step on the way to the order."""
        return self.target in WAY and self.step is not StepName.STEP_BACK


@dataclass(frozen=True, slots=True)
class ClockLine:
    """A clock as a page shows it: how it stands, whether it is the reader's own, and why it was missed if said."""

    reading: Reading
    own: bool
    reason: ClockReason | None

    @property
    def wants_reason(self) -> bool:
        """Say whether the reader's agency owes the reason."""
        return self.own and self.reading.missed and self.reason is None


@dataclass(frozen=True, slots=True)
class LinkCourse:
    """All that a link's page says of its way."""

    way: tuple[tuple[LinkState, bool], ...]
    """The states of the way, each with whether the link has come to it."""
    steps: tuple[NextStep, ...]
    days: Mapping[DayKind, date]
    sayable: tuple[DayKind, ...]
    clocks: tuple[ClockLine, ...]
    decision: MatchDecision | None
    held: bool
    """Whether a legal hold keeps the children from being placed, as far as the reader’s agency was told."""

    @property
    def forward(self) -> NextStep | None:
        """Return the step that leads on, if there is one."""
        return next((each for each in self.steps if each.forward), None)


def read_course(session: Session, link: Link, *, steps: Sequence[LinkStep], now: datetime) -> LinkCourse:
    """Return what a link's page says of its way.

    :param steps: its history.
    """
    reached = {step.to_state for step in steps}
    if link.state in WAY:
        # A step that was taken back leads to where the link is not any more.
        reached &= set(WAY[: WAY.index(link.state) + 1])
    on, decision = now.date(), find_decision(session, link)
    readings = clocks_of_links(session, [link], on=on)[link.id]
    group = session.get(SiblingGroup, link.sibling_group_id)
    if group is not None and link.open:
        readings = [*clocks_of_groups(session, [group], on=on).get(group.id, []), *readings]
    return LinkCourse(
        way=tuple((state, state in reached) for state in WAY),
        steps=_next_steps(session, link, now=now) if link.open else (),
        days=days_of(session, [link])[link.id],
        sayable=tuple(sayable_days(link)),
        clocks=clock_lines(session, readings),
        decision=decision,
        held=link.open and _is_held(session, link, steps),
    )


def clock_lines(session: Session, readings: Sequence[Reading]) -> tuple[ClockLine, ...]:
    """Return clocks with their reasons, in their order."""
    own = scope_of(session).agency_id
    reasons = reasons_of(session, [each.subject_id for each in readings])
    return tuple(
        ClockLine(each, each.agency_id == own, reasons.get((each.subject_id, each.clock.name, each.due_on)))
        for each in readings
    )


def owed_reasons(session: Session, links: Sequence[Link], *, on: date) -> dict[UUID, int]:
    """Return how many missed clocks of each link still want a reason of the scope's own agency."""
    found = clocks_of_links(session, links, on=on)
    readings = [reading for each in found.values() for reading in each if reading.missed]
    owed: dict[UUID, int] = {}
    for line in clock_lines(session, readings):
        if line.wants_reason:
            owed[line.reading.subject_id] = owed.get(line.reading.subject_id, 0) + 1
    return owed


def _next_steps(session: Session, link: Link, *, now: datetime) -> tuple[NextStep, ...]:
    found = []
    for transition in transitions_from(link.state):
        if transition.step in _SAID_ELSEWHERE or not _concerns(link, transition):
            continue
        mine = is_taker(session, link, transition) and may(scope_of(session), transition.verb)
        refusals = missing(session, link, transition, now=now) if mine else []
        capped = next((str(each) for each in refusals if isinstance(each, Passable)), None)
        words = tuple(str(each) for each in refusals if not isinstance(each, Passable))
        found.append(NextStep(transition.step, transition.target, mine, words, capped))
    return tuple(found)


def _is_held(session: Session, link: Link, steps: Sequence[LinkStep]) -> bool:
    """Say whether a hold stands: by the hold itself for the children's agency, by what it was told for the other."""
    if scope_of(session).agency_id == link.group_agency_id:
        return bool(list_legal_holds(session, link.sibling_group_id, standing=True))
    told = [step.step for step in steps]
    return told.count(StepName.HOLD) > told.count(StepName.RELEASE)


def _concerns(link: Link, transition: Transition) -> bool:
    """Leave out the way that is not this link's: with children who live there already, or who do not."""
    other = guard.lives_elsewhere if link.lives_there else guard.lives_there
    return other not in transition.guards
