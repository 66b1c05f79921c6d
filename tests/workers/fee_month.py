"""A month's run of fees whose worker is killed at any moment, beside one that nobody disturbs.

``bench/fee_faults.py`` runs the same for as many kills as one likes.
"""

from __future__ import annotations

import os
import random
import signal
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg

from matching.fee.event import FeeEventKind
from matching.fee.settlement import RUN_JOB
from tenants.database import Database
from tenants.job import JobState, get_job, request_job
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, Tenant
from tests.matching.fee.ledger.agreed import THIRDS, Agreed, agree, noon
from workers.handler import HANDLERS
from workers.runner import JobRunner

SIGNED, PLACED, MONTH_END = date(2024, 1, 10), date(2024, 1, 31), date(2025, 4, 30)
Posted = list[tuple[Any, ...]]
_POSTED = """
    SELECT t.kind, split_part(t.key, '/', 2) || '/' || split_part(t.key, '/', 3), t.dated_on, t.narrative IS NOT NULL,
        p.account, p.pence, p.period_on, p.due_key, p.agency_id = t.payee_agency_id, e.kind, e.happened_on
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id LEFT JOIN fee_event e ON e.id = t.event_id
    WHERE t.agreement_id = %s
"""


@dataclass(frozen=True, slots=True)
class FeeMonth:
    """Agreements of one payee, a year and more of whose instalments are due, and nothing posted yet."""

    database: Database
    app_url: str
    payee: Tenant
    agreements: tuple[Agreed, ...]

    def run(self) -> None:
        """Run the month undisturbed."""
        job_id = self._ask()
        JobRunner(self.database, HANDLERS, clock=lambda: noon(MONTH_END)).run(job_id)
        with self.database.transaction(self.payee.scope) as session:
            job = get_job(session, job_id)
            assert job.state is JobState.DONE, job.reason

    def run_killed(self, kills: int, *, seed: int, within: float) -> int:
        """Start a worker and kill it at a random moment, so many times; return how many were at work then."""
        chance, at_work = random.Random(seed), 0  # noqa: S311 - chance, no secret
        for _ in range(kills):
            worker = _fork()
            if not worker:
                self._work()
            time.sleep(chance.uniform(0, within))
            os.kill(worker, signal.SIGKILL)
            at_work += os.waitpid(worker, 0)[1] == signal.SIGKILL
        return at_work

    def posted(self, admin: psycopg.Connection[Any]) -> list[Posted]:
        """Return what was posted of each agreement, but for ids and the moment."""
        return [sorted(admin.execute(_POSTED, (each.id,)).fetchall(), key=str) for each in self.agreements]

    def _ask(self) -> Any:
        with self.database.transaction(self.payee.scope) as session:
            return request_job(session, kind=RUN_JOB, payload={}, now=noon(MONTH_END))

    def _work(self) -> None:
        # A process of its own, with connections of its own, that leaves nothing of the test's behind.
        with suppress(Exception):
            database = Database(self.app_url, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
            own = FeeMonth(database, self.app_url, self.payee, self.agreements)
            lease = timedelta(seconds=5)
            JobRunner(database, HANDLERS, lease=lease, clock=lambda: noon(MONTH_END)).run(own._ask())
        os._exit(0)


def _fork() -> int:
    with warnings.catch_warnings():
        # Threads of the test's are not the worker's concern: it runs one function and ends.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def make_month(
    admin: psycopg.Connection[Any], database: Database, factories: Factories, *, app_url: str, agreements: int
) -> FeeMonth:
    """Make a payer and a payee with so many agreements, a third of them disrupted and a third past their order."""
    pair = factories.two_tenants()
    made = []
    for number in range(agreements):
        each = agree(admin, database, pair, parts=THIRDS, continuing=(93_900, 12))
        each.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        each.tell(FeeEventKind.PLACED, PLACED)
        if number % 3 == 1:
            each.tell(FeeEventKind.ORDERED, date(2025, 3, 15))
        elif number % 3 == 2:
            each.tell(FeeEventKind.DISRUPTED, date(2024, 9, 1))
        made.append(each)
    return FeeMonth(database, app_url, pair[1], tuple(made))
