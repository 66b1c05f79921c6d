"""Rectification: a correction that somebody asked for, decided by a person, and who saw the record meanwhile.

Deciding does not change the record: whoever keeps it does so as always. What stood there, and what was to stand, stay
sealed here; a refusal keeps the asker's own statement (UK GDPR Articles 16 and 19; ICO, Right to rectification).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household
from matching.register import agency_names
from matching.retention.hold import own_record
from matching.retention.rule import months_after
from matching.sealed_words import open_words, own_agency, own_person, seal_words, tidy
from tenants import audit
from tenants.audit import AuditEntry
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require


class Rectified(StrEnum):
    """What was decided of a correction."""

    DONE = "done"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"done": "Done", "refused": "Refused, and the statement kept"}[self]


class Rectification(Base):
    """One correction that was asked for; without ``decided_at`` it waits."""

    __tablename__ = "rectification"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    record_kind: Mapped[str]
    record_id: Mapped[UUID]
    code: Mapped[str]
    sealed: Mapped[bytes]
    asked_on: Mapped[date]
    due_on: Mapped[date]
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]
    decision: Mapped[Rectified | None] = mapped_column(Word(Rectified))
    sealed_decision: Mapped[bytes | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class RectificationSaid:
    """A correction opened: which field, what stands and is to stand, their statement, and why it was decided so."""

    row: Rectification
    field: str
    before: str
    after: str
    statement: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class SeenBy:
    """Another agency that looked at the record, how often and when last: it is to be told."""

    agency: str
    looks: int
    last: datetime


class RectificationUnknown(NotFound):
    """No such correction was asked of this agency."""


class RectificationInvalid(Invalid):
    """It cannot have been asked for on that day."""


class RectificationDecided(Conflict):
    """It was decided already."""


def ask_rectification(
    session: Session,
    reference: str,
    *,
    field: str,
    before: str,
    after: str,
    statement: str,
    asked_on: date,
    now: datetime,
) -> Rectification:
    """Take a correction that somebody asks for of one's own agency's record; it is due in one month.

    :raises NotAllowed: when the scope's roles do not take corrections.
    :raises RecordUnknown: when the agency has no such record.
    :raises RectificationInvalid: when the day is yet to come, or more than a year ago.
    :raises WordsMissing: when something is left blank.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    record = own_record(session, reference)
    if asked_on > now.date() or (now.date() - asked_on).days > 366:
        raise RectificationInvalid("Enter the day on which they asked: not after today, and within the last year.")
    words = {
        "field": tidy(field, what="what is to be corrected"),
        "before": tidy(before, what="what stands there now"),
        "after": tidy(after, what="what is to stand there"),
        "statement": tidy(statement, what="what they say about it"),
    }
    row_id = uuid4()
    row = Rectification(
        id=row_id,
        agency_id=own_agency(session),
        record_kind="household" if isinstance(record, Household) else "sibling_group",
        record_id=record.id,
        code=record.code,
        sealed=seal_words(session, words, row_id=row_id, now=now),
        asked_on=asked_on,
        due_on=months_after(asked_on, 1),
        opened_by=own_person(session),
        opened_at=now,
    )
    session.add(row)
    session.flush()
    _record(session, audit.Act.REQUEST, row, "correction asked for", now=now)
    return row


def decide_rectification(
    session: Session, row: Rectification, *, decision: Rectified, reason: str, now: datetime
) -> None:
    """Decide on a correction, in one's own name and with a reason: it was done, or it is refused.

    :raises RectificationDecided: when it was decided already.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    session.refresh(row)
    if row.decided_at is not None:
        raise RectificationDecided("This was decided already. Take a new correction instead.")
    said = {"reason": tidy(reason, what="why")}
    row.sealed_decision = seal_words(session, said, row_id=row.id, now=now)
    row.decision, row.decided_by, row.decided_at = decision, own_person(session), now
    session.flush()
    _record(session, audit.Act.CHANGE, row, f"correction {decision.value}", now=now)


def get_rectification(session: Session, row_id: UUID) -> Rectification:
    """Return a correction asked of the scope's own agency.

    :raises RectificationUnknown: when there is none.
    """
    row = session.get(Rectification, row_id)
    if row is None:
        raise RectificationUnknown("There is no such correction in your agency.")
    return row


def list_rectifications(session: Session, *, limit: int = 100) -> list[Rectification]:
    """Return the corrections asked of one's own agency: those that wait first, the next due first."""
    newest = (Rectification.decided_at.desc().nulls_first(), Rectification.due_on, Rectification.id)
    return list(session.scalars(select(Rectification).order_by(*newest).limit(limit)))


def count_of_record(session: Session, record_id: UUID) -> int:
    """Return how many corrections were asked for of a record, for the page of that record to say so."""
    return session.scalar(select(func.count()).where(Rectification.record_id == record_id)) or 0


def read_rectification(session: Session, row: Rectification, *, now: datetime) -> RectificationSaid:
    """Return a correction opened, and put the look on record."""
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    _record(session, audit.Act.READ, row, "correction", now=now)
    words = {name: said or "" for name, said in open_words(session, row.sealed, row_id=row.id).items()}
    reason = open_words(session, row.sealed_decision, row_id=row.id)["reason"] if row.sealed_decision else None
    return RectificationSaid(row=row, reason=reason, **words)


def seen_by(session: Session, row: Rectification) -> list[SeenBy]:
    """Return the other agencies that looked at the record, from the audit, the one that looked last first."""
    entry, names = AuditEntry, agency_names(session)
    query = (
        select(entry.actor_agency_id, func.count(), func.max(entry.at))
        .where(
            entry.record_id == row.record_id,
            entry.actor_agency_id != row.agency_id,
        )
        .group_by(entry.actor_agency_id)
        .order_by(func.max(entry.at).desc(), entry.actor_agency_id)
    )
    return [
        SeenBy(agency=names.get(agency_id, "An agency outside your consortium"), looks=looks, last=last)
        for agency_id, looks, last in session.execute(query)
        if agency_id is not None
    ]


def _record(session: Session, act: audit.Act, row: Rectification, reason: str, *, now: datetime) -> None:
    audit.record(
        session,
        act,
        record_kind=row.record_kind,
        record_id=row.record_id,
        level=audit.Level.IDENTITY,
        reason=reason,
        now=now,
    )
