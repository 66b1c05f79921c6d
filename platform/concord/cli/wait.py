"""Wait for jobs, showing how far they are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tenants.database import Database
from tenants.error import Conflict
from tenants.job import FINISHED, Job, JobState, get_job
from tenants.scope import Scope

_POLL_SECONDS = 0.15


class JobFailed(Conflict):
    """A job that was waited for did not end well."""


def wait_for_job(database: Database, scope: Scope, job_id: UUID, *, words: str) -> Job:
    """Wait until one job has ended and return it.

    :raises JobFailed: when it failed or was cancelled.
    """
    return wait_for_jobs(database, {job_id: scope}, words=words)[job_id]


def wait_for_jobs(database: Database, jobs: Mapping[UUID, Scope], *, words: str) -> dict[UUID, Job]:
    """Wait until all jobs, each of its scope, have ended; a bar on a terminal's standard error shows how far.

    :raises JobFailed: when one failed or was cancelled.
    """
    ended: dict[UUID, Job] = {}
    with _bar() as bar:
        task = bar.add_task(words, total=len(jobs))
        while len(ended) < len(jobs):
            for job_id, scope in jobs.items():
                if job_id in ended:
                    continue
                with database.transaction(scope) as session:
                    job = get_job(session, job_id)
                if job.state in FINISHED:
                    ended[job_id] = _done(job)
                elif len(jobs) == 1:
                    bar.update(task, completed=job.progress_done, total=job.progress_total)
            if len(jobs) > 1:
                bar.update(task, completed=len(ended))
            time.sleep(_POLL_SECONDS)
    return ended


def _done(job: Job) -> Job:
    if job.state is not JobState.DONE:
        raise JobFailed(f"The job {job.id} ({job.kind}) is {job.state}: {job.reason or 'no reason was recorded'}")
    return job


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
