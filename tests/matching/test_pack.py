"""Packs: each agency's own, made once, sealed, and nobody else's to open."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import ProgrammingError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching import pack as packs
from matching.meeting import Meeting, arrange_meeting, get_meeting
from matching.pack import (
    Pack,
    PackExpired,
    PackFile,
    PackFormat,
    PackNotBuilt,
    PackTooLarge,
    PackUnknown,
    destroy_files,
    download,
    get_pack,
    keep_files,
    list_packs,
    next_version,
    request_all_packs,
    request_pack,
)
from tenants import audit
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.consortium import get_consortium, set_meeting_days
from tenants.database import Database
from tenants.error import Conflict
from tenants.job import get_job, list_jobs
from tenants.scope import OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant

FILES = {PackFormat.PDF: b"%PDF of a sample pack", PackFormat.XLSX: b"PK of a sample pack"}


class TestRequestPack:
    def test_counts_versions_of_the_own_agency(self, database: Database, factories: Factories) -> None:
        _, devon, dorset, meeting_id = _meeting(database, factories)

        assert [_request(database, devon, meeting_id).version for _ in range(3)] == [1, 2, 3]
        assert _request(database, dorset, meeting_id).version == 1

    def test_asks_for_a_version_once(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)

        first, again = (_request(database, devon, meeting_id, version=4) for _ in range(2))

        assert (first.id, first.job_id) == (again.id, again.job_id)
        with database.transaction(devon.scope) as session:
            assert len(list_jobs(session)) == 1

    def test_names_the_meeting_in_the_job_and_nothing_else(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)

        pack = _request(database, devon, meeting_id)

        with database.transaction(devon.scope) as session:
            assert get_job(session, pack.job_id).payload == {"meeting": str(meeting_id), "version": 1}


class TestRequestAllPacks:
    def test_goes_on_after_the_highest_version_of_anyone(self, database: Database, factories: Factories) -> None:
        office, devon, _, meeting_id = _meeting(database, factories)
        _request(database, devon, meeting_id, version=6)

        with database.transaction(office.scope) as session:
            meeting = get_meeting(session, meeting_id)
            first, again = (request_all_packs(session, meeting, now=NOW) for _ in range(2))
            assert get_job(session, first).payload["version"] == 7

        assert first == again


class TestNextVersion:
    def test_looks_at_what_the_scope_sees(self, database: Database, factories: Factories) -> None:
        office, devon, dorset, meeting_id = _meeting(database, factories)
        _request(database, devon, meeting_id)

        for tenant, version in ((office, 2), (devon, 2), (dorset, 1)):
            with database.transaction(tenant.scope) as session:
                assert next_version(session, get_meeting(session, meeting_id)) == version


class TestGetPack:
    def test_finds_the_own_and_lets_the_office_see_that_it_is_there(
        self, database: Database, factories: Factories
    ) -> None:
        office, devon, dorset, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        for tenant in (office, devon):
            with database.transaction(tenant.scope) as session:
                assert get_pack(session, pack_id).built_at == NOW
                assert [pack.id for pack in list_packs(session, meeting_id)] == [pack_id]
        with database.transaction(dorset.scope) as session:
            assert list_packs(session, meeting_id) == []
            with pytest.raises(PackUnknown):
                get_pack(session, pack_id)


class TestKeepFiles:
    def test_keeps_them_once(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        with database.transaction(devon.scope) as session, pytest.raises(Conflict, match="already"):
            keep_files(session, get_pack(session, pack_id), files=FILES, ranking_run_id=None, now=NOW)

    def test_leaves_a_built_pack_as_it_is(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        with database.transaction(devon.scope) as session:
            changed = session.execute(update(Pack).values(version=9).returning(Pack.id)).all()
        assert changed == []
        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(devon.scope) as session:
            session.execute(update(PackFile).values(sealed=b"other"))
        with database.transaction(devon.scope) as session:
            assert get_pack(session, pack_id).version == 1

    def test_keeps_no_readable_byte(self, database: Database, factories: Factories, migrated: DatabaseUrls) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            rows = admin.execute("SELECT sealed, digest, size FROM pack_file WHERE pack_id = %s", (pack_id,)).fetchall()

        assert {(bytes(digest), size) for _, digest, size in rows} == {
            (hashlib.sha256(content).digest(), len(content)) for content in FILES.values()
        }
        assert not any(b"sample pack" in bytes(sealed) for sealed, _, _ in rows)

    def test_names_the_whole_by_its_parts(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        parts = b"".join(hashlib.sha256(FILES[kind]).digest() for kind in PackFormat)

        with database.transaction(devon.scope) as session:
            assert get_pack(session, pack_id).digest == hashlib.sha256(parts).digest()

    def test_refuses_what_is_too_large(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        monkeypatch.setattr(packs, "MOST_BYTES", 10)

        with pytest.raises(PackTooLarge, match="50 MiB"):
            _built(database, devon, meeting_id)


class TestDownload:
    def test_gives_the_file_and_puts_it_on_record(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        with database.transaction(devon.scope) as session:
            for kind, content in FILES.items():
                assert download(session, get_pack(session, pack_id), kind=kind, now=NOW) == content
            acts = [entry.act for entry in audit.list_entries_of(session, pack_id)]

        assert sorted(acts) == [audit.Act.BUILD, audit.Act.DOWNLOAD, audit.Act.DOWNLOAD]

    def test_gives_the_office_nothing_of_another_agencys(self, database: Database, factories: Factories) -> None:
        office, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        with database.transaction(office.scope) as session:
            with pytest.raises(PackUnknown):
                download(session, get_pack(session, pack_id), kind=PackFormat.PDF, now=NOW)
            assert session.scalar(select(func.count()).select_from(PackFile)) == 0

    def test_waits_until_it_is_built(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _request(database, devon, meeting_id).id

        with database.transaction(devon.scope) as session, pytest.raises(PackNotBuilt):
            download(session, get_pack(session, pack_id), kind=PackFormat.PDF, now=NOW)


class TestExpiry:
    def test_is_so_many_days_after_the_meeting_as_the_consortium_says(
        self, database: Database, factories: Factories
    ) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        first = _request(database, devon, meeting_id)
        with database.transaction(OPERATOR) as session:
            assert devon.scope.consortium_id is not None
            set_meeting_days(session, get_consortium(session, devon.scope.consortium_id), pack_days=3)

        second = _request(database, devon, meeting_id)

        assert (first.expires_on, second.expires_on) == (TODAY + timedelta(days=28), TODAY + timedelta(days=3))

    def test_counts_from_the_day_it_is_asked_for_where_the_meeting_is_over(
        self, database: Database, factories: Factories
    ) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)

        with database.transaction(devon.scope) as session:
            pack = request_pack(session, get_meeting(session, meeting_id), now=NOW + timedelta(days=100))

        assert pack.expires_on == TODAY + timedelta(days=128)

    def test_closes_every_version_after_its_last_day(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)
        last = NOW + timedelta(days=28)

        with database.transaction(devon.scope) as session:
            pack = get_pack(session, pack_id)
            assert download(session, pack, kind=PackFormat.PDF, now=last) == FILES[PackFormat.PDF]
            with pytest.raises(PackExpired, match="could be opened until 21/12/2026"):
                download(session, pack, kind=PackFormat.PDF, now=last + timedelta(days=1))

    def test_tells_another_agency_nothing_of_it(self, database: Database, factories: Factories) -> None:
        office, devon, dorset, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        for tenant in (office, dorset):
            with database.transaction(tenant.scope) as session, pytest.raises(PackUnknown):
                download(session, get_pack(session, pack_id), kind=PackFormat.PDF, now=NOW + timedelta(days=99))


class TestDestroyFiles:
    def test_leaves_the_row_with_its_hash_and_an_entry(self, database: Database, factories: Factories) -> None:
        devon, pack_id = _old(database, factories)

        with database.transaction(devon.scope) as session:
            assert [destroy_files(session, get_pack(session, pack_id), now=NOW) for _ in range(2)] == [2, 0]

        with database.transaction(devon.scope) as session:
            pack = get_pack(session, pack_id)
            assert pack.digest is not None
            assert session.scalar(select(func.count()).select_from(PackFile).where(PackFile.pack_id == pack_id)) == 0
            acts = [entry.act for entry in audit.list_entries_of(session, pack_id)]
            assert acts.count(audit.Act.REMOVE) == 1
            with pytest.raises(PackExpired):
                download(session, pack, kind=PackFormat.PDF, now=NOW)

    def test_destroys_nothing_before_its_day(self, database: Database, factories: Factories) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        pack_id = _built(database, devon, meeting_id)

        with database.transaction(devon.scope) as session, pytest.raises(Conflict, match="until 21/12/2026"):
            destroy_files(session, get_pack(session, pack_id), now=NOW)

    def test_the_database_keeps_what_a_wrong_clock_would_destroy(
        self, database: Database, factories: Factories
    ) -> None:
        _, devon, _, meeting_id = _meeting(database, factories)
        with database.transaction(devon.scope) as session:
            pack = request_pack(session, get_meeting(session, meeting_id), now=utc_now())
            keep_files(session, pack, files=FILES, ranking_run_id=None, now=utc_now())

            assert destroy_files(session, pack, now=utc_now() + timedelta(days=999)) == 0


def _old(database: Database, factories: Factories) -> tuple[Tenant, UUID]:
    """Return an agency with a pack that came to its end long ago."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    devon = factories.tenant(consortium_id)
    then = NOW - timedelta(days=400)
    with database.transaction(office.scope) as session:
        meeting = arrange_meeting(session, title="Old", held_on=then.date(), place="Sample Hall", now=then)
    with database.transaction(devon.scope) as session:
        pack = request_pack(session, get_meeting(session, meeting.id), now=then)
        keep_files(session, pack, files=FILES, ranking_run_id=None, now=then)
        return devon, pack.id


def _meeting(database: Database, factories: Factories) -> tuple[Tenant, Tenant, Tenant, UUID]:
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
    with database.transaction(office.scope) as session:
        meeting: Meeting = arrange_meeting(session, title="November", held_on=TODAY, place="Sample Hall", now=NOW)
    return office, devon, dorset, meeting.id


def _request(database: Database, tenant: Tenant, meeting_id: UUID, *, version: int | None = None) -> Pack:
    with database.transaction(tenant.scope) as session:
        return request_pack(session, get_meeting(session, meeting_id), now=NOW, version=version)


def _built(database: Database, tenant: Tenant, meeting_id: UUID) -> UUID:
    with database.transaction(tenant.scope) as session:
        pack = request_pack(session, get_meeting(session, meeting_id), now=NOW)
        keep_files(session, pack, files=FILES, ranking_run_id=None, now=NOW)
        return pack.id
