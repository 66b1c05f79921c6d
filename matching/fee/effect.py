"""What steps of a link do to its fee agreement: hung on rows of the table of transitions. None holds a step up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from matching.fee.agreement import AgreementState, find_agreement_of
from matching.fee.drafting import begin, disrupt, draft_agreement, order, withdraw
from matching.link import Link
from matching.placement.placement import find_placement

if TYPE_CHECKING:
    from matching.transition.fact import StepFacts


def draft(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - effects are alike
    """Draft what the placement costs, with the match; nothing within one agency."""
    placement = find_placement(session, link.id)
    if placement is not None:
        draft_agreement(session, placement, now=now)


def freeze(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Keep the rate of the day; one that was never drafted is."""
    placement = find_placement(session, link.id)
    agreement = draft_agreement(session, placement, now=now) if placement is not None else None
    if placement is not None and agreement is not None:
        begin(session, agreement, placement, now=now)


def make_order(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Keep the day of the adoption order."""
    placement, agreement = find_placement(session, link.id), find_agreement_of(session, link.id)
    if placement is not None and placement.ordered_on is not None and agreement is not None:
        order(session, agreement, on=placement.ordered_on, now=now)


def fall(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Keep the day of a disruption."""
    placement, agreement = find_placement(session, link.id), find_agreement_of(session, link.id)
    if placement is not None and placement.disrupted_on is not None and agreement is not None:
        disrupt(session, agreement, on=placement.disrupted_on, now=now)


def end(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Withdraw the agreement of a link that ended before the children were placed."""
    agreement = find_agreement_of(session, link.id)
    if agreement is not None and agreement.state is not AgreementState.WITHDRAWN:
        withdraw(session, agreement, now=now)
