"""Packs are built once, by whoever gets to it, and each shows what its own agency may see and no more."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from matching.household import get_household
from matching.meeting import arrange_meeting, get_meeting
from matching.pack import PackFile, PackFormat, download, get_pack, list_packs, request_all_packs, request_pack
from matching.pool import Stage
from matching.sibling_group import get_group
from tenants import audit
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, list_jobs
from tests.factories import Factories, Tenant
from tests.workers.document.pdf_reading import text_of
from tests.workers.ledger import ask, look
from workers.handler import HANDLERS
from workers.runner import JobRunner


@dataclass(frozen=True, slots=True)
class Scene:
    """A meeting of two agencies, each with records that it shares and records that it keeps to itself."""

    office: Tenant
    devon: Tenant
    dorset: Tenant
    meeting_id: UUID
    shared: dict[UUID, set[str]]
    own: dict[UUID, set[str]]
    """Codes of what is in-house or held, by the agency whose it is."""


class TestBuildPack:
    def test_makes_both_files_and_says_where(self, database: Database, scene: Scene) -> None:
        pack_id, job_id = _ask_for_pack(database, scene, scene.devon)

        assert JobRunner(database, HANDLERS).run(job_id) is True

        job = look(database, scene.devon, job_id)
        assert (job.state, job.result) == (JobState.DONE, {"pack": str(pack_id)})
        pdf, xlsx = _files(database, scene.devon, pack_id)
        assert pdf.startswith(b"%PDF-")
        assert xlsx.startswith(b"PK")

    def test_shows_what_the_own_agency_may_see_and_no_more(self, database: Database, scene: Scene) -> None:
        for reader, other in ((scene.devon, scene.dorset), (scene.dorset, scene.devon)):
            pack_id, job_id = _ask_for_pack(database, scene, reader)
            JobRunner(database, HANDLERS).run(job_id)
            pdf, xlsx = _files(database, reader, pack_id)

            seen = scene.shared[reader.id] | scene.shared[other.id] | scene.own[reader.id]
            for text in (text_of(pdf), _text_of_workbook(xlsx)):
                assert {code for code in seen if code not in text} == set()
                assert {code for code in scene.own[other.id] if code in text} == set()

    def test_is_built_once_by_two_workers(self, database: Database, scene: Scene) -> None:
        pack_id, job_id = _ask_for_pack(database, scene, scene.devon)
        ran: list[bool] = []
        threads = [
            threading.Thread(target=lambda: ran.append(JobRunner(database, HANDLERS).run(job_id))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(ran) == [False, True]
        assert _count_files(database, scene.devon, pack_id) == 2

    def test_leaves_a_pack_that_is_built(self, database: Database, scene: Scene) -> None:
        pack_id, job_id = _ask_for_pack(database, scene, scene.devon)
        JobRunner(database, HANDLERS).run(job_id)
        before = _files(database, scene.devon, pack_id)
        again = ask(database, scene.devon, kind="pack.build", meeting=str(scene.meeting_id), version=1)

        assert JobRunner(database, HANDLERS).run(again) is True

        assert look(database, scene.devon, again).result == {"pack": str(pack_id)}
        assert _files(database, scene.devon, pack_id) == before
        assert _count_files(database, scene.devon, pack_id) == 2

    def test_keeps_the_files_sealed(self, database: Database, scene: Scene) -> None:
        pack_id, job_id = _ask_for_pack(database, scene, scene.devon)
        JobRunner(database, HANDLERS).run(job_id)

        with database.transaction(scene.devon.scope) as session:
            sealed = session.scalars(select(PackFile.sealed).where(PackFile.pack_id == pack_id)).all()
        assert len(sealed) == 2
        assert all(b"%PDF" not in each and not each.startswith(b"PK") for each in sealed)

    def test_puts_itself_on_record_by_its_job(self, database: Database, scene: Scene) -> None:
        pack_id, job_id = _ask_for_pack(database, scene, scene.devon)
        JobRunner(database, HANDLERS).run(job_id)

        with database.transaction(scene.devon.scope) as session:
            entries = session.scalars(
                select(audit.AuditEntry.request_id).where(
                    audit.AuditEntry.record_id == pack_id, audit.AuditEntry.act == audit.Act.BUILD
                )
            ).all()
        assert entries == [f"job:{job_id}"]

    def test_is_refused_for_a_meeting_of_another_consortium(
        self, database: Database, scene: Scene, factories: Factories
    ) -> None:
        stranger, _ = factories.two_tenants()
        job_id = ask(database, stranger, kind="pack.build", meeting=str(scene.meeting_id), version=1)

        assert JobRunner(database, HANDLERS).run(job_id) is False

        job = look(database, stranger, job_id)
        assert (job.state, job.reason) == (JobState.FAILED, "There is no such meeting in your consortium.")


class TestBuildAllPacks:
    def test_asks_each_member_in_its_own_scope(self, database: Database, scene: Scene) -> None:
        job_id = _ask_for_all(database, scene)

        assert JobRunner(database, HANDLERS).run(job_id) is True

        assert look(database, scene.office, job_id).result == {"packs": 3}
        for tenant in (scene.office, scene.devon, scene.dorset):
            with database.transaction(tenant.scope) as session:
                (job,) = [job for job in list_jobs(session) if job.kind == "pack.build"]
                (pack,) = [pack for pack in list_packs(session, scene.meeting_id) if pack.agency_id == tenant.id]
            assert (job.agency_id, job.person_id, job.consortium_id) == (tenant.id, None, tenant.scope.consortium_id)
            assert pack.job_id == job.id

    def test_asks_nothing_twice(self, database: Database, scene: Scene) -> None:
        first = _ask_for_all(database, scene)
        JobRunner(database, HANDLERS).run(first)
        again = ask(database, scene.office, kind="pack.build_all", meeting=str(scene.meeting_id), version=1)

        JobRunner(database, HANDLERS).run(again)

        for tenant in (scene.devon, scene.dorset):
            with database.transaction(tenant.scope) as session:
                assert len(list_jobs(session)) == 1
                assert len(list_packs(session, scene.meeting_id)) == 1

    def test_leaves_out_who_has_left(self, database: Database, scene: Scene, factories: Factories) -> None:
        stranger = factories.tenant(factories.consortium())
        JobRunner(database, HANDLERS).run(_ask_for_all(database, scene))

        with database.transaction(stranger.scope) as session:
            assert list_jobs(session) == []
            assert list_packs(session, scene.meeting_id) == []


def _ask_for_pack(database: Database, scene: Scene, tenant: Tenant) -> tuple[UUID, UUID]:
    with database.transaction(tenant.scope) as session:
        meeting = get_meeting(session, scene.meeting_id)
        pack = request_pack(session, meeting, now=utc_now() - timedelta(seconds=1), version=1)
        return pack.id, pack.job_id


def _ask_for_all(database: Database, scene: Scene) -> UUID:
    with database.transaction(scene.office.scope) as session:
        meeting = get_meeting(session, scene.meeting_id)
        return request_all_packs(session, meeting, now=utc_now() - timedelta(seconds=1))


def _files(database: Database, tenant: Tenant, pack_id: UUID) -> tuple[bytes, bytes]:
    with database.transaction(tenant.scope) as session:
        pack = get_pack(session, pack_id)
        pdf, xlsx = (download(session, pack, kind=kind, now=utc_now()) for kind in PackFormat)
        return pdf, xlsx


def _count_files(database: Database, tenant: Tenant, pack_id: UUID) -> int:
    with database.transaction(tenant.scope) as session:
        return len(session.scalars(select(PackFile.id).where(PackFile.pack_id == pack_id)).all())


def _text_of_workbook(content: bytes) -> str:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return "\n".join(
        str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row
    )


@pytest.fixture
def scene(database: Database, factories: Factories) -> Scene:
    """Make the meeting and its two agencies."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
    shared: dict[UUID, set[str]] = {}
    own: dict[UUID, set[str]] = {}
    for tenant in (devon, dorset):
        shared[tenant.id] = _codes(
            database, tenant, households=[factories.household(tenant)], groups=[factories.group(tenant)]
        )
        own[tenant.id] = _codes(
            database,
            tenant,
            households=[factories.household(tenant, stage=Stage.IN_HOUSE)],
            groups=[factories.group(tenant, stage=Stage.IN_HOUSE), factories.group(tenant, held=True)],
        )
    now = utc_now()
    with database.transaction(office.scope) as session:
        meeting = arrange_meeting(session, title="Matching meeting", held_on=now.date(), place="Taunton", now=now)
    return Scene(office, devon, dorset, meeting.id, shared, own)


def _codes(database: Database, tenant: Tenant, *, households: list[UUID], groups: list[UUID]) -> set[str]:
    with database.transaction(tenant.scope) as session:
        return {get_household(session, each).code for each in households} | {
            get_group(session, each).code for each in groups
        }
