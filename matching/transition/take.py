"""Taking steps: the row of the table, its guards with everything locked, the change, its effects and its history."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from matching.household import Household, HouseholdStatus
from matching.link import (
    Link,
    LinkAlreadyOpen,
    LinkInvalid,
    LinkOutcome,
    LinkState,
    NoSuchStep,
    NotYet,
    NotYourStep,
    StepName,
    get_link,
    note_step,
    say_day,
    written,
)
from matching.sibling_group import GroupStatus, SiblingGroup
from matching.transition.fact import StepFacts
from matching.transition.guard import household_below_cap
from matching.transition.lock import lock_link, lock_records
from matching.transition.table import Taker, Transition, find_transition
from tenants.database import scope_of
from tenants.error import DomainError, Forbidden
from tenants.permission import Verb, require

_OTHER_SIDE = {
    Taker.OTHER: "This step is for the other agency to take: your agency showed the interest.",
    Taker.CHILDREN: "This step is for the children’s agency to take.",
}


class NotForPrograms(Forbidden):
    """Somebody answers for it in their own name, and a program is nobody."""


def start_link(
    session: Session,
    *,
    group: SiblingGroup,
    household: Household,
    reason: str,
    now: datetime,
    override: str | None = None,
) -> Link:
    """Show interest in a group and a household that the scope sees both, one of them its own agency's.

    :param override: why, where the household has reached the consortium's cap.
    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises NotYourStep: when neither is its own agency's.
    :raises LinkAlreadyOpen: when the two have an open link.
    :raises LinkInvalid: when no reason is given, or one of the two is withdrawn.
    :raises CapReached: when the household is at its cap, and ``override`` says nothing.
    :raises NotForPrograms: when a program would pass the cap.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_LINKS)
    words = written(reason, "why the two may be right for each other")
    _require_nothing_passed(session, override)
    if scope.agency_id not in (group.agency_id, household.agency_id):
        raise NotYourStep("Start links for your own agency’s children or families.")
    if group.status is GroupStatus.WITHDRAWN or household.status is HouseholdStatus.WITHDRAWN:
        raise LinkInvalid("One of the two has been withdrawn, so no link can be started.")
    lock_records(session, groups=[group.id], households=[household.id])
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
    facts = StepFacts(reason=words, override=(override or "").strip() or None)
    household_below_cap(session, link, facts, now)
    note_step(session, link, step=StepName.START, source=None, reason=words, override=facts.override, now=now)
    return link


def take(session: Session, link: Link, step: StepName, *, version: int, facts: StepFacts, now: datetime) -> Link:
    """Take a step as the table of transitions says; nothing of it is done unless all of it is.

    :param version: the link's version that the person saw.
    :raises LinkMoved: when somebody was first.
    :raises NoSuchStep: when the table has no such row from the link's state; NotYet when a guard refuses.
    :raises NotAllowed: when the scope's roles do not let it; NotYourStep when it is the other side's to take.
    :raises LinkInvalid: when the step asks for what was not said.
    :raises NotForPrograms: when a program would pass a cap, or go to panel without papers.
    """
    words = written(facts.reason, "why")
    _require_nothing_passed(session, facts.override)
    lock_link(session, link, version)
    transition = find_allowed(session, link, step)
    for guard in transition.guards:
        guard(session, link, facts, now)
    _change(session, link, transition, facts, words=words, now=now)
    return link


def consider(session: Session, link: Link, *, version: int, reason: str, now: datetime) -> Link:
    """Take up the other side's interest; from now on the adopters' report may be granted.

    :raises DomainError: as the table of transitions and its guards say.
    """
    return take(session, link, StepName.CONSIDER, version=version, facts=StepFacts(reason), now=now)


def end_link(
    session: Session, link: Link, *, outcome: LinkOutcome, feedback: str, version: int, reason: str, now: datetime
) -> Link:
    """End a link with what it came to; every grant of it is revoked in the same transaction.

    :raises DomainError: as the table of transitions says.
    """
    facts = StepFacts(reason, outcome=outcome, feedback=feedback)
    return take(session, link, StepName.END, version=version, facts=facts, now=now)


def find_allowed(session: Session, link: Link, step: StepName) -> Transition:
    """Return the table's row for a step, where the scope may take it from the link's state.

    :raises NoSuchStep: when there is none; NotAllowed, NotYourStep when it is not the scope's to take.
    """
    transition = find_transition(link.state, step)
    if transition is None:
        raise NoSuchStep(f"The link is at “{link.state.label}”, from where this step cannot be taken.")
    require(scope_of(session), transition.verb)
    if not is_taker(session, link, transition):
        raise NotYourStep(_OTHER_SIDE[transition.taker])
    return transition


def is_taker(session: Session, link: Link, transition: Transition) -> bool:
    """Say whether the scope's agency is on the side that may take a step."""
    own = scope_of(session).agency_id
    if transition.taker is Taker.EITHER or link.group_agency_id == link.household_agency_id:
        return True
    return own == link.group_agency_id if transition.taker is Taker.CHILDREN else own != link.started_by_id


def missing(session: Session, link: Link, transition: Transition, *, now: datetime) -> list[DomainError]:
    """Return what a step still needs, as its guards refuse it now; nothing is locked or changed."""
    found: list[DomainError] = []
    for guard in transition.guards:
        try:
            guard(session, link, StepFacts(""), now)
        except DomainError as refusal:
            found.append(refusal)
    return found


def _require_nothing_passed(session: Session, override: str | None) -> None:
    if (override or "").strip() and scope_of(session).client_id is not None:
        raise NotForPrograms(
            "A cap is passed, or a link taken to panel without its papers, by somebody who says why in their own name. "
            "Sign in and take this step on the link’s page."
        )


def _change(
    session: Session, link: Link, transition: Transition, facts: StepFacts, *, words: str, now: datetime
) -> None:
    source = link.state
    if transition.day is not None:
        if facts.day is None:
            raise LinkInvalid(f"Say the day: {transition.day.label.lower()}.")
        say_day(session, link, kind=transition.day, day=facts.day, now=now)
    for effect in transition.effects:
        effect(session, link, facts, now)
    link.state, link.version, link.changed_at = transition.target or source, link.version + 1, now
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        session.expire(link)
        raise NotYet(
            "The family or the children are before panel, or matched, with somebody else already, so this cannot be."
        ) from None
    override = (facts.override or "").strip() or None
    note_step(session, link, step=transition.step, source=source, reason=words, override=override, now=now)
