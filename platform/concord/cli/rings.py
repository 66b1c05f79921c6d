"""``concord rings``: rings of swaps that a swap group's own lists allow, or disjoint rings of a bare digraph."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from concord.settings import Settings
from matching.swap.digraph import GraphUnreadable, read_digraph
from matching.swap.ring import clear_rings

if TYPE_CHECKING:
    from matching.swap.opportunity import Opportunities, OpportunityLeg

MOST_BYTES = 100_000_000


@click.command("rings")
@click.option(
    "--graph",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a weighted digraph as JSON; docs/cli.md documents the shape.",
)
@click.option("--agency", help="The agency for which to ask, by its short name: the office sees all rings.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--swap-group", help="Which swap group, by its name, where the agency is in several.")
@click.option("--max-length", type=click.IntRange(2, 4), default=3, show_default=True, help="The longest ring.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="How long to look for a graph’s proof.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def command(
    settings: Settings,
    graph: Path | None,
    agency: str | None,
    consortium: str | None,
    swap_group: str | None,
    max_length: int,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Find rings that help most, and prove that there are no better ones: of a swap group, or of a bare digraph."""
    if (graph is None) is (agency is None):
        raise click.UsageError("Give either --graph, or --agency for rings of its swap group.")
    if graph is None:
        _swaps(settings, agency or "", consortium, swap_group, max_length, as_json=as_json)
        return
    found = clear_rings(read_digraph(_read(graph)), longest=max_length, seconds=seconds)
    if as_json:
        answer = {"rings": found.rings, "weight": found.weight, "proven": found.proven}
        click.echo(json.dumps(answer if found.proven else {**answer, "at_most": found.at_most}, ensure_ascii=False))
    else:
        for ring in found.rings:
            click.echo(" → ".join(map(str, (*ring, ring[0]))))
        click.echo(f"{len(found.rings)} rings, weight {found.weight}")
    if not found.proven:
        click.echo(f"Not proven: there may be better rings, of weight {found.at_most} at most.", err=True)
        sys.exit(1)


def _swaps(
    settings: Settings, agency: str, consortium: str | None, name: str | None, longest: int, *, as_json: bool
) -> None:
    """Say the rings of a swap group, as far as the agency may see them."""
    # Here, so that a bare graph needs no database and is read at once.
    from concord.cli.workplace import agency_session
    from matching.swap.group import find_swap_group
    from matching.swap.opportunity import find_opportunities, say_unproven
    from tenants.base import utc_now

    with agency_session(settings, agency, consortium, command="rings") as session:
        found = find_opportunities(session, find_swap_group(session, name), longest=longest, now=utc_now())
    if not found.proven:
        click.echo(say_unproven(found), err=True)
    if as_json:
        click.echo(json.dumps(_answer(found), indent=2, ensure_ascii=False))
        return
    click.echo("Something to talk about; no placement waits for another, and each agency answers for its own.")
    for number, ring in enumerate(found.rings, start=1):
        click.echo(f"Ring {number}")
        for leg in ring:
            click.echo(_line(leg))
    for leg in found.others:
        click.echo(_line(leg))


def _answer(found: Opportunities) -> dict[str, Any]:
    return {
        "as_of": found.as_of.isoformat(),
        "groups": found.groups,
        "planned": found.planned,
        "points": found.points,
        "proven": found.proven,
        "rings": [[_leg(leg) for leg in ring] for ring in found.rings],
        "others": [_leg(leg) for leg in found.others],
    }


def _leg(leg: OpportunityLeg) -> dict[str, Any]:
    return {
        "group": leg.group.code,
        "children_agency": leg.children_agency,
        "household": leg.household.code,
        "family_agency": leg.family_agency,
        "position": leg.position,
        "points": leg.points,
        "below_best": leg.below_best,
    }


def _line(leg: OpportunityLeg) -> str:
    return (
        f"  {leg.group.code} ({leg.children_agency})  {leg.household.code} ({leg.family_agency})  {leg.points} points"
    )


def _read(path: Path) -> object:
    """Return what a JSON file says.

    :raises GraphUnreadable: when it is none, or too large.
    """
    if path.stat().st_size > MOST_BYTES:
        raise GraphUnreadable(f"{path.name} has more than {MOST_BYTES // 10**6} million bytes.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise GraphUnreadable(f"{path.name} is not JSON: {error}.") from None
