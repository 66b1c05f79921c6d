"""The schedule: each coming meeting's packs are asked for once, however many ask."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from matching.meeting import arrange_meeting, get_meeting
from matching.pack import (
    Pack,
    PackFormat,
    destroy_files,
    download,
    get_pack,
    keep_files,
    request_first_packs,
    request_pack,
)
from tenants.agency import AgencyKind
from tenants.audit import Act, list_entries_of
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import Conflict
from tenants.job import Job, list_jobs
from tests.factories import NOW, Factories, Tenant
from tests.own_database import own_fixtures
from tests.workers.ledger import wait_until
from workers import schedule
from workers.schedule import PACK_DAYS_AHEAD, ask_for_packs, destroy_packs, run_schedule

# Each test has a day of its own: the schedule looks over all consortia.
FIRST = NOW + timedelta(days=5000)


# The schedule looks after every agency there is.
migrated, database, factories = own_fixtures("concord_schedule")


class TestAskForPacks:
    def test_asks_as_each_office_for_its_coming_meeting(self, database: Database, factories: Factories) -> None:
        now = _next_time()
        one, other = (_office(factories) for _ in range(2))
        meetings = {office.id: _arrange(database, office, now.date()) for office in (one, other)}

        assert ask_for_packs(database, now=now) == 2

        for office in (one, other):
            (job,) = _jobs(database, office)
            assert (job.kind, job.agency_id, job.person_id) == ("pack.build_all", office.id, None)
            assert job.payload == {"meeting": str(meetings[office.id]), "version": 1}

    def test_asks_once(self, database: Database, factories: Factories) -> None:
        now, office = _next_time(), _office(factories)
        _arrange(database, office, now.date())

        assert [ask_for_packs(database, now=now) for _ in range(3)] == [1, 0, 0]
        assert len(_jobs(database, office)) == 1

    def test_asks_once_when_many_ask_at_once(self, database: Database, factories: Factories) -> None:
        now, office = _next_time(), _office(factories)
        _arrange(database, office, now.date())
        start = threading.Barrier(4)

        def try_it() -> None:
            start.wait()
            ask_for_packs(database, now=now)

        threads = [threading.Thread(target=try_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(_jobs(database, office)) == 1

    @pytest.mark.parametrize(("days", "asked"), [(0, 1), (PACK_DAYS_AHEAD, 1), (PACK_DAYS_AHEAD + 1, 0)])
    def test_looks_a_week_ahead(self, database: Database, factories: Factories, days: int, asked: int) -> None:
        now, office = _next_time(), _office(factories)
        _arrange(database, office, now.date() + timedelta(days=days))

        ask_for_packs(database, now=now)

        assert len(_jobs(database, office)) == asked

    def test_leaves_a_meeting_that_has_packs(self, database: Database, factories: Factories) -> None:
        now, office = _next_time(), _office(factories)
        meeting_id = _arrange(database, office, now.date())
        with database.transaction(office.scope) as session:
            request_pack(session, get_meeting(session, meeting_id), now=now)

        assert ask_for_packs(database, now=now) == 0

    def test_asks_for_the_others_when_one_is_refused(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now, first, second = _next_time(), _office(factories), _office(factories)
        refused = _arrange(database, first, now.date())
        _arrange(database, second, now.date())

        def ask(session: object, meeting: object, *, now: datetime) -> UUID:
            if getattr(meeting, "id", None) == refused:
                raise Conflict("Not this one.")
            return request_first_packs(session, meeting, now=now)  # type: ignore[arg-type]

        monkeypatch.setattr(schedule, "request_first_packs", ask)

        assert ask_for_packs(database, now=now) == 1
        assert (len(_jobs(database, first)), len(_jobs(database, second))) == (0, 1)


class TestDestroyPacks:
    def test_destroys_what_is_past_its_end_in_its_own_agencys_scope(
        self, database: Database, factories: Factories
    ) -> None:
        ended, kept = (_pack(database, factories, days_ago=days) for days in (400, 0))

        destroy_packs(database, now=NOW)
        destroy_packs(database, now=NOW)

        assert _destroyed(database, *ended) == ["remove"]
        assert _destroyed(database, *kept) == []
        with database.transaction(kept[0].scope) as session:
            assert download(session, get_pack(session, kept[1]), kind=PackFormat.PDF, now=NOW) == b"sample"

    def test_goes_on_to_the_others_when_one_is_refused(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (_pack(database, factories, days_ago=400) for _ in range(2))
        destroying = destroy_files

        def destroy(session: Session, pack: Pack, *, now: datetime) -> int:
            if pack.id == first[1]:
                raise Conflict("Not this one.")
            return destroying(session, pack, now=now)

        monkeypatch.setattr(schedule, "destroy_files", destroy)
        destroy_packs(database, now=NOW)

        assert (_destroyed(database, *first), _destroyed(database, *second)) == ([], ["remove"])


def _pack(database: Database, factories: Factories, *, days_ago: int) -> tuple[Tenant, UUID]:
    office, then = _office(factories), NOW - timedelta(days=days_ago)
    meeting_id = _arrange(database, office, then.date(), now=then)
    with database.transaction(office.scope) as session:
        pack = request_pack(session, get_meeting(session, meeting_id), now=then)
        keep_files(session, pack, files=dict.fromkeys(PackFormat, b"sample"), ranking_run_id=None, now=then)
        return office, pack.id


def _destroyed(database: Database, tenant: Tenant, pack_id: UUID) -> list[str]:
    with database.transaction(tenant.scope) as session:
        return [entry.act.value for entry in list_entries_of(session, pack_id) if entry.act is Act.REMOVE]


class TestRunSchedule:
    def test_comes_back_when_the_database_was_away(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now, office = _next_time(), _office(factories)
        _arrange(database, office, now.date())
        away = [True, True]
        asking = schedule.ask_for_packs

        def ask(database: Database, *, now: datetime) -> int:
            if away:
                away.pop()
                raise OperationalError("SELECT", {}, Exception("away"))
            return asking(database, now=now)

        monkeypatch.setattr(schedule, "ask_for_packs", ask)
        stop = threading.Event()
        thread = threading.Thread(
            target=run_schedule, args=(database, stop), kwargs={"tick_seconds": 0.02, "clock": lambda: now}
        )
        thread.start()

        wait_until(lambda: len(_jobs(database, office)) == 1)
        stop.set()
        thread.join(20)

        assert not thread.is_alive()


_times = iter(range(1000))


def _next_time() -> datetime:
    # Each test has weeks of its own.
    return FIRST + timedelta(days=30 * next(_times))


def _office(factories: Factories) -> Tenant:
    return factories.tenant(factories.consortium(), kind=AgencyKind.CONSORTIUM_OFFICE)


def _arrange(database: Database, office: Tenant, day: date, *, now: datetime | None = None) -> UUID:
    with database.transaction(office.scope) as session:
        return arrange_meeting(session, title="Matching meeting", held_on=day, place="Taunton", now=now or utc_now()).id


def _jobs(database: Database, tenant: Tenant) -> list[Job]:
    with database.transaction(tenant.scope) as session:
        return [job for job in list_jobs(session) if job.kind == "pack.build_all"]
