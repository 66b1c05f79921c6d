"""The runner: one job, one transaction, one end, whatever the handler does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from sqlalchemy.orm import Session
from structlog.typing import EventDict

from tenants.base import utc_now
from tenants.database import Database, scope_of
from tenants.error import Conflict, DomainError, Invalid, NotFound
from tenants.job import JobState, cancel_job, get_job, list_jobs, request_job
from tenants.scope import Scope
from tests.factories import Factories, Tenant
from tests.workers.ledger import ask, look, lose, make_due, nothing, runner, take, wait_until
from workers.claim import MOST_ATTEMPTS
from workers.runner import JobRunner
from workers.work import Interrupted, Work

EFFECT = "effect"
SECRET = "Rowan Sample was born on 17/05/2023"


class TestRun:
    def test_does_a_job_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        running = runner(database, _write)

        assert running.run(job_id) is True
        assert running.run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.result, job.attempt) == (JobState.DONE, {"made": 1}, 1)
        assert _effects(database, devon) == 1

    def test_does_nothing_for_an_unknown_id(self, database: Database) -> None:
        assert runner(database, nothing).run(uuid4()) is False

    def test_runs_in_the_scope_of_the_asker_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        ask(database, dorset)
        job_id = ask(database, devon, sample="1")
        seen: list[tuple[Scope, list[Any], dict[str, Any]]] = []

        def see(session: Session, work: Work) -> None:
            seen.append((scope_of(session), [job.agency_id for job in list_jobs(session)], work.payload))

        runner(database, see).run(job_id)

        (scope, jobs, payload) = seen[0]
        assert (scope.agency_id, scope.person_id, scope.roles) == (devon.id, devon.scope.person_id, frozenset())
        assert jobs == [devon.id]
        assert payload == {"sample": "1"}

    def test_shows_progress_while_it_runs(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        go_on = threading.Event()

        def work_slowly(_session: Session, work: Work) -> None:
            work.progress.tell(2, 5, "Reading rows")
            assert go_on.wait(20)

        with _running(runner(database, work_slowly, lease=timedelta(seconds=1)), job_id):
            wait_until(lambda: look(database, devon, job_id).progress_done == 2)
            job = look(database, devon, job_id)
            assert (job.state, job.progress_total, job.progress_note) == (JobState.RUNNING, 5, "Reading rows")
            go_on.set()

        job = look(database, devon, job_id)
        assert (job.state, job.progress_done, job.progress_total) == (JobState.DONE, 2, 5)

    def test_keeps_its_lease_while_it_runs(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        go_on = threading.Event()

        def work_long(_session: Session, _work: Work) -> None:
            assert not go_on.wait(3)

        with _running(runner(database, work_long, lease=timedelta(seconds=2)), job_id):
            wait_until(lambda: look(database, devon, job_id).state is JobState.RUNNING)
            while look(database, devon, job_id).state is JobState.RUNNING:
                assert take(database, devon, job_id) is None

        assert look(database, devon, job_id).attempt == 1

    def test_keeps_nothing_when_its_lease_is_lost(
        self, database: Database, factories: Factories, logs: list[EventDict]
    ) -> None:
        """A worker that was thought lost comes back after another has done the job."""
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        def be_late(session: Session, work: Work) -> dict[str, Any]:
            _write(session, work)
            lose(database, devon, job_id)
            assert runner(database, _write).run(job_id) is True
            return {"late": 1}

        assert runner(database, be_late).run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.attempt, job.result) == (JobState.DONE, 2, {"made": 1})
        assert _effects(database, devon) == 1
        assert [line["event"] for line in logs] == ["job.done", "job.claim_lost"]

    def test_is_stopped_at_its_next_step_when_its_lease_is_lost(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        def go_round(_session: Session, work: Work) -> None:
            lose(database, devon, job_id)
            assert take(database, devon, job_id) is not None
            _step_until_stopped(work)

        assert runner(database, go_round, lease=timedelta(seconds=1)).run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.attempt) == (JobState.RUNNING, 2)

    def test_stops_a_running_one_at_its_next_step(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        def be_cancelled(session: Session, work: Work) -> None:
            _write(session, work)
            with database.transaction(devon.scope) as asker:
                cancel_job(asker, get_job(asker, job_id), now=utc_now())
            _step_until_stopped(work)

        assert runner(database, be_cancelled, lease=timedelta(seconds=1)).run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.reason) == (JobState.CANCELLED, "It was stopped.")
        assert _effects(database, devon) == 0

    def test_does_not_begin_a_cancelled_one(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        with database.transaction(devon.scope) as session:
            cancel_job(session, get_job(session, job_id), now=utc_now())

        assert runner(database, _fail).run(job_id) is False

        assert look(database, devon, job_id).state is JobState.CANCELLED

    @pytest.mark.parametrize("kind", [Invalid, NotFound, Conflict])
    def test_ends_what_the_domain_refuses_with_its_words(
        self, database: Database, factories: Factories, kind: type[DomainError]
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        def refuse(session: Session, work: Work) -> None:
            _write(session, work)
            raise kind("There is no such meeting. Arrange one first.")

        assert runner(database, refuse).run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.reason, job.attempt) == (
            JobState.FAILED,
            "There is no such meeting. Arrange one first.",
            1,
        )
        assert _effects(database, devon) == 0

    def test_tries_an_unforeseen_fault_later_and_keeps_its_words_to_itself(
        self, database: Database, factories: Factories, logs: list[EventDict]
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        assert runner(database, _fail).run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.attempt) == (JobState.WAITING, 1)
        assert job.reason == "An unforeseen fault (RuntimeError); the log tells more."
        assert job.due_at > utc_now() + timedelta(seconds=3)
        assert _effects(database, devon) == 0
        assert SECRET not in str([{**line, "exc_info": None} for line in logs])

    def test_gives_up_after_the_most_attempts(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        for _ in range(MOST_ATTEMPTS):
            runner(database, _fail).run(job_id)
            make_due(database, devon, job_id)

        job = look(database, devon, job_id)
        assert (job.state, job.attempt) == (JobState.FAILED, MOST_ATTEMPTS)
        assert runner(database, _write).run(job_id) is False

    def test_does_after_a_fault_what_it_did_not_before(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        runner(database, _fail).run(job_id)
        make_due(database, devon, job_id)

        assert runner(database, _write).run(job_id) is True

        job = look(database, devon, job_id)
        assert (job.state, job.attempt, job.reason) == (JobState.DONE, 2, None)
        assert _effects(database, devon) == 1

    def test_refuses_a_kind_that_it_does_not_know(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon, kind="swap.rings")

        assert JobRunner(database, {}).run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.reason) == (
            JobState.FAILED,
            "This version knows no job of the kind “swap.rings”.",
        )

    def test_hands_back_a_job_when_its_worker_is_told_to_stop(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        def be_interrupted(session: Session, work: Work) -> None:
            _write(session, work)
            raise Interrupted

        assert runner(database, be_interrupted).run(job_id) is False

        job = look(database, devon, job_id)
        assert (job.state, job.attempt) == (JobState.WAITING, 0)
        assert _effects(database, devon) == 0


class TestRequestJob:
    def test_is_one_job_for_one_key_however_many_ask(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        start, ids = threading.Barrier(6), []

        def try_it() -> None:
            start.wait()
            ids.append(ask(database, devon, key="the-one"))

        threads = [threading.Thread(target=try_it) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(ids)) == 1


@contextmanager
def _running(running: JobRunner, job_id: UUID) -> Iterator[None]:
    thread = threading.Thread(target=running.run, args=(job_id,))
    thread.start()
    yield
    thread.join()


def _write(session: Session, work: Work) -> dict[str, Any]:
    # An effect of the kind that a handler has: a row in the job's own transaction.
    request_job(session, kind=EFFECT, payload={}, now=work.now)
    return {"made": 1}


def _fail(session: Session, work: Work) -> None:
    _write(session, work)
    raise RuntimeError(SECRET)


def _step_until_stopped(work: Work) -> None:
    # Longer than any heartbeat: the next step after it must not be reached.
    for step in range(2000):
        work.progress.tell(step)
        threading.Event().wait(0.02)
    raise AssertionError("it was not stopped")


def _effects(database: Database, tenant: Tenant) -> int:
    with database.transaction(tenant.scope) as session:
        return sum(job.kind == EFFECT for job in list_jobs(session))


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> list[EventDict]:
    """What the runner logs, whatever logging was set up by other tests."""
    capture = structlog.testing.LogCapture()
    monkeypatch.setattr("workers.runner.log", structlog.wrap_logger(None, processors=[capture]))
    return capture.entries
