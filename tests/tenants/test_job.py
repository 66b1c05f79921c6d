"""Jobs: asked for once, in one's own scope, and seen by nobody else."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from tenants.database import Database
from tenants.job import (
    FINISHED,
    Job,
    JobOver,
    JobState,
    JobUnknown,
    cancel_job,
    get_job,
    list_jobs,
    request_job,
    retry_job,
)
from tenants.scope import NOBODY, OPERATOR
from tests.factories import NOW, Factories

JOB_SCOPE = text("SELECT * FROM job_scope(:job_id)")


class TestRequestJob:
    def test_asks_in_the_scope_of_the_asker(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            job = get_job(session, request_job(session, kind="import", payload={"run": "1"}, now=NOW))

        assert (job.agency_id, job.person_id, job.consortium_id) == (
            devon.id,
            devon.scope.person_id,
            devon.scope.consortium_id,
        )
        assert (job.state, job.attempt, job.due_at) == (JobState.WAITING, 0, NOW)

    def test_asks_once_by_one_key(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            first, again, other = (request_job(session, kind="import", payload={}, now=NOW, key=key) for key in "aab")
        with database.transaction(dorset.scope) as session:
            theirs = request_job(session, kind="import", payload={}, now=NOW, key="a")

        assert first == again
        assert len({first, other, theirs}) == 3

    def test_asks_in_no_other_scope(self, database: Database, factories: Factories) -> None:
        """A worker takes its scope from the row: a job in another's name would run with another's rights."""
        devon, dorset = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        own = {"agency_id": devon.id, "person_id": devon.scope.person_id, "consortium_id": devon.scope.consortium_id}

        for forged in (
            {"agency_id": dorset.id},
            {"person_id": dorset.scope.person_id},
            {"consortium_id": stranger.scope.consortium_id},
            {"person_id": None},
            {"consortium_id": None},
        ):
            job = Job(**{**_JOB, **own, **forged}, id=uuid4(), key=uuid4().hex)
            with (
                pytest.raises(ProgrammingError, match="row-level security"),
                database.transaction(devon.scope) as asked,
            ):
                asked.add(job)

    @pytest.mark.parametrize("column", ["agency_id", "person_id", "consortium_id", "kind", "key", "payload"])
    def test_is_not_changed_afterwards(self, database: Database, factories: Factories, column: str) -> None:
        devon, dorset = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            job_id = request_job(session, kind="import", payload={}, now=NOW)
        value: Any = {"agency_id": dorset.id, "person_id": None, "consortium_id": None, "payload": {}}.get(
            column, "other"
        )

        for scope in (devon.scope, OPERATOR):
            with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(scope) as session:
                session.execute(update(Job).where(Job.id == job_id).values({column: value}))


class TestGetJob:
    def test_finds_none_of_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            job_id = request_job(session, kind="import", payload={}, now=NOW)

        for scope in (dorset.scope, NOBODY):
            with database.transaction(scope) as session, pytest.raises(JobUnknown):
                get_job(session, job_id)
        with database.transaction(OPERATOR) as session:
            assert get_job(session, job_id).id == job_id


class TestListJobs:
    def test_lists_the_own_ones_newest_first(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            ids = {request_job(session, kind="import", payload={}, now=NOW) for _ in range(3)}

        with database.transaction(devon.scope) as session:
            assert {job.id for job in list_jobs(session)} == ids
            assert list_jobs(session, state=JobState.DONE) == []
            assert len(list_jobs(session, limit=2)) == 2
        with database.transaction(dorset.scope) as session:
            assert list_jobs(session) == []


class TestRetryJob:
    @pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
    def test_sets_an_ended_one_to_run_again(self, database: Database, factories: Factories, state: JobState) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            job = _job_in(session, state)
            retry_job(session, job, now=NOW)
            again = get_job(session, job.id)

        assert (again.state, again.attempt, again.reason, again.finished_at) == (JobState.WAITING, 0, None, None)

    @pytest.mark.parametrize("state", [JobState.WAITING, JobState.RUNNING, JobState.DONE])
    def test_refuses_any_other(self, database: Database, factories: Factories, state: JobState) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            job = _job_in(session, state)
            with pytest.raises(JobOver, match="failed or cancelled"):
                retry_job(session, job, now=NOW)


class TestCancelJob:
    def test_ends_a_waiting_one(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            job = _job_in(session, JobState.WAITING)
            cancel_job(session, job, now=NOW)
            assert (job.state, job.finished_at) == (JobState.CANCELLED, NOW)

    def test_asks_a_running_one_to_stop(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            job = _job_in(session, JobState.RUNNING)
            cancel_job(session, job, now=NOW)
            assert (job.state, job.cancel_requested_at) == (JobState.RUNNING, NOW)

    def test_sees_what_a_worker_did_meanwhile(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            job_id = request_job(session, kind="import", payload={}, now=NOW)

        with database.transaction(devon.scope) as session:
            job = get_job(session, job_id)
            with database.transaction(devon.scope) as worker:
                worker.execute(update(Job).where(Job.id == job_id).values(**_RUNNING))
            cancel_job(session, job, now=NOW)
            assert job.state is JobState.RUNNING

    @pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
    def test_refuses_an_ended_one(self, database: Database, factories: Factories, state: JobState) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            job = _job_in(session, state)
            with pytest.raises(JobOver):
                cancel_job(session, job, now=NOW)


class TestJobScope:
    def test_is_told_to_nobody_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            job_id = request_job(session, kind="import", payload={}, now=NOW)

        with database.transaction(NOBODY) as session:
            told = session.execute(JOB_SCOPE, {"job_id": job_id}).one()
            assert tuple(told) == (devon.id, devon.scope.person_id, devon.scope.consortium_id, None)
            assert session.execute(JOB_SCOPE, {"job_id": uuid4()}).all() == []
        for scope in (devon.scope, dorset.scope, OPERATOR):
            with database.transaction(scope) as session:
                assert session.execute(JOB_SCOPE, {"job_id": job_id}).all() == []


def _job_in(session: Session, state: JobState) -> Job:
    job_id = request_job(session, kind="import", payload={}, now=NOW)
    ended = {"finished_at": NOW, "reason": "Sample reason"} if state in FINISHED else {}
    values = {**_RUNNING, **ended, "state": state, "attempt": 2}
    session.execute(update(Job).where(Job.id == job_id).values(values))
    return get_job(session, job_id)


_RUNNING = {"state": JobState.RUNNING, "worker": "a-worker", "lease_until": NOW}
_JOB = {
    "kind": "import",
    "urgent": False,
    "payload": {},
    "requested_at": NOW,
    "state": JobState.WAITING,
    "attempt": 0,
    "due_at": NOW,
    "progress_done": 0,
}
