"""``concord consortium`` and ``agency``: the directory of tenants, kept by the operator."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from concord.cli.workplace import HOST_ROLES, today, workplace
from concord.settings import Settings
from matching.fee.published import adopt_published
from tenants.agency import (
    MOST_GLASS_HOURS,
    AgencyKind,
    Nation,
    add_agency,
    get_agency_by_slug,
    list_agencies,
    set_glass_hours,
)
from tenants.base import utc_now
from tenants.consortium import (
    create_consortium,
    get_consortium_by_slug,
    join,
    set_caps,
    set_meeting_days,
    set_sharing_days,
)
from tenants.scope import OPERATOR, Scope

NEVER = "never"
_DAYS_OF = {
    "council": "council_in_house_days",
    "voluntary": "voluntary_in_house_days",
    "group": "group_in_house_days",
    "household_national": "household_national_days",
    "group_national": "group_national_days",
}


class _Days(click.ParamType):  # type: ignore[type-arg]
    """A number of days, or “never”."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:  # noqa: ANN401
        return NEVER if value == NEVER else int(click.IntRange(0).convert(value, param, ctx))


DAYS = _Days()


@click.group("consortium")
def consortium() -> None:
    """Create consortia."""


@consortium.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="Its full name.")
@click.option(
    "--council-days",
    type=click.IntRange(0),
    default=90,
    show_default=True,
    help="Days a council's new household stays in-house.",
)
@click.option(
    "--voluntary-days", type=click.IntRange(0), default=0, show_default=True, help="The same for a voluntary agency's."
)
@click.pass_obj
def create(settings: Settings, slug: str, name: str, council_days: int, voluntary_days: int) -> None:
    """Create a consortium called SLUG, and its office, which begins with the published tariffs of fees."""
    with workplace(settings) as place:
        with place.database.transaction(OPERATOR) as session:
            scope = _create(session, slug, name, council_days=council_days, voluntary_days=voluntary_days)
        with place.database.transaction(scope) as session:
            session.info["request_id"] = "cli:consortium"
            adopt_published(session, now=utc_now())
    click.echo(f"{name} is there, with its office {slug}-office.")


@consortium.command("days")
@click.argument("slug")
@click.option(
    "--pack", "pack_days", type=click.IntRange(0), help="Days after its meeting on which a pack is destroyed."
)
@click.option("--confirm", "confirm_days", type=click.IntRange(1), help="Days for which a word on availability stands.")
@click.pass_obj
def days(settings: Settings, slug: str, pack_days: int | None, confirm_days: int | None) -> None:
    """Set, or without options show, how long packs and availability checks of the consortium SLUG stand."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        found = set_meeting_days(
            session, get_consortium_by_slug(session, slug), pack_days=pack_days, confirm_days=confirm_days
        )
        said = (
            f"Packs are destroyed {found.pack_days} days after their meeting; a check stands {found.confirm_days} days."
        )
    click.echo(said)


@consortium.command("sharing")
@click.argument("slug")
@click.option("--council", type=click.IntRange(0), help="Days a council's new household stays in-house.")
@click.option("--voluntary", type=click.IntRange(0), help="The same for a voluntary agency's.")
@click.option("--group", type=DAYS, help="The same for a sibling group, or “never”.")
@click.option("--household-national", type=DAYS, help="Days a household stays in the consortium, or “never”.")
@click.option("--group-national", type=DAYS, help="The same for a sibling group, or “never”.")
@click.pass_obj
def sharing(settings: Settings, /, slug: str, **said: int | str | None) -> None:
    """Set, or without options show, after how many days the consortium SLUG shares records further by itself."""
    days = {_DAYS_OF[name]: None if value == NEVER else value for name, value in said.items() if value is not None}
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        found = set_sharing_days(session, get_consortium_by_slug(session, slug), **days)  # type: ignore[arg-type]
        kept = {name: getattr(found, column) for name, column in _DAYS_OF.items()}
    for name, value in kept.items():
        click.echo(f"{name.replace('_', ' '):<20} {'never by itself' if value is None else f'{value} days'}")


@consortium.command("caps")
@click.argument("slug")
@click.option(
    "--household", "household_cap", type=click.IntRange(1), help="For how many groups a family is considered at once."
)
@click.option("--group", "group_cap", type=click.IntRange(1), help="How many families are considered for a group.")
@click.pass_obj
def caps(settings: Settings, slug: str, household_cap: int | None, group_cap: int | None) -> None:
    """Set, or without options show, the caps on who is considered at once in the consortium SLUG."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        found = set_caps(
            session, get_consortium_by_slug(session, slug), household_cap=household_cap, group_cap=group_cap
        )
        said = (
            f"A family is at its cap when {found.household_cap} groups consider it; "
            f"a group, when {found.group_cap} families are considered for it."
        )
    click.echo(said)


@click.group("agency")
def agency() -> None:
    """Add and list agencies."""


@agency.command("add")
@click.argument("slug")
@click.option("--name", required=True, help="Its full name.")
@click.option("--consortium", "consortium_slug", required=True, help="The consortium that it joins.")
@click.option("--kind", type=click.Choice([kind.value for kind in AgencyKind]), required=True)
@click.option("--nation", type=click.Choice([nation.value for nation in Nation]), default="england", show_default=True)
@click.option("--region", help="Its region.")
@click.option("--urn", help="Its Ofsted URN.")
@click.option("--colour", default="#1d70b8", show_default=True, help="Its colour in charts.")
@click.option("--opened-on", type=click.DateTime(["%Y-%m-%d"]), help="When it opened.  [default: today]")
@click.pass_obj
def add(
    settings: Settings,
    slug: str,
    name: str,
    consortium_slug: str,
    kind: str,
    nation: str,
    region: str | None,
    urn: str | None,
    colour: str,
    opened_on: datetime | None,
) -> None:
    """Add an agency called SLUG to a consortium."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        made = add_agency(
            session,
            slug=slug,
            name=name,
            kind=AgencyKind(kind),
            nation=Nation(nation),
            region=region,
            ofsted_urn=urn,
            colour=colour,
            opened_on=opened_on.date() if opened_on else today(),
        )
        join(session, get_consortium_by_slug(session, consortium_slug), agency=made, joined_on=today())
    click.echo(f"{name} is a member of {consortium_slug}.")


@agency.command("glass")
@click.argument("slug")
@click.option("--hours", type=click.IntRange(1, MOST_GLASS_HOURS), required=True)
@click.pass_obj
def glass(settings: Settings, slug: str, hours: int) -> None:
    """Set for how many hours a record of the agency SLUG stays open to who breaks glass on it."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        set_glass_hours(session, get_agency_by_slug(session, slug), hours=hours)
    click.echo(f"Glass that is broken in {slug} stays broken for {hours} hours.")


@agency.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_command(settings: Settings, as_json: bool) -> None:
    """List the agencies by name."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        found = [{"slug": each.slug, "name": each.name, "kind": each.kind.value} for each in list_agencies(session)]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each['slug']:<32} {each['name']} ({AgencyKind(each['kind']).label})")


def _create(session: Session, slug: str, name: str, *, council_days: int, voluntary_days: int) -> Scope:
    """Make a consortium and its office, and return the office's scope."""
    made = create_consortium(
        session, slug=slug, name=name, council_in_house_days=council_days, voluntary_in_house_days=voluntary_days
    )
    office = add_agency(
        session,
        slug=f"{slug}-office",
        name=f"{name} office",
        kind=AgencyKind.CONSORTIUM_OFFICE,
        nation=Nation.ENGLAND,
        opened_on=today(),
    )
    join(session, made, agency=office, joined_on=today())
    return Scope(agency_id=office.id, consortium_id=made.id, roles=HOST_ROLES)
