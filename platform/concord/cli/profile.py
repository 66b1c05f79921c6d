"""``concord profile``: check an agency's anonymous profiles for what may give away who they are about."""

from __future__ import annotations

import json

import click

from concord.cli.workplace import agency_session
from concord.settings import Settings
from matching.profile_check import list_telling_profiles
from tenants.base import utc_now


@click.group("profile")
def command() -> None:
    """Check anonymous profiles before the pool reads them."""


@command.command("check")
@click.option("--agency", required=True, help="Whose profiles.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def check(settings: Settings, agency: str, consortium: str | None, as_json: bool) -> None:
    """List the codes of an agency's own records whose profiles may give away who they are about.

    It says how many passages and of what kinds, and none of their words: the record's page marks them.
    """
    with agency_session(settings, agency, consortium, command="profile check") as session:
        found = list_telling_profiles(session, now=utc_now())
    if as_json:
        said = [
            {
                "code": each.code,
                "record": each.record_kind,
                "sure": each.sure,
                "to_look_at": len(each.findings) - each.sure,
                "kinds": [kind.value for kind in each.kinds],
            }
            for each in found
        ]
        click.echo(json.dumps(said, indent=2))
        return
    for each in found:
        kinds = "; ".join(kind.label for kind in each.kinds)
        click.echo(f"{each.code:<12} {each.sure:>3} sure {len(each.findings) - each.sure:>3} to look at  {kinds}")
    click.echo(f"{len(found)} to check.")
