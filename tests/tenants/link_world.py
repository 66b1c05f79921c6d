"""Rows of what hangs on links and their records, in the world by which the wall is tested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.clock.mark import ClockMark, MarkKind
from matching.clock.reason import ClockReason
from matching.clock.rule import ClockName
from matching.decline import decline
from matching.household import get_household
from matching.legal_hold import HoldKind
from matching.link import DayKind, Link, StepName, decide_match, get_link, say_day
from matching.sibling_decision import SiblingCourse, SiblingDecision, SiblingMove
from matching.sibling_group import get_group
from matching.transition import StepFacts, set_legal_hold, take
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import TODAY, Tenant

_TO_PANEL = (StepName.SHORTLIST, StepName.VISIT, StepName.MEET, StepName.GO_TO_PANEL)


def take_to_panel(session: Session, link: Link) -> None:
    """Take a link that is considered as far as the panel, as the children's agency, and decide on the match."""
    now, facts = utc_now(), StepFacts("They go on.", day=TODAY, override="The papers lie elsewhere.")
    for step in _TO_PANEL:
        take(session, link, step, version=link.version, facts=facts, now=now)
    decide_match(session, link, approved=True, decided_on=now.date(), reason="It meets their needs.", now=now)


def make_link_rows(
    database: Database,
    agency: Tenant,
    *,
    group_id: UUID,
    household_id: UUID,
    child_ids: Sequence[UUID],
) -> None:
    """Make a row of each table of days, holds, clocks, declines and decisions on siblings, about ``agency``'s records.

    :param household_id: the one that is linked with a group of ``neighbour``.
    """
    now = utc_now()
    with database.transaction(agency.scope) as session:
        link_id, theirs = session.execute(select(Link.id, Link.sibling_group_id)).one()
        say_day(session, get_link(session, link_id), kind=DayKind.VISIT, day=TODAY, now=now)
        group = get_group(session, group_id)
        set_legal_hold(session, group, kind=HoldKind.STAY, from_on=TODAY, reason="An appeal", now=now)
        household = get_household(session, household_id)
        facts: dict[str, Any] = {"reason": "Too far", "feedback": "They were kind."}
        decline(session, group=get_group(session, theirs), household=household, **facts, now=now)
        said: dict[str, Any] = {
            "agency_id": agency.id,
            "person_id": agency.scope.person_id,
            "person_name": "Sam Sample",
            "at": now,
        }
        session.add(ClockMark(**said, sibling_group_id=group_id, kind=MarkKind.REFERRED, day=TODAY))
        missed = {"clock": ClockName.MATCH, "due_on": TODAY, "reason": "No family was found."}
        session.add(ClockReason(**said, **missed, sibling_group_id=group_id))
        decided = {"kind": SiblingCourse.APART, "decided_by": "A panel", "decided_on": TODAY, "reason": "Their needs."}
        decision = SiblingDecision(**said, **decided)
        session.add(decision)
        session.flush()
        moved: dict[str, Any] = {"sibling_decision_id": decision.id, "agency_id": agency.id, "from_group_id": uuid4()}
        session.add_all(SiblingMove(**moved, child_id=each, sibling_group_id=group_id) for each in child_ids)
