"""Wait for jobs, showing how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tenants.database import Database
from tenants.error import Conflict
from tenants.job import FINISHED, Job, JobState, get_job
from tenants.scope import Scope

PATIENCE_SECONDS = 15.0
_POLL_SECONDS = 0.15


class JobFailed(Conflict):
    """A job that was waited for did not end well."""


def wait_for_job(
    database: Database, scope: Scope, job_id: UUID, *, words: str, check: Callable[[], None] | None = None
) -> Job:
    """Wait until one job has ended and return it.

    :raises JobFailed: when it failed or was cancelled.
    """
    return wait_for_jobs(database, {job_id: scope}, words=words, check=check)[job_id]


def wait_for_jobs(
    database: Database, jobs: Mapping[UUID, Scope], *, words: str, check: Callable[[], None] | None = None
) -> dict[UUID, Job]:
    """Wait until all jobs, each of its scope, have ended; a bar on a terminal's standard error shows how far.

    ``check`` is called again and again meanwhile, and ends the waiting by raising when nobody does the jobs; without
    one, nobody here has started a worker, and it is said when none comes.

    :raises JobFailed: when one failed or was cancelled.
    """
    ended: dict[UUID, Job] = {}
    patience = Patience()
    with _bar() as bar:
        task = bar.add_task(words, total=len(jobs))
        while len(ended) < len(jobs):
            for job_id, scope in jobs.items():
                if job_id in ended:
                    continue
                with database.transaction(scope) as session:
                    job = get_job(session, job_id)
                patience.look(job)
                if job.state in FINISHED:
                    ended[job_id] = _done(job)
                elif len(jobs) == 1:
                    bar.update(task, completed=job.progress_done, total=job.progress_total)
            if len(jobs) > 1:
                bar.update(task, completed=len(ended))
            if check is None:
                patience.speak(bar.console)
            else:
                check()
            time.sleep(_POLL_SECONDS)
    return ended


class Patience:
    """Says once that no worker has taken any of the jobs, when that has been so for a good while."""

    def __init__(self) -> None:
        self._until = time.monotonic() + PATIENCE_SECONDS
        self._quiet = False

    def look(self, job: Job) -> None:
        """Take note of a job: one that was begun, or has ended, shows that there is a worker."""
        self._quiet = self._quiet or job.attempt > 0 or job.state in FINISHED

    def speak(self, console: Console) -> None:
        """Say so, if it is time."""
        if not self._quiet and time.monotonic() > self._until:
            self._quiet = True
            console.print("No worker has taken the job yet. Do `concord relay` and `concord worker` run?")


def _done(job: Job) -> Job:
    if job.state is not JobState.DONE:
        raise JobFailed(f"The job {job.id} ({job.kind}) is {job.state}: {job.reason or 'no reason was recorded'}")
    return job


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # Elsewhere than on a terminal it would leave nothing but empty lines.
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
