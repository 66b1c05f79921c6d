"""``concord import``: hand in a sheet for an agency, wait for the workers, and say what became of each row."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from concord.cli.import_return import pack_paths, say_children
from concord.cli.wait import wait_for_job
from concord.cli.workplace import Workplace, agency_scope, jobs_running, workplace
from concord.schema.import_run import ImportRunSchema, RowOutcomeSchema
from concord.settings import Settings
from matching.intake.column import SHEETS, SheetKind
from matching.intake.import_run import ImportRun, get_import, read_report, request_import
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.sheet import MOST_BYTES, UnreadableSheet
from tenants.base import utc_now
from tenants.scope import Scope

FILE_REFUSED = 1
ROWS_REFUSED = 3
"""Exit codes: the whole file was refused; some rows were, and the others taken. 0 when every row was taken."""


@click.group("import")
def command() -> None:
    """Import households or children from a sheet, or an SSDA903 return; docs/data.md says how to write a sheet.

    Exits with 0 when every row was taken, 3 when some rows were refused and the others taken, 1 when the whole file was
    refused.
    """


def _command(kind: SheetKind) -> click.Command:
    @command.command(kind.value, help=f"Import {kind.value} from FILE, in one transaction.")
    @click.option("--agency", required=True, help="Whose they are, by the agency's short name.")
    @click.option("--consortium", help="Which consortium, where the agency belongs to several.")
    @click.option("--dry-run", is_flag=True, help="Say what would become of each row, and keep nothing.")
    @click.option("--rows", is_flag=True, help="Say it of every row, not of the refused ones alone.")
    @click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.pass_obj
    def run(
        settings: Settings, agency: str, consortium: str | None, dry_run: bool, rows: bool, as_json: bool, file: Path
    ) -> None:
        with workplace(settings) as place:
            scope = agency_scope(place.database, agency, consortium=consortium)
            done, report = import_sheet(place, scope, kind=kind, file=file, dry_run=dry_run)
        if as_json:
            click.echo(_as_json(done, report))
        else:
            _say(done, report if rows else [row for row in report if row.outcome is Outcome.REFUSED])
        sys.exit(_exit_code(done))

    return run


for _kind in SHEETS:
    _command(_kind)


@command.command(SheetKind.SSDA903.value)
@click.option("--agency", required=True, help="Whose return it is, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each child, and keep nothing.")
@click.option("--rows", is_flag=True, help="Say it of every child, not of the refused ones alone.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path))
@click.pass_obj
def import_return(
    settings: Settings,
    agency: str,
    consortium: str | None,
    dry_run: bool,
    rows: bool,
    as_json: bool,
    paths: tuple[Path, ...],
) -> None:
    """Import the children of an SSDA903 return who wait for adopters.

    PATH is the folder of its CSV files, a zip of them, its XML, or several CSV files together.
    """
    filename, content = pack_paths(paths)
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        done, report = import_content(
            place, scope, kind=SheetKind.SSDA903, filename=filename, content=content, dry_run=dry_run
        )
    if as_json:
        click.echo(_as_json(done, report))
    else:
        _say_return(done, report if rows else [row for row in report if row.outcome is Outcome.REFUSED])
    sys.exit(_exit_code(done))


def import_sheet(
    place: Workplace, scope: Scope, *, kind: SheetKind, file: Path, dry_run: bool
) -> tuple[ImportRun, list[RowOutcome]]:
    """Hand in a file as ``scope``, wait until a worker has taken it, and return the import with its report.

    :raises UnreadableSheet: when the file is too large to hand in.
    :raises JobFailed: when the import could not be done.
    """
    if file.stat().st_size > MOST_BYTES:
        raise UnreadableSheet(f"{file.name} is larger than {MOST_BYTES // 2**20} MB. Split it in parts.")
    return import_content(place, scope, kind=kind, filename=file.name, content=file.read_bytes(), dry_run=dry_run)


def import_content(
    place: Workplace, scope: Scope, *, kind: SheetKind, filename: str, content: bytes, dry_run: bool
) -> tuple[ImportRun, list[RowOutcome]]:
    """Hand in a file's content as ``scope``, wait until a worker has taken it, and return the import with its report.

    :raises UnreadableSheet: when it is too large to keep.
    :raises JobFailed: when the import could not be done.
    """
    with place.database.transaction(scope) as session:
        session.info["request_id"] = "cli:import"
        asked = request_import(session, kind=kind, filename=filename, content=content, dry_run=dry_run, now=utc_now())
    with jobs_running(place, workers=1) as staffed:
        wait_for_job(place.database, scope, asked.job_id, words=f"Importing {filename}", check=staffed.check)
    with place.database.transaction(scope) as session:
        session.info["request_id"] = "cli:import"
        done = get_import(session, asked.id)
        return done, read_report(session, done, now=utc_now())


def _exit_code(done: ImportRun) -> int:
    if done.refusal is not None:
        return FILE_REFUSED
    return ROWS_REFUSED if done.refused else 0


def _as_json(done: ImportRun, report: list[RowOutcome]) -> str:
    answer = {**ImportRunSchema().dump(done), "rows": RowOutcomeSchema(many=True).dump(report)}
    return json.dumps(answer, indent=2, ensure_ascii=False)


def _say_return(done: ImportRun, report: Iterable[RowOutcome]) -> None:
    if not _say_whole(done):
        return
    for line in say_children(report):
        click.echo(line)
    counts = f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged, "
    counts += f"{done.not_for_adoption} not for adoption, {done.refused} refused."
    click.echo(f"Children: {counts}" + (" This was a dry run: nothing was kept." if done.dry_run else ""))


def _say_whole(done: ImportRun) -> bool:
    """Say what holds of the whole file; whether any of it was taken."""
    if done.refusal is not None:
        click.echo(f"{done.filename} was refused whole. {done.refusal}", err=True)
        return False
    for note in done.notes:
        click.echo(f"Note: {note}")
    return True


def _say(done: ImportRun, report: Iterable[RowOutcome]) -> None:
    if not _say_whole(done):
        return
    for row in report:
        _say_row(row)
    counts = f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged, {done.refused} refused."
    click.echo(f"Rows: {counts}" + (" This was a dry run: nothing was kept." if done.dry_run else ""))


def _say_row(row: RowOutcome) -> None:
    if not row.problems:
        columns = f": {', '.join(change.heading for change in row.changed)}" if row.changed else ""
        click.echo(f"Row {row.row} {row.outcome}{columns}")
    for problem in row.problems:
        column = f", {problem.column}" if problem.column else ""
        value = f", “{problem.value}”" if problem.value is not None else ""
        click.echo(f"Row {row.row} refused{column}{value}: {problem.reason}")
