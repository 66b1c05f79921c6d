"""Time and memory of a whole build: every agency's pack for one meeting, through a real relay and real workers.

Run ``python bench/pack_build.py [--groups 300] [--households 140] [--workers 2] [--stages]``. It makes servers of its
own in a folder that it removes, imports a made-up consortium, and prints one JSON line. Wall-clock seconds say little
on a busy machine, so the processor's are beside them. ``--stages`` builds one more pack in this process and says where
its time goes.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from concord.demo import DemoPlan, write_demo
from concord.demo import stage as staging
from concord.log import configure_logging
from concord.migrations import upgrade
from concord.servers.supervisor import Supervisor
from matching.meeting import Meeting, get_meeting
from matching.pack import list_packs, request_pack
from matching.pack_assembly import assemble
from matching.ranking.engine import warm
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import FINISHED, JobState, get_job
from tenants.scope import Scope
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.servers import TestServers, short_directory, test_servers
from tests.workers.chaos import children_of, environment, program
from workers.document.pdf import render_pdf
from workers.document.xlsx import render_xlsx
from workers.handler import HANDLERS
from workers.runner import JobRunner

T = TypeVar("T")
_LOOK_SECONDS = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


class Watch(threading.Thread):
    """Looks again and again at the processes under some others: their largest memory, and the processor's time."""

    def __init__(self, roots: Callable[[], list[int]]) -> None:
        super().__init__(daemon=True)
        self._roots = roots
        self._over = threading.Event()
        self.peak_mib: dict[int, float] = {}
        self.cpu: dict[int, float] = {}

    def run(self) -> None:
        """Look until stopped."""
        while not self._over.wait(_LOOK_SECONDS):
            for root in self._roots():
                self._look(root)

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()

    def _look(self, pid: int) -> None:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return
        # User and system time, of the process and of those children that it has waited for.
        self.cpu[pid] = sum(int(each) for each in fields[11:15]) / _TICKS
        self.peak_mib[pid] = max(self.peak_mib.get(pid, 0.0), pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        for child in below:
            self._look(int(child))


def main() -> None:
    """Build all packs and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=300)
    parser.add_argument("--households", type=int, default=140)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stages", action="store_true", help="also say where the time of one pack goes")
    given = parser.parse_args()
    configure_logging(level=logging.WARNING)
    with short_directory() as folder, test_servers() as servers:
        upgrade(servers.database_urls.migrate, scope_key=SCOPE_KEY)
        database = Database(servers.database_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        plan = write_demo(
            folder / "sheets", seed=7, as_of=utc_now().date(), households=given.households, groups=given.groups
        )
        stage = _fill(database, plan)
        print(json.dumps(_build_all(servers, database, stage, folder, workers=given.workers)))
        if given.stages:
            print(json.dumps(_stages(database, stage)))
        database.dispose()


def _fill(database: Database, plan: DemoPlan) -> staging.Stage:
    stage = staging.set_stage(database, plan, issuer="http://127.0.0.1/bench")
    runner = JobRunner(database, HANDLERS)

    def work(handed: Iterable[staging.HandedIn]) -> None:
        for sheet in handed:
            runner.run(sheet.job_id)

    staging.import_sheets(database, plan, stage, wait=work)
    return stage


def _build_all(
    servers: TestServers, database: Database, stage: staging.Stage, folder: Path, *, workers: int
) -> dict[str, Any]:
    given = environment(servers.database_urls, servers.valkey_url, folder)
    names = [f"worker-{number}" for number in range(1, workers + 1)]
    with Supervisor() as supervisor:
        supervisor.start(program("relay", "relay", given=given))
        for name in names:
            supervisor.start(program(name, "worker", given=given))
        pids = [pid for name in names if (pid := supervisor.pid(name))]
        time.sleep(8.0)  # what a worker loads once is not part of a build
        watch = Watch(lambda: pids)
        watch.start()
        time.sleep(3 * _LOOK_SECONDS)
        before = sum(watch.cpu[pid] for pid in pids)
        began = time.monotonic()
        meeting, _ = staging.arrange(database, stage)
        packs = _wait(database, stage, meeting)
        seconds = time.monotonic() - began
        time.sleep(3 * _LOOK_SECONDS)
        after = sum(watch.cpu[pid] for pid in pids)
        watch.stop()
        idle = [children_of(pid) for pid in pids]
    return {
        "packs": packs,
        "workers": workers,
        "seconds": round(seconds, 1),
        "cpu_seconds_of_workers": round(after - before, 1),
        "cpu_seconds_a_pack": round((after - before) / packs, 2),
        "peak_mib_of_one_process": round(max(watch.peak_mib.values())),
        "load_before": round(os.getloadavg()[2], 1),
        "left_running": sum(map(len, idle)),
    }


def _wait(database: Database, stage: staging.Stage, meeting: Meeting) -> int:
    while True:
        with database.transaction(stage.office) as session:
            packs = list_packs(session, meeting.id)
        if len(packs) >= len(stage.scopes) and all(pack.built_at for pack in packs):
            return len(packs)
        _refuse_failures(database, stage, [(pack.job_id, pack.agency_id) for pack in packs])
        time.sleep(0.2)


def _refuse_failures(database: Database, stage: staging.Stage, asked: list[tuple[UUID, UUID]]) -> None:
    for job_id, agency_id in asked:
        scope = Scope(agency_id=agency_id, consortium_id=stage.office.consortium_id)
        with database.transaction(scope) as session:
            job = get_job(session, job_id)
            assert job.state not in FINISHED - {JobState.DONE}, job.reason


def _stages(database: Database, stage: staging.Stage) -> dict[str, Any]:
    """Build one agency's pack in this process; seconds of wall clock and, in brackets, of the processor."""
    warm()
    scope = next(iter(stage.members.values()))
    took: dict[str, list[float]] = {}
    with database.transaction(scope) as session:
        meeting = get_meeting(session, staging.arrange(database, stage)[0].id)
        pack = request_pack(session, meeting, now=utc_now())
        content, _ = _timed(took, "assemble", lambda: assemble(session, meeting, pack, now=utc_now()))
        _timed(took, "pdf", lambda: render_pdf(content))
        _timed(took, "xlsx", lambda: render_xlsx(content))
    return {"seconds_and_cpu_seconds": took, "groups": len(content.groups), "households": len(content.households)}


def _timed(took: dict[str, list[float]], name: str, work: Callable[[], T]) -> T:
    with _clock(took, name):
        return work()


@contextmanager
def _clock(took: dict[str, list[float]], name: str) -> Iterator[None]:
    began, spent = time.monotonic(), sum(os.times()[:4])
    yield
    took[name] = [round(time.monotonic() - began, 2), round(sum(os.times()[:4]) - spent, 2)]


if __name__ == "__main__":
    main()
