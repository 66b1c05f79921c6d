"""``concord schedule``: asks for work whose time has come, and keeps the audit's chains."""

from __future__ import annotations

from functools import partial

import click
from environs import Env

from concord.cli.workplace import audit_keys, open_database
from concord.mail import mailer_of
from concord.servers.deployment import running_servers
from concord.servers.stop_signal import work_until_stopped
from concord.settings import Settings
from tenants.audit import Origin
from workers.schedule import run_schedule


@click.command("schedule")
@click.pass_obj
def command(settings: Settings) -> None:
    """Ask for work whose time has come; one schedule leads, others wait to."""
    with running_servers(settings) as deployment:
        database = open_database(deployment, origin=Origin.SCHEDULE, pool_size=2)
        mails = mailer_of(deployment, Env()) is not None
        work_until_stopped(partial(run_schedule, database, audit_keys=audit_keys(deployment), mails=mails))
