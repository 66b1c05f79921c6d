"""Jobs end done, once, whatever is killed or wiped while they run: real processes, real servers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg

from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tenants.job import JobState
from tests.factories import Factories
from tests.workers.chaos import WORKERS, Crew, ask_for_work, check, children_of, crew, jobs_of, kill, wait_until_done
from tests.workers.ledger import wait_until
from workers.queue import JobQueue

ROUNDS = 5
# A job that comes to this table waits there, in the middle of what it does, until it is killed.
STOPS = {"import": "import_row", "pack.build": "pack_file"}


class TestKills:
    def test_all_is_done_once_whatever_happens(
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
        with crew(migrated, valkey_url, tmp_path, seed=7) as running:
            load = ask_for_work(factories, agencies=2)
            for kind, table in STOPS.items():
                with admin.transaction():
                    admin.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                    wait_until(
                        lambda kind=kind: any(  # type: ignore[misc]
                            job.kind == kind and job.state is JobState.RUNNING for job in jobs_of(database, load)
                        ),
                        seconds=90,
                    )
                    _kill_all_workers(running)
                    running.wipe()
            for _ in range(ROUNDS):
                time.sleep(running.chance.uniform(0.1, 0.7))
                running.strike()
            wait_until_done(database, load)

        check(database, load)
        assert any(job.attempt > 1 for job in jobs_of(database, load) if job.kind in STOPS)


def _kill_all_workers(running: Crew) -> None:
    for name in WORKERS:
        pid = running.supervisor.pid(name)
        for each in (pid, *children_of(pid)) if pid else ():
            kill(each)
