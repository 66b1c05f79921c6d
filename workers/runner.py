"""Run one job: claim it, do it in one transaction with its end, and keep its lease meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

import structlog

from tenants.base import utc_now
from tenants.database import Database
from tenants.error import DomainError, Invalid
from tenants.job import JobState
from tenants.scope import Scope
from workers.claim import Claim, ClaimLost, claim, give_up, hand_back, renew, scope_of_job, settle, try_later
from workers.work import Handler, Interrupted, Progress, Stopped, Work

LEASE = timedelta(seconds=45)
log = structlog.get_logger(__name__)


class UnknownKind(Invalid):
    """A job of a kind that this version cannot do."""


class JobRunner:
    """Runs jobs by their id, as the scope that asked for each."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        *,
        lease: timedelta = LEASE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._lease = lease
        self._clock = clock

    def after_fork(self) -> None:
        """Leave the parent's connections alone."""
        self._database.after_fork()

    def run(self, job_id: UUID) -> bool:
        """Do the job if it is there to be done, and say whether this call did it."""
        scope = scope_of_job(self._database, job_id)
        if scope is None:
            return False
        with self._database.transaction(scope) as session:
            held = claim(session, job_id, token=uuid4().hex, lease=self._lease)
        if held is None:
            return False
        with structlog.contextvars.bound_contextvars(job=str(job_id), kind=held.kind, attempt=held.attempt):
            return self._attempt(scope, held)

    def _attempt(self, scope: Scope, held: Claim) -> bool:
        progress = Progress()
        try:
            with Heartbeat(self._database, scope, held, progress, lease=self._lease):
                self._do(scope, held, progress)
        except Stopped:
            self._give_up(scope, held, state=JobState.CANCELLED, reason="It was stopped.")
        except ClaimLost:
            log.warning("job.claim_lost")
        except Interrupted:
            log.info("job.handed_back")
            with self._database.transaction(scope) as session:
                hand_back(session, held)
        except DomainError as error:
            # The domain refuses it for a reason that another attempt will not change.
            log.warning("job.refused", error=type(error).__name__)
            self._give_up(scope, held, state=JobState.FAILED, reason=str(error))
        except Exception as error:  # whatever it is, the job must not be lost
            # The text of an unforeseen error may hold anything, also of a person: only its kind is written down.
            log.exception("job.failed", error=type(error).__name__)
            with self._database.transaction(scope) as session:
                try_later(session, held, reason=f"An unforeseen fault ({type(error).__name__}); the log tells more.")
        else:
            log.info("job.done")
            return True
        return False

    def _do(self, scope: Scope, held: Claim, progress: Progress) -> None:
        handler = self._handlers.get(held.kind)
        if handler is None:
            raise UnknownKind(f"This version knows no job of the kind “{held.kind}”.")
        work = Work(
            job_id=held.job_id,
            payload=held.payload,
            scope=scope,
            now=self._clock(),
            progress=progress,
            database=self._database,
        )
        with self._database.transaction(scope) as session:
            session.info["request_id"] = f"job:{held.job_id}"
            result = handler(session, work)
            settle(session, held, result=result, progress=progress.shown)

    def _give_up(self, scope: Scope, held: Claim, *, state: JobState, reason: str) -> None:
        with self._database.transaction(scope) as session:
            give_up(session, held, state=state, reason=reason)


class Heartbeat:
    """Keeps a lease, writes the progress and passes on a wish to stop, in transactions of its own."""

    def __init__(self, database: Database, scope: Scope, held: Claim, progress: Progress, *, lease: timedelta) -> None:
        self._database = database
        self._scope = scope
        self._held = held
        self._progress = progress
        self._lease = lease
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{held.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        # Progress is worth seeing more often than the lease needs; four missed beats still leave the lease standing.
        interval = min(self._lease.total_seconds() / 5, 1.0)
        while not self._over.wait(interval):
            try:
                self._renew()
            except ClaimLost:
                self._progress.stop.set()
                return
            except Exception as error:  # the database may be away for a moment: the next beat tries again
                log.warning("job.heartbeat_failed", error=type(error).__name__)

    def _renew(self) -> None:
        with self._database.transaction(self._scope) as session:
            if renew(session, self._held, lease=self._lease, progress=self._progress.shown):
                self._progress.stop.set()
