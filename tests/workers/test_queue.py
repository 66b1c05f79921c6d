"""The queue: ids, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from rq import Queue
from rq.job import Job as QueuedJob
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from tenants.base import utc_now
from workers.queue import QUEUE, QUEUES, TENDED_SECONDS, URGENT_QUEUE, JobQueue


class TestSend:
    def test_puts_an_attempt_on_the_queue(self, queue: JobQueue) -> None:
        job_id = uuid4()

        assert queue.send(job_id, 0) is True

        assert queued(queue) == [f"{job_id}-0"]

    def test_puts_what_somebody_waits_for_where_workers_look_first(self, queue: JobQueue) -> None:
        job_id = uuid4()

        queue.send(job_id, 0, urgent=True)

        assert QUEUES[0] == URGENT_QUEUE
        assert Queue(URGENT_QUEUE, connection=queue.connection).get_job_ids() == [f"{job_id}-0"]
        assert queued(queue) == []

    def test_puts_none_there_twice(self, queue: JobQueue) -> None:
        first, second = uuid4(), uuid4()

        sent = [queue.send(job_id, 0) for job_id in (first, second, first, second)]

        assert sent == [True, True, False, False]
        assert queued(queue) == [f"{first}-0", f"{second}-0"]

    def test_knows_attempts_apart(self, queue: JobQueue) -> None:
        job_id = uuid4()

        assert [queue.send(job_id, attempt) for attempt in (0, 1)] == [True, True]

    def test_puts_it_there_again_when_the_queue_was_wiped(self, queue: JobQueue) -> None:
        job_id = uuid4()
        queue.send(job_id, 0)
        queue.connection.flushall()

        assert queue.send(job_id, 0) is True
        assert queued(queue) == [f"{job_id}-0"]

    def test_puts_it_there_again_when_a_worker_died_with_it(self, queue: JobQueue) -> None:
        """Taken off the queue, or begun and never ended: the ledger says that it was not done."""
        for status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.FAILED):
            job_id = uuid4()
            queue.send(job_id, 0)
            queue.connection.delete(Queue(QUEUE, connection=queue.connection).key)
            fetch(queue, job_id).set_status(status)

            assert queue.send(job_id, 0) is True, status
            assert queued(queue) == [f"{job_id}-0"]

    def test_leaves_it_to_a_worker_that_has_just_begun(self, queue: JobQueue) -> None:
        job_id = uuid4()
        queue.send(job_id, 0)
        queue.connection.delete(Queue(QUEUE, connection=queue.connection).key)
        begun = fetch(queue, job_id)
        begun.set_status(JobStatus.STARTED)
        begun.heartbeat(utc_now(), 60)

        assert queue.send(job_id, 0) is False
        begun.heartbeat(utc_now() - timedelta(seconds=TENDED_SECONDS), 60)
        assert queue.send(job_id, 0) is True

    def test_puts_it_there_again_when_only_its_name_was_left(self, queue: JobQueue) -> None:
        job_id = uuid4()
        queue.send(job_id, 0)
        queue.connection.delete(fetch(queue, job_id).key)

        queue.send(job_id, 0)

        assert f"{job_id}-0" in queued(queue)
        assert fetch(queue, job_id).args == [str(job_id)]


def queued(queue: JobQueue) -> list[str]:
    """Return the ids that wait, first first."""
    return Queue(QUEUE, connection=queue.connection, serializer=JSONSerializer).get_job_ids()


def fetch(queue: JobQueue, job_id: UUID, attempt: int = 0) -> QueuedJob:
    """Return what the queue remembers of an attempt."""
    return QueuedJob.fetch(f"{job_id}-{attempt}", connection=queue.connection, serializer=JSONSerializer)
