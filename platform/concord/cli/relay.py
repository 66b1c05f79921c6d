"""``concord relay``: hands the ids of due jobs to the queue."""

from __future__ import annotations

import click

from concord.servers.deployment import running_servers
from concord.servers.stop_signal import work_until_stopped
from concord.settings import Settings, libpq_url
from workers.queue import JobQueue
from workers.relay import RESEND_SECONDS, Relay

QUEUE_ANSWER_SECONDS = 10.0


@click.command("relay")
@click.option(
    "--resend",
    type=click.FloatRange(1, 3600),
    default=RESEND_SECONDS,
    show_default=True,
    help="Seconds after which a job that no worker has taken is sent again.",
)
@click.pass_obj
def command(settings: Settings, resend: float) -> None:
    """Hand the ids of due jobs to the queue; one relay leads, others wait to."""
    if settings.database_relay_url and settings.valkey_url:
        # It needs no key, so it is not asked for one.
        _relay(settings.database_relay_url, settings.valkey_url, resend=resend)
        return
    with running_servers(settings) as deployment:
        _relay(deployment.relay_url, deployment.valkey_url, resend=resend)


def _relay(relay_url: str, valkey_url: str, *, resend: float) -> None:
    queue = JobQueue(valkey_url, answer_seconds=QUEUE_ANSWER_SECONDS)
    work_until_stopped(Relay(libpq_url(relay_url), queue, resend_seconds=resend).run)
