"""Whether anybody of another agency gets at what is not theirs, at length.

Run ``python -m bench.trespass [--requests 100000] [--seed 7]``. It makes a consortium of five agencies with everything
in it, signs a person in for each role of those who own nothing of it, and sends what its owners could send, and what
the routes allow, with the owners' ids. It prints one JSON line, and ends with an error when anything was told that is
hidden from who asked, when what is hidden is answered otherwise than what does not exist, or when a row was changed.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys

import psycopg

from concord.log import configure_logging
from concord.migrations import upgrade
from concord.settings import libpq_url
from concord.web import create_app
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.servers import test_servers
from tests.site import make_settings
from tests.trespass import UNLIMITED, make_grounds, trespass


def main() -> None:
    """Try as often as asked, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    configure_logging(level=logging.CRITICAL)
    with test_servers() as servers:
        urls = servers.database_urls
        upgrade(urls.migrate, scope_key=SCOPE_KEY)
        database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        settings = make_settings(database_url=urls.app, valkey_url=servers.valkey_url, limits=UNLIMITED)
        with psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
            grounds = make_grounds(create_app(settings, database), database, admin)
            before = grounds.fingerprints()
            findings = trespass(grounds, requests=given.requests, chance=random.Random(given.seed))  # noqa: S311
            unreached = findings.unreached(grounds.app)
            changed = [table for table, mark in grounds.fingerprints().items() if mark != before[table]]
        database.dispose()
    print(
        json.dumps(
            {
                "requests": findings.requests,
                "people": len(grounds.intruders),
                "routes": len(findings.reached),
                "unreached": unreached,
                "statuses": dict(sorted(findings.statuses.items())),
                "changed": changed,
                "faults": findings.faults,
            }
        )
    )
    if findings.faults or changed:
        sys.exit(1)


if __name__ == "__main__":
    main()
