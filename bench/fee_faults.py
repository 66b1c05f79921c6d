"""A month's run of fees whose worker is killed at random moments, against one that nobody disturbs.

Run ``python -m bench.fee_faults [--kills 200] [--agreements 40] [--json]``. Each worker is a process of its own, killed
with SIGKILL; the next takes up what is left. In the end the two ledgers must be the same, line for line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import psycopg

from concord.migrations import upgrade
from concord.settings import libpq_url
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories
from tests.servers import test_servers
from tests.workers.fee_month import make_month


def main() -> int:
    """Kill as asked, print what came of it, and return 1 when the ledgers differ."""
    asked = _asked()
    with test_servers() as servers:
        urls = servers.database_urls
        upgrade(urls.migrate, scope_key=SCOPE_KEY)
        database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        with psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
            factories, at_work, begun = Factories(database), 0, time.monotonic()
            same = True
            rounds = -(-asked.kills // asked.each)
            for number in range(rounds):
                one, two = (
                    make_month(admin, database, factories, app_url=urls.app, agreements=asked.agreements)
                    for _ in range(2)
                )
                start = time.monotonic()
                one.run()
                within = (time.monotonic() - start) / asked.each * 2
                at_work += two.run_killed(asked.each, seed=asked.seed + number, within=within + 0.1)
                two.run()
                same = same and one.posted(admin) == two.posted(admin)
            lines = sum(len(each) for each in two.posted(admin))
        database.dispose()
    found = {
        "kills": rounds * asked.each,
        "killed_at_work": at_work,
        "rounds": rounds,
        "lines_a_round": lines,
        "same_ledger": same,
        "seconds": round(time.monotonic() - begun, 1),
    }
    print(json.dumps(found, indent=2) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0 if same else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--each", type=int, default=20, help="Kills in one month's run.")
    parser.add_argument("--agreements", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
