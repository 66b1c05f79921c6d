"""What the tests of the workers share: jobs asked for, looked at, and run in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.base import utc_now
from tenants.database import Database
from tenants.job import Job, JobState, get_job, request_job
from tests.factories import Tenant
from workers.claim import Claim, claim
from workers.runner import JobRunner
from workers.work import Handler, Work

KIND = "test"
LEASE = timedelta(seconds=30)
EXPIRED = text("UPDATE job SET lease_until = now() - interval '1 second' WHERE id = :id")
DUE = text("UPDATE job SET due_at = now() WHERE id = :id")


def ask(database: Database, tenant: Tenant, *, kind: str = KIND, key: str | None = None, **payload: Any) -> UUID:
    """Ask for a job that is due now."""
    with database.transaction(tenant.scope) as session:
        return request_job(session, kind=kind, payload=payload, now=utc_now() - timedelta(seconds=1), key=key)


def look(database: Database, tenant: Tenant, job_id: UUID) -> Job:
    """Return a job as it stands."""
    with database.transaction(tenant.scope) as session:
        return get_job(session, job_id)


def take(database: Database, tenant: Tenant, job_id: UUID, *, lease: timedelta = LEASE) -> Claim | None:
    """Claim a job for a worker of its own."""
    with database.transaction(tenant.scope) as session:
        return claim(session, job_id, token=uuid4().hex, lease=lease)


def held(database: Database, tenant: Tenant, job_id: UUID) -> Claim:
    """Claim a job that is there to be claimed."""
    claimed = take(database, tenant, job_id)
    assert claimed is not None
    return claimed


def lose(database: Database, tenant: Tenant, job_id: UUID) -> None:
    """Let a job's lease run out, as when its worker is lost."""
    with database.transaction(tenant.scope) as session:
        session.execute(EXPIRED, {"id": job_id})


def make_due(database: Database, tenant: Tenant, job_id: UUID) -> None:
    """Let the time of a delayed job come."""
    with database.transaction(tenant.scope) as session:
        session.execute(DUE, {"id": job_id})


def runner(database: Database, handler: Handler, *, kind: str = KIND, lease: timedelta = LEASE) -> JobRunner:
    """Return what runs one kind of job in this process."""
    return JobRunner(database, {kind: handler}, lease=lease)


def nothing(_session: Session, _work: Work) -> dict[str, Any] | None:
    """Do a job in no time."""
    return None


def wait_until(condition: Callable[[], bool], *, seconds: float = 40.0) -> None:
    """Wait for a condition, and fail when it doesn't come about in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def ended(database: Database, tenant: Tenant, job_id: UUID) -> bool:
    """Say whether a job has ended."""
    return look(database, tenant, job_id).state in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}
