"""Set and lift a legal hold, and tell the other side of each open link of the group."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.actor import acting_person
from matching.legal_hold import HoldKind, LegalHold
from matching.link import LinkInvalid, NotYet, NotYourStep, StepName, list_open_links_of, written
from matching.sibling_group import SiblingGroup
from matching.transition.fact import StepFacts
from matching.transition.lock import lock_records
from matching.transition.table import find_transition
from matching.transition.take import take
from tenants import audit
from tenants.database import scope_of
from tenants.permission import Verb, require


def set_legal_hold(
    session: Session, group: SiblingGroup, *, kind: HoldKind, from_on: date, reason: str, now: datetime
) -> LegalHold:
    """Stop the placing of a group's children.

    :raises NotAllowed: when the scope's roles do not let it keep legal holds.
    :raises NotYourStep: when the children are another agency's.
    :raises LinkInvalid: when the day lies ahead, or no reason is given.
    """
    require(scope_of(session), Verb.KEEP_LEGAL_HOLDS)
    words = written(reason, "what stops the placing")
    if group.agency_id != scope_of(session).agency_id:
        raise NotYourStep("A legal hold is kept by the children’s agency.")
    if from_on > now.date():
        raise LinkInvalid("A hold stands from today or a day before; one that lies ahead is set on its day.")
    lock_records(session, groups=[group.id])
    actor = acting_person(session)
    hold = LegalHold(
        agency_id=group.agency_id,
        sibling_group_id=group.id,
        kind=kind,
        from_on=from_on,
        reason=words,
        person_id=actor.person_id,
        person_name=actor.name,
        at=now,
    )
    session.add(hold)
    session.flush()
    _tell(session, group, hold, StepName.HOLD, audit.Act.ADD, now=now)
    return hold


def lift_legal_hold(session: Session, hold: LegalHold, *, reason: str, now: datetime) -> LegalHold:
    """Let the children be placed again, as far as this hold goes; who lifts it is named.

    :raises NotAllowed: when the scope's roles do not let it keep legal holds.
    :raises NotYet: when somebody has lifted it already.
    :raises LinkInvalid: when no reason is given.
    """
    require(scope_of(session), Verb.KEEP_LEGAL_HOLDS)
    words = written(reason, "why it no longer stands")
    lock_records(session, groups=[hold.sibling_group_id])
    query = select(LegalHold).where(LegalHold.id == hold.id, LegalHold.lifted_at.is_(None)).with_for_update()
    if session.scalar(query.execution_options(populate_existing=True)) is None:
        raise NotYet("Somebody has lifted this hold already. Load the page again to see why.")
    actor = acting_person(session)
    hold.lifted_at, hold.lifted_by, hold.lifted_name, hold.lifted_reason = now, actor.person_id, actor.name, words
    session.flush()
    group = session.get_one(SiblingGroup, hold.sibling_group_id)
    _tell(session, group, hold, StepName.RELEASE, audit.Act.RELEASE, now=now)
    return hold


def _tell(
    session: Session, group: SiblingGroup, hold: LegalHold, step: StepName, act: audit.Act, *, now: datetime
) -> None:
    # The other side is told that there is one, not what it is about.
    facts = StepFacts(step.label + ".")
    for link in list_open_links_of(session, group.id):
        if find_transition(link.state, step):
            take(session, link, step, version=link.version, facts=facts, now=now)
    audit.record(
        session,
        act,
        record_kind="legal_hold",
        record_id=hold.id,
        owner_agency_id=group.agency_id,
        reason=hold.kind.value,
        now=now,
    )
