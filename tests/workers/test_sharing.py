"""The schedule asks once a day, in each agency's own scope, for what is due to be moved."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from matching.pool import Stage, sharing_of
from matching.sharing import MOVE_JOB
from tenants.database import Database
from tenants.job import Job
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.own_database import own_fixtures
from workers.handler import HANDLERS
from workers.sharing import ask_for_moves, move_records
from workers.work import Progress, Work

OLD = TODAY - timedelta(days=90)


# In the others' database every agency would be asked for.
migrated, database, factories = own_fixtures("concord_sharing")


class TestAskForMoves:
    def test_asks_once_a_day_for_who_shares_something(self, database: Database, factories: Factories) -> None:
        consortium = factories.consortium()
        devon, dorset = factories.tenant(consortium), factories.tenant(consortium)
        factories.household(devon, stage=Stage.IN_HOUSE)

        for now in (NOW, NOW + timedelta(hours=9), NOW + timedelta(days=1)):
            ask_for_moves(database, now=now)

        assert _asked(database, devon) == [NOW.date(), NOW.date() + timedelta(days=1)]
        assert _asked(database, dorset) == []

    def test_asks_nothing_while_another_leads(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        factories.household(devon)
        holds, go = threading.Event(), threading.Event()

        def lead() -> None:
            with database.engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('concord.schedule'))"))
                holds.set()
                go.wait(30)

        other = threading.Thread(target=lead)
        other.start()
        assert holds.wait(30)
        try:
            assert ask_for_moves(database, now=NOW) == 0
        finally:
            go.set()
            other.join()
        assert _asked(database, devon) == []


class TestMoveRecords:
    def test_moves_what_is_due_in_the_askers_scope(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        ours, theirs = (
            factories.household(each, stage=Stage.IN_HOUSE, approved_on=OLD + timedelta(days=5))
            for each in (devon, dorset)
        )
        assert HANDLERS[MOVE_JOB] is move_records

        for moved in (1, 0):
            assert _run(database, devon, NOW + timedelta(days=5)) == {"moved": moved, "kept_back": 0}

        assert _stage(database, devon, ours) is Stage.CONSORTIUM
        assert _stage(database, dorset, theirs) is Stage.IN_HOUSE


def _asked(database: Database, tenant: Tenant) -> list[object]:
    with database.transaction(tenant.scope) as session:
        jobs = session.scalars(select(Job).where(Job.kind == MOVE_JOB).order_by(Job.requested_at)).all()
        assert all(job.person_id is None for job in jobs)
        return [job.requested_at.date() for job in jobs]


def _run(database: Database, tenant: Tenant, now: datetime) -> dict[str, object] | None:
    work = Work(UUID(int=1), {}, tenant.scope, now, Progress(), database)
    with database.transaction(tenant.scope) as session:
        return move_records(session, work)


def _stage(database: Database, tenant: Tenant, household_id: UUID) -> Stage:
    with database.transaction(tenant.scope) as session:
        return sharing_of(session, [household_id])[household_id].stage
