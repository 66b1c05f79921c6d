"""``concord up``: everything, in the foreground."""

from __future__ import annotations

from dataclasses import replace

import click

from concord.migrations import upgrade
from concord.servers.deployment import running_servers
from concord.servers.program import WORKERS, require_ports, start_programs
from concord.servers.stop_signal import ended_by_signals, wait_for_stop
from concord.servers.supervisor import Supervisor
from concord.settings import Settings


@click.command("up")
@click.option("--port", type=click.IntRange(1, 65535), help="Where the site listens.  [default: CONCORD_PORT, or 8000]")
@click.option("--workers", type=click.IntRange(1, 64), default=WORKERS, show_default=True, help="Worker processes.")
@click.pass_obj
def command(settings: Settings, port: int | None, workers: int) -> None:
    """Run everything in the foreground, until Ctrl-C: servers, migrations, site, relay, workers, schedule.

    Servers that the environment names (DATABASE_URL, VALKEY_URL) are used in place of the embedded ones.
    """
    settings = replace(settings, port=port or settings.port)
    require_ports(settings)
    with ended_by_signals(), running_servers(settings, join=False) as deployment:
        upgrade(deployment.migrate_url, scope_key=deployment.scope_key)
        with Supervisor() as supervisor:
            url = start_programs(supervisor, deployment, workers=workers)
            click.echo(f"Concord is at {url}. Stop it with Ctrl-C.")
            wait_for_stop()
            click.echo("Stopping.")
