"""What protects children follows them into another group: who is shut out, legal holds, a hold on destruction."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from matching.actor import acting_person
from matching.bar import RecordBar
from matching.legal_hold import LegalHold, list_legal_holds
from matching.retention.hold import carry_hold
from matching.sibling_group import SiblingGroup
from tenants import audit


def carry_safeguards(session: Session, source: SiblingGroup, target: SiblingGroup, *, now: datetime) -> None:
    """Let all that stands for a group stand for another of the same agency too; there it is lifted by itself."""
    _carry_bars(session, source, target, now=now)
    _carry_legal_holds(session, source, target, now=now)
    carry_hold(session, source.id, target, now=now)


def _carry_bars(session: Session, source: SiblingGroup, target: SiblingGroup, *, now: datetime) -> None:
    query = select(RecordBar).where(RecordBar.lifted_at.is_(None)).order_by(RecordBar.set_at, RecordBar.id)
    there = {
        (bar.person_id, bar.email) for bar in session.scalars(query.where(RecordBar.sibling_group_id == target.id))
    }
    for bar in session.scalars(query.where(RecordBar.sibling_group_id == source.id)).all():
        if (bar.person_id, bar.email) in there:
            continue
        facts = {"person_id": bar.person_id, "email": bar.email, "own_word": bar.own_word, "reason": bar.reason}
        owner = {"agency_id": target.agency_id, "sibling_group_id": target.id, "household_id": None}
        session.execute(insert(RecordBar).values(id=uuid4(), **owner, **facts, set_by=bar.set_by, set_at=now))
        _record(session, audit.Act.BAR, target, f"as from {source.code}", now=now)


def _carry_legal_holds(session: Session, source: SiblingGroup, target: SiblingGroup, *, now: datetime) -> None:
    there = {(hold.kind, hold.from_on, hold.reason) for hold in list_legal_holds(session, target.id, standing=True)}
    actor = acting_person(session)
    for hold in reversed(list_legal_holds(session, source.id, standing=True)):
        if (hold.kind, hold.from_on, hold.reason) in there:
            continue
        facts = {"kind": hold.kind, "from_on": hold.from_on, "reason": hold.reason}
        owner = {"agency_id": target.agency_id, "sibling_group_id": target.id}
        session.add(LegalHold(**owner, **facts, person_id=actor.person_id, person_name=actor.name, at=now))
        _record(session, audit.Act.HOLD, target, f"legal hold, as on {source.code}", now=now)
    session.flush()


def _record(session: Session, act: audit.Act, group: SiblingGroup, reason: str, *, now: datetime) -> None:
    audit.record(
        session,
        act,
        record_kind="sibling_group",
        record_id=group.id,
        owner_agency_id=group.agency_id,
        reason=reason,
        now=now,
    )
