"""``concord rings``: disjoint rings of the most weight in a bare digraph."""

from __future__ import annotations

import json
from pathlib import Path

import click

from matching.swap.digraph import GraphUnreadable, read_digraph
from matching.swap.ring import clear_rings

MOST_BYTES = 100_000_000


@click.command("rings")
@click.option(
    "--graph",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="A file with a weighted digraph as JSON; docs/cli.md documents the shape.",
)
@click.option("--max-length", type=click.IntRange(2, 4), default=3, show_default=True, help="The longest ring.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="How long to try.  [default: as it takes]")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
def command(graph: Path, max_length: int, seconds: float | None, as_json: bool) -> None:
    """Find disjoint rings of the greatest total weight, and prove that there are no better ones."""
    found = clear_rings(read_digraph(_read(graph)), longest=max_length, seconds=seconds)
    if as_json:
        click.echo(json.dumps({"rings": found.rings, "weight": found.weight}, ensure_ascii=False))
        return
    for ring in found.rings:
        click.echo(" → ".join((*ring, ring[0])))
    click.echo(f"{len(found.rings)} rings, weight {found.weight}")


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
