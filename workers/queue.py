"""The queue in Valkey: it carries job ids and nothing else, and may be wiped at any time."""

from __future__ import annotations

from uuid import UUID

from redis import Redis
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job as QueuedJob
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from tenants.base import utc_now

QUEUE = "concord"
URGENT_QUEUE = "concord-urgent"
QUEUES = (URGENT_QUEUE, QUEUE)
"""In the order in which a worker looks at them."""
PERFORM = "workers.process.perform"
LONGEST_SECONDS = 3600
TENDED_SECONDS = 8
"""How long a worker may take from an id to its claim in the ledger."""


class JobQueue:
    """Hands job ids to the workers."""

    def __init__(self, valkey_url: str, *, answer_seconds: float | None = None) -> None:
        """``answer_seconds`` is how long an answer may take; a worker leaves it open, for RQ has waits of its own."""
        self.connection = Redis.from_url(
            valkey_url, socket_connect_timeout=5, socket_timeout=answer_seconds, health_check_interval=30
        )
        self._queues = {name: Queue(name, connection=self.connection, serializer=JSONSerializer) for name in QUEUES}

    def send(self, job_id: UUID, attempt: int, *, urgent: bool = False) -> bool:
        """Put a job's next attempt on the queue; false when it waits there already."""
        queue_id = f"{job_id}-{attempt}"
        queue = self._queues[URGENT_QUEUE if urgent else QUEUE]
        try:
            _enqueue(queue, job_id, queue_id)
        except DuplicateJobError:
            if not self._forget_unless_queued(queue, queue_id):
                return False
            _enqueue(queue, job_id, queue_id)
        return True

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _forget_unless_queued(self, queue: Queue, queue_id: str) -> bool:
        # The ledger says that the attempt was never begun, so whatever the queue remembers of it is left over from a
        # worker that died with the id in its hands.
        try:
            queued = QueuedJob.fetch(queue_id, connection=self.connection, serializer=JSONSerializer)
        except NoSuchJobError:
            return True
        status = queued.get_status()
        # Looked for by the server: a long queue is asked about once for each job that waits in it.
        if status is JobStatus.QUEUED and self.connection.lpos(queue.key, queue_id) is not None:
            return False
        if status is JobStatus.STARTED and _is_tended(queued):
            return False
        queued.delete()
        return True


def _enqueue(queue: Queue, job_id: UUID, queue_id: str) -> None:
    queue.enqueue_call(
        PERFORM,
        args=[str(job_id)],
        job_id=queue_id,
        unique=True,
        timeout=LONGEST_SECONDS,
        result_ttl=0,
        failure_ttl=60,
        description=queue_id,
    )


def _is_tended(queued: QueuedJob) -> bool:
    # A living worker that has just begun it; the ledger will say so in a moment.
    beat = queued.last_heartbeat
    return beat is not None and (utc_now() - beat).total_seconds() < TENDED_SECONDS
