"""Whether jobs are lost or done twice when workers and relays are killed and the queue is wiped, at length.

Run ``python -m bench.faults [--rounds 20] [--strikes 12] [--seed 7]``. Each round asks for imports and packs of several
agencies, strikes while they are done, waits until all is done, and counts. One JSON line a round; it ends with an error
at the first job that is lost or done twice.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections import Counter

from concord.log import configure_logging
from concord.migrations import upgrade
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories
from tests.servers import short_directory, test_servers
from tests.workers.chaos import Crew, ask_for_work, check, crew, jobs_of, wait_until_done


def main() -> None:
    """Strike for as many rounds as asked, and say what came of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--strikes", type=int, default=8, help="how often something is killed or wiped in a round")
    parser.add_argument("--agencies", type=int, default=4)
    parser.add_argument("--rows", type=int, default=200, help="rows of each agency's sheet")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    configure_logging(level=logging.ERROR)
    with short_directory() as folder, test_servers() as servers:
        upgrade(servers.database_urls.migrate, scope_key=SCOPE_KEY)
        database = Database(servers.database_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        factories = Factories(database)
        with crew(servers.database_urls, servers.valkey_url, folder, seed=given.seed) as running:
            for number in range(1, given.rounds + 1):
                said = _round(running, factories, strikes=given.strikes, agencies=given.agencies, rows=given.rows)
                print(json.dumps({"round": number, **said}), flush=True)
        database.dispose()


def _round(running: Crew, factories: Factories, *, strikes: int, agencies: int, rows: int) -> dict[str, object]:
    running.done.clear()
    began = time.monotonic()
    load = ask_for_work(factories, agencies=agencies, rows=rows)
    for _ in range(strikes):
        time.sleep(running.chance.uniform(0.05, 1.5))
        running.strike()
    wait_until_done(factories.database, load, seconds=300)
    check(factories.database, load)
    jobs = jobs_of(factories.database, load)
    return {
        "jobs": len(jobs),
        "most_attempts": max(job.attempt for job in jobs),
        "seconds": round(time.monotonic() - began, 1),
        "struck": dict(Counter(running.done)),
    }


if __name__ == "__main__":
    main()
