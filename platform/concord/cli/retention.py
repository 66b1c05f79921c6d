"""``concord retention``: see what is due in an agency, and wait until what two people agreed on is done."""

from __future__ import annotations

import json
from uuid import UUID

import click

from concord.cli.wait import wait_for_job
from concord.cli.workplace import agency_scope, agency_session, jobs_running, workplace
from concord.settings import Settings
from matching.retention.run import NothingChosen, get_run, list_items, see_preview
from tenants.base import utc_now


@click.group("retention")
def command() -> None:
    """See what is due under an agency's retention schedule, and destroy what two people agreed on."""


@command.command("preview")
@click.option("--agency", required=True, help="Whose records.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def preview(settings: Settings, agency: str, consortium: str | None, as_json: bool) -> None:
    """Say what is due today, what a hold keeps, and what has no start to count from. Nothing is changed."""
    with agency_session(settings, agency, consortium, command="retention preview") as session:
        found, _ = see_preview(session, on=utc_now().date(), now=utc_now())
    answer = {
        "due": [{"code": kept.code, "class": kept.rule.record_class, "due_on": str(kept.due_on)} for kept in found.due],
        "held": [kept.code for kept in found.held],
        "undated": [kept.code for kept in found.undated],
    }
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    for kept in found.due:
        click.echo(f"{kept.code:<24} due {kept.due_on}  {kept.rule.title}: {kept.rule.period}")
    click.echo(f"{len(found.due)} due, {len(found.held)} held, {len(found.undated)} without a start to count from.")


@command.command("run")
@click.argument("run_id", type=click.UUID)
@click.option("--agency", required=True, help="Whose records.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.pass_obj
def run(settings: Settings, run_id: UUID, agency: str, consortium: str | None) -> None:
    """Wait until the destruction RUN_ID, which two people of the agency have agreed on at its page, is done."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        with place.database.transaction(scope) as session:
            job_id = get_run(session, run_id).job_id
        if job_id is None:
            raise NothingChosen("Nobody has approved this destruction. A second person does so on its page.")
        with jobs_running(place) as staffed:
            wait_for_job(place.database, scope, job_id, words="Destroying records", check=staffed.check)
        with place.database.transaction(scope) as session:
            items = list_items(session, get_run(session, run_id))
    destroyed = sum(item.destroyed is not None for item in items)
    click.echo(f"{destroyed} destroyed, {len(items) - destroyed} kept.")
