"""A worker process: what it leaves when it is told to stop, killed, or given a job that breaks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tenants.job import JobState
from tests.factories import Factories, Tenant
from tests.workers.chaos import children_of, environment, kill
from tests.workers.ledger import ask, look, wait_until
from tests.workers.program import SECRET
from tests.workers.test_relay import everything_in
from workers import process
from workers.queue import JobQueue
from workers.work import Interrupted


class TestRunWorker:
    def test_hands_back_the_job_when_told_to_stop(
        self, database: Database, factories: Factories, queue: JobQueue, given: dict[str, str]
    ) -> None:
        devon, _ = factories.two_tenants()
        with _worker(given) as worker:
            job_id, horse = _begin(database, devon, queue, worker)

            began = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            worker.wait(20)

            # Well within the time that a supervisor gives it; without this it would be a minute.
            assert time.monotonic() - began < 20
            assert worker.returncode == 0
            assert not _is_there(horse)
        _check_handed_back(database, devon, job_id)

    def test_its_child_hands_back_the_job_when_it_is_killed(
        self, database: Database, factories: Factories, queue: JobQueue, given: dict[str, str]
    ) -> None:
        devon, _ = factories.two_tenants()
        with _worker(given) as worker:
            job_id, horse = _begin(database, devon, queue, worker)

            worker.kill()
            worker.wait(20)

            wait_until(lambda: not _is_there(horse))
        _check_handed_back(database, devon, job_id)

    def test_stops_at_once_when_idle(self, queue: JobQueue, given: dict[str, str]) -> None:
        with _worker(given) as worker:
            wait_until(lambda: bool(queue.connection.smembers("rq:workers")))
            worker.send_signal(signal.SIGTERM)

            # It may have been told before it listened for it: then the system ended it.
            assert worker.wait(20) in {0, -signal.SIGTERM}

    def test_leaves_no_words_of_a_fault_in_the_queue(
        self, database: Database, factories: Factories, queue: JobQueue, given: dict[str, str]
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon, kind="fail", telling="payload-that-tells")

        with _worker(given):
            queue.send(job_id, 0)
            wait_until(lambda: look(database, devon, job_id).reason is not None)
            held = everything_in(queue)

        job = look(database, devon, job_id)
        assert (job.state, job.attempt) == (JobState.WAITING, 1)
        assert b"rq:worker" in held
        for secret in (SECRET, "payload-that-tells", str(devon.id), "RuntimeError"):
            assert secret.encode() not in held


class TestPerform:
    @pytest.mark.parametrize("error", [RuntimeError(SECRET), Interrupted()])
    def test_gives_no_error_to_the_queue(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        class Broken:
            def after_fork(self) -> None:
                pass

            def run(self, _job_id: UUID) -> None:
                raise error

        monkeypatch.setattr(process, "_runner", Broken())
        monkeypatch.setattr(process, "_parent", os.getppid())

        process.perform(str(uuid4()))

    def test_needs_a_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "_runner", None)

        with pytest.raises(RuntimeError, match="not set up"):
            process.perform(str(uuid4()))


@contextmanager
def _worker(given: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    line = [sys.executable, "-m", "tests.workers.program"]
    with subprocess.Popen(line, env=given, stderr=subprocess.DEVNULL) as worker:
        try:
            yield worker
        finally:
            for each in children_of(worker.pid):
                kill(each)
            worker.kill()


def _begin(database: Database, tenant: Tenant, queue: JobQueue, worker: subprocess.Popen[bytes]) -> tuple[UUID, int]:
    job_id = ask(database, tenant, kind="slow")
    queue.send(job_id, 0)
    wait_until(lambda: look(database, tenant, job_id).progress_done == 1, seconds=90)
    (horse,) = children_of(worker.pid)
    return job_id, horse


def _check_handed_back(database: Database, tenant: Tenant, job_id: UUID) -> None:
    job = look(database, tenant, job_id)
    assert (job.state, job.attempt, job.worker, job.sent_at) == (JobState.WAITING, 0, None, None)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def given(migrated: DatabaseUrls, valkey_url: str, tmp_path: Path) -> dict[str, str]:
    """The variables of a worker on the session's servers."""
    return environment(migrated, valkey_url, tmp_path)
