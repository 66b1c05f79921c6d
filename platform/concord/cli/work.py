"""``concord relay``, ``worker`` and ``schedule``: the processes that do what was asked for."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta

import click

from concord.cli.workplace import open_database
from concord.servers.deployment import running_servers
from concord.settings import Settings, libpq_url
from matching.ranking.engine import warm
from workers.handler import HANDLERS
from workers.process import run_worker
from workers.queue import JobQueue
from workers.relay import Relay
from workers.runner import LEASE, JobRunner
from workers.schedule import run_schedule


@click.command("relay")
@click.pass_obj
def relay(settings: Settings) -> None:
    """Hand the ids of due jobs to the queue; one relay leads, others wait to."""
    if settings.database_relay_url and settings.valkey_url:
        # It needs no key, so it is not asked for one.
        _relay(settings.database_relay_url, settings.valkey_url)
        return
    with running_servers(settings) as deployment:
        _relay(deployment.relay_url, deployment.valkey_url)


@click.command("worker")
@click.option(
    "--lease",
    type=click.FloatRange(1, 3600),
    default=LEASE.total_seconds(),
    show_default=True,
    help="Seconds after which a job of a lost worker is taken up again.",
)
@click.pass_obj
def worker(settings: Settings, lease: float) -> None:
    """Do jobs from the queue, each in a process of its own."""
    with running_servers(settings) as deployment:
        # Compiled once, before the first fork, so that no job waits for it.
        warm()
        runner = JobRunner(open_database(deployment, pool_size=3), HANDLERS, lease=timedelta(seconds=lease))
        run_worker(JobQueue(deployment.valkey_url), runner)


@click.command("schedule")
@click.pass_obj
def schedule(settings: Settings) -> None:
    """Ask for work whose time has come; one schedule leads, others wait to."""
    with running_servers(settings) as deployment:
        run_schedule(open_database(deployment, pool_size=2), _told_to_stop())


def _relay(relay_url: str, valkey_url: str) -> None:
    Relay(libpq_url(relay_url), JobQueue(valkey_url)).run(_told_to_stop())


def _told_to_stop() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop
