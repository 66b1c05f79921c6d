"""A worker process: takes ids from the queue and runs each job in a child of its own.

Any job may be run again, so a worker that is told to stop does not wait for the job in hand: the child hands it back
and ends. A child whose worker is gone does the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from types import FrameType
from typing import Any
from uuid import UUID

import structlog
from rq import Worker
from rq.serializers import JSONSerializer

from workers.queue import QUEUES, JobQueue
from workers.runner import JobRunner
from workers.work import Interrupted

_LOOK_SECONDS = 0.5
log = structlog.get_logger(__name__)

# RQ calls a function by its name in a forked child, which finds the parent's runner and number here.
_runner: JobRunner | None = None
_parent = 0


class PromptWorker(Worker):
    """RQ's worker, but it stops at the first word, and looks for a queue that was away every few seconds."""

    max_connection_wait_time = 5.0

    def handle_warm_shutdown_request(self) -> None:
        """Pass the word on to the child."""
        if self.horse_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def fork_work_horse(self, *args: Any) -> None:  # noqa: ANN401 - RQ's own kinds
        """Start the child, which is told to stop when the word came a moment before it was there."""
        super().fork_work_horse(*args)
        if self._stop_requested:
            self.handle_warm_shutdown_request()

    def setup_work_horse_signals(self) -> None:
        """Let the child end a job cleanly when told to stop."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _interrupt)


def run_worker(queue: JobQueue, runner: JobRunner, *, burst: bool = False) -> None:
    """Take jobs from the queue until told to stop; with ``burst``, until it is empty."""
    global _runner, _parent
    _runner, _parent = runner, os.getpid()
    worker = PromptWorker(
        QUEUES,
        connection=queue.connection,
        serializer=JSONSerializer,
        worker_ttl=60,
        # Seldom: the ledger's lease is what counts, and a beat that meets the end of its job leaves a trace in the
        # queue on which RQ stumbles.
        job_monitoring_interval=30,
        maintenance_interval=15,
    )
    worker.work(burst=burst, logging_level="WARNING")


def perform(job_id: str) -> None:
    """Run one job, in the child that RQ forked for it."""
    if _runner is None:
        raise RuntimeError("this process was not set up to run jobs")
    threading.Thread(target=_follow, args=(_parent,), name="follow-parent", daemon=True).start()
    try:
        _runner.after_fork()
        _runner.run(UUID(job_id))
    except Interrupted:
        log.info("job.not_begun", job=job_id)
    except Exception as error:
        # RQ would write its text, which may hold anything, into the queue. The ledger has the job still, and the relay
        # sends it again.
        log.exception("job.not_settled", job=job_id, error=type(error).__name__)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once: what follows it puts things away.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Interrupted


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
