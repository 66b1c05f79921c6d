"""What a match means for the two records: neither looks for anybody while it stands, and what each does when it ends.

Children whose match ended before they were placed wait again at once: they still have no family. Whether a family is
free again, and what becomes of children after a disruption, is not known, so both are on hold until their own agency
says that they wait.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.household import Household
from matching.link import MATCHED, Link
from matching.sibling_group import SiblingGroup
from matching.transition.fact import StepFacts
from tenants import audit

_SETTLE = text("SELECT settle_match(:link, :begins)")


def look_for_nobody(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - all alike
    """Take both records out of whatever lists those that look for a match."""
    _settle(session, link, begins=True, now=now)


def look_again(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001
    """Let both records go on from a match that has come to its end; nothing where there was none."""
    if link.state in MATCHED:
        _settle(session, link, begins=False, now=now)


def _settle(session: Session, link: Link, *, begins: bool, now: datetime) -> None:
    session.flush()
    # Each of the two is of an agency of its own, and one of them takes the step: the database settles both.
    session.execute(_SETTLE, {"link": link.id, "begins": begins})
    for model, kind, record_id, agency_id in (
        (SiblingGroup, "sibling_group", link.sibling_group_id, link.group_agency_id),
        (Household, "household", link.household_id, link.household_agency_id),
    ):
        known = session.identity_map.get(session.identity_key(model, record_id))
        if known is not None:
            session.expire(known)
        audit.record(
            session,
            audit.Act.CHANGE,
            record_kind=kind,
            record_id=record_id,
            owner_agency_id=agency_id,
            level=audit.Level.SUMMARY,
            reason="matched" if begins else "match ended",
            now=now,
        )
