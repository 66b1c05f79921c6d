"""``concord jobs``: what was asked for, and another try."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from concord.schema.job import JobSchema
from tenants.database import Database
from tenants.job import Job, JobState, get_job, request_job
from tests.factories import Factories, Tenant
from tests.platform.cli.run import answer, refusal, run
from tests.workers.ledger import held
from workers.claim import give_up

pytestmark = pytest.mark.usefixtures("on_servers")

# Newer than any other test's, for the list is of the newest two hundred of all agencies.
_LATEST = datetime(2095, 1, 1, tzinfo=UTC)


class TestList:
    def test_lists_those_of_all_agencies_and_nothing_that_they_hold(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        ids = {_ask(database, tenant, told="what-it-holds") for tenant in (devon, dorset)}

        said = answer("jobs", "list")

        listed = {UUID(job["id"]): job for job in said}
        assert ids <= set(listed)
        assert {set(job) == set(JobSchema().fields) for job in said} == {True}
        assert {listed[each]["agency_id"] for each in ids} == {str(devon.id), str(dorset.id)}
        assert "what-it-holds" not in run("jobs", "list", "--json").stdout

    def test_lists_those_in_one_state(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        failed, waiting = _fail(database, devon), _ask(database, devon)

        text = run("jobs", "list", "--state", "failed").stdout

        assert f"{failed}" in text
        assert "It cannot be done." in text
        assert f"{waiting}" not in text


class TestRetry:
    def test_sets_a_failed_one_to_run_again(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        failed = _fail(database, devon)

        assert run("jobs", "retry", str(failed)).stdout == f"{failed} waits to run again.\n"

        assert _look(database, devon, failed).state is JobState.WAITING

    def test_refuses_one_that_waits(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        said = refusal("jobs", "retry", str(_ask(database, devon)))

        assert said == "concord: The job is waiting; only a failed or cancelled one can be run again."

    def test_knows_no_other(self) -> None:
        assert refusal("jobs", "retry", str(uuid4())) == "concord: There is no such job."


def _ask(database: Database, tenant: Tenant, *, now: datetime = _LATEST, **payload: str) -> UUID:
    with database.transaction(tenant.scope) as session:
        return request_job(session, kind="test", payload=payload, now=now)


def _fail(database: Database, tenant: Tenant) -> UUID:
    with database.transaction(tenant.scope) as session:
        job_id = request_job(session, kind="test", payload={}, now=_LATEST)
        get_job(session, job_id).due_at = datetime(2020, 1, 1, tzinfo=UTC)
    claimed = held(database, tenant, job_id)
    with database.transaction(tenant.scope) as session:
        give_up(session, claimed, state=JobState.FAILED, reason="It cannot be done.")
    return job_id


def _look(database: Database, tenant: Tenant, job_id: UUID) -> Job:
    with database.transaction(tenant.scope) as session:
        return get_job(session, job_id)
