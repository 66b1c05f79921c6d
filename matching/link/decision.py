"""The match decision: the agency decision maker's own, for the children's agency, on a link that was before panel.

It is never a vote, and nobody but the decision maker records it. A later decision takes an earlier one's place; both
stay on record. (Adoption Agencies Regulations 2005, regulation 33; Statutory Guidance on Adoption 2013, 1.56.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.link.record import RECORD_KIND, Link, LinkInvalid, LinkMoved, NotYet, NotYourStep, written
from matching.link.state import LinkState
from tenants import audit
from tenants.approval import require_one_side
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.permission import Verb, require


class MatchDecision(Base):
    """What the decision maker decided of one link, on which day and why."""

    __tablename__ = "match_decision"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    number: Mapped[int]
    approved: Mapped[bool]
    decided_on: Mapped[date]
    reason: Mapped[str]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    person_roles: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    """In what capacity they decided; decisions of before it was kept do not say."""
    at: Mapped[datetime]


def decide_match(
    session: Session,
    link: Link,
    *,
    approved: bool,
    decided_on: date,
    reason: str,
    now: datetime,
    earlier: int = 0,
) -> MatchDecision:
    """Record the scope's person's own decision on a match that the panel has before it.

    :param earlier: how many decisions on this link the person saw: with another made meanwhile it is refused.
    :raises NotAllowed: when the person is no decision maker.
    :raises NotYourStep: when the children are another agency's.
    :raises BothSides: when they hold roles in both agencies.
    :raises NotYet: when the link is not before panel.
    :raises LinkMoved: when somebody decided meanwhile.
    :raises LinkInvalid: when the day lies ahead, or no reason is given.
    """
    scope = scope_of(session)
    require(scope, Verb.DECIDE_MATCH)
    words = written(reason, "the reasons for the decision")
    if decided_on > now.date():
        raise LinkInvalid("A decision is recorded on the day it is made, or after. Choose today or a day before.")
    if scope.agency_id != link.group_agency_id:
        raise NotYourStep("The match is decided by the decision maker of the children’s agency.")
    require_one_side(session, agencies=(link.group_agency_id, link.household_agency_id), on=now.date())
    _lock(session, link)
    known = decisions_of(session, [link]).get(link.id, [])
    if len(known) != earlier:
        raise LinkMoved(f"{known[-1].person_name} has decided meanwhile. Load the page again to read it.")
    actor = acting_person(session)
    decision = MatchDecision(
        link_id=link.id,
        group_agency_id=link.group_agency_id,
        household_agency_id=link.household_agency_id,
        number=earlier + 1,
        approved=approved,
        decided_on=decided_on,
        reason=words,
        person_id=actor.person_id,
        person_name=actor.name,
        person_roles=list(actor.roles),
        at=now,
    )
    session.add(decision)
    session.flush()
    audit.record(
        session,
        audit.Act.DECIDE,
        record_kind=RECORD_KIND,
        record_id=link.id,
        owner_agency_id=link.household_agency_id,
        reason="match approved" if approved else "match not approved",
        now=now,
    )
    return decision


def decisions_of(session: Session, links: Sequence[Link]) -> dict[UUID, list[MatchDecision]]:
    """Return the decisions on each link, the first first; the last is what holds."""
    query = select(MatchDecision).where(MatchDecision.link_id.in_([link.id for link in links]))
    found: dict[UUID, list[MatchDecision]] = {}
    for decision in session.scalars(query.order_by(MatchDecision.number, MatchDecision.id)):
        found.setdefault(decision.link_id, []).append(decision)
    return found


def find_decision(session: Session, link: Link) -> MatchDecision | None:
    """Return the decision that holds, if the decision maker has decided."""
    made = decisions_of(session, [link]).get(link.id)
    return made[-1] if made else None


def _lock(session: Session, link: Link) -> None:
    query = select(Link).where(Link.id == link.id).with_for_update(key_share=True)
    locked = session.scalar(query.execution_options(populate_existing=True))
    if locked is None or locked.state is not LinkState.PANEL:
        raise NotYet("A match is decided while the link is before the matching panel, and it is not.")
