"""``concord pack``: ask for the packs of a meeting and wait until they are made."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy.orm import Session

from concord.cli.wait import wait_for_job, wait_for_jobs
from concord.cli.workplace import Workplace, agency_scope, jobs_running, workplace
from concord.settings import Settings
from matching.meeting import Meeting, get_meeting, is_office, list_meetings
from matching.pack import (
    Pack,
    PackFormat,
    download,
    get_pack,
    list_packs,
    next_version,
    request_all_packs,
    request_pack,
)
from tenants.base import utc_now
from tenants.error import NotFound
from tenants.scope import Scope


@click.group("pack")
def command() -> None:
    """Build packs for a matching meeting."""


@command.command("build")
@click.option("--agency", required=True, help="For whom: the consortium office builds every member's pack.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--meeting", type=click.UUID, help="Which meeting.  [default: the latest]")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Leave the agency's own files here.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def build(
    settings: Settings,
    agency: str,
    consortium: str | None,
    meeting: UUID | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Ask for the next version of an agency's pack, or from the office of all, and wait for the workers."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        with jobs_running(place) as staffed:
            built = build_packs(staffed, scope, meeting_id=meeting)
        files = save_pack(place, scope, built[0].id, output) if output else {}
    answer = {"packs": len(built), "version": built[0].version, "files": files}
    click.echo(json.dumps(answer, indent=2) if as_json else _words(built))


def build_packs(place: Workplace, scope: Scope, *, meeting_id: UUID | None = None) -> list[Pack]:
    """Ask for the next version as ``scope``, wait, and return the packs, the scope's own agency's first.

    :raises JobFailed: when one cannot be built.
    """
    with place.database.transaction(scope) as session:
        session.info["request_id"] = "cli:pack build"
        meeting = _meeting(session, meeting_id)
        if not is_office(session):
            pack = request_pack(session, meeting, now=utc_now())
            asked, version = pack.job_id, pack.version
        else:
            version = next_version(session, meeting)
            asked = request_all_packs(session, meeting, now=utc_now())
    return wait_for_packs(place, scope, meeting.id, version=version, asked=asked)


def wait_for_packs(place: Workplace, scope: Scope, meeting_id: UUID, *, version: int, asked: UUID) -> list[Pack]:
    """Wait for the job that asks for packs, then for each of theirs; return the packs, the scope's own first.

    :raises JobFailed: when one cannot be built.
    """
    wait_for_job(place.database, scope, asked, words="Asking for the packs", check=place.check)
    with place.database.transaction(scope) as session:
        packs = [pack for pack in list_packs(session, meeting_id) if pack.version == version]
    jobs = {pack.job_id: _scope_of(pack, scope) for pack in packs}
    wait_for_jobs(place.database, jobs, words="Building the packs", check=place.check)
    return sorted(packs, key=lambda pack: pack.agency_id != scope.agency_id)


def save_pack(place: Workplace, scope: Scope, pack_id: UUID, directory: Path) -> dict[str, str]:
    """Write a pack's files into a directory and return their paths by format."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kind in PackFormat:
        with place.database.transaction(scope) as session:
            pack = get_pack(session, pack_id)
            content = download(session, pack, kind=kind, now=utc_now())
        path = directory / f"pack-version-{pack.version}.{kind}"
        path.write_bytes(content)
        path.chmod(0o600)
        paths[kind.value] = str(path)
    return paths


def _meeting(session: Session, meeting_id: UUID | None) -> Meeting:
    if meeting_id is not None:
        return get_meeting(session, meeting_id)
    meetings = list_meetings(session)
    if not meetings:
        raise NoMeeting(
            "There is no meeting to build packs for. The consortium office arranges one: “concord meeting arrange”."
        )
    return meetings[0]


def _words(built: list[Pack]) -> str:
    if len(built) == 1:
        return f"The pack is ready, in version {built[0].version}."
    return f"{len(built)} packs of version {built[0].version} are ready."


def _scope_of(pack: Pack, scope: Scope) -> Scope:
    # Each pack's job is its own agency's, and only that scope sees it.
    return Scope(agency_id=pack.agency_id, consortium_id=scope.consortium_id)


class NoMeeting(NotFound):
    """The consortium has no meeting."""
