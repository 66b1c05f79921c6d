"""Destruction asked for by one person, decided by another, and what became of each record: the certificate."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.bar import barred_ids
from matching.retention.due import Kept, Preview, RecordKind, preview
from matching.retention.hold import lock_destruction
from matching.retention.record_class import RecordClass
from matching.sealed_words import open_words, own_agency, own_person, seal_words, tidy
from tenants import audit
from tenants.approval import require_another
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, NotFound
from tenants.job import request_job
from tenants.permission import Verb, require

RETENTION_JOB: Final = "retention"
"""The kind of job that destroys what two people agreed on; its payload names the run as ``retention_run_id``."""


class Outcome(StrEnum):
    """What became of a record of a run."""

    DESTROYED = "destroyed"
    KEPT = "kept"


class RetentionRun(Base):
    """Records to be destroyed together, by whom asked for, and by whom decided."""

    __tablename__ = "retention_run"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    as_of: Mapped[date]
    sealed: Mapped[bytes]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    approved: Mapped[bool | None]
    sealed_decision: Mapped[bytes | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    job_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class RetentionItem(Base):
    """One record of a run, under which rule it was due, and what became of it."""

    __tablename__ = "retention_item"

    id: Mapped[Id]
    retention_run_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    record_class: Mapped[RecordClass] = mapped_column(Word(RecordClass))
    record_kind: Mapped[RecordKind] = mapped_column(Word(RecordKind))
    record_id: Mapped[UUID]
    code: Mapped[str]
    started_on: Mapped[date]
    due_on: Mapped[date]
    rule: Mapped[str]
    outcome: Mapped[Outcome | None] = mapped_column(Word(Outcome))
    ended_at: Mapped[datetime | None]
    why: Mapped[str | None]
    destroyed: Mapped[dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A run with its reasons opened and what became of each of its records."""

    run: RetentionRun
    reason: str
    decision: str | None
    items: tuple[RetentionItem, ...]


class RunUnknown(NotFound):
    """No such destruction was asked for in this agency."""


class NothingChosen(Conflict):
    """No record was picked, or one that cannot be destroyed now."""


class ApproverShutOut(Forbidden):
    """Who is shut out of a record cannot see the whole of what a destruction takes with it."""


class RunDecided(Conflict):
    """The destruction was decided already."""


def see_preview(session: Session, *, on: date, now: datetime) -> tuple[Preview, frozenset[UUID]]:
    """Return what is due on a day and which of it is asked for already, and put the look on record.

    :raises NotAllowed: when the scope's roles do not keep the schedule.
    """
    require(scope_of(session), Verb.READ_RETENTION)
    audit.record(session, audit.Act.READ, record_kind="retention_preview", level=audit.Level.COUNT, now=now)
    return preview(session, on=on), _asked_already(session)


def ask_for_destruction(session: Session, chosen: Collection[UUID], *, reason: str, now: datetime) -> RetentionRun:
    """Ask a second person to let the chosen records, all of them due today, be destroyed.

    :raises NotAllowed: when the scope's roles do not keep the schedule.
    :raises NothingChosen: when none is chosen, or one is not due, is held or is asked for already.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.KEEP_RETENTION)
    said = tidy(reason, what="why they are to be destroyed")
    lock_destruction(session)
    due = {kept.record_id: kept for kept in preview(session, on=now.date()).due}
    if not chosen:
        raise NothingChosen("Pick at least one record that is due.")
    if set(chosen) - set(due) or set(chosen) & _asked_already(session):
        raise NothingChosen(
            "Something that you picked is no longer due, is held, or has been asked for already. Look at the list "
            "again, then pick anew."
        )
    run_id = uuid4()
    run = RetentionRun(
        id=run_id,
        agency_id=own_agency(session),
        as_of=now.date(),
        sealed=seal_words(session, {"reason": said}, row_id=run_id, now=now),
        asked_by=own_person(session),
        asked_at=now,
    )
    session.add(run)
    session.flush()
    session.add_all([_item(run, kept) for record_id, kept in due.items() if record_id in chosen])
    session.flush()
    audit.record(session, audit.Act.REQUEST, record_kind="retention_run", record_id=run.id, now=now)
    return run


def decide(session: Session, run: RetentionRun, *, approve: bool, reason: str, now: datetime) -> None:
    """Let the records of a run be destroyed, as its second person, by a job; or refuse it, and all of them are kept.

    Whoever asked may refuse too, which takes it back, and never approve.

    :raises NotAllowed: when the scope's roles do not decide on destruction.
    :raises SamePerson: when whoever asked would approve.
    :raises ApproverShutOut: when somebody would approve who is shut out of a record.
    :raises RunDecided: when it was decided already.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.APPROVE_DESTRUCTION)
    said = tidy(reason, what="why you decide so")
    lock_destruction(session)
    session.refresh(run)
    if run.decided_at is not None:
        raise RunDecided("This was decided already.")
    sealed = seal_words(session, {"decision": said}, row_id=run.id, now=now)
    job_id = None
    if approve:
        require_another(session, first_person_id=run.asked_by, on=now.date())
        if barred_ids(session):
            raise ApproverShutOut(
                "You are shut out of a record, so you cannot see all that would go. Ask a colleague to decide."
            )
        payload = {"retention_run_id": str(run.id)}
        job_id = request_job(session, kind=RETENTION_JOB, payload=payload, now=now, key=str(run.id), urgent=True)
    else:
        _keep_all(session, run, now=now)
    run.job_id, run.finished_at = job_id, None if approve else now
    run.approved, run.decided_by, run.decided_at, run.sealed_decision = approve, own_person(session), now, sealed
    session.flush()
    act = audit.Act.APPROVE if approve else audit.Act.REFUSE
    audit.record(session, act, record_kind="retention_run", record_id=run.id, now=now)


def get_run(session: Session, run_id: UUID) -> RetentionRun:
    """Return a run of the scope's own agency as it stands now.

    :raises RunUnknown: when there is none.
    """
    query = select(RetentionRun).where(RetentionRun.id == run_id)
    run = session.scalar(query.execution_options(populate_existing=True))
    if run is None:
        raise RunUnknown("There is no such destruction in your agency.")
    return run


def list_runs(session: Session, *, limit: int = 50) -> list[RetentionRun]:
    """Return the agency's runs, the newest first."""
    query = select(RetentionRun).order_by(RetentionRun.asked_at.desc(), RetentionRun.id)
    return list(session.scalars(query.limit(limit)))


def list_items(session: Session, run: RetentionRun, *, waiting: bool = False) -> list[RetentionItem]:
    """Return the records of a run, the longest due first; or those of which nothing has become yet."""
    query = select(RetentionItem).where(RetentionItem.retention_run_id == run.id)
    if waiting:
        query = query.where(RetentionItem.outcome.is_(None))
    return list(session.scalars(query.order_by(RetentionItem.due_on, RetentionItem.code, RetentionItem.id)))


def read_certificate(session: Session, run: RetentionRun, *, now: datetime) -> Certificate:
    """Return a run with its reasons and what became of each record, and put the look on record.

    :raises NotAllowed: when the scope's roles do not keep the schedule.
    """
    require(scope_of(session), Verb.READ_RETENTION)
    audit.record(session, audit.Act.READ, record_kind="retention_run", record_id=run.id, now=now)
    decision = run.sealed_decision and open_words(session, run.sealed_decision, row_id=run.id)["decision"]
    return Certificate(
        run=run,
        reason=open_words(session, run.sealed, row_id=run.id)["reason"] or "",
        decision=decision or None,
        items=tuple(list_items(session, run)),
    )


def _item(run: RetentionRun, kept: Kept) -> RetentionItem:
    return RetentionItem(
        retention_run_id=run.id,
        agency_id=run.agency_id,
        record_class=kept.rule.record_class,
        record_kind=kept.record_kind,
        record_id=kept.record_id,
        code=kept.code,
        started_on=kept.started_on,
        due_on=kept.due_on,
        rule=f"{kept.rule.title}: {kept.rule.period}. {kept.rule.basis}",
    )


def _keep_all(session: Session, run: RetentionRun, *, now: datetime) -> None:
    for item in list_items(session, run, waiting=True):
        item.outcome, item.ended_at, item.why = Outcome.KEPT, now, "The destruction was refused or taken back."
    session.flush()


def _asked_already(session: Session) -> frozenset[UUID]:
    return frozenset(session.scalars(select(RetentionItem.record_id).where(RetentionItem.outcome.is_(None))))
