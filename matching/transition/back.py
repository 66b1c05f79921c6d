"""One step back, where somebody chose the wrong one: what has to hold for it, and what is undone.

It is there while nothing has come of the step: no report was asked for, no decision was made, no meeting planned.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.document import ReportKind
from matching.grant import DocumentGrant
from matching.link import DayKind, Link, LinkState, NotYet, StepName, find_decision, list_steps, take_day_back
from matching.placement.introduction import list_meetings
from matching.placement.placement import find_placement, lock_placement
from matching.transition.fact import StepFacts

_DAYS = {
    LinkState.VISITING: DayKind.VISIT,
    LinkState.LINKING_MEETING: DayKind.LINKING_MEETING,
    LinkState.PANEL: DayKind.PANEL,
    LinkState.INTRODUCTIONS: DayKind.INTRODUCTIONS,
}
_REPORTS = {LinkState.CONSIDERING: ReportKind.PAR, LinkState.LINKING_MEETING: ReportKind.CPR}


def one_step(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - all alike
    """Pass where the last move led on to here: one step is taken back, and not another."""
    last = next(each for each in list_steps(session, link) if each.from_state is not each.to_state)
    if last.step is StepName.STEP_BACK:
        raise NotYet("One step is taken back, and not another. End the link, and say so as the reason.")


def no_report_asked(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while nobody has asked to read, or may read, the report that the step made way for."""
    kind = _REPORTS[link.state]
    query = select(DocumentGrant.id).where(
        DocumentGrant.link_id == link.id,
        DocumentGrant.kind == kind,
        DocumentGrant.revoked_at.is_(None),
        DocumentGrant.declined.is_(None),
    )
    if session.scalar(query.limit(1)) is not None:
        raise NotYet(f"The {kind.label} was asked for, or is open to somebody. Decline it or take it back first.")


def undecided(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while the decision maker has decided nothing."""
    if find_decision(session, link) is not None:
        raise NotYet("The agency decision maker has decided on the match, so it stays before panel.")


def nothing_planned(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Pass while no meeting of the introductions is planned."""
    placement = find_placement(session, link.id)
    if placement is not None and list_meetings(session, placement):
        raise NotYet("Meetings of the introductions are planned. Take them out first, on the placement’s page.")


def take_back(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - an effect
    """Take back the day that the step said, and with it that introductions begin."""
    kind = _DAYS.get(link.state)
    if kind is not None:
        take_day_back(session, link, kind=kind, now=now)
    placement = find_placement(session, link.id)
    if placement is not None and link.state is LinkState.INTRODUCTIONS:
        lock_placement(session, placement)
        placement.introductions_on, placement.version = None, placement.version + 1
        session.flush()
