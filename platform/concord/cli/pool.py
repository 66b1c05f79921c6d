"""``concord pool``: the pool as a whole, as advice for a meeting."""

from __future__ import annotations

import json
from datetime import datetime

import click

from concord.cli.workplace import agency_session, today
from concord.schema.pool import PoolViewSchema
from concord.settings import Settings
from matching.pool_view import PoolPairs, PoolView, view_pool
from tenants.base import utc_now


@click.group("pool")
def command() -> None:
    """Look at the pool as a whole."""


@command.command("assign")
@click.option("--agency", required=True, help="The agency for which to ask, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to reckon ages for.  [default: today]")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def assign(settings: Settings, agency: str, consortium: str | None, as_of: datetime | None, as_json: bool) -> None:
    """Give as many groups as can be a family each, as advice for the meeting to discuss."""
    day = today() if as_of is None else as_of.date()
    with agency_session(settings, agency, consortium, command="pool assign") as session:
        view = view_pool(session, as_of=day, now=utc_now())
    if as_json:
        click.echo(json.dumps(PoolViewSchema().dump(view), indent=2, ensure_ascii=False))
    else:
        _say(view)


def _say(view: PoolView) -> None:
    click.echo("Advice for the meeting to discuss; people decide.")
    for words, found in (("Over the whole pool", view.best), ("In turn, longest waiting first", view.in_turn)):
        _say_pairs(f"{words}: {len(found.pairs)} of {view.groups} groups, {found.points} points", found)
    click.echo(f"Nobody is listed for {len(view.unseen)}: {', '.join(each.group.code for each in view.unseen) or '-'}")


def _say_pairs(heading: str, found: PoolPairs) -> None:
    click.echo(heading)
    for pair in found.pairs:
        click.echo(f"  {pair.group.code}  {pair.household.code}  {pair.band}  ({pair.points} points)")
