"""``concord monitoring``: how long stages take and what became of links."""

from __future__ import annotations

import json

import click

from concord.cli.workplace import agency_session
from concord.settings import Settings
from matching.monitoring.figure import Figure
from matching.monitoring.report import read_report
from tenants.base import utc_now


@click.command("monitoring")
@click.option("--agency", required=True, help="The agency for which to ask, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def command(settings: Settings, agency: str, consortium: str | None, as_json: bool) -> None:
    """Say how long children wait and stages take, and what became of links."""
    with agency_session(settings, agency, consortium, command="monitoring") as session:
        report = read_report(session, now=utc_now())
    if as_json:
        figures = {
            "figures": [_data(figure) for figure in report.figures],
            "trends": [_data(figure) for figure in report.trends],
        }
        click.echo(json.dumps({"on": report.on.isoformat(), **figures}, indent=2, ensure_ascii=False))
    else:
        for figure in report.figures:
            _say(figure)


def _data(figure: Figure) -> dict[str, object]:
    return {"name": figure.name, "title": figure.title, "note": figure.note, "rows": figure.as_dicts()}


def _say(figure: Figure) -> None:
    click.echo(figure.title)
    for row in (figure.headings, *figure.rows):
        click.echo(f"  {'  '.join(str(cell) for cell in row)}")
