"""``concord client``: which programs may ask the API in an agency's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import click

from concord.cli.workplace import agency_scope, workplace
from concord.settings import Settings
from tenants.api_client import (
    LONGEST_DAYS,
    OVERLAP_DAYS,
    USUAL_DAYS,
    ApiClient,
    NewSecret,
    add_client,
    end_client,
    get_client,
    list_clients,
    rotate_secret,
)
from tenants.api_scope import ApiScope
from tenants.base import utc_now

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def _agency() -> Decorator:
    return click.option("--agency", "slug", required=True, help="Whose program it is.")


def _consortium() -> Decorator:
    return click.option("--consortium", help="In which consortium, where the agency is in several.")


def _json() -> Decorator:
    return click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("client")
def command() -> None:
    """Say which programs may ask the API in an agency's name."""


@command.command("add")
@click.argument("name")
@_agency()
@_consortium()
@click.option("--scope", "scopes", type=click.Choice([scope.value for scope in ApiScope]), multiple=True, required=True)
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=USUAL_DAYS, show_default=True)
@_json()
@click.pass_obj
def add(
    settings: Settings, name: str, slug: str, consortium: str | None, scopes: tuple[str, ...], days: int, as_json: bool
) -> None:
    """Let the program NAME in, and show its secret once."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, slug, consortium=consortium)
        with place.database.transaction(scope) as session:
            made = add_client(session, name=name, scopes=scopes, days=days, now=utc_now())
    _show(made, as_json=as_json)


@command.command("list")
@_agency()
@_consortium()
@_json()
@click.pass_obj
def list_command(settings: Settings, slug: str, consortium: str | None, as_json: bool) -> None:
    """List an agency's clients."""
    now = utc_now()
    with workplace(settings) as place:
        scope = agency_scope(place.database, slug, consortium=consortium)
        with place.database.transaction(scope) as session:
            found = [_said(each, live=each.live(now)) for each in list_clients(session)]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each['id']}  {'open ' if each['live'] else 'ended'}  {each['name']}: {' '.join(each['scopes'])}")


@command.command("rotate")
@click.argument("client_id", type=click.UUID)
@_agency()
@_consortium()
@click.option(
    "--overlap-days",
    type=click.IntRange(0),
    default=OVERLAP_DAYS,
    show_default=True,
    help="For how long the secret before goes on; 0 ends it at once.",
)
@_json()
@click.pass_obj
def rotate(
    settings: Settings, client_id: UUID, slug: str, consortium: str | None, overlap_days: int, as_json: bool
) -> None:
    """Give a client a new secret, and show it once."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, slug, consortium=consortium)
        with place.database.transaction(scope) as session:
            made = rotate_secret(session, get_client(session, client_id), overlap_days=overlap_days, now=utc_now())
    _show(made, as_json=as_json)


@command.command("end")
@click.argument("client_id", type=click.UUID)
@_agency()
@_consortium()
@click.pass_obj
def end(settings: Settings, client_id: UUID, slug: str, consortium: str | None) -> None:
    """Shut a client out at once, with every token that it holds."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, slug, consortium=consortium)
        with place.database.transaction(scope) as session:
            client = get_client(session, client_id)
            end_client(session, client, now=utc_now())
    click.echo(f"“{client.name}” is shut out.")


def _show(made: NewSecret, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**_said(made.client, live=True), "secret": made.secret}, indent=2, ensure_ascii=False))
        return
    click.echo(f"Client id: {made.client.id}")
    click.echo(f"Secret:    {made.secret}")
    click.echo("Nobody can be shown it again.")


def _said(client: ApiClient, *, live: bool) -> dict[str, Any]:
    last = client.last_used_at
    return {
        "id": str(client.id),
        "name": client.name,
        "scopes": client.scopes,
        "live": live,
        "created_at": client.created_at.isoformat(),
        "expires_at": client.expires_at.isoformat(),
        "last_used_at": last and last.isoformat(),
    }
