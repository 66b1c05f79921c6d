"""Waiting for jobs: until they have ended, or it is plain that they never will."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

import pytest
from rich.console import Console

from concord.cli import wait
from concord.cli.wait import JobFailed, Patience, wait_for_job, wait_for_jobs
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import Conflict
from tenants.job import JobState, cancel_job, get_job
from tests.factories import Factories
from tests.workers.ledger import ask, look, nothing, runner


class TestWaitForJobs:
    def test_waits_until_each_has_ended(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        jobs = {ask(database, tenant): tenant.scope for tenant in (devon, dorset)}

        def do_them() -> None:
            for job_id in jobs:
                runner(database, nothing).run(job_id)

        thread = threading.Thread(target=do_them)
        thread.start()
        ended = wait_for_jobs(database, jobs, words="Doing")
        thread.join()

        assert {job_id: job.state for job_id, job in ended.items()} == dict.fromkeys(jobs, JobState.DONE)

    def test_writes_no_empty_lines_where_there_is_no_terminal(
        self, database: Database, factories: Factories, capsys: pytest.CaptureFixture[str]
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        runner(database, nothing).run(job_id)

        wait_for_job(database, devon.scope, job_id, words="Doing")

        assert capsys.readouterr().err == ""

    def test_says_why_one_failed(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        with database.transaction(devon.scope) as session:
            cancel_job(session, get_job(session, job_id), now=utc_now())

        with pytest.raises(JobFailed, match=f"The job {job_id} .test. is cancelled: no reason was recorded"):
            wait_for_job(database, devon.scope, job_id, words="Doing")

    @pytest.mark.parametrize(("check", "said"), [(None, 1), (lambda: None, 0)], ids=["others’", "ours"])
    def test_asks_after_the_workers_where_it_has_started_none(
        self,
        database: Database,
        factories: Factories,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        check: Callable[[], None] | None,
        said: int,
    ) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        late = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: runner(database, nothing).run(job_id))
        monkeypatch.setattr(wait, "time", late)
        monkeypatch.setattr(wait, "PATIENCE_SECONDS", -1.0)

        wait_for_job(database, devon.scope, job_id, words="Doing", check=check)

        assert capsys.readouterr().err.count("No worker has taken the job yet.") == said

    def test_ends_when_nobody_does_the_jobs(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id: UUID = ask(database, devon)

        def check() -> None:
            raise Conflict("The worker doesn't come up.")

        with pytest.raises(Conflict, match="doesn't come up"):
            wait_for_job(database, devon.scope, job_id, words="Doing", check=check)


class TestPatience:
    def test_says_once_that_no_worker_has_taken_a_job(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wait, "PATIENCE_SECONDS", -1.0)
        devon, _ = factories.two_tenants()
        patience, console = Patience(), Console(record=True, width=200)

        for _ in range(3):
            patience.look(look(database, devon, ask(database, devon)))
            patience.speak(console)

        assert console.export_text().count("No worker has taken the job yet.") == 1

    def test_is_quiet_when_one_has(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wait, "PATIENCE_SECONDS", -1.0)
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        runner(database, nothing).run(job_id)
        patience, console = Patience(), Console(record=True)

        patience.look(look(database, devon, job_id))
        patience.speak(console)

        assert console.export_text() == ""
