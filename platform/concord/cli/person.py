"""``concord person``: who works where, kept by the operator; an agency's administrator keeps their own on the pages."""

from __future__ import annotations

import json
from typing import Any

import click
from sqlalchemy.orm import Session

from concord.cli.workplace import today, workplace
from concord.settings import Settings
from tenants.agency import Agency, get_agency_by_slug
from tenants.base import utc_now
from tenants.colleague import leave, list_colleagues
from tenants.invitation import invite, list_invitations
from tenants.person import appoint, get_person_by_email, invite_person
from tenants.role import Role
from tenants.scope import OPERATOR

ROLE = click.Choice([role.value for role in Role])
AGENCY = click.option("--agency", "slug", required=True, help="Where they work.")
EMAIL = click.option("--email", required=True, help="The address under which they are known.")
ROLES = click.option("--role", "roles", type=ROLE, multiple=True, required=True)


@click.group("person")
def command() -> None:
    """Invite people, give them roles and see them out."""


@command.command("invite")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--issuer", help="The address of their OpenID provider, when it is known how it names them.")
@click.option("--subject", help="How that provider names them.")
@AGENCY
@ROLES
@click.pass_obj
def invite_command(
    settings: Settings,
    name: str,
    email: str,
    issuer: str | None,
    subject: str | None,
    slug: str,
    roles: tuple[str, ...],
) -> None:
    """Invite a person to do one or more roles in an agency.

    With --issuer and --subject they may sign in at once; else whoever signs in with the address takes it up.
    """
    if (issuer is None) != (subject is None):
        raise click.UsageError("--issuer and --subject go together.")
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        agency = get_agency_by_slug(session, slug)
        if issuer and subject:
            invited = invite_person(session, name=name, email=email, issuer=issuer, subject=subject)
            for role in roles:
                appoint(session, invited, agency=agency, role=Role(role), starts_on=today())
            said = f"{name} may sign in for {slug}."
        else:
            said = _invite(session, agency, name=name, email=email, roles=roles)
    click.echo(said)


@command.command("list")
@AGENCY
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_command(settings: Settings, slug: str, as_json: bool) -> None:
    """List who works for an agency and whom it has invited."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        found = _list(session, get_agency_by_slug(session, slug))
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for each in found:
        until = f" (invited, until {each['invited_until'][:10]})" if each["invited_until"] else ""
        click.echo(f"{each['email']:<32} {each['name']}: {', '.join(each['roles'])}{until}")


@command.command("appoint")
@EMAIL
@AGENCY
@ROLES
@click.pass_obj
def appoint_command(settings: Settings, email: str, slug: str, roles: tuple[str, ...]) -> None:
    """Give a person who is known already one or more roles in an agency, beside those that they have."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        person = get_person_by_email(session, email)
        for role in roles:
            appoint(session, person, agency=get_agency_by_slug(session, slug), role=Role(role), starts_on=today())
    click.echo(f"{person.name} holds the {'role' if len(roles) == 1 else 'roles'} in {slug} from today.")


@command.command("leave")
@EMAIL
@AGENCY
@click.pass_obj
def leave_command(settings: Settings, email: str, slug: str) -> None:
    """End all that a person does in an agency, and their sign-ins there, at once."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        said = _leave(session, email, get_agency_by_slug(session, slug))
    click.echo(said)


@command.command("move")
@EMAIL
@click.option("--from", "from_slug", required=True, help="The agency that they leave.")
@click.option("--to", "to_slug", required=True, help="The agency that they go to.")
@click.option("--as", "new_email", help="The address of their account there, when it is another: they are invited.")
@ROLES
@click.pass_obj
def move(
    settings: Settings, email: str, from_slug: str, to_slug: str, new_email: str | None, roles: tuple[str, ...]
) -> None:
    """End a person's work in one agency and begin it in another, both or neither."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        there = get_agency_by_slug(session, to_slug)
        person = get_person_by_email(session, email)
        said = [_leave(session, email, get_agency_by_slug(session, from_slug))]
        if new_email:
            said.append(_invite(session, there, name=person.name, email=new_email, roles=roles))
        else:
            for role in roles:
                appoint(session, person, agency=there, role=Role(role), starts_on=today())
            said.append(f"{person.name} works for {to_slug} from today.")
    click.echo("\n".join(said))


def _invite(session: Session, agency: Agency, *, name: str, email: str, roles: tuple[str, ...]) -> str:
    made = invite(session, agency=agency, name=name, email=email, roles={Role(role) for role in roles}, now=utc_now())
    return (
        f"{made.name} is invited to {agency.slug}. No e-mail is sent: tell them to sign in by "
        f"{made.expires_at:%Y-%m-%d} with the account whose address is {made.email}."
    )


def _leave(session: Session, email: str, agency: Agency) -> str:
    person = get_person_by_email(session, email, agency_id=agency.id)
    ended = leave(session, person, agency=agency, now=utc_now())
    return f"{person.name} no longer works for {agency.slug}; {ended} sign-in{'' if ended == 1 else 's'} ended."


def _list(session: Session, agency: Agency) -> list[dict[str, Any]]:
    here = [
        {
            "name": each.person.name,
            "email": each.person.email,
            "roles": sorted(each.roles),
            "since": each.since.isoformat(),
            "invited_until": None,
        }
        for each in list_colleagues(session, agency_id=agency.id, on=today())
    ]
    invited = [
        {
            "name": each.name,
            "email": each.email,
            "roles": sorted(each.roles),
            "since": None,
            "invited_until": each.expires_at.isoformat(),
        }
        for each in list_invitations(session, agency_id=agency.id)
    ]
    return [*here, *invited]
