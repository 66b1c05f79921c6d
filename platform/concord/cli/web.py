"""``concord web``: the site alone, as containers run it."""

from __future__ import annotations

import os
from dataclasses import replace

import click
from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from concord.log import configure_logging
from concord.servers.deployment import running_servers
from concord.servers.port import LOOPBACK
from concord.servers.program import environment_for
from concord.settings import Settings
from concord.web import create_app
from matching.ranking.engine import warm

# Granian's own lines go the way of all others.
_LOGGERS = {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")}


@click.command("web")
@click.option("--host", default=LOOPBACK, show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port.  [default: CONCORD_PORT, or 8000]")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="Serving processes.")
@click.pass_obj
def command(settings: Settings, host: str, port: int | None, processes: int) -> None:
    """Serve the site."""
    settings = replace(settings, port=port or settings.port)
    with running_servers(settings) as deployment:
        environment = environment_for(deployment, "web")
        os.environ.clear()
        os.environ.update(environment)
        Granian(
            f"{__name__}:application",
            factory=True,
            address=host,
            port=deployment.port,
            interface=Interfaces.WSGI,
            workers=processes,
            # More threads a process answered fewer requests, and some not at all.
            blocking_threads=1,
            respawn_failed_workers=True,
            websockets=False,
            workers_kill_timeout=2,
            log_dictconfig={"loggers": _LOGGERS},
        ).serve()


def application() -> Flask:
    """Make the application in one of Granian's processes."""
    configure_logging()
    # Or the first person to open a group would wait for it.
    warm()
    return create_app()
