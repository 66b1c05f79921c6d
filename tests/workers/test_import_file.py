"""Imports as jobs: all of a sheet or none of it, and once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import func, select

from concord.servers.login import DatabaseUrls
from matching.household import HouseholdIdentity
from matching.intake.import_row import ImportRow
from matching.intake.import_run import get_import
from matching.intake.undo import request_undo
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import FINISHED, JobState, cancel_job, get_job
from tests.factories import Factories, Tenant
from tests.workers.chaos import ask_for_import, crew, sheet_of
from tests.workers.ledger import ask, held, look, lose, wait_until
from workers.handler import HANDLERS
from workers.import_file import import_file
from workers.queue import JobQueue
from workers.runner import JobRunner
from workers.work import Interrupted, Work

ROWS = 40


class TestImportFile:
    def test_takes_the_sheet_for_its_own_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        run_id, job_id = _ask(database, devon)

        assert JobRunner(database, HANDLERS).run(job_id) is True

        assert look(database, devon, job_id).result == {"import_run": str(run_id)}
        assert _taken(database, devon, run_id) == (ROWS, ROWS)
        assert _taken(database, dorset, run_id) == (0, 0)

    def test_shows_how_far_it_is(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _, job_id = _ask(database, devon)
        told: list[tuple[int, int | None, str | None]] = []

        def watch(session: object, work: Work) -> dict[str, object]:
            result = import_file(session, work)  # type: ignore[arg-type]
            told.append((work.progress.done, work.progress.total, work.progress.note))
            return result

        JobRunner(database, {"import": watch}).run(job_id)

        assert told == [(2 * ROWS, 2 * ROWS, "Saving rows")]

    def test_is_taken_once_when_its_job_runs_twice(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run_id, job_id = _ask(database, devon)
        JobRunner(database, HANDLERS).run(job_id)
        again = ask(database, devon, kind="import", import_run_id=str(run_id))

        assert JobRunner(database, HANDLERS).run(again) is True

        assert _taken(database, devon, run_id) == (ROWS, ROWS)

    def test_leaves_nothing_when_it_is_interrupted(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run_id, job_id = _ask(database, devon)

        def break_off(session: object, work: Work) -> None:
            import_file(session, work)  # type: ignore[arg-type]
            raise Interrupted

        assert JobRunner(database, {"import": break_off}).run(job_id) is False

        assert _taken(database, devon, run_id) == (0, 0)
        assert look(database, devon, job_id).state is JobState.WAITING

    def test_leaves_nothing_when_another_worker_has_it(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run_id, job_id = _ask(database, devon)

        def be_late(session: object, work: Work) -> dict[str, object]:
            result = import_file(session, work)  # type: ignore[arg-type]
            lose(database, devon, job_id)
            held(database, devon, job_id)
            return result

        assert JobRunner(database, {"import": be_late}).run(job_id) is False

        assert _taken(database, devon, run_id) == (0, 0)

    def test_leaves_nothing_when_it_is_cancelled(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run_id, job_id = _ask(database, devon)

        def be_cancelled(session: object, work: Work) -> dict[str, object]:
            with database.transaction(devon.scope) as asker:
                cancel_job(asker, get_job(asker, job_id), now=utc_now())
            assert work.progress.stop.wait(20)
            return import_file(session, work)  # type: ignore[arg-type]

        JobRunner(database, {"import": be_cancelled}).run(job_id)

        assert look(database, devon, job_id).state is JobState.CANCELLED
        assert _taken(database, devon, run_id) == (0, 0)

    def test_finds_no_import_of_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        run_id, _ = _ask(database, devon)
        job_id = ask(database, dorset, kind="import", import_run_id=str(run_id))

        assert JobRunner(database, HANDLERS).run(job_id) is False

        job = look(database, dorset, job_id)
        assert (job.state, job.reason) == (JobState.FAILED, "There is no such import in your agency.")


class TestUndoFile:
    def test_takes_it_back_with_its_job(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run_id, job_id = _ask(database, devon)
        JobRunner(database, HANDLERS).run(job_id)
        with database.transaction(devon.scope) as session:
            undo_id = request_undo(session, get_import(session, run_id), now=utc_now())

        assert JobRunner(database, HANDLERS).run(undo_id) is True

        job = look(database, devon, undo_id)
        assert (job.result, job.progress_done, job.progress_total) == ({"import_run": str(run_id)}, ROWS, ROWS)
        assert _taken(database, devon, run_id) == (ROWS, 0)

    def test_leaves_nothing_half_done_when_its_worker_is_killed(
        self,
        database: Database,
        factories: Factories,
        migrated: DatabaseUrls,
        queue: JobQueue,
        valkey_url: str,
        admin: psycopg.Connection[Any],
        tmp_path: Path,
    ) -> None:
        assert queue.connection.ping()
        devon, _ = factories.two_tenants()
        run_id, job_id = _ask(database, devon)
        JobRunner(database, HANDLERS).run(job_id)
        with database.transaction(devon.scope) as session:
            undo_id = request_undo(session, get_import(session, run_id), now=utc_now() - timedelta(seconds=1))

        with crew(migrated, valkey_url, tmp_path, seed=7) as running:
            with admin.transaction():
                # The records are gone by then, and what is on record of it waits.
                admin.execute("LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE")
                wait_until(lambda: _waits_for(admin, "audit_entry"), seconds=60)
                running.kill_all_workers()
                assert _taken(database, devon, run_id) == (ROWS, ROWS)
                assert _undone(database, devon, run_id) is None
            wait_until(lambda: look(database, devon, undo_id).state in FINISHED, seconds=60)

        job = look(database, devon, undo_id)
        assert (job.state, job.reason) == (JobState.DONE, None)
        assert job.attempt > 1
        assert _taken(database, devon, run_id) == (ROWS, 0)
        assert _undone(database, devon, run_id) is not None
        told = "SELECT count(*) FROM audit_entry WHERE record_id = %s AND reason = 'import undone'"
        assert admin.execute(told, [run_id]).fetchone() == (1,)


def _waits_for(admin: psycopg.Connection[Any], table: str) -> bool:
    """Say whether something waits for a table that is locked."""
    query = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    return admin.execute(query, [table]).fetchone() != (0,)


def _undone(database: Database, tenant: Tenant, run_id: UUID) -> datetime | None:
    with database.transaction(tenant.scope) as session:
        return get_import(session, run_id).undone_at


def _ask(database: Database, tenant: Tenant) -> tuple[UUID, UUID]:
    run_id = ask_for_import(database, tenant, sheet_of(ROWS))
    with database.transaction(tenant.scope) as session:
        return run_id, get_import(session, run_id).job_id


def _taken(database: Database, tenant: Tenant, run_id: UUID) -> tuple[int, int]:
    """Return how many rows were reported and how many households are there."""
    with database.transaction(tenant.scope) as session:
        rows = session.scalar(select(func.count()).select_from(ImportRow).where(ImportRow.import_run_id == run_id))
        named = session.scalar(
            select(func.count()).select_from(HouseholdIdentity).where(HouseholdIdentity.reference.like("ADP-%"))
        )
        return rows or 0, named or 0
