"""Links: one sibling group and one household looked at together by their two agencies, from interest to outcome.

A link is seen by exactly these two agencies. It opens no more of either record than the pool does; reports are granted
by name on top. Each transition is a row of one table, and leaves a step that nobody can change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.household import Household, HouseholdStatus
from matching.sibling_group import GroupStatus, SiblingGroup
from tenants import audit
from tenants.agency import get_agency
from tenants.approval import require_another
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.permission import Verb, require

MOST_CHARACTERS = 2_000
RECORD_KIND = "link"


class LinkState(StrEnum):
    """How far a link has come."""

    INTEREST = "interest"
    CONSIDERING = "considering"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"interest": "Interest", "considering": "Considering", "ended": "Ended"}[self]


class LinkOutcome(StrEnum):
    """What a link came to."""

    NOT_RIGHT = "not_right"
    FAMILY_WITHDREW = "family_withdrew"
    OTHER_FAMILY = "other_family"
    OTHER_CHILDREN = "other_children"
    PLAN_CHANGED = "plan_changed"
    OTHER = "other"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _OUTCOMES[self]


_OUTCOMES = {
    LinkOutcome.NOT_RIGHT: "Not the right family for these children",
    LinkOutcome.FAMILY_WITHDREW: "The family did not wish to go on",
    LinkOutcome.OTHER_FAMILY: "Another family was chosen for the children",
    LinkOutcome.OTHER_CHILDREN: "The family goes on with other children",
    LinkOutcome.PLAN_CHANGED: "The children’s plan has changed",
    LinkOutcome.OTHER: "Something else, as the reason says",
}


class Link(Base):
    """One group and one household of two agencies, or of one."""

    __tablename__ = "link"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    started_by_id: Mapped[UUID]
    """The agency that showed the interest."""
    state: Mapped[LinkState] = mapped_column(Word(LinkState))
    version: Mapped[int]
    """Counts the steps: who acts on an older one is told who was first."""
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    outcome: Mapped[LinkOutcome | None] = mapped_column(Word(LinkOutcome))
    feedback: Mapped[str | None]
    """What the other agency can use, said kindly when the link ended."""

    @property
    def open(self) -> bool:
        """Say whether it goes on."""
        return self.state is not LinkState.ENDED

    def other_agency_id(self, agency_id: UUID | None) -> UUID:
        """Return the agency on the other side of ``agency_id``; for a link within one agency, the same."""
        return self.household_agency_id if agency_id == self.group_agency_id else self.group_agency_id


class LinkStep(Base):
    """One transition: who took it, when and why. It is never changed."""

    __tablename__ = "link_step"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    version: Mapped[int]
    from_state: Mapped[LinkState | None] = mapped_column(Word(LinkState))
    to_state: Mapped[LinkState] = mapped_column(Word(LinkState))
    at: Mapped[datetime]
    agency_id: Mapped[UUID]
    """The agency that the person acted for."""
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    person_roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    reason: Mapped[str]


class LinkUnknown(NotFound):
    """No such link concerns this scope's agency."""


class LinkInvalid(Invalid):
    """A step was described in a way that cannot be taken."""


class LinkAlreadyOpen(Conflict):
    """The group and the household have an open link already."""


class LinkMoved(Conflict):
    """Somebody else took a step in the meantime."""


class NoSuchStep(Conflict):
    """The link's state does not allow this step."""


class NotYourStep(Forbidden):
    """The step is the other side's to take."""


class Taker(StrEnum):
    """Which side of a link may take a step."""

    EITHER = "either side"
    OTHER = "the side that did not start it"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from where, to where, who may, and what must hold."""

    source: LinkState
    target: LinkState
    taker: Taker
    verb: Verb
    guards: tuple[Callable[[Session, Link, datetime], None], ...] = ()


def _both_wait(session: Session, link: Link, now: datetime) -> None:  # noqa: ARG001 - a guard may ask for the time
    group, household = session.get(SiblingGroup, link.sibling_group_id), session.get(Household, link.household_id)
    if group is None or household is None:
        raise NoSuchStep("One of the two is no longer shared with you. Ask its agency, or end the link.")
    if group.status is GroupStatus.WITHDRAWN or household.status is HouseholdStatus.WITHDRAWN:
        raise NoSuchStep("One of the two has been withdrawn. End the link, and say so as the reason.")


def _two_people(session: Session, link: Link, now: datetime) -> None:
    # Nobody speaks for both agencies: who holds roles in both would let themselves read what is between them.
    if link.group_agency_id != link.household_agency_id:
        agencies, started = (link.group_agency_id, link.household_agency_id), list_steps(session, link)[-1]
        require_another(session, first_person_id=started.person_id, on=now.date(), agencies=agencies)


# fmt: off
TRANSITIONS: tuple[Transition, ...] = (
    #          from                   to                     who                          what must hold
    Transition(LinkState.INTEREST,    LinkState.CONSIDERING, Taker.OTHER,  Verb.KEEP_LINKS, (_both_wait, _two_people)),
    Transition(LinkState.INTEREST,    LinkState.ENDED,       Taker.EITHER, Verb.KEEP_LINKS),
    Transition(LinkState.CONSIDERING, LinkState.ENDED,       Taker.EITHER, Verb.KEEP_LINKS),
)
# fmt: on


def start_link(session: Session, *, group: SiblingGroup, household: Household, reason: str, now: datetime) -> Link:
    """Show interest in a group and a household that the scope sees both, one of them its own agency's.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises NotYourStep: when neither is its own agency's.
    :raises LinkAlreadyOpen: when the two have an open link.
    :raises LinkInvalid: when no reason is given, or one of the two is withdrawn.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_LINKS)
    words = written(reason, "why the two may be right for each other")
    if scope.agency_id not in (group.agency_id, household.agency_id):
        raise NotYourStep("Start links for your own agency’s children or families.")
    if group.status is GroupStatus.WITHDRAWN or household.status is HouseholdStatus.WITHDRAWN:
        raise LinkInvalid("One of the two has been withdrawn, so no link can be started.")
    link_id = session.scalar(
        insert(Link)
        .values(
            id=uuid4(),
            consortium_id=scope.consortium_id,
            sibling_group_id=group.id,
            group_agency_id=group.agency_id,
            household_id=household.id,
            household_agency_id=household.agency_id,
            started_by_id=scope.agency_id,
            state=LinkState.INTEREST,
            version=1,
            started_at=now,
            changed_at=now,
        )
        # Two people may start it at once: the index lets one link of a pair be open.
        .on_conflict_do_nothing()
        .returning(Link.id)
    )
    if link_id is None:
        raise LinkAlreadyOpen(f"{group.code} and {household.code} have an open link already. Find it under “Links”.")
    link = get_link(session, link_id)
    _note(session, link, source=None, reason=words, now=now)
    return link


def consider(session: Session, link: Link, *, version: int, reason: str, now: datetime) -> Link:
    """Take up the other side's interest; from now on reports may be granted.

    :raises DomainError: as the table of transitions and its guards say.
    """
    return _take(session, link, LinkState.CONSIDERING, version=version, reason=reason, now=now)


def end_link(
    session: Session, link: Link, *, outcome: LinkOutcome, feedback: str, version: int, reason: str, now: datetime
) -> Link:
    """End a link with what it came to; every grant of it is revoked in the same transaction.

    :raises DomainError: as the table of transitions says.
    """
    kind = written(feedback, "what the other agency can learn from it")
    return _take(
        session, link, LinkState.ENDED, version=version, reason=reason, now=now, outcome=outcome, feedback=kind
    )


def _take(
    session: Session, link: Link, target: LinkState, *, version: int, reason: str, now: datetime, **facts: object
) -> Link:
    words = written(reason, "why")
    _lock(session, link, version)
    transition = find_transition(link, target)
    if transition is None:
        raise NoSuchStep(f"The link is at “{link.state.label}”, from where this step cannot be taken.")
    require(scope_of(session), transition.verb)
    if not is_taker(session, link, transition):
        raise NotYourStep("This step is for the other agency to take: your agency showed the interest.")
    for guard in transition.guards:
        guard(session, link, now)
    source = link.state
    link.state, link.version, link.changed_at = target, link.version + 1, now
    for name, value in facts.items():
        setattr(link, name, value)
    session.flush()
    _note(session, link, source=source, reason=words, now=now)
    return link


def find_transition(link: Link, target: LinkState) -> Transition | None:
    """Return the table's row from the link's state to another, if there is one."""
    return next((each for each in TRANSITIONS if (each.source, each.target) == (link.state, target)), None)


def is_taker(session: Session, link: Link, transition: Transition) -> bool:
    """Say whether the scope's agency is on the side that may take a step."""
    if transition.taker is Taker.EITHER or link.group_agency_id == link.household_agency_id:
        return True
    return scope_of(session).agency_id != link.started_by_id


def get_link(session: Session, link_id: UUID) -> Link:
    """Return a link of the scope's agency.

    :raises LinkUnknown: when there is none.
    """
    link = session.get(Link, link_id)
    if link is None:
        raise LinkUnknown("There is no such link of your agency.")
    return link


def find_open_link(session: Session, *, group_id: UUID, household_id: UUID) -> Link | None:
    """Return the open link of a pair, if this scope is a side of one."""
    return session.scalar(
        select(Link).where(
            Link.sibling_group_id == group_id, Link.household_id == household_id, Link.state != LinkState.ENDED
        )
    )


def list_steps(session: Session, link: Link) -> list[LinkStep]:
    """Return a link's steps, the last first."""
    query = select(LinkStep).where(LinkStep.link_id == link.id)
    return list(session.scalars(query.order_by(LinkStep.version.desc(), LinkStep.id)))


def written(text: str, asked: str) -> str:
    """Return what a person wrote.

    :raises LinkInvalid: when it is nothing or too much.
    """
    words = text.strip()
    if not words or len(words) > MOST_CHARACTERS:
        raise LinkInvalid(f"Say {asked}, in at most {MOST_CHARACTERS:,} characters.")
    return words


def of_side(agency_id: UUID | None, side: str) -> ColumnElement[bool]:
    """Return the condition of links on whose ``children`` or ``families`` side an agency is; of both otherwise."""
    sides = {"children": Link.group_agency_id, "families": Link.household_agency_id}
    chosen = [sides[side]] if side in sides else list(sides.values())
    return or_(*(column == agency_id for column in chosen))


def newest_first() -> tuple[ColumnElement[Any], ...]:
    """Return the order of lists of links: open ones first, then the last changed."""
    return (case((Link.state == LinkState.ENDED, 1), else_=0), Link.changed_at.desc(), Link.id.asc())


def _lock(session: Session, link: Link, version: int) -> None:
    # Locked and read again: two people may act at once. One that has ended cannot be locked, and so is not found.
    query = select(Link).where(Link.id == link.id).with_for_update(key_share=True)
    locked = session.scalar(query.execution_options(populate_existing=True))
    if locked is not None and locked.version == version:
        return
    last = list_steps(session, link)[0]
    agency = get_agency(session, last.agency_id).name
    raise LinkMoved(
        f"{last.person_name} of {agency} was first: the link is now at “{last.to_state.label}”. "
        "Load its page again to see why, then decide."
    )


def _note(session: Session, link: Link, *, source: LinkState | None, reason: str, now: datetime) -> None:
    actor, agency_id = acting_person(session), scope_of(session).agency_id
    session.add(
        LinkStep(
            link_id=link.id,
            group_agency_id=link.group_agency_id,
            household_agency_id=link.household_agency_id,
            version=link.version,
            from_state=source,
            to_state=link.state,
            at=now,
            agency_id=agency_id,
            person_id=actor.person_id,
            person_name=actor.name,
            person_roles=list(actor.roles),
            reason=reason,
        )
    )
    session.flush()
    audit.record(
        session,
        audit.Act.ADD if source is None else audit.Act.CHANGE,
        record_kind=RECORD_KIND,
        record_id=link.id,
        owner_agency_id=link.other_agency_id(agency_id),
        # Words of the audit stay for ever; what a person wrote stands in the step.
        reason=f"{source.value} to {link.state.value}" if source else link.state.value,
        now=now,
    )
