"""``concord provider``: agencies' own sign-in services; and the demonstration's, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TextIO
from uuid import UUID

import click
from environs import Env
from sqlalchemy.orm import Session

from concord.cli.workplace import HOST_ROLES, Workplace, workplace
from concord.provider.app import create_provider, refuse_outside_demo
from concord.provider.people import FILE_NAME
from concord.provider.serve import serve
from concord.settings import Settings, complete
from concord.web.outbound import AddressRefused, checked_address
from concord.web.settings import CLIENT_ID, provider_secret, provider_url, web_settings
from tenants.agency import get_agency_by_slug
from tenants.base import utc_now
from tenants.identity_provider import (
    IdentityProvider,
    add_provider,
    close_default,
    get_provider,
    list_providers,
    set_role_rules,
    switch_off,
    switch_on,
)
from tenants.person import get_person_by_email
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in_way import take_trial

_AGENCY = click.option("--agency", "slug", required=True, help="Whose it is, by its short name.")


@click.group("provider", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Keep agencies' sign-in services; alone, serve the demonstration's to this machine, in demo mode only."""
    if context.invoked_subcommand is None:
        _serve(context.obj)


@command.command("add")
@_AGENCY
@click.option("--name", required=True, help="What its people call it.")
@click.option("--issuer", required=True, help="The provider's own name, an https address.")
@click.option("--client-id", required=True, help="How the provider names Concord.")
@click.option("--secret-file", type=click.File("r"), help="Where the client secret is; asked for when not given.")
@click.option("--scope", "scopes", multiple=True, help="A further scope to ask for.")
@click.option(
    "--second-step/--no-second-step", default=True, show_default=True, help="Turn away who took no second step there."
)
@click.option("--acr", "acr_values", multiple=True, help="A class of sign-in that counts as a second step.")
@click.option("--max-age", "max_age_minutes", type=click.IntRange(1), help="Minutes since they signed in there.")
@click.pass_obj
def add(settings: Settings, /, slug: str, issuer: str, secret_file: TextIO | None, **facts: Any) -> None:  # noqa: ANN401
    """Add a sign-in service to an agency; it is off until it was tried and switched on."""
    try:
        if not settings.demo:
            checked_address(issuer)
    except AddressRefused as refusal:
        raise click.BadParameter(str(refusal), param_hint="--issuer") from refusal
    secret = secret_file.read() if secret_file else click.prompt("Client secret", hide_input=True)
    with workplace(settings) as place:
        site_url = web_settings(place.deployment, Env()).site_url
        with _agency_session(place, slug) as session:
            made = add_provider(session, issuer=issuer, secret=secret.strip(), now=utc_now(), **facts)
    click.echo(f"{made.id} is added. Register with it:")
    click.echo(f"  {site_url}/sign-in/answer/{made.mark}\n  {site_url}/signed-out")
    click.echo(f"  {site_url}/back-channel-logout/{made.mark}")


@command.command("list")
@_AGENCY
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_command(settings: Settings, slug: str, as_json: bool) -> None:
    """List an agency's sign-in services; never their secrets."""
    with workplace(settings) as place, _agency_session(place, slug) as session:
        found = [_said(provider) for provider in list_providers(session)]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each['id']}  {each['state']:<5}  {each['name']}  {each['issuer']}")


@command.command("roles")
@_AGENCY
@click.argument("provider_id", type=click.UUID)
@click.option("--claim", help="The claim that roles follow from, for example groups.")
@click.option("--role", "rules", nargs=2, multiple=True, metavar="VALUE ROLE", help="Who has VALUE is ROLE.")
@click.pass_obj
def roles(
    settings: Settings, slug: str, provider_id: UUID, claim: str | None, rules: tuple[tuple[str, str], ...]
) -> None:
    """Say which values of a claim stand for which roles, in place of what was said before."""
    known = {role.value: role for role in Role if role is not Role.OPERATOR}
    for _, name in rules:
        if name not in known:
            raise click.BadParameter(f"{name} is no role. Roles: {', '.join(known)}.", param_hint="--role")
    with workplace(settings) as place, _agency_session(place, slug) as session:
        provider = get_provider(session, provider_id)
        set_role_rules(session, provider, claim=claim, rules=[(value, known[name]) for value, name in rules])
    click.echo("Roles follow the claim from each person's next sign-in.")


@command.command("vouch")
@_AGENCY
@click.argument("provider_id", type=click.UUID)
@click.option("--email", required=True, help="Whose account it is: a person of the agency, by address.")
@click.option("--subject", required=True, help="How the provider names the account.")
@click.pass_obj
def vouch(settings: Settings, slug: str, provider_id: UUID, email: str, subject: str) -> None:
    """Say that an account there is a colleague's, where nobody can come in yet to try the service on its page."""
    with workplace(settings) as place:
        with _agency_session(place, slug) as session:
            provider = get_provider(session, provider_id)
            person = get_person_by_email(session, email, agency_id=provider.agency_id)
        with place.database.transaction(NOBODY) as session:
            take_trial(session, provider_id=provider_id, person_id=person.id, subject=subject, now=utc_now())
    click.echo(f"That account is {person.name}'s, and the service can be switched on.")


def _switch(name: str, words: str, done: str, step: Callable[[Session, IdentityProvider], None]) -> None:
    @command.command(name, help=words)
    @_AGENCY
    @click.argument("provider_id", type=click.UUID)
    @click.pass_obj
    def switch(settings: Settings, slug: str, provider_id: UUID) -> None:
        with workplace(settings) as place, _agency_session(place, slug) as session:
            step(session, get_provider(session, provider_id))
        click.echo(done)


_switch("on", "Let people come in by a sign-in service that was tried.", "It is on.", switch_on)
_switch(
    "off",
    "Let nobody come in by a sign-in service any more; who came by it is out.",
    "It is off.",
    lambda session, provider: switch_off(session, provider, default_issuer=None),
)
_switch(
    "alone",
    "Make an agency's own services its only way in.",
    "The site's own service is closed to them.",
    close_default,
)
_switch(
    "beside",
    "Let an agency's people come in by the site's own service too.",
    "The site's own service is open to them.",
    lambda session, provider: close_default(session, provider, closed=False),
)


def _agency_session(place: Workplace, slug: str) -> Any:  # noqa: ANN401 - a session, as a context
    with place.database.transaction(OPERATOR) as session:
        agency_id = get_agency_by_slug(session, slug).id
    return place.database.transaction(Scope(agency_id=agency_id, roles=HOST_ROLES))


def _said(provider: IdentityProvider) -> dict[str, object]:
    return {
        "id": str(provider.id),
        "name": provider.name,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "second_step": provider.second_step,
        "state": provider.state.value,
        "only_way_in": provider.closes_default,
        "tried_at": provider.tried_at and provider.tried_at.isoformat(),
    }


def _serve(settings: Settings) -> None:
    refuse_outside_demo(demo=settings.demo)
    deployment = complete(settings)
    app = create_provider(
        issuer=provider_url(deployment.provider_port),
        site_url=web_settings(deployment, Env()).site_url,
        client_id=CLIENT_ID,
        client_secret=provider_secret(deployment.secret_key),
        people_path=deployment.data_dir / FILE_NAME,
        demo=deployment.demo,
    )
    serve(app, port=deployment.provider_port)
