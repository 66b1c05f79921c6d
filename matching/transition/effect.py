"""What a step brings about besides its new state, in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from matching.link import Link, LinkInvalid, LinkPath, written
from matching.transition.fact import StepFacts


def keep_outcome(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - all alike
    """Keep what an ended link came to, and what the other agency can use.

    :raises LinkInvalid: when one of the two is missing.
    """
    if facts.outcome is None:
        raise LinkInvalid("Say what the link came to.")
    link.outcome = facts.outcome
    link.feedback = written(facts.feedback or "", "what the other agency can learn from it")


def take_early_path(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Note that the children live with the family as fostered, before the decisions that make it an adoption."""
    link.path, link.fostered_on = LinkPath.EARLY_PERMANENCE, facts.day


def take_carers_path(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Note that the family are the children's foster carers, and since when."""
    link.path, link.fostered_on = LinkPath.FOSTER_CARER, facts.day
