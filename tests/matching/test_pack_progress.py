from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from matching.meeting import Meeting, arrange_meeting, get_meeting
from matching.pack import PackFormat, keep_files, list_packs
from matching.pack_progress import ask_for_packs, make_again, packs_of
from tenants.agency import AgencyKind
from tenants.database import Database
from tenants.job import JobOver, JobState, JobUnknown, get_job, list_jobs, request_job
from tests.factories import NOW, TODAY, Factories, Tenant, transaction

FILES = {PackFormat.PDF: b"%PDF", PackFormat.XLSX: b"PK"}


class TestPacksOf:
    def test_is_empty_before_anyone_asks(self, pool: Pool, database: Database) -> None:
        with transaction(database, pool.us) as session:
            packs = packs_of(session, pool.meeting(session))

        assert (packs.own, packs.others, packs.asking, packs.busy) == ((), (), None, False)

    def test_follows_ones_own_from_asked_to_ready(self, pool: Pool, database: Database) -> None:
        with transaction(database, pool.us) as session:
            meeting = pool.meeting(session)
            ask_for_packs(session, meeting, now=NOW)
            asked = packs_of(session, meeting)
            assert (asked.making_own, asked.busy, asked.own[0].ready) == (True, True, False)
            keep_files(session, asked.own[0].pack, files=FILES, ranking_run_id=None, now=NOW)
            made = packs_of(session, meeting)

        assert (made.making_own, made.busy, made.own[0].ready, made.own[0].failed) == (False, False, True, False)

    def test_shows_a_member_nothing_of_anothers(self, pool: Pool, database: Database) -> None:
        with transaction(database, pool.them) as session:
            ask_for_packs(session, pool.meeting(session), now=NOW)

        with transaction(database, pool.us) as session:
            packs = packs_of(session, pool.meeting(session))

        assert (packs.own, packs.others) == ((), ())

    def test_shows_the_office_the_newest_of_each_and_no_job(self, pool: Pool, database: Database) -> None:
        with transaction(database, pool.them) as session:
            meeting = pool.meeting(session)
            for _ in range(2):
                ask_for_packs(session, meeting, now=NOW)
                (newest, *_rest) = list_packs(session, meeting.id)
                keep_files(session, newest, files=FILES, ranking_run_id=None, now=NOW)

        with transaction(database, pool.office) as session:
            packs = packs_of(session, pool.meeting(session))

        assert [(each.agency, each.pack.version) for each in packs.others] == [(pool.them.name, 2)]
        assert (packs.ready, packs.own) == (1, ())


class TestAskForPacks:
    def test_asks_the_office_once_while_its_asking_is_on_the_way(self, pool: Pool, database: Database) -> None:
        with transaction(database, pool.office) as session:
            meeting = pool.meeting(session)
            for _ in range(3):
                ask_for_packs(session, meeting, now=NOW)

            assert [job.kind for job in list_jobs(session)] == ["pack.build_all"]
            assert packs_of(session, meeting).asked


class TestMakeAgain:
    def test_sets_a_failed_job_to_run_again(self, pool: Pool, database: Database) -> None:
        with transaction(database, pool.us) as session:
            meeting = pool.meeting(session)
            ask_for_packs(session, meeting, now=NOW)
            (job,) = list_jobs(session)
            with pytest.raises(JobOver):
                make_again(session, meeting, job.id, now=NOW)
            job.state, job.reason = JobState.FAILED, "It rained."
            session.flush()
            assert packs_of(session, meeting).own[0].failed

            make_again(session, meeting, job.id, now=NOW)

            assert get_job(session, job.id).state is JobState.WAITING

    def test_knows_only_jobs_that_make_packs_of_the_meeting(self, pool: Pool, database: Database) -> None:
        with transaction(database, pool.us) as session:
            meeting = pool.meeting(session)
            of_another = request_job(session, kind="pack.build", payload={"meeting": str(uuid4())}, now=NOW)
            of_imports = request_job(session, kind="import", payload={"meeting": str(meeting.id)}, now=NOW)

            for job_id in (of_another, of_imports, uuid4()):
                with pytest.raises(JobUnknown):
                    make_again(session, meeting, job_id, now=NOW)


@dataclass(frozen=True)
class Pool:
    """Two members and an office with one meeting."""

    us: Tenant
    them: Tenant
    office: Tenant
    meeting_id: UUID

    def meeting(self, session: Session) -> Meeting:
        """Return the meeting in a session."""
        return get_meeting(session, self.meeting_id)


@pytest.fixture
def pool(factories: Factories, database: Database) -> Pool:
    consortium_id = factories.consortium()
    us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    with transaction(database, office) as session:
        meeting = arrange_meeting(session, title="June", held_on=TODAY + timedelta(days=9), place="Here", now=NOW)
    return Pool(us, them, office, meeting.id)
