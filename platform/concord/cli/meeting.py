"""``concord meeting``: arrange matching meetings, list them, and list what they left to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import click

from concord.cli.workplace import agency_scope, agency_session, workplace
from concord.settings import Settings
from matching.meeting import Meeting, arrange_meeting, list_meetings, require_office
from matching.meeting_action import MeetingAction, list_open_actions
from matching.register import agency_names
from tenants.base import utc_now


@click.group("meeting")
def command() -> None:
    """Arrange matching meetings and list them."""


@command.command("arrange")
@click.option("--agency", required=True, help="The consortium office, by its short name.")
@click.option("--title", default="Matching meeting", show_default=True)
@click.option("--held-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day, as 2027-03-09.")
@click.option("--place", required=True, help="Where, or by which link.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def arrange(settings: Settings, agency: str, title: str, held_on: datetime, place: str, as_json: bool) -> None:
    """Arrange a matching meeting of the office's consortium."""
    with agency_session(settings, agency, command="meeting arrange") as session:
        require_office(session)
        made = _answer(arrange_meeting(session, title=title, held_on=held_on.date(), place=place, now=utc_now()))
    click.echo(json.dumps(made, indent=2, ensure_ascii=False) if as_json else f"{_words(made)} is arranged.")


@command.command("list")
@click.option("--agency", required=True, help="The agency for which to ask, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def list_command(settings: Settings, agency: str, consortium: str | None, as_json: bool) -> None:
    """List the meetings of an agency's consortium, latest first."""
    with workplace(settings) as at:
        scope = agency_scope(at.database, agency, consortium=consortium)
        with at.database.transaction(scope) as session:
            found = [_answer(meeting) for meeting in list_meetings(session)]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each['id']}  {_words(each)}")
    if not found:
        click.echo("There are no meetings.")


@command.command("actions")
@click.option("--agency", required=True, help="The agency for which to ask, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def actions(settings: Settings, agency: str, consortium: str | None, as_json: bool) -> None:
    """List the open actions that concern an agency, soonest due first; the office's, every member's."""
    with workplace(settings) as at:
        scope = agency_scope(at.database, agency, consortium=consortium)
        with at.database.transaction(scope) as session:
            names = agency_names(session)
            found = [_action(action, names) for action in list_open_actions(session)]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(
            f"{each['due_on']}  {each['agency']}: {each['what']}{' (' + each['about'] + ')' if each['about'] else ''}"
        )
    if not found:
        click.echo("No action is open.")


def _action(action: MeetingAction, names: Mapping[UUID, str]) -> dict[str, str | None]:
    return {
        "id": str(action.id),
        "meeting": str(action.meeting_id),
        "what": action.what,
        "about": action.about,
        "agency": names.get(action.agency_id, ""),
        "person": action.person,
        "due_on": action.due_on.isoformat(),
    }


def _answer(meeting: Meeting) -> dict[str, str]:
    return {
        "id": str(meeting.id),
        "title": meeting.title,
        "held_on": meeting.held_on.isoformat(),
        "place": meeting.place,
    }


def _words(meeting: dict[str, str]) -> str:
    return f"{meeting['title']} on {meeting['held_on']}, {meeting['place']}"
