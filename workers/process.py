"""A worker process: takes ids from the queue and runs each job in a child of its own."""

from __future__ import annotations

from uuid import UUID

from rq import Worker
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from workers.queue import QUEUE, JobQueue
from workers.runner import JobRunner

# RQ calls a function by its name in a forked child, which finds the parent's runner here.
_runner: JobRunner | None = None


def run_worker(queue: JobQueue, runner: JobRunner, *, burst: bool = False) -> None:
    """Take jobs from the queue until told to stop; with ``burst``, until it is empty."""
    global _runner
    _runner = runner
    worker: BaseWorker = Worker(
        [QUEUE],
        connection=queue.connection,
        serializer=JSONSerializer,
        worker_ttl=60,
        job_monitoring_interval=5,
        maintenance_interval=15,
    )
    worker.work(burst=burst, logging_level="WARNING")


def perform(job_id: str) -> None:
    """Run one job, in the child that RQ forked for it."""
    if _runner is None:
        raise RuntimeError("this process was not set up to run jobs")
    _runner.after_fork()
    _runner.run(UUID(job_id))
