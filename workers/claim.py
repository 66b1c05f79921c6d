"""Hold a job: claim it with a lease, keep the lease, and settle it under the claim that still holds.

Leases are reckoned by the database's clock, for workers run on many hosts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text, update
from sqlalchemy.orm import Session

from tenants.database import Database
from tenants.error import Conflict
from tenants.job import Job, JobState
from tenants.scope import NOBODY, Scope

MOST_ATTEMPTS = 8
_FIRST_DELAY = timedelta(seconds=5)
# Long enough for the queue to have forgotten the attempt that is handed back.
_PAUSE = timedelta(seconds=1)

Shown = tuple[int, int | None, str | None]
"""How far a job is: steps done, of how many, and a note."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker holds until its lease ends."""

    job_id: UUID
    token: str
    kind: str
    payload: dict[str, Any]
    attempt: int


class ClaimLost(Conflict):
    """Another worker holds the job by now; nothing of this attempt may be kept."""


def scope_of_job(database: Database, job_id: UUID) -> Scope | None:
    """Return the scope in which a job was asked for, or ``None`` when there is no such job."""
    with database.transaction(NOBODY) as session:
        row = session.execute(text("SELECT * FROM job_scope(:job_id)"), {"job_id": job_id}).one_or_none()
    if row is None:
        return None
    return Scope(
        agency_id=row.agency_id,
        person_id=row.person_id,
        consortium_id=row.consortium_id,
        client_id=row.client_id,
    )


def claim(session: Session, job_id: UUID, *, token: str, lease: timedelta) -> Claim | None:
    """Take a job that is due, or that a lost worker held; ``None`` when there is nothing to take.

    A job whose workers were lost too often is set to failed instead: it may be what kills them.
    """
    # Waits for whoever has the row: the relay only marks it as sent, and another claim leaves nothing open to this one.
    row = session.scalar(select(Job).where(Job.id == job_id, _open_to_claim()).with_for_update())
    if row is None:
        return None
    if row.attempt >= MOST_ATTEMPTS:
        _end(session, row.id, JobState.FAILED, reason=f"Its worker was lost {row.attempt} times.")
        return None
    attempt = row.attempt + 1
    session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(
            state=JobState.RUNNING,
            attempt=attempt,
            worker=token,
            lease_until=func.now() + lease,
            progress_done=0,
            progress_total=None,
            progress_note=None,
        )
    )
    return Claim(job_id=row.id, token=token, kind=row.kind, payload=row.payload, attempt=attempt)


def renew(session: Session, held: Claim, *, lease: timedelta, progress: Shown) -> bool:
    """Keep the lease, write the progress, and say whether the asker wants the job stopped.

    :raises ClaimLost: when another worker holds the job.
    """
    done, total, note = progress
    cancel = session.execute(
        update(Job)
        .where(_held(held))
        .values(lease_until=func.now() + lease, progress_done=done, progress_total=total, progress_note=note)
        .returning(Job.cancel_requested_at)
    ).one_or_none()
    if cancel is None:
        raise ClaimLost("Another worker has taken the job.")
    return cancel[0] is not None


def settle(session: Session, held: Claim, *, result: dict[str, Any] | None, progress: Shown = (0, None, None)) -> None:
    """Write a job's end, with how far it came, in the transaction that holds its effects.

    :raises ClaimLost: when another worker holds the job: then the effects are rolled back with this.
    """
    done, total, note = progress
    ended = session.execute(
        update(Job)
        .where(_held(held))
        .values(
            state=JobState.DONE,
            finished_at=func.now(),
            worker=None,
            lease_until=None,
            reason=None,
            result=result,
            progress_done=done,
            progress_total=total,
            progress_note=note,
        )
        .returning(Job.id)
    ).one_or_none()
    if ended is None:
        raise ClaimLost("Another worker has taken the job.")


def give_up(session: Session, held: Claim, *, state: JobState, reason: str) -> None:
    """End a job that cannot be done, or that its asker stopped."""
    _end(session, held.job_id, state, reason=reason, token=held.token)


def try_later(session: Session, held: Claim, *, reason: str) -> None:
    """Set a job to run again after a growing delay, or to failed after too many attempts."""
    if held.attempt >= MOST_ATTEMPTS:
        give_up(session, held, state=JobState.FAILED, reason=reason)
        return
    session.execute(
        update(Job)
        .where(_held(held))
        .values(
            state=JobState.WAITING,
            worker=None,
            lease_until=None,
            sent_at=None,
            due_at=func.now() + delay_after(held.attempt),
            reason=reason,
        )
    )


def hand_back(session: Session, held: Claim) -> None:
    """Let any worker take the job again, for this one is told to stop; the attempt does not count."""
    session.execute(
        update(Job)
        .where(_held(held))
        .values(
            state=JobState.WAITING,
            attempt=held.attempt - 1,
            worker=None,
            lease_until=None,
            sent_at=None,
            due_at=func.now() + _PAUSE,
        )
    )


def delay_after(attempt: int) -> timedelta:
    """Return how long to wait after a failed attempt: 5 s, then twice as long each time."""
    return _FIRST_DELAY * (1 << (attempt - 1))


def _end(session: Session, job_id: UUID, state: JobState, *, reason: str, token: str | None = None) -> None:
    query = update(Job).where(Job.id == job_id)
    if token is not None:
        query = query.where(Job.worker == token)
    session.execute(query.values(state=state, finished_at=func.now(), worker=None, lease_until=None, reason=reason))


def _open_to_claim() -> Any:  # noqa: ANN401 - a condition, whose type SQLAlchemy keeps to itself
    return or_(
        and_(Job.state == JobState.WAITING, Job.due_at <= func.now()),
        and_(Job.state == JobState.RUNNING, Job.lease_until < func.now()),
    )


def _held(held: Claim) -> Any:  # noqa: ANN401 - as above
    return and_(Job.id == held.job_id, Job.worker == held.token, Job.state == JobState.RUNNING)
