"""Real workers under a supervisor, and what can happen to them: killed in the middle, their queue wiped.

``bench/faults.py`` runs the same for as long as one likes.
"""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from concord.servers.child import Child
from concord.servers.login import DatabaseUrls
from concord.servers.supervisor import Supervisor
from concord.settings import encode_key
from matching.household import HouseholdIdentity
from matching.intake.column import SheetKind, columns_of
from matching.intake.import_row import ImportRow
from matching.intake.import_run import get_import, list_imports, request_import
from matching.meeting import arrange_meeting
from matching.pack import Pack, PackFile, list_packs, request_all_packs
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import FINISHED, Job, JobState, get_job, list_jobs
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, Tenant

T = TypeVar("T")
LEASE_SECONDS = 2.0
RESEND_SECONDS = 2.0
WORKERS = ("worker-1", "worker-2")
RELAYS = ("relay-1", "relay-2")
SITE = "site"
SERVERS = ("postgres", "valkey")
SAMPLE = {
    "Adopter 1 name": "Alder Example",
    "Postcode": "EX4 4QJ",
    "Approved on": "06/01/2025",
    "Status": "waiting",
    "Youngest age (years)": "2",
    "Oldest age (years)": "6",
}


def environment(urls: DatabaseUrls, valkey_url: str, data_dir: Path) -> dict[str, str]:
    """Return the variables with which a program finds the tests' servers."""
    keys = {"CONCORD_SCOPE_KEY": SCOPE_KEY, "CONCORD_MASTER_KEY": MASTER_KEY, "CONCORD_SECRET_KEY": SCOPE_KEY}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CONCORD_", "DATABASE_"))},
        **{name: encode_key(value) for name, value in keys.items()},
        "CONCORD_DATA_DIR": str(data_dir),
        "CONCORD_LOG_LEVEL": "CRITICAL",
        "DATABASE_URL": urls.app,
        "DATABASE_RELAY_URL": urls.relay,
        "VALKEY_URL": valkey_url,
    }


def program(name: str, *words: str, given: Mapping[str, str], log: Path | None = None) -> Child:
    """Return one of Concord's programs, as the supervisor keeps it."""
    line = (sys.executable, "-P", "-m", "concord", *words)
    return Child(name=name, command=line, environment=dict(given), log=log)


@dataclass(slots=True)
class Crew:
    """Two relays and two workers that are started again whenever they are killed."""

    supervisor: Supervisor
    queue: Redis
    chance: random.Random
    servers: Supervisor | None = None
    """What keeps the servers running, where they may be killed too."""
    sites: tuple[str, ...] = ()
    """The sites that may be killed too."""
    done: list[str] = field(default_factory=list)
    """What happened to them so far."""

    def kill_worker(self, *, horse: bool) -> None:
        """Kill a worker with its child, or leave the child an orphan."""
        pid = self._pick(WORKERS)
        if pid is not None:
            children = children_of(pid) if horse else []
            for each in (pid, *children):
                kill(each)
            self.done.append("worker and child" if children else "worker")

    def kill_all_workers(self) -> None:
        """Kill every worker with its child."""
        for name in WORKERS:
            pid = self.supervisor.pid(name)
            for each in (pid, *children_of(pid)) if pid else ():
                kill(each)

    def kill_horse(self) -> None:
        """Kill a worker's child alone."""
        pid = self._pick(WORKERS)
        for each in children_of(pid) if pid is not None else []:
            kill(each)
            self.done.append("child")

    def kill_relay(self) -> None:
        """Kill a relay: often the one that leads."""
        pid = self._pick(RELAYS)
        if pid is not None:
            kill(pid)
            self.done.append("relay")

    def kill_site(self) -> None:
        """Kill the site with the processes that serve its pages."""
        pid = self._pick(self.sites)
        for each in (pid, *children_of(pid)) if pid is not None else ():
            kill(each)
        self.done.append("site")

    def kill_server(self, name: str) -> None:
        """Kill PostgreSQL or Valkey."""
        pid = self.servers.pid(name) if self.servers else None
        if pid is not None:
            kill(pid)
            self.done.append(name)

    def wipe(self) -> None:
        """Empty Valkey, if it is there."""
        with suppress(RedisError):
            self.queue.flushall()
            self.done.append("wipe")

    def strike(self) -> None:
        """Do one of these things, whichever comes."""
        strikes: list[Callable[[], None]] = [
            partial(self.kill_worker, horse=True),
            partial(self.kill_worker, horse=False),
            self.kill_horse,
            self.kill_relay,
            self.wipe,
            *(partial(self.kill_server, name) for name in SERVERS if self.servers),
            *(self.kill_site for _ in self.sites),
        ]
        self.chance.choice(strikes)()

    def _pick(self, names: tuple[str, ...]) -> int | None:
        return self.supervisor.pid(self.chance.choice(names))


@contextmanager
def crew(
    urls: DatabaseUrls,
    valkey_url: str,
    data_dir: Path,
    *,
    seed: int,
    servers: Supervisor | None = None,
    site_port: int | None = None,
) -> Iterator[Crew]:
    """Have relays and workers, and a site where a port is given, for the block; none is left after it.

    ``servers`` keeps the servers that may be killed too: they must be this block's own.
    """
    given = environment(urls, valkey_url, data_dir)
    log = data_dir / "crew.log"
    queue = Redis.from_url(valkey_url)
    with Supervisor(first_delay=0.05, longest_delay=0.05) as supervisor:
        for name in RELAYS:
            supervisor.start(program(name, "relay", "--resend", str(RESEND_SECONDS), given=given, log=log))
        for name in WORKERS:
            supervisor.start(program(name, "worker", "--lease", str(LEASE_SECONDS), given=given, log=log))
        if site_port is not None:
            supervisor.start(program(SITE, "web", "--port", str(site_port), "--processes", "1", given=given, log=log))
        chance = random.Random(seed)  # noqa: S311 - no secret
        yield Crew(supervisor, queue, chance, servers, () if site_port is None else (SITE,))
    queue.close()


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def kill(pid: int) -> None:
    """Kill a process, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Load:
    """Work that was asked for: imports and packs of several agencies."""

    office: Tenant
    agencies: tuple[Tenant, ...]
    meeting_id: UUID
    imports: Mapping[UUID, Tenant]
    rows: int

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        """Return everyone who asked for something."""
        return (self.office, *self.agencies)


def ask_for_work(
    factories: Factories, *, agencies: int = 3, rows: int = 200, hand_in: Callable[[Tenant, bytes], UUID] | None = None
) -> Load:
    """Ask for an import of each agency, by ``hand_in`` where one is given, and from the office for everyone's pack."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    members = tuple(factories.tenant(consortium_id) for _ in range(agencies))
    for member in members:
        factories.household(member)
        factories.group(member)
    take = hand_in or partial(ask_for_import, factories.database)
    imports = {take(member, sheet_of(rows)): member for member in members}
    now = utc_now() - timedelta(seconds=1)
    with factories.database.transaction(office.scope) as session:
        meeting = arrange_meeting(session, title="Matching meeting", held_on=now.date(), place="Taunton", now=now)
        request_all_packs(session, meeting, now=now)
        return Load(office, members, meeting.id, imports, rows)


def sheet_of(rows: int) -> bytes:
    """Return a sheet of so many new households."""
    text = io.StringIO()
    written = csv.writer(text)
    written.writerow([column.heading for column in columns_of(SheetKind.HOUSEHOLDS)])
    for number in range(rows):
        cells = {**SAMPLE, "Reference": f"ADP-{number:05}"}
        written.writerow([cells.get(column.heading, "") for column in columns_of(SheetKind.HOUSEHOLDS)])
    return text.getvalue().encode()


def ask_for_import(database: Database, tenant: Tenant, content: bytes) -> UUID:
    """Hand in a sheet, and return the import's id."""
    with database.transaction(tenant.scope) as session:
        return request_import(
            session,
            kind=SheetKind.HOUSEHOLDS,
            filename="households.csv",
            content=content,
            dry_run=False,
            now=utc_now() - timedelta(seconds=1),
        ).id


def jobs_of(database: Database, load: Load) -> list[Job]:
    """Return every job of the load, those that jobs asked for among them."""
    found = []
    for tenant in load.tenants:
        with database.transaction(tenant.scope) as session:
            found += [get_job(session, job.id) for job in list_jobs(session)]
    return found


def all_done(database: Database, load: Load) -> bool:
    """Say whether nothing is left to be done."""
    jobs = jobs_of(database, load)
    asked = 1 + len(load.imports) + len(load.tenants)
    return len(jobs) == asked and all(job.state in FINISHED for job in jobs)


def wait_until_done(database: Database, load: Load, *, seconds: float = 180.0) -> None:
    """Wait until nothing is left to be done, through whatever befalls the database meanwhile."""
    deadline = time.monotonic() + seconds
    while not persistently(lambda: all_done(database, load)):
        if time.monotonic() > deadline:
            states = [(job.kind, str(job.state), job.attempt, job.reason) for job in jobs_of(database, load)]
            raise AssertionError(f"not done in time: {states}")
        time.sleep(0.1)


def persistently(do: Callable[[], T], *, seconds: float = 60.0) -> T:
    """Do something until the database is there to do it with."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return do()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def check(database: Database, load: Load) -> None:
    """Check that all was done, and each thing once."""
    for job in jobs_of(database, load):
        assert job.state is JobState.DONE, (job.kind, job.state, job.reason)
    for tenant in load.tenants:
        with database.transaction(tenant.scope) as session:
            packs = [pack for pack in list_packs(session, load.meeting_id) if pack.agency_id == tenant.id]
            files = session.scalars(select(PackFile.format).where(PackFile.agency_id == tenant.id)).all()
            assert [pack.version for pack in packs] == [1]
            assert packs[0].built_at is not None
            assert sorted(files) == ["pdf", "xlsx"]
            assert session.scalar(select(func.count()).select_from(Pack).where(Pack.agency_id == tenant.id)) == 1
    for run_id, tenant in load.imports.items():
        with database.transaction(tenant.scope) as session:
            run = get_import(session, run_id)
            kept = session.scalar(select(func.count()).select_from(ImportRow).where(ImportRow.import_run_id == run_id))
            taken = (run.added, run.refused, kept)
            assert taken == (load.rows, 0, load.rows), (taken, run.refusal, run.notes)
        check_references(database, tenant, load.rows)


def check_references(database: Database, tenant: Tenant, rows: int) -> None:
    """Check that a tenant has each row of its sheet, once, and that no import says otherwise."""
    with database.transaction(tenant.scope) as session:
        named = session.scalars(
            select(HouseholdIdentity.reference).where(HouseholdIdentity.reference.like("ADP-%"))
        ).all()
        runs = list_imports(session)
    assert len(named) == len(set(named)) == rows
    assert sum(run.added for run in runs) == rows


def wait_until_idle(database: Database, tenant: Tenant, *, seconds: float = 180.0) -> None:
    """Wait until no job of a tenant is left to be done."""
    deadline = time.monotonic() + seconds
    while not persistently(lambda: _idle(database, tenant)):
        assert time.monotonic() < deadline, "not done in time"
        time.sleep(0.1)


def _idle(database: Database, tenant: Tenant) -> bool:
    with database.transaction(tenant.scope) as session:
        return all(job.state in FINISHED for job in list_jobs(session))
