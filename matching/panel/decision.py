"""The decision on a match, from the decision maker's own list: by who was named for it, and advised nobody on it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.link import MatchDecision, decide_match
from matching.panel.paper import ADVICE, list_papers
from matching.panel.reading import Reading
from tenants.error import Forbidden


class NotTheDecider(Forbidden):
    """The person is not named as the decision maker, has not undertaken it, or has advised the panel."""


def decide(
    session: Session, reading: Reading, *, approved: bool, decided_on: date, reason: str, earlier: int, now: datetime
) -> MatchDecision:
    """Record the named decision maker's own decision; one that was made before stays, and this goes beside it.

    :param earlier: how many decisions the person saw.
    :raises NotTheDecider: when they are not named for it, have not undertaken it, or gave advice on it.
    :raises DomainError: as ``decide_match`` says, LinkMoved where somebody decided meanwhile.
    """
    if not reading.may_decide:
        raise NotTheDecider("The decision maker who is named for the match decides, while it is before panel.")
    papers = list_papers(session, reading.link)
    if any(paper.kind in ADVICE.values() and paper.person_id == reading.reader.person_id for paper in papers):
        raise NotTheDecider("You have advised the panel on this match, so another decision maker decides on it.")
    facts = {"approved": approved, "decided_on": decided_on, "reason": reason}
    return decide_match(session, reading.link, **facts, earlier=earlier, now=now)  # type: ignore[arg-type]
