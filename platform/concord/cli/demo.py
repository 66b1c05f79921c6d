"""``concord demo``: a synthetic consortium, from its sheets to its packs, and the site to look at it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from concord.cli.pack import save_pack, wait_for_packs
from concord.cli.wait import wait_for_jobs
from concord.cli.workplace import Workplace, open_database, today
from concord.demo import DemoPlan, write_demo
from concord.demo import stage as staging
from concord.demo.consortium import OFFICE_SLUG
from concord.demo.invoice import make_invoices
from concord.demo.link import LINKS, make_links
from concord.demo.netting import make_netting, netting_made
from concord.demo.remittance import make_bank_files
from concord.demo.stage import HandedIn, Stage
from concord.migrations import upgrade
from concord.provider.people import FILE_NAME
from concord.servers.deployment import running_servers
from concord.servers.program import require_ports, start_jobs, start_site
from concord.servers.stop_signal import ended_by_signals, wait_for_stop
from concord.servers.supervisor import Supervisor
from concord.settings import Settings
from concord.web.settings import provider_url
from matching.pack import get_pack_version
from matching.ranking.engine import warm
from tenants.base import utc_now

T = TypeVar("T")
SHOWN = "devon"
"""The agency whose pack is left on disk."""


@dataclass(slots=True)
class Clock:
    """How long each step took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step, and say on standard error that it is under way."""
        click.echo(f"  {name} …", err=True)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)

    @contextmanager
    def entered(self, name: str, entry: AbstractContextManager[T]) -> Iterator[T]:
        """Time how long it takes to enter a context, and stay in it."""
        with ExitStack() as stack:
            with self.step(name):
                value = stack.enter_context(entry)
            yield value


@click.command("demo")
@click.option("--exit", "leave", is_flag=True, help="Do everything but serve.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
@click.option("--port", type=click.IntRange(1, 65535), help="Where the site listens.  [default: CONCORD_PORT, or 8000]")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed makes another consortium.")
@click.option("--households", type=click.IntRange(0), default=140, show_default=True)
@click.option("--groups", type=click.IntRange(0), default=300, show_default=True)
@click.pass_obj
def command(
    settings: Settings, leave: bool, as_json: bool, port: int | None, seed: int, households: int, groups: int
) -> None:
    """Make a synthetic consortium, rank, have the workers build the packs, and serve the site until Ctrl-C."""
    settings = replace(settings, demo=True, port=port or settings.port)
    clock = Clock()
    if not leave:
        require_ports(settings)
    with ended_by_signals(), clock.entered("servers", running_servers(settings, join=False)) as deployment:
        with clock.step("migrations"):
            upgrade(deployment.migrate_url, scope_key=deployment.scope_key)
        with clock.step("sheets"):
            plan = _plan(deployment.data_dir / "demo", seed=seed, households=households, groups=groups)
            staging.write_people(plan, deployment.data_dir / FILE_NAME)
        with Supervisor() as supervisor:
            check = start_jobs(supervisor, deployment)
            place = Workplace(settings, deployment, open_database(deployment), alone=False, check=check)
            stage = _fill(place, plan, clock)
            if not leave:
                with clock.step("site"):
                    click.echo(_welcome(start_site(supervisor, deployment)), err=as_json)
            made = _build(place, plan, stage, clock)
            click.echo(json.dumps(made, indent=2) if as_json else _words(made))
            if not leave:
                wait_for_stop()
                click.echo("Stopping.")


def _plan(directory: Path, *, seed: int, households: int, groups: int) -> DemoPlan:
    directory.mkdir(parents=True, exist_ok=True)
    # Kept, for the same day gives the same sheets: a demonstration started again tomorrow has nothing new to import.
    kept = directory / "as-of"
    if not kept.exists():
        kept.write_text(today().isoformat(), encoding="utf-8")
    as_of = date.fromisoformat(kept.read_text(encoding="utf-8").strip())
    return write_demo(directory / "sheets", seed=seed, as_of=as_of, households=households, groups=groups)


def _fill(place: Workplace, plan: DemoPlan, clock: Clock) -> Stage:
    database = place.database
    with clock.step("tenants"):
        stage = staging.set_stage(database, plan, issuer=provider_url(place.deployment.provider_port))
    with clock.step("import"):
        staging.import_sheets(database, plan, stage, wait=lambda handed: _wait(place, handed))
    return stage


def _wait(place: Workplace, handed: Iterable[HandedIn]) -> None:
    jobs = {each.job_id: each.scope for each in handed}
    wait_for_jobs(place.database, jobs, words="Importing the sheets", check=place.check)


def _build(place: Workplace, plan: DemoPlan, stage: Stage, clock: Clock) -> dict[str, Any]:
    database = place.database
    with clock.step("ranking"):
        warm()
        rankings = staging.rank_all(database, stage, as_of=today())
    with clock.step("links"):
        cast = staging.cast(database, plan, stage, issuer=provider_url(place.deployment.provider_port))
        make_links(database, cast, office=OFFICE_SLUG, now=utc_now())
    with clock.step("packs"):
        meeting, asked = staging.arrange(database, stage)
        wait_for_packs(place, stage.office, meeting.id, version=1, asked=asked)
        with database.transaction(stage.scopes[SHOWN]) as session:
            shown = get_pack_version(session, meeting.id, version=1, agency_id=stage.scopes[SHOWN].agency_id)
        files = save_pack(place, stage.scopes[SHOWN], shown.id, place.deployment.data_dir / "demo" / "packs")
    with clock.step("bank files"):
        sides = sorted({slug for each in LINKS for slug in (each.family, each.children)})
        if not netting_made(database, cast):
            make_invoices(database, cast, agencies=sides, now=utc_now())
            make_bank_files(database, cast, agencies=sorted({each.family for each in LINKS}), now=utc_now())
            make_netting(database, cast, now=utc_now())
    households, groups = staging.count_register(database, stage)
    return {
        "agencies": len(stage.members),
        "households": households,
        "groups": groups,
        "rankings": rankings,
        "seconds": clock.seconds,
        "pack": files,
    }


def _words(made: dict[str, Any]) -> str:
    return (
        f"{made['agencies']} agencies have {made['households']} households and {made['groups']} sibling groups; "
        f"{made['rankings']} groups were ranked.\nDevon’s pack: {made['pack']['pdf']} and {made['pack']['xlsx']}"
    )


def _welcome(url: str) -> str:
    return (
        f"\nConcord is at {url} – every person in it is invented.\n"
        "Choose “Sign in”, then for instance Devon’s family finder, the consortium office’s coordinator, or Cornwall’s "
        "finance officer, for whom a netting waits.\n"
        "On Import, Devon’s family finder finds two sheets left to try: of one the columns are not clear, and in the "
        "other some rows are to be mended.\n"
        "Stop it with Ctrl-C. Meanwhile the groups are ranked, links are made, and the workers build the packs.\n"
    )
