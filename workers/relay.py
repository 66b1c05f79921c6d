"""The relay: hands the ids of due jobs to the queue, and again when a queue was wiped or a worker lost.

It signs in with a login that can read ids and times of jobs and nothing else. Any number may run; one leads, by an
advisory lock that ends with its connection.
"""

from __future__ import annotations

import threading

import psycopg
import structlog
from redis import RedisError

from workers.queue import JobQueue

LEADER = "concord.relay"
BATCH = 200
RESEND_SECONDS = 10.0

# A waiting job is sent when due, and sent again until a worker claims it: a queue may be wiped at any time, and an id
# that is still queued is not queued twice. A running one is sent again when its lease has ended.
_TAKE = """
    UPDATE job SET sent_at = now() FROM (
        SELECT id FROM job
        WHERE ((state = 'waiting' AND due_at <= now()) OR (state = 'running' AND lease_until < now()))
          AND (sent_at IS NULL OR sent_at < now() - make_interval(secs => %(resend)s) OR sent_at < lease_until)
        ORDER BY due_at, id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
    ) AS due WHERE job.id = due.id
    RETURNING job.id, job.attempt, job.urgent, job.due_at
"""
_PUT_BACK = "UPDATE job SET sent_at = NULL WHERE id = ANY(%s)"
# A leader whose host is cut off must lose its connection soon, on both sides, or nobody else could lead.
_KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
log = structlog.get_logger(__name__)


class Relay:
    """One relay process."""

    def __init__(
        self, relay_url: str, queue: JobQueue, *, tick_seconds: float = 1.0, resend_seconds: float = RESEND_SECONDS
    ) -> None:
        """``relay_url`` is a libpq address, for the login ``concord_relay``."""
        self._url = relay_url
        self._queue = queue
        self._tick = tick_seconds
        self._resend = resend_seconds

    def run(self, stop: threading.Event) -> None:
        """Lead, or wait to lead, until told to stop; come back when the database was away."""
        while not stop.is_set():
            try:
                with _connect(self._url) as connection:
                    connection.execute(_KEEPALIVE)
                    self._lead(connection, stop)
            except psycopg.OperationalError as error:
                log.warning("relay.database_away", error=type(error).__name__)
                stop.wait(self._tick)

    def _lead(self, connection: psycopg.Connection, stop: threading.Event) -> None:
        while not stop.is_set() and not _leads(connection):
            stop.wait(self._tick)
        connection.execute("LISTEN concord_job")
        while not stop.is_set():
            try:
                sent = self.send_due(connection)
            except RedisError as error:
                log.warning("relay.queue_away", error=type(error).__name__)
                stop.wait(self._tick)
                continue
            if sent < BATCH:
                for _ in connection.notifies(timeout=self._tick, stop_after=1):
                    pass

    def send_due(self, connection: psycopg.Connection) -> int:
        """Hand every due job to the queue, and return how many."""
        # Marked first, in a statement of its own: a worker may have the id at once, and must not find the row locked.
        taken = connection.execute(_TAKE, {"resend": self._resend, "batch": BATCH}).fetchall()
        left = sorted(taken, key=lambda row: (row[3], row[0]))
        count = len(left)
        try:
            while left:
                job_id, attempt, urgent, _ = left[0]
                self._queue.send(job_id, attempt, urgent=urgent)
                left.pop(0)
        finally:
            if left:
                connection.execute(_PUT_BACK, ([row[0] for row in left],))
        if count:
            log.info("relay.sent", jobs=count)
        return count


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(
        url, autocommit=True, connect_timeout=10, keepalives_idle=10, keepalives_interval=5, keepalives_count=3
    )


def _leads(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (LEADER,)).fetchone()
    return row is not None and bool(row[0])
