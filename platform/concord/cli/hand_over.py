"""``concord agency merge``, ``hand-over``, ``hand-overs``: propose that an agency hands over to another, and watch."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from concord.cli.lives import agency
from concord.cli.workplace import workplace
from concord.settings import Settings
from tenants.agency import get_agency, get_agency_by_slug
from tenants.base import utc_now
from tenants.hand_over import HandOver, HandOverKind, list_hand_overs, preview_hand_over, propose_hand_over
from tenants.scope import OPERATOR

__all__ = ["agency"]

_DAY = click.DateTime(["%Y-%m-%d"])
_WHAT = {
    "households": [HandOverKind.HOUSEHOLD],
    "groups": [HandOverKind.GROUP],
    "records": list(HandOverKind),
}
_ON = click.option("--on", "on", type=_DAY, help="The day on which it is done.  [default: today]")
_REASON = click.option("--reason", required=True, help="Why; name no child and no family.")


@agency.command("merge")
@click.argument("slug")
@click.option("--into", "receiver", required=True, help="Whose everything becomes.")
@_ON
@_REASON
@click.pass_obj
def merge(settings: Settings, slug: str, receiver: str, on: datetime | None, reason: str) -> None:
    """Propose that the agency SLUG merges into another; one person of each agrees on their page “Handing over”."""
    _propose(settings, slug, receiver, kinds=[], on=on, reason=reason)


@agency.command("hand-over")
@click.argument("slug")
@click.option("--to", "receiver", required=True, help="Whose they become.")
@click.option("--what", type=click.Choice(list(_WHAT)), required=True, help="Which of its records.")
@_ON
@_REASON
@click.pass_obj
def hand_over(settings: Settings, slug: str, receiver: str, what: str, on: datetime | None, reason: str) -> None:
    """Propose that the agency SLUG hands records over; one person of each agrees on their page “Handing over”."""
    _propose(settings, slug, receiver, kinds=_WHAT[what], on=on, reason=reason)


@agency.command("hand-overs")
@click.option("--try", "attempt", is_flag=True, help="Say of each that is to come how many rows would move now.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def hand_overs(settings: Settings, attempt: bool, as_json: bool) -> None:
    """List plans to hand over: where each stands, who has agreed and who has signed."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        found = [_said(session, each, attempt=attempt) for each in list_hand_overs(session)]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for each in found:
        way = "merges into" if each["whole"] else f"hands {' and '.join(each['kinds'])} over to"
        click.echo(f"{each['on']}  {each['agency']} {way} {each['receiver']}: {each['state']}")
        for name, times in (("agreed", each["agreed"]), ("signed", each["signed"])):
            click.echo(f"  {name} by: {', '.join(side for side, at in times.items() if at) or 'nobody yet'}")
        for hindrance in each.get("hindrances", ()):
            click.echo(f"  stands against it: {hindrance}")
        if "rows" in each:
            click.echo(f"  rows: {each['rows']}")


def _propose(
    settings: Settings, slug: str, receiver: str, *, kinds: list[HandOverKind], on: datetime | None, reason: str
) -> None:
    now = utc_now()
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        session.info["request_id"] = "cli:hand-over"
        propose_hand_over(
            session,
            get_agency_by_slug(session, slug),
            receiver=get_agency_by_slug(session, receiver),
            takes_effect_on=on.date() if on else now.date(),
            reason=reason,
            kinds=kinds,
            now=now,
        )
    click.echo(f"Proposed. {slug} and {receiver} each agree on their page “Handing over”, at /agency/hand-overs.")


def _said(session: Session, plan: HandOver, *, attempt: bool) -> dict[str, Any]:
    on = utc_now().date()
    giver, receiver = (get_agency(session, each).slug for each in (plan.agency_id, plan.receiver_id))
    said: dict[str, Any] = {
        "id": str(plan.id),
        "agency": giver,
        "receiver": receiver,
        "whole": plan.whole,
        "kinds": plan.kinds,
        "records": None if plan.record_ids is None else len(plan.record_ids),
        "on": plan.takes_effect_on.isoformat(),
        "state": plan.state(on=on),
        "agreed": {giver: _time(plan.given_at), receiver: _time(plan.taken_at)},
        "signed": {giver: _time(plan.giver_signed_at), receiver: _time(plan.receiver_signed_at)},
    }
    if plan.counts is not None:
        said["rows"] = plan.counts["rows"]
    elif attempt and plan.withdrawn_at is None:
        found = preview_hand_over(session, plan)
        said |= {"hindrances": list(found.hindrances), "rows": sum(found.counts.values()), "tables": found.counts}
    return said


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
