"""``concord worker``: does jobs from the queue."""

from __future__ import annotations

from datetime import timedelta

import click

from concord.cli.workplace import open_database
from concord.servers.deployment import running_servers
from concord.settings import Settings
from matching.ranking.engine import warm
from tenants.audit import Origin
from workers.handler import HANDLERS
from workers.process import run_worker
from workers.queue import JobQueue
from workers.runner import LEASE, JobRunner


@click.command("worker")
@click.option(
    "--lease",
    type=click.FloatRange(1, 3600),
    default=LEASE.total_seconds(),
    show_default=True,
    help="Seconds after which a job of a lost worker is taken up again.",
)
@click.pass_obj
def command(settings: Settings, lease: float) -> None:
    """Do jobs from the queue, each in a process of its own."""
    with running_servers(settings) as deployment:
        # Compiled once, before the first fork, so that no job waits for it.
        warm()
        runner = JobRunner(
            open_database(deployment, origin=Origin.JOB, pool_size=3), HANDLERS, lease=timedelta(seconds=lease)
        )
        run_worker(JobQueue(deployment.valkey_url), runner)
