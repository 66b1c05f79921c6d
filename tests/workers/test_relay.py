"""The relay: each due job's id on the queue, whatever is away, wiped or killed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from redis import RedisError

from concord.servers.data_directory import open_data_directory
from concord.servers.port import free_port
from concord.servers.supervisor import Supervisor
from concord.servers.valkey import start_valkey
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import cancel_job, get_job, request_job
from tests.factories import Factories
from tests.servers import short_directory
from tests.workers.ledger import ask, look, lose, nothing, runner, take, wait_until
from tests.workers.test_queue import queued
from workers.queue import JobQueue
from workers.relay import BATCH, LEADER, Relay

HOLDER = """
    SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
    AND l.objid = (hashtext(%s)::bigint & 4294967295)::oid AND l.database = (
        SELECT oid FROM pg_database WHERE datname = current_database())
"""


class TestSendDue:
    def test_sends_what_is_due(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, dorset = factories.two_tenants()
        ids = [ask(database, tenant) for tenant in (devon, dorset)]

        assert Relay(relay_url, queue).send_due(relay) == 2

        assert queued(queue) == [f"{job_id}-0" for job_id in ids]
        assert look(database, devon, ids[0]).sent_at is not None

    def test_sends_nothing_early(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            request_job(session, kind="test", payload={}, now=utc_now() + timedelta(seconds=60))

        assert Relay(relay_url, queue).send_due(relay) == 0
        assert queued(queue) == []

    def test_sends_nothing_that_has_ended_or_is_held(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()
        done, cancelled, running = (ask(database, devon) for _ in range(3))
        runner(database, nothing).run(done)
        with database.transaction(devon.scope) as session:
            cancel_job(session, get_job(session, cancelled), now=utc_now())
        take(database, devon, running)

        assert Relay(relay_url, queue).send_due(relay) == 0

    def test_sends_nothing_twice_within_its_time(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()
        ask(database, devon)
        sender = Relay(relay_url, queue)

        assert [sender.send_due(relay) for _ in range(3)] == [1, 0, 0]

    def test_sends_again_what_no_worker_took(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        sender = Relay(relay_url, queue, resend_seconds=0.0)
        sender.send_due(relay)
        queue.connection.flushall()

        assert sender.send_due(relay) == 1
        assert sender.send_due(relay) == 1

        assert queued(queue) == [f"{job_id}-0"]

    def test_sends_again_when_a_lease_has_ended(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        sender = Relay(relay_url, queue)
        sender.send_due(relay)
        queue.connection.flushall()
        take(database, devon, job_id)
        assert sender.send_due(relay) == 0

        lose(database, devon, job_id)
        # Its lease ended after the sending: it is sent at once, not after the time for sending again.
        with database.transaction(devon.scope) as session:
            get_job(session, job_id).sent_at = utc_now() - timedelta(seconds=5)

        assert sender.send_due(relay) == 1
        assert queued(queue) == [f"{job_id}-1"]

    def test_sends_more_than_one_batch_in_order(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()
        start = utc_now() - timedelta(minutes=10)
        with database.transaction(devon.scope) as session:
            ids = [
                request_job(session, kind="test", payload={}, now=start + timedelta(seconds=second))
                for second in range(BATCH + 5)
            ]
        sender = Relay(relay_url, queue)

        assert [sender.send_due(relay) for _ in range(3)] == [BATCH, 5, 0]
        assert queued(queue) == [f"{job_id}-0" for job_id in ids]

    def test_holds_no_row_while_it_talks_to_the_queue(
        self,
        database: Database,
        factories: Factories,
        queue: JobQueue,
        relay: psycopg.Connection[Any],
        relay_url: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A worker that has the id at once must be able to claim the job, and its asker to cancel it."""
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed: list[bool] = []

        def send(*_: object, **__: object) -> None:
            claimed.append(take(database, devon, job_id) is not None)

        monkeypatch.setattr(queue, "send", send)

        Relay(relay_url, queue).send_due(relay)

        assert claimed == [True]

    def test_leaves_what_it_could_not_send_due(
        self, database: Database, factories: Factories, relay: psycopg.Connection[Any], relay_url: str, queue: JobQueue
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        away = JobQueue(f"redis://127.0.0.1:{free_port()}/0")

        with pytest.raises(RedisError):
            Relay(relay_url, away).send_due(relay)

        assert look(database, devon, job_id).sent_at is None
        assert Relay(relay_url, queue).send_due(relay) == 1

    def test_puts_ids_on_the_queue_and_nothing_else(
        self, database: Database, factories: Factories, queue: JobQueue, relay: psycopg.Connection[Any], relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()
        told = uuid4()
        job_id = ask(database, devon, kind="kept.secret", key="a-telling-key", told=str(told))

        Relay(relay_url, queue).send_due(relay)

        held = everything_in(queue)
        assert str(job_id).encode() in held
        for secret in (told, devon.id, devon.scope.consortium_id, "kept.secret", "a-telling-key", devon.slug):
            assert str(secret).encode() not in held


class TestLogin:
    @pytest.mark.parametrize("column", ["payload", "agency_id", "person_id", "kind", "key", "reason", "result", "*"])
    def test_reads_ids_and_times_only(self, relay: psycopg.Connection[Any], column: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            relay.execute(f"SELECT {column} FROM job")

    def test_reads_no_other_table(self, relay: psycopg.Connection[Any], admin: psycopg.Connection[Any]) -> None:
        tables = admin.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename NOT IN ('job', 'alembic_version')"
        ).fetchall()

        assert len(tables) > 20
        for (table,) in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                relay.execute(f"SELECT 1 FROM {table}")

    @pytest.mark.parametrize("change", ["state = 'done'", "attempt = 0", "due_at = now()", "payload = '{}'"])
    def test_changes_nothing_but_the_time_of_sending(self, relay: psycopg.Connection[Any], change: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            relay.execute(f"UPDATE job SET {change}")
        for statement in ("DELETE FROM job", "INSERT INTO job DEFAULT VALUES", "TRUNCATE job"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                relay.execute(statement)


class TestRun:
    def test_is_woken_by_a_new_job(
        self, database: Database, factories: Factories, queue: JobQueue, relay_url: str, admin: psycopg.Connection[Any]
    ) -> None:
        devon, _ = factories.two_tenants()

        # Its own look would come after a minute.
        with running(Relay(relay_url, queue, tick_seconds=60.0), wake=lambda: admin.execute("NOTIFY concord_job")):
            wait_until(lambda: leader(admin) is not None)
            job_id = ask(database, devon)
            wait_until(lambda: queued(queue) == [f"{job_id}-0"])

    def test_one_leads_and_another_takes_over(
        self, database: Database, factories: Factories, queue: JobQueue, relay_url: str, admin: psycopg.Connection[Any]
    ) -> None:
        devon, _ = factories.two_tenants()

        with (
            running(Relay(relay_url, queue, tick_seconds=0.05)),
            running(Relay(relay_url, queue, tick_seconds=0.05)),
        ):
            wait_until(lambda: leader(admin) is not None)
            first = leader(admin)
            admin.execute("SELECT pg_terminate_backend(%s)", (first,))
            wait_until(lambda: leader(admin) not in (None, first))
            job_id = ask(database, devon)
            wait_until(lambda: queued(queue) == [f"{job_id}-0"])

        wait_until(lambda: leader(admin) is None)

    def test_comes_back_when_the_database_was_away(
        self, database: Database, factories: Factories, queue: JobQueue, relay_url: str, admin: psycopg.Connection[Any]
    ) -> None:
        devon, _ = factories.two_tenants()

        with running(Relay(relay_url, queue, tick_seconds=0.05)):
            wait_until(lambda: leader(admin) is not None)
            admin.execute("ALTER ROLE concord_relay NOLOGIN")
            try:
                admin.execute("SELECT pg_terminate_backend(%s)", (leader(admin),))
                job_id = ask(database, devon)
                wait_until(lambda: leader(admin) is None)
                threading.Event().wait(0.3)
                assert queued(queue) == []
            finally:
                admin.execute("ALTER ROLE concord_relay LOGIN")
            wait_until(lambda: queued(queue) == [f"{job_id}-0"])

    @pytest.mark.usefixtures("queue")
    def test_comes_back_when_the_queue_was_away(
        self, database: Database, factories: Factories, relay_url: str, admin: psycopg.Connection[Any]
    ) -> None:
        devon, _ = factories.two_tenants()
        port = free_port()
        queue = JobQueue(f"redis://:sample@127.0.0.1:{port}/0")

        with short_directory() as path, running(Relay(relay_url, queue, tick_seconds=0.05)):
            wait_until(lambda: leader(admin) is not None)
            job_id = ask(database, devon)
            threading.Event().wait(0.3)
            with _valkey(path, port):
                wait_until(lambda: queued(queue) == [f"{job_id}-0"])
        queue.close()

    def test_sends_again_after_a_wipe(
        self, database: Database, factories: Factories, queue: JobQueue, relay_url: str
    ) -> None:
        devon, _ = factories.two_tenants()

        with running(Relay(relay_url, queue, tick_seconds=0.05, resend_seconds=0.3)):
            job_id = ask(database, devon)
            wait_until(lambda: queued(queue) == [f"{job_id}-0"])
            queue.connection.flushall()
            wait_until(lambda: queued(queue) == [f"{job_id}-0"])


@contextmanager
def running(relay: Relay, *, wake: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Run a relay in a thread while the block goes on, and stop it promptly; one that sleeps long must be woken."""
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        wake()
        thread.join(40)
        assert not thread.is_alive()


def leader(admin: psycopg.Connection[Any]) -> int | None:
    """Return the database's process for the relay that leads."""
    row = admin.execute(HOLDER, (LEADER,)).fetchone()
    return None if row is None else int(row[0])


def everything_in(queue: JobQueue) -> bytes:
    """Return all that Valkey holds: every key with its whole value."""
    connection: Any = queue.connection
    readers: dict[bytes, Callable[[bytes], Iterable[bytes]]] = {
        b"none": lambda _gone_meanwhile: [],
        b"string": lambda name: [connection.get(name) or b""],
        b"hash": lambda name: chain(*connection.hgetall(name).items()),
        b"list": lambda name: connection.lrange(name, 0, -1),
        b"set": lambda name: connection.smembers(name),
        b"zset": lambda name: connection.zrange(name, 0, -1),
        b"stream": lambda name: [repr(connection.xrange(name)).encode()],
    }
    held = [item for name in connection.keys("*") for item in (name, *readers[connection.type(name)](name))]
    return b"\n".join(held)


@contextmanager
def _valkey(path: Path, port: int) -> Iterator[None]:
    with Supervisor() as supervisor:
        data = open_data_directory(path / "data")
        with data.held():
            start_valkey(supervisor, data, port=port, password="sample")
            yield


@pytest.fixture
def relay(relay_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The relay's own connection."""
    with psycopg.connect(relay_url, autocommit=True) as connection:
        yield connection
