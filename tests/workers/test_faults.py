"""Jobs end done, once, whatever is killed or wiped while they run: real processes, real servers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from concord.migrations import upgrade
from concord.servers.login import DatabaseUrls
from concord.servers.port import LOOPBACK, free_port
from tenants.database import Database
from tenants.job import JobState
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories
from tests.servers import short_directory, test_servers
from tests.workers.chaos import (
    ask_for_work,
    check,
    check_references,
    crew,
    jobs_of,
    sheet_of,
    wait_until_done,
    wait_until_idle,
)
from tests.workers.hand_in import hand_in
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
                    running.kill_all_workers()
                    running.wipe()
            for _ in range(ROUNDS):
                time.sleep(running.chance.uniform(0.1, 0.7))
                running.strike()
            wait_until_done(database, load)

        check(database, load)
        assert any(job.attempt > 1 for job in jobs_of(database, load) if job.kind in STOPS)


class TestServersThatAreKilled:
    def test_all_is_done_once_though_both_servers_and_the_site_were_killed(self) -> None:
        with short_directory() as folder, test_servers() as servers:
            upgrade(servers.database_urls.migrate, scope_key=SCOPE_KEY)
            database = Database(servers.database_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
            factories, port = Factories(database), free_port()
            with crew(
                servers.database_urls,
                servers.valkey_url,
                folder,
                seed=7,
                servers=servers.supervisor,
                site_port=port,
            ) as running:
                load = ask_for_work(factories, agencies=1)
                visitor = factories.tenant(factories.consortium())
                with ThreadPoolExecutor(1) as pool:
                    taken = pool.submit(hand_in, database, f"http://{LOOPBACK}:{port}", visitor, sheet_of(load.rows))
                    for strike in (
                        partial(running.kill_server, "valkey"),
                        partial(running.kill_server, "postgres"),
                        running.kill_site,
                        running.kill_relay,
                    ):
                        time.sleep(running.chance.uniform(0.3, 1.0))
                        strike()
                    taken.result()
                wait_until_done(database, load)
                wait_until_idle(database, visitor)
            check(database, load)
            check_references(database, visitor, load.rows)
            database.dispose()
        assert {"valkey", "postgres"} <= set(running.done)
