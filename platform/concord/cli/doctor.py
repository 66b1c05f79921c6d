"""``concord doctor``: what is found, what is wrong, and how to mend it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from concord.servers.diagnosis import Finding, State, diagnose
from concord.settings import Settings

_MARKS = {State.GOOD: "good ", State.NOTE: "note ", State.WRONG: "WRONG"}


@click.command("doctor")
@click.option(
    "--json", "as_json", is_flag=True, help='Print {"good": bool, "findings": [{subject, state, found, mend}]}.'
)
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Say what is found, what is wrong and how to mend it; exit with 1 if anything is wrong.

    Embedded servers are started for the examination if they aren't running.
    """
    settings: Settings = context.obj
    findings = []
    for finding in diagnose(settings):
        findings.append(finding)
        if not as_json:
            _show(finding)
    good = all(finding.state is not State.WRONG for finding in findings)
    if as_json:
        click.echo(json.dumps({"good": good, "findings": [asdict(finding) for finding in findings]}, indent=2))
    context.exit(0 if good else 1)


def _show(finding: Finding) -> None:
    click.echo(f"{_MARKS[finding.state]}  {finding.subject}: {finding.found}")
    if finding.mend:
        click.echo(f"       → {finding.mend}")
