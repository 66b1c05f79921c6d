"""The command line: everything an operator needs. Each command is a module of its own, listed here."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import structlog

from concord.log import configure_logging
from concord.settings import read_settings
from tenants.error import DomainError

# name: (module:command, what it does). Loaded when asked for: most need much that the others don't.
COMMANDS = {
    "demo": ("concord.cli.demo:command", "Make a synthetic consortium and serve it."),
    "up": ("concord.cli.up:command", "Run everything in the foreground: servers, site, workers."),
    "doctor": ("concord.cli.doctor:command", "Say what is found, what is wrong and how to mend it."),
    "db": ("concord.cli.db:command", "Prepare and upgrade the database."),
    "consortium": ("concord.cli.lives:consortium", "Create consortia, and let agencies leave them."),
    "agency": ("concord.cli.hand_over:agency", "Add and list agencies, and follow their lives."),
    "person": ("concord.cli.person:command", "Invite people, give them roles and see them out."),
    "client": ("concord.cli.client:command", "Say which programs may ask the API in an agency's name."),
    "import": ("concord.cli.import_:command", "Import households or children from a sheet, or a return."),
    "export": ("concord.cli.export:command", "Export an agency's own households or children to a sheet."),
    "rank": ("concord.cli.rank:rank", "List the families for a sibling group, with reasons."),
    "why": ("concord.cli.rank:why_command", "Say why a household is, or is not, on a group's list."),
    "pool": ("concord.cli.pool:command", "Look at the pool as a whole: a family each for as many groups as can be."),
    "rings": ("concord.cli.rings:command", "Find rings of swaps that help most, and prove it."),
    "fees": ("concord.cli.fees:command", "Keep tariffs, say what a placement costs, and see what is owed."),
    "remittance": ("concord.cli.remittance:command", "Take in what banks say was paid."),
    "monitoring": ("concord.cli.monitoring:command", "Say how long stages take and what became of links."),
    "retention": ("concord.cli.retention:command", "See what is due to be destroyed, and wait until it is done."),
    "meeting": ("concord.cli.meeting:command", "Arrange matching meetings and list them."),
    "link": ("concord.cli.link:command", "List links, and take their steps for an agency's programs."),
    "placement": ("concord.cli.link:placement", "List placements, with their plans and reviews."),
    "profile": ("concord.cli.profile:command", "Check anonymous profiles for what gives somebody away."),
    "pack": ("concord.cli.pack:command", "Build packs for a matching meeting."),
    "jobs": ("concord.cli.jobs:command", "List jobs and run failed ones again."),
    "audit": ("concord.cli.audit:command", "Check the record of who saw what, and hand out its anchors."),
    "keys": ("concord.cli.keys:command", "Change the keys that records are sealed under."),
    "web": ("concord.cli.web:command", "Serve the site."),
    "relay": ("concord.cli.relay:command", "Hand the ids of due jobs to the queue."),
    "worker": ("concord.cli.worker:command", "Do jobs from the queue."),
    "schedule": ("concord.cli.schedule:command", "Ask for work whose time has come."),
    "provider": ("concord.cli.provider:command", "Keep agencies' sign-in services, or serve the demonstration's."),
    "domain": ("concord.cli.domain:command", "Keep agencies' e-mail domains."),
}

AWAY = "The database or Valkey doesn't answer. `concord doctor` says which, and what to do."
UNFORESEEN = "Something went wrong that nobody foresaw, and nothing was kept of this step. The line above says where."
# By name: to load all three libraries for a command that uses none would take a second.
_AWAY = {("psycopg", "OperationalError"), ("sqlalchemy", "OperationalError"), ("redis", "ConnectionError")}


class CommandList(click.Group):
    """The commands of ``COMMANDS``; what goes wrong becomes one clear line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command by its name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DomainError as error:
            click.echo(f"concord: {error}", err=True)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:  # its text may quote a person's row: only its kind and its way are told
            if not _is_away(error):
                structlog.get_logger(__name__).error("command.failed", exc_info=error)
            click.echo(f"concord: {AWAY if _is_away(error) else UNFORESEEN}", err=True)
        sys.exit(1)


@click.command(cls=CommandList, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="concord")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the embedded servers keep their data.  [default: CONCORD_DATA_DIR, or ~/.local/share/concord]",
)
@click.pass_context
def main(context: click.Context, data_dir: Path | None) -> None:
    """Concord: the shared register and matching service of an adoption consortium."""
    configure_logging()
    context.obj = read_settings(data_dir=data_dir)


def _is_away(error: Exception) -> bool:
    """Say whether an error means that a server doesn't answer."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    return not kinds.isdisjoint(_AWAY)
