"""What concerns a whole group at once: a change of plan, or brothers and sisters put together or apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.link import (
    BEFORE_PLACED,
    Link,
    LinkOutcome,
    NotYet,
    NotYourStep,
    StepName,
    list_open_links_of,
    matched_records,
    written,
)
from matching.sibling_group import GroupStatus, SiblingGroup
from matching.transition.fact import StepFacts
from matching.transition.lock import lock_records
from matching.transition.take import take
from tenants import audit
from tenants.database import scope_of
from tenants.permission import Verb, require


def change_plan(session: Session, group: SiblingGroup, *, reason: str, feedback: str, now: datetime) -> list[Link]:
    """Take a group out of family finding, for adoption is no longer the plan, and end all its open links in one act.

    Returns the links that it ended.

    :raises NotAllowed: when the scope's roles do not let it change plans.
    :raises NotYourStep: when the children are another agency's.
    :raises NotYet: when the children are placed, or the plan was changed already.
    :raises LinkInvalid: when reason or feedback is missing.
    """
    words = written(reason, "why the plan has changed")
    [locked] = lock_groups(session, [group])
    if locked.status is GroupStatus.WITHDRAWN:
        raise NotYet("These children have been taken out of family finding already.")
    ended = end_links_of(session, [locked], outcome=LinkOutcome.PLAN_CHANGED, reason=words, feedback=feedback, now=now)
    locked.status, locked.changed_at = GroupStatus.WITHDRAWN, now
    session.flush()
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind="sibling_group",
        record_id=group.id,
        owner_agency_id=group.agency_id,
        reason="plan changed",
        now=now,
    )
    return ended


def look_for_family(session: Session, group: SiblingGroup, *, now: datetime) -> SiblingGroup:
    """Let a group that is on hold wait again: after a disruption, say, its own agency decides that.

    :raises NotAllowed: when the scope's roles do not let it change plans.
    :raises NotYourStep: when the children are another agency's.
    :raises NotYet: when the group is not on hold, or is matched.
    """
    [locked] = lock_groups(session, [group])
    if locked.status is not GroupStatus.ON_HOLD or matched_records(session, [locked.id]):
        raise NotYet(f"These children are not on hold: {locked.status.label.lower()}. Load the page again.")
    locked.status, locked.changed_at = GroupStatus.WAITING, now
    session.flush()
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind="sibling_group",
        record_id=locked.id,
        owner_agency_id=locked.agency_id,
        level=audit.Level.SUMMARY,
        reason="a family is looked for again",
        now=now,
    )
    return locked


def lock_groups(session: Session, groups: Sequence[SiblingGroup]) -> list[SiblingGroup]:
    """Lock groups of the scope's own agency with what may happen to their links, and return them as they stand now.

    :raises NotAllowed: when the scope's roles do not let it change plans.
    :raises NotYourStep: when one of them is another agency's.
    """
    scope = scope_of(session)
    require(scope, Verb.CHANGE_PLAN)
    if any(group.agency_id != scope.agency_id for group in groups):
        raise NotYourStep("The children’s own agency decides on their plan.")
    ids = [group.id for group in groups]
    lock_records(session, groups=ids)
    query = select(SiblingGroup).where(SiblingGroup.id.in_(ids)).order_by(SiblingGroup.id).with_for_update()
    found = {each.id: each for each in session.scalars(query.execution_options(populate_existing=True))}
    return [found[group_id] for group_id in ids]


def end_links_of(
    session: Session,
    groups: Sequence[SiblingGroup],
    *,
    outcome: LinkOutcome,
    reason: str,
    feedback: str,
    now: datetime,
) -> list[Link]:
    """End every open link of groups that :func:`lock_groups` has locked, each with feedback to the other side.

    :raises NotYet: when the children are placed.
    """
    facts = StepFacts(reason, outcome=outcome, feedback=written(feedback, "what the other agencies can learn from it"))
    links = [link for group in groups for link in list_open_links_of(session, group.id)]
    links.sort(key=lambda link: (link.household_id, link.id))
    if any(link.state not in BEFORE_PLACED for link in links):
        raise NotYet("The children are placed with a family. Record how that placement ended first.")
    return [take(session, link, StepName.END, version=link.version, facts=facts, now=now) for link in links]
