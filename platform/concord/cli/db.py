"""``concord db``: the database's logins and its shape."""

from __future__ import annotations

import click

from concord.migrations import current_head, upgrade
from concord.servers.deployment import running_servers
from concord.servers.login import LOGINS, prepare_from
from concord.settings import SettingMissing, Settings


@click.group("db")
def command() -> None:
    """Prepare and upgrade the database."""


@command.command("prepare")
@click.pass_obj
def prepare_command(settings: Settings) -> None:
    """Make the logins and the database on a server of your own; safe to do again.

    Needs DATABASE_ADMIN_URL, and DATABASE_URL, DATABASE_MIGRATE_URL and DATABASE_RELAY_URL with the passwords that
    the logins are to have. The embedded server is always prepared.
    """
    prepare_from(settings)
    click.echo(f"The logins {', '.join(LOGINS)} and their database are in place.")


@command.command("upgrade")
@click.pass_obj
def upgrade_command(settings: Settings) -> None:
    """Bring the database to the shape that this release expects; safe to do again."""
    if settings.has_database:
        _upgrade_given(settings)
    else:
        with running_servers(settings) as deployment:
            upgrade(deployment.migrate_url, scope_key=deployment.scope_key)
    click.echo(f"The database is at {current_head()}.")


def _upgrade_given(settings: Settings) -> None:
    # No more than it needs, so that whoever migrates need not hold the other keys.
    if settings.database_migrate_url is None or settings.scope_key is None:
        raise SettingMissing("Set DATABASE_MIGRATE_URL and CONCORD_SCOPE_KEY to upgrade a database of your own.")
    upgrade(settings.database_migrate_url, scope_key=settings.scope_key)
