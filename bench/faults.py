"""Whether jobs are lost or done twice when anything of a deployment is killed, at length.

Run ``python -m bench.faults [--rounds 50] [--strikes 8] [--seed 7]``. Two relays, two workers, the site, PostgreSQL and
Valkey run as they do in earnest, each started again when it ends. Each round asks for imports and packs of several
agencies, one of the imports at the site's page, and strikes meanwhile: a worker, its child, a relay, the site,
PostgreSQL or Valkey is killed with SIGKILL, or Valkey is wiped. Then it waits until all is done, and counts. One JSON
line a round; it ends with an error at the first thing that is lost or done twice.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from concord.log import configure_logging
from concord.migrations import upgrade
from concord.servers.port import LOOPBACK, free_port
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories
from tests.servers import short_directory, test_servers
from tests.workers.chaos import (
    Crew,
    ask_for_work,
    check,
    check_references,
    crew,
    jobs_of,
    persistently,
    sheet_of,
    wait_until_done,
    wait_until_idle,
)
from tests.workers.hand_in import hand_in


def main() -> None:
    """Strike for as many rounds as asked, and say what came of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--strikes", type=int, default=8, help="how often something is killed or wiped in a round")
    parser.add_argument("--agencies", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200, help="rows of each agency's sheet")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    configure_logging(level=logging.CRITICAL)
    # PostgreSQL as it is by default: what it says it has kept, it must have kept.
    with short_directory() as folder, test_servers(options={}) as servers:
        upgrade(servers.database_urls.migrate, scope_key=SCOPE_KEY)
        database = Database(servers.database_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        factories = Factories(database)
        port = free_port()
        with crew(
            servers.database_urls,
            servers.valkey_url,
            folder,
            seed=given.seed,
            servers=servers.supervisor,
            site_port=port,
        ) as running:
            for number in range(1, given.rounds + 1):
                url = f"http://{LOOPBACK}:{port}"
                said = _round(running, factories, url, given.strikes, given.agencies, given.rows)
                print(json.dumps({"round": number, **said}), flush=True)
        database.dispose()


def _round(running: Crew, factories: Factories, url: str, strikes: int, agencies: int, rows: int) -> dict[str, object]:
    running.done.clear()
    began = time.monotonic()
    database = factories.database
    load = persistently(lambda: ask_for_work(factories, agencies=agencies, rows=rows))
    visitor = persistently(lambda: factories.tenant(factories.consortium()))
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(hand_in, database, url, visitor, sheet_of(rows))
        for _ in range(strikes):
            time.sleep(running.chance.uniform(0.05, 1.5))
            running.strike()
        taken.result()
    wait_until_done(database, load, seconds=300)
    wait_until_idle(database, visitor)
    persistently(lambda: check(database, load))
    persistently(lambda: check_references(database, visitor, rows))
    jobs = persistently(lambda: jobs_of(database, load))
    return {
        "jobs": len(jobs),
        "most_attempts": max(job.attempt for job in jobs),
        "seconds": round(time.monotonic() - began, 1),
        "struck": dict(Counter(running.done)),
    }


if __name__ == "__main__":
    main()
