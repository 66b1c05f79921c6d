"""``concord jobs``: what was asked for, where it stands, and another try for what failed."""

from __future__ import annotations

import json
from uuid import UUID

import click

from concord.cli.workplace import workplace
from concord.schema.job import JobSchema
from concord.settings import Settings
from tenants.base import utc_now
from tenants.job import JobState, get_job, list_jobs, retry_job
from tenants.scope import OPERATOR


@click.group("jobs")
def command() -> None:
    """List jobs and run failed ones again."""


@command.command("list")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_command(settings: Settings, state: str | None, as_json: bool) -> None:
    """List the newest jobs of all agencies: their kinds and states, never what they hold."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        found = JobSchema(many=True).dump(list_jobs(session, state=JobState(state) if state else None))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for job in found:
        reason = f"  {job['reason']}" if job["reason"] else ""
        click.echo(f"{job['id']}  {job['requested_at']}  {job['kind']:<16} {job['state']}{reason}")
    if not found:
        click.echo("There are no such jobs.")


@command.command("retry")
@click.argument("job_id", type=click.UUID)
@click.pass_obj
def retry_command(settings: Settings, job_id: UUID) -> None:
    """Set a failed or cancelled job to run again."""
    with workplace(settings) as place, place.database.transaction(OPERATOR) as session:
        retry_job(session, get_job(session, job_id), now=utc_now())
    click.echo(f"{job_id} waits to run again.")
