"""Work asked for: a row written in the asker's own transaction, run later by a worker.

The row is the outbox entry and the ledger of the job in one: the relay hands its id to the queue, a worker claims it
with a lease, and its end is written in the transaction that holds its effects. The queue itself may be wiped at any
time; nothing is lost.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, NotFound


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class Job(Base):
    """One piece of work, asked for by a scope and run in it."""

    __tablename__ = "job"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    consortium_id: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    kind: Mapped[str]
    urgent: Mapped[bool]
    """Somebody waits for it at a page: it goes before work that is asked for in bulk."""
    key: Mapped[str]
    """What makes the job one of its kind for its agency; asking twice with one key asks once."""
    payload: Mapped[dict[str, Any]]
    """Ids and dates only, never anything of a person."""
    requested_at: Mapped[datetime]
    state: Mapped[JobState] = mapped_column(Word(JobState))
    attempt: Mapped[int]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    """The claim that holds the job now; an effect is written only under the claim that still holds."""
    lease_until: Mapped[datetime | None]
    progress_done: Mapped[int]
    progress_total: Mapped[int | None]
    progress_note: Mapped[str | None]
    cancel_requested_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Why the last attempt failed, in words fit to show."""
    result: Mapped[dict[str, Any] | None]


class JobUnknown(NotFound):
    """No such job is in this scope."""


class JobOver(Conflict):
    """The job has ended."""


def request_job(
    session: Session,
    *,
    kind: str,
    payload: dict[str, Any],
    now: datetime,
    key: str | None = None,
    urgent: bool = False,
) -> UUID:
    """Ask for work in this transaction and return the job's id; the same key returns the first one's."""
    scope = scope_of(session)
    job_id = uuid4()
    values = {
        "id": job_id,
        "agency_id": scope.agency_id,
        "person_id": scope.person_id,
        "consortium_id": scope.consortium_id,
        "client_id": scope.client_id,
        "kind": kind,
        "urgent": urgent,
        "key": key or str(job_id),
        "payload": payload,
        "requested_at": now,
        "state": JobState.WAITING,
        "attempt": 0,
        "due_at": now,
        "progress_done": 0,
    }
    session.execute(insert(Job).values(values).on_conflict_do_nothing(index_elements=["agency_id", "kind", "key"]))
    return session.scalars(
        select(Job.id).where(Job.agency_id == scope.agency_id, Job.kind == kind, Job.key == values["key"])
    ).one()


def get_job(session: Session, job_id: UUID) -> Job:
    """Return a job of this scope as it stands now.

    :raises JobUnknown: when there is none.
    """
    job = session.scalar(select(Job).where(Job.id == job_id).execution_options(populate_existing=True))
    if job is None:
        raise JobUnknown("There is no such job.")
    return job


def list_jobs(session: Session, *, state: JobState | None = None, limit: int = 200) -> list[Job]:
    """Return this scope's jobs, newest first."""
    query = select(Job).order_by(Job.requested_at.desc(), Job.id).limit(limit)
    return list(session.scalars(query if state is None else query.where(Job.state == state)))


def retry_job(session: Session, job: Job, *, now: datetime) -> None:
    """Set a failed or cancelled job to run again.

    :raises JobOver: when it is waiting, running or done.
    """
    _lock(session, job)
    if job.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise JobOver(f"The job is {job.state}; only a failed or cancelled one can be run again.")
    job.state = JobState.WAITING
    job.attempt = 0
    job.due_at = now
    job.sent_at = job.finished_at = job.cancel_requested_at = job.reason = None
    session.flush()


def cancel_job(session: Session, job: Job, *, now: datetime) -> None:
    """Ask a job to stop: a waiting one is cancelled at once, a running one at its next step.

    :raises JobOver: when it has ended.
    """
    _lock(session, job)
    if job.state in FINISHED:
        raise JobOver("The job has already ended.")
    job.cancel_requested_at = now
    if job.state is JobState.WAITING:
        job.state = JobState.CANCELLED
        job.finished_at = now
    session.flush()


def _lock(session: Session, job: Job) -> None:
    # A worker may have claimed or ended it since it was read.
    session.refresh(job, with_for_update=True)
