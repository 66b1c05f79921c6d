"""``concord domain``: e-mail domains, each of one agency and confirmed by the office or the operator."""

from __future__ import annotations

import json

import click

from concord.cli.workplace import HOST_ROLES, workplace
from concord.settings import Settings
from tenants.agency import get_agency_by_slug
from tenants.base import utc_now
from tenants.email_domain import add_domain, confirm_domain, get_domain_by_name, list_domains, remove_domain
from tenants.scope import OPERATOR, Scope


@click.group("domain")
def command() -> None:
    """Keep agencies' e-mail domains."""


@command.command("add")
@click.argument("domain")
@click.option("--agency", "slug", required=True, help="Whose it is, by its short name.")
@click.pass_obj
def add(settings: Settings, domain: str, slug: str) -> None:
    """Name DOMAIN as an agency's, to be confirmed."""
    with workplace(settings) as place:
        with place.database.transaction(OPERATOR) as session:
            scope = Scope(agency_id=get_agency_by_slug(session, slug).id, roles=HOST_ROLES)
        with place.database.transaction(scope) as session:
            named = add_domain(session, domain, now=utc_now()).domain
    click.echo(f"{named} is named, and counts once “concord domain confirm {named} --agency {slug}” says so.")


@command.command("confirm")
@click.argument("domain")
@click.option("--agency", "slug", required=True, help="Whose it was found to be.")
@click.pass_obj
def confirm(settings: Settings, domain: str, slug: str) -> None:
    """Say that DOMAIN was checked, and is that agency's."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        agency = get_agency_by_slug(session, slug)
        confirm_domain(session, get_domain_by_name(session, domain, agency_id=agency.id), now=utc_now())
    click.echo(f"{domain} is {agency.name}'s.")


@command.command("remove")
@click.argument("domain")
@click.option("--agency", "slug", required=True, help="Off whose list.")
@click.pass_obj
def remove(settings: Settings, domain: str, slug: str) -> None:
    """Take DOMAIN off an agency's list."""
    with workplace(settings) as place:
        with place.database.transaction(OPERATOR) as session:
            agency_id = get_agency_by_slug(session, slug).id
        with place.database.transaction(Scope(agency_id=agency_id, roles=HOST_ROLES)) as session:
            remove_domain(session, get_domain_by_name(session, domain, agency_id=agency_id))
    click.echo(f"{domain} is off the list.")


@command.command("list")
@click.option("--agency", "slug", required=True, help="Whose, by its short name.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_command(settings: Settings, slug: str, as_json: bool) -> None:
    """List an agency's e-mail domains."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        agency_id = get_agency_by_slug(session, slug).id
        found = [
            {"domain": each.domain, "confirmed": each.confirmed_at is not None}
            for each in list_domains(session, agency_id=agency_id)
        ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for each in found:
        click.echo(f"{each['domain']}  {'confirmed' if each['confirmed'] else 'to be confirmed'}")
