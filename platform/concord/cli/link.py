"""``concord link`` and ``concord placement``: what an agency is a side of, and the steps that its programs take."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from concord.cli.workplace import Workplace, agency_scope, agency_session, workplace
from concord.schema.link import TAKEN, LinkCardSchema, LinkSchema
from concord.schema.link_answer import link_answer, link_card, placement_answer, placement_card
from concord.schema.placement import PlacementCardSchema, PlacementSchema
from concord.settings import Settings
from matching.link import LinkOutcome, LinkState, StepName, get_link
from matching.link_stretch import Wanted, list_links_after, list_placements_after
from matching.placement.effect import COURT, ENDED_BY
from matching.placement.placement import Court, EndedBy, get_placement
from matching.transition import StepFacts, take
from tenants.api_client import ClientOver, get_client
from tenants.api_scope import verbs_of
from tenants.base import utc_now
from tenants.scope import Scope

_AT_ONCE = 200


def _options(function: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape."),
        click.option("--consortium", help="Which consortium, where the agency belongs to several."),
        click.option("--agency", required=True, help="The agency for which to ask, by its short name."),
    ):
        function = option(function)
    return function


def _narrowing(function: Callable[..., None]) -> Callable[..., None]:
    states = click.Choice([state.value for state in LinkState])
    for option in (
        click.option("--side", type=click.Choice(["children", "families"]), help="Whose side is the agency’s own."),
        click.option("--state", "states", type=states, multiple=True, help="At this state; may be said several times."),
    ):
        function = option(function)
    return function


@click.group("link")
def command() -> None:
    """List the links of an agency, and take their steps for its programs."""


@click.group("placement")
def placement() -> None:
    """List the placements of an agency."""


@command.command("list")
@_narrowing
@_options
@click.pass_obj
def list_links(
    settings: Settings, agency: str, consortium: str | None, states: tuple[str, ...], side: str | None, as_json: bool
) -> None:
    """List the links of an agency, the one whose last step is oldest first."""
    wanted, found, after = _wanted(states, side), list[dict[str, Any]](), None
    with agency_session(settings, agency, consortium, command="link list") as session:
        while True:
            some = list_links_after(session, wanted, after=after, limit=_AT_ONCE)
            found += [LinkCardSchema().dump(link_card(line)) for line in some.shown]
            after = some.end
            if after is None:
                break
    _answer(found, as_json=as_json, empty="There is no such link.", id_of="id")


@command.command("show")
@click.argument("link_id", type=click.UUID)
@_options
@click.pass_obj
def show(settings: Settings, link_id: UUID, agency: str, consortium: str | None, as_json: bool) -> None:
    """Say how far LINK_ID is, who did what, and what comes next with what is missing."""
    with agency_session(settings, agency, consortium, command="link show") as session:
        link = get_link(session, link_id)
        found = LinkSchema().dump(link_answer(session, link, now=utc_now()))
    _say_link(found, as_json=as_json)


@command.command("step")
@click.argument("link_id", type=click.UUID)
@click.argument("step", type=click.Choice([step.value for step in TAKEN]))
@click.option("--client", "client_id", type=click.UUID, required=True, help="The agency’s program that takes it.")
@click.option("--reason", required=True, help="Why, in words that both agencies read.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day that the step asks for, as 2027-03-09.")
@click.option("--outcome", type=click.Choice([each.value for each in LinkOutcome]), help="What an ended link came to.")
@click.option("--feedback", help="What the other agency can use of an ended link.")
@click.option("--court", type=click.Choice([each.value for each in Court]), help="Which court made the order.")
@click.option("--ended-by", type=click.Choice([each.value for each in EndedBy]), help="Who ended a placement.")
@click.option("--version", type=int, help="The link’s version that was seen; without it, the present one.")
@_options
@click.pass_obj
def step(
    settings: Settings,
    link_id: UUID,
    step: str,
    client_id: UUID,
    reason: str,
    day: datetime | None,
    outcome: str | None,
    feedback: str | None,
    court: str | None,
    ended_by: str | None,
    version: int | None,
    agency: str,
    consortium: str | None,
    as_json: bool,
) -> None:
    """Take STEP of LINK_ID in the name of one of the agency's programs; a person takes theirs on the site."""
    more = {name: said for name, said in ((COURT, court), (ENDED_BY, ended_by)) if said}
    came_to = LinkOutcome(outcome) if outcome else None
    facts = StepFacts(reason, day=day.date() if day else None, outcome=came_to, feedback=feedback, more=more)
    with workplace(settings) as place:
        scope = _program(place, agency_scope(place.database, agency, consortium=consortium), client_id)
        with place.database.transaction(scope) as session:
            session.info["request_id"] = "cli:link step"
            link, now = get_link(session, link_id), utc_now()
            take(
                session,
                link,
                StepName(step),
                version=link.version if version is None else version,
                facts=facts,
                now=now,
            )
            found = LinkSchema().dump(link_answer(session, link, now=now))
    _say_link(found, as_json=as_json)


@placement.command("list")
@_narrowing
@_options
@click.pass_obj
def list_placements(
    settings: Settings, agency: str, consortium: str | None, states: tuple[str, ...], side: str | None, as_json: bool
) -> None:
    """List the placements of an agency, the one whose link has been still longest first."""
    wanted, found, after = _wanted(states, side), list[dict[str, Any]](), None
    with agency_session(settings, agency, consortium, command="placement list") as session:
        while True:
            some, rows = list_placements_after(session, wanted, after=after, limit=_AT_ONCE)
            cards = [placement_card(line, rows[line.link.id]) for line in some.shown]
            found += [PlacementCardSchema().dump(card) for card in cards]
            after = some.end
            if after is None:
                break
    _answer(found, as_json=as_json, empty="There is no such placement.", id_of="link_id")


@placement.command("show")
@click.argument("link_id", type=click.UUID)
@_options
@click.pass_obj
def show_placement(settings: Settings, link_id: UUID, agency: str, consortium: str | None, as_json: bool) -> None:
    """Say the days, the plan and the reviews of the placement of LINK_ID."""
    with agency_session(settings, agency, consortium, command="placement show") as session:
        found = PlacementSchema().dump(placement_answer(session, get_placement(session, link_id)))
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo(_words(found))
    for name, day in ({name: found[name] for name in found if name.endswith("_on")} | found["plan"]).items():
        if day:
            click.echo(f"  {name.removesuffix('_on').replace('_', ' ')}: {day}")
    for each in found["reviews"]:
        how = f"held {each['held_on']}" if each["held_on"] else "not held"
        click.echo(f"  review {each['number']}: due {each['due_on']}, {how}")


def _wanted(states: tuple[str, ...], side: str | None) -> Wanted:
    return Wanted(frozenset(LinkState(state) for state in states), side or "all")


def _program(place: Workplace, scope: Scope, client_id: UUID) -> Scope:
    """Return the scope of one of the agency's programs, as its token would give it.

    :raises ClientUnknown: when the agency has no such program.
    :raises ClientOver: when it was ended, or its days are over.
    """
    with place.database.transaction(scope) as session:
        client = get_client(session, client_id)
        if not client.live(utc_now()):
            raise ClientOver("This API client has ended. Add another, or name one that goes on.")
        return Scope(
            agency_id=client.agency_id,
            consortium_id=client.consortium_id,
            client_id=client.id,
            opens=frozenset(verb.value for verb in verbs_of(client.scopes)),
        )


def _answer(found: list[dict[str, Any]], *, as_json: bool, empty: str, id_of: str) -> None:
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each[id_of]}  {_words(each)}")
    if not found:
        click.echo(empty)


def _say_link(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo(_words(found))
    for each in found["steps"]:
        click.echo(f"  {each['at'][:10]}  {each['to_state']}: {each['reason']} ({each['by']}, {each['agency']})")
    for each in found["next_steps"]:
        whose = "" if each["own"] else ", the other agency’s to take"
        click.echo(f"  next: {each['step']}{whose}")
        for words in each["missing"]:
            click.echo(f"    missing: {words}")


def _words(found: dict[str, Any]) -> str:
    group, household = found["group"], found["household"]
    return (
        f"{found['state']}: {group['code'] or 'a group'} of {group['agency']} and "
        f"{household['code'] or 'a household'} of {household['agency']}"
    )
