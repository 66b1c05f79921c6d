"""``concord agency`` and ``consortium`` once they are there: acting for another, leaving, taking everything out."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from concord.cli.export import own_file
from concord.cli.tenant import agency, consortium
from concord.cli.workplace import HOST_ROLES, workplace
from concord.settings import Settings
from tenants.agency import get_agency_by_slug
from tenants.base import utc_now
from tenants.consortium import get_consortium_by_slug
from tenants.database import Database
from tenants.delegation import DELEGABLE, delegate
from tenants.departure import propose_departure
from tenants.role import Role
from tenants.scope import OPERATOR, Scope
from workers.agency_archive import write_archive

__all__ = ["agency", "consortium"]

_DAY = click.DateTime(["%Y-%m-%d"])


@agency.command("leave")
@click.argument("slug")
@click.option("--on", "leaves_on", type=_DAY, required=True, help="The first day without it.")
@click.option("--reason", required=True, help="Why; name no child and no family.")
@click.pass_obj
def leave_service(settings: Settings, slug: str, leaves_on: datetime, reason: str) -> None:
    """Propose that the agency SLUG leaves the service; somebody of the agency agrees on its page “Leaving”."""
    _propose(settings, slug, leaves_on=leaves_on, reason=reason, consortium_slug=None)


@consortium.command("leave")
@click.argument("slug")
@click.option("--agency", "agency_slug", required=True, help="Which agency leaves.")
@click.option("--on", "leaves_on", type=_DAY, required=True, help="The first day without it.")
@click.option("--reason", required=True, help="Why; name no child and no family.")
@click.pass_obj
def leave_consortium(settings: Settings, slug: str, agency_slug: str, leaves_on: datetime, reason: str) -> None:
    """Propose that an agency leaves the consortium SLUG; somebody of the agency agrees on its page “Leaving”."""
    _propose(settings, agency_slug, leaves_on=leaves_on, reason=reason, consortium_slug=slug)


@agency.command("delegate")
@click.argument("slug")
@click.option("--for", "acts_for", required=True, help="Whose work it does.")
@click.option("--role", "roles", type=click.Choice([role.value for role in DELEGABLE]), multiple=True, required=True)
@click.option("--from", "starts_on", type=_DAY, help="The first day.  [default: today]")
@click.option("--until", "ends_on", type=_DAY, help="The first day without it.  [default: until one of them ends it]")
@click.option("--own-sign-in", is_flag=True, help="Its people may come in by its own sign-in service.")
@click.pass_obj
def delegate_command(
    settings: Settings,
    slug: str,
    acts_for: str,
    roles: tuple[str, ...],
    starts_on: datetime | None,
    ends_on: datetime | None,
    own_sign_in: bool,
) -> None:
    """Propose that people of the agency SLUG act for another; both sign on their page “Acting for one another”."""
    now = utc_now()
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        delegate(
            session,
            get_agency_by_slug(session, slug),
            acts_for=get_agency_by_slug(session, acts_for),
            roles=[Role(role) for role in roles],
            starts_on=starts_on.date() if starts_on else now.date(),
            ends_on=ends_on.date() if ends_on else None,
            by_own_service=own_sign_in,
            now=now,
        )
    click.echo(f"Proposed. {slug} and {acts_for} each sign on their page “Acting for one another”.")


@agency.command("records")
@click.argument("slug")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The ZIP file.")
@click.pass_obj
def records(settings: Settings, slug: str, output: Path) -> None:
    """Take everything that the agency SLUG has out, as a ZIP of CSV and JSON; docs/archive.md says what is in it."""
    with workplace(settings) as place:
        scope = _scope(place.database, slug)
        with own_file(output) as file, place.database.transaction(scope) as session:
            session.info["request_id"] = "cli:agency records"
            write_archive(session, file, now=utc_now())
    click.echo(f"{output}: everything of {slug}. Its README.txt has the check word with which the agency signs for it.")


def _propose(settings: Settings, slug: str, *, leaves_on: datetime, reason: str, consortium_slug: str | None) -> None:
    with workplace(settings) as place:
        with place.database.transaction(OPERATOR) as session:
            left = get_consortium_by_slug(session, consortium_slug).id if consortium_slug else None
        with place.database.transaction(_scope(place.database, slug)) as session:
            session.info["request_id"] = "cli:leave"
            propose_departure(session, leaves_on=leaves_on.date(), reason=reason, consortium_id=left, now=utc_now())
    click.echo(f"Proposed. Somebody of {slug} agrees on its page “Leaving”, at /agency/leaving.")


def _scope(database: Database, slug: str) -> Scope:
    # An agency that has left every consortium still has its records to take out.
    with database.transaction(OPERATOR) as session:
        return Scope(agency_id=get_agency_by_slug(session, slug).id, roles=HOST_ROLES)
