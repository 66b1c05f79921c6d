"""Holds on destruction: while one stands, on a record or on a whole class, nothing of it is destroyed.

The word “legal hold” alone means that a child may not be placed; this one keeps what is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household, get_household
from matching.record_audit import find_audited
from matching.retention.record_class import RecordClass
from matching.sealed_words import open_words, own_agency, own_person, seal_words, tidy
from matching.sibling_group import SiblingGroup, get_group
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, NotFound
from tenants.permission import Verb, require


class RetentionHold(Base):
    """One hold: on a class or on a record, and by whom it was placed and lifted."""

    __tablename__ = "retention_hold"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    record_class: Mapped[RecordClass | None] = mapped_column(Word(RecordClass))
    record_id: Mapped[UUID | None]
    code: Mapped[str | None]
    """The record's code in the pool."""
    sealed: Mapped[bytes]
    held_by: Mapped[UUID]
    held_at: Mapped[datetime]
    sealed_lifting: Mapped[bytes | None]
    lifted_by: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]
    """When it came with another agency's records, where a hold of one's own on the same class stood already."""


@dataclass(frozen=True, slots=True)
class HoldSaid:
    """A hold with its reasons opened."""

    hold: RetentionHold
    reason: str
    lifting: str | None


class HoldUnknown(NotFound):
    """No such hold is this agency's."""


class HoldStands(Conflict):
    """There is a hold on that already, or none is left to lift."""


def place_hold(
    session: Session,
    *,
    reason: str,
    now: datetime,
    reference: str | None = None,
    record_class: RecordClass | None = None,
) -> RetentionHold:
    """Stop the destruction of one record, by its code or own reference, or of a whole class.

    :raises NotAllowed: when the scope's roles do not keep the schedule.
    :raises RecordUnknown: when the agency has no such record.
    :raises HoldStands: when a hold on the same stands.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.KEEP_RETENTION)
    said = tidy(reason, what="why it is held, and who asked for that")
    record = None if reference is None else own_record(session, reference)
    lock_destruction(session)
    if hold_on(session, record.id if record else None, record_class):
        raise HoldStands("A hold on that stands already. Lift it first, or leave it.")
    hold_id = uuid4()
    hold = RetentionHold(
        id=hold_id,
        agency_id=own_agency(session),
        record_class=record_class if record is None else None,
        record_id=record.id if record else None,
        code=record.code if record else None,
        sealed=seal_words(session, {"reason": said}, row_id=hold_id, now=now),
        held_by=own_person(session),
        held_at=now,
    )
    session.add(hold)
    session.flush()
    _record(session, audit.Act.HOLD, hold, now=now)
    return hold


def lift_hold(session: Session, hold: RetentionHold, *, reason: str, now: datetime) -> None:
    """Lift a hold, in one's own name and with a reason.

    :raises HoldStands: when it is lifted already.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.KEEP_RETENTION)
    said = tidy(reason, what="why it is lifted")
    lock_destruction(session)
    session.refresh(hold)
    if hold.lifted_at is not None:
        raise HoldStands("The hold was lifted already.")
    hold.sealed_lifting = seal_words(session, {"reason": said}, row_id=hold.id, now=now)
    hold.lifted_by, hold.lifted_at = own_person(session), now
    session.flush()
    _record(session, audit.Act.RELEASE, hold, now=now)


def carry_hold(session: Session, source_id: UUID, target: SiblingGroup, *, now: datetime) -> None:
    """Hold a group as another is held, from which children have come to it; without one it stays as it is."""
    held = select(RetentionHold).where(RetentionHold.record_id == source_id, RetentionHold.lifted_at.is_(None))
    stands = session.scalar(held)
    if stands is None or target.id in standing_holds(session)[1]:
        return
    said, hold_id = open_words(session, stands.sealed, row_id=stands.id), uuid4()
    hold = RetentionHold(id=hold_id, agency_id=own_agency(session), record_id=target.id, code=target.code)
    hold.sealed = seal_words(session, said, row_id=hold_id, now=now)
    hold.held_by, hold.held_at = own_person(session), now
    session.add(hold)
    session.flush()
    _record(session, audit.Act.HOLD, hold, now=now)


def get_hold(session: Session, hold_id: UUID) -> RetentionHold:
    """Return a hold of the scope's own agency.

    :raises HoldUnknown: when there is none.
    """
    hold = session.get(RetentionHold, hold_id)
    if hold is None:
        raise HoldUnknown("There is no such hold in your agency.")
    return hold


def read_holds(session: Session, *, now: datetime) -> list[HoldSaid]:
    """Return the agency's holds with their reasons, those that stand first, and put the look on record."""
    require(scope_of(session), Verb.KEEP_RETENTION)
    query = select(RetentionHold).order_by(
        RetentionHold.lifted_at.desc().nulls_first(), RetentionHold.held_at.desc(), RetentionHold.id
    )
    held = list(session.scalars(query))
    audit.record_each(
        session,
        audit.Act.READ,
        record_kind="retention_hold",
        records=[(hold.id, hold.agency_id) for hold in held],
        now=now,
    )
    return [_said(session, hold) for hold in held]


def standing_holds(session: Session) -> tuple[frozenset[RecordClass], frozenset[UUID]]:
    """Return the classes and the records on which a hold stands."""
    found = session.execute(
        select(RetentionHold.record_class, RetentionHold.record_id).where(RetentionHold.lifted_at.is_(None))
    ).all()
    return frozenset(kind for kind, _ in found if kind), frozenset(record for _, record in found if record)


def hold_on(session: Session, record_id: UUID | None, record_class: RecordClass | None) -> bool:
    """Say whether a hold stands on a record, or on a class as a whole."""
    classes, records = standing_holds(session)
    return record_id in records or record_class in classes


def lock_destruction(session: Session) -> None:
    """Wait for whoever places a hold or destroys something in the scope's agency, until the transaction ends."""
    name = f"retention {own_agency(session)}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def own_record(session: Session, reference: str) -> Household | SiblingGroup:
    """Return one's own agency's record of a code or own reference.

    :raises RecordUnknown: when it has none of that name.
    """
    kind, record_id = find_audited(session, reference)
    return get_group(session, record_id) if kind == "group" else get_household(session, record_id)


def _said(session: Session, hold: RetentionHold) -> HoldSaid:
    lifting = open_words(session, hold.sealed_lifting, row_id=hold.id)["reason"] if hold.sealed_lifting else None
    return HoldSaid(hold=hold, reason=open_words(session, hold.sealed, row_id=hold.id)["reason"] or "", lifting=lifting)


def _record(session: Session, act: audit.Act, hold: RetentionHold, *, now: datetime) -> None:
    targets: Sequence[tuple[str, UUID]] = [("retention_hold", hold.id)]
    if hold.record_id is not None:
        targets = [*targets, ("household" if (hold.code or "").startswith("H-") else "sibling_group", hold.record_id)]
    for kind, target in targets:
        reason = hold.record_class.value if hold.record_class else "hold on destruction"
        audit.record(session, act, record_kind=kind, record_id=target, reason=reason, now=now)
