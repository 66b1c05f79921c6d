"""A worker whose jobs do what the tests need: ``slow`` goes on until it is stopped, ``fail`` breaks in the middle.

Run as ``python -m tests.workers.program`` with the variables of a worker.
"""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy.orm import Session

from concord.cli.workplace import open_database
from concord.log import configure_logging
from concord.servers.deployment import running_servers
from concord.settings import read_settings
from workers.process import run_worker
from workers.queue import JobQueue
from workers.runner import JobRunner
from workers.work import Work

SECRET = "Rowan Sample was born on 17/05/2023"


def slow(_session: Session, work: Work) -> None:
    work.progress.tell(1, 2)
    time.sleep(60)


def fail(_session: Session, _work: Work) -> None:
    raise RuntimeError(SECRET)


def main() -> None:
    configure_logging()
    with running_servers(read_settings()) as deployment:
        runner = JobRunner(open_database(deployment), {"slow": slow, "fail": fail}, lease=timedelta(seconds=30))
        run_worker(JobQueue(deployment.valkey_url), runner)


if __name__ == "__main__":
    main()
