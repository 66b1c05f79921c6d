"""Whether the API holds its own description: each operation asked often, as it says and otherwise.

``python -m bench.api 50`` asks each operation so many times rightly and as many wrongly.
It starts servers of its own, makes two agencies with records, and prints how many requests got which status.
Whatever does not hold the description is printed, and the exit code is then 1.
"""

from __future__ import annotations

import logging
import sys
import time

import structlog

from concord.limits import Limits
from concord.migrations import upgrade
from concord.web import create_app
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories
from tests.platform.api.fuzzing import Report, fuzz
from tests.platform.api.program import Program
from tests.servers import test_servers
from tests.site import make_settings

EXAMPLES = 25


def main() -> int:
    """Ask, and print what came of it."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    began = time.monotonic()
    report = _ask(examples)
    print(f"{report.operations} operations, {report.requests:,} requests in {time.monotonic() - began:.0f} s")
    print(", ".join(f"{status}: {count:,}" for status, count in sorted(report.answers.items())))
    for failure in report.failures:
        print(failure, file=sys.stderr)
    return 1 if report.failures else 0


def _ask(examples: int) -> Report:
    with test_servers() as servers:
        upgrade(servers.database_urls.migrate, scope_key=SCOPE_KEY)
        database = Database(servers.database_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        limits = Limits(**dict.fromkeys(Limits.__dataclass_fields__, "1000000 per minute"))
        settings = make_settings(valkey_url=servers.valkey_url, limits=limits)
        factories = Factories(database)
        ours, theirs = factories.two_tenants()
        for tenant in (ours, theirs):
            factories.group(tenant)
            factories.household(tenant)
        site = create_app(settings, database)
        try:
            return fuzz(site, Program(site, database, ours).token, examples=examples)
        finally:
            database.dispose()


if __name__ == "__main__":
    sys.exit(main())
