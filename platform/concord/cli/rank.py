"""``concord rank`` and ``concord why``: a group's list, and why a household is or is not on it."""

from __future__ import annotations

import json
from datetime import date, datetime

import click

from concord.cli.workplace import agency_session, today
from concord.schema.ranking import ExplanationSchema, FamilySchema
from concord.settings import Settings
from matching.household import get_household_by_reference
from matching.ranking_run import Pairing, families_for, why
from matching.sibling_group import get_group_by_reference
from tenants.base import utc_now

_agency = click.option("--agency", required=True, help="The agency for which to ask, by its short name.")
_consortium = click.option("--consortium", help="Which consortium, where the agency belongs to several.")
_group = click.option("--group", "reference", required=True, help="The group's code, or the agency's own reference.")
_as_of = click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to reckon ages for.  [default: today]"
)
_as_json = click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")


@click.command("rank")
@_agency
@_consortium
@_group
@click.option("--top", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many families.")
@_as_of
@_as_json
@click.pass_obj
def rank(
    settings: Settings,
    agency: str,
    consortium: str | None,
    reference: str,
    top: int,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """List the families for a sibling group, most points first, with reasons. The list is advice: a person decides."""
    day = _day(as_of)
    with agency_session(settings, agency, consortium, command="rank") as session:
        group = get_group_by_reference(session, reference)
        found = families_for(session, group, as_of=day, top=top, now=utc_now())
        answer = {
            "group": group.code,
            "as_of": day.isoformat(),
            "run": str(found.run.id),
            "policy": found.run.policy_version,
            "families_not_barred": found.families,
            "sibling_household": found.sibling_household,
            "families": FamilySchema(many=True).dump(found.best),
        }
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    families = "1 family" if found.families == 1 else f"{found.families} families"
    click.echo(f"{answer['group']}: {families} that no gate bars, as of {day:%d/%m/%Y}")
    if found.sibling_household:
        click.echo(f"A brother or sister lives with {found.sibling_household}: ask this family first.")
    for pairing in found.best:
        _say(pairing)


@click.command("why")
@_agency
@_consortium
@_group
@click.option("--household", required=True, help="The household's code, or the agency's own reference.")
@_as_of
@_as_json
@click.pass_obj
def why_command(
    settings: Settings,
    agency: str,
    consortium: str | None,
    reference: str,
    household: str,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Say why a household is, or is not, on a sibling group's list."""
    day = _day(as_of)
    with agency_session(settings, agency, consortium, command="why") as session:
        group = get_group_by_reference(session, reference)
        family = get_household_by_reference(session, household)
        explanation = why(session, group, family, as_of=day, now=utc_now())
        answer = {
            "group": group.code,
            "household": family.code,
            "as_of": day.isoformat(),
            **ExplanationSchema().dump(explanation),
        }
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    click.echo(f"{answer['household']} for {answer['group']}: {answer['band'] or 'not on the list'}")
    for gate in explanation.gates:
        click.echo(f"  {gate.verdict.value:<5} {gate.title}: {' '.join(gate.words)}")
    for contribution in explanation.contributions:
        click.echo(f"  {contribution.points:>3} of {contribution.most:<3} {contribution.title}")


def _day(as_of: datetime | None) -> date:
    return today() if as_of is None else as_of.date()


def _say(pairing: Pairing) -> None:
    explanation = pairing.explanation
    head = f"{pairing.position:>3}. {pairing.household.code}  {explanation.band}  ({explanation.points} points)"
    click.echo(f"{head}  {pairing.availability.label.lower()}")
    for mark, sentences in (("+", explanation.why), ("?", explanation.ask), ("-", explanation.against)):
        for sentence in sentences:
            click.echo(f"       {mark} {sentence}")
