"""``concord pack build``: the own agency's pack, or from the office everyone's."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from matching.meeting import arrange_meeting
from matching.pack import list_packs
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import Job, JobState, get_job
from tenants.scope import Scope
from tests.factories import Factories, Tenant
from tests.platform.cli.run import answer, refusal, run
from workers.handler import HANDLERS
from workers.runner import JobRunner

pytestmark = pytest.mark.usefixtures("on_servers", "workers")


class TestBuild:
    def test_builds_the_own_agencys_next_version(self, factories: Factories) -> None:
        _, devon, dorset, meeting_id = _meeting(factories)

        first, second = (answer("pack", "build", "--agency", devon.slug) for _ in range(2))

        assert first == {"packs": 1, "version": 1, "files": {}}
        assert run("pack", "build", "--agency", dorset.slug).stdout == "The pack is ready, in version 1.\n"
        assert second["version"] == 2
        assert _versions(factories.database, devon, meeting_id) == [2, 1]
        assert _versions(factories.database, dorset, meeting_id) == [1]

    def test_leaves_the_own_agencys_files(self, factories: Factories, tmp_path: Path) -> None:
        _, devon, _, _ = _meeting(factories)

        files = answer("pack", "build", "--agency", devon.slug, "--output", str(tmp_path / "packs"))["files"]

        assert set(files) == {"pdf", "xlsx"}
        assert Path(files["pdf"]).read_bytes().startswith(b"%PDF-")
        assert Path(files["xlsx"]).read_bytes().startswith(b"PK")
        assert {stat.S_IMODE(Path(path).stat().st_mode) for path in files.values()} == {0o600}

    def test_builds_everyones_for_the_office(self, factories: Factories) -> None:
        office, devon, dorset, meeting_id = _meeting(factories)

        result = run("pack", "build", "--agency", office.slug)

        assert result.stdout == "3 packs of version 1 are ready.\n"
        for tenant in (devon, dorset):
            assert _versions(factories.database, tenant, meeting_id) == [1]

    def test_knows_no_meeting_of_another_consortium(self, factories: Factories) -> None:
        _, devon, _, _ = _meeting(factories)
        *_, theirs = _meeting(factories)

        for meeting_id in (theirs, uuid4()):
            said = refusal("pack", "build", "--agency", devon.slug, "--meeting", str(meeting_id))
            assert said == "concord: There is no such meeting in your consortium."

    def test_needs_a_meeting(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        said = refusal("pack", "build", "--agency", devon.slug)

        assert said.startswith("concord: There is no meeting to build packs for.")
        assert "concord meeting arrange" in said


def _meeting(factories: Factories) -> tuple[Tenant, Tenant, Tenant, UUID]:
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
    now = utc_now()
    with factories.database.transaction(office.scope) as session:
        meeting = arrange_meeting(session, title="Matching meeting", held_on=now.date(), place="Taunton", now=now)
    return office, devon, dorset, meeting.id


def _versions(database: Database, tenant: Tenant, meeting_id: UUID) -> list[int]:
    with database.transaction(tenant.scope) as session:
        return [pack.version for pack in list_packs(session, meeting_id) if pack.built_at is not None]


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    """Do each job as soon as it is waited for."""

    def do_job(_database: Database, scope: Scope, job_id: UUID, *, words: str, check: Callable[[], None] | None) -> Job:
        assert words
        assert check is None
        JobRunner(database, HANDLERS).run(job_id)
        with database.transaction(scope) as session:
            job = get_job(session, job_id)
        assert job.state is JobState.DONE, job.reason
        return job

    def do_jobs(
        database: Database, jobs: Mapping[UUID, Scope], *, words: str, check: Callable[[], None] | None
    ) -> dict[UUID, Job]:
        return {each: do_job(database, scope, each, words=words, check=check) for each, scope in jobs.items()}

    monkeypatch.setattr("concord.cli.pack.wait_for_job", do_job)
    monkeypatch.setattr("concord.cli.pack.wait_for_jobs", do_jobs)
