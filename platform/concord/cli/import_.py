"""``concord import``: hand in a file for an agency, wait for the workers, and say what became of each row."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from uuid import UUID

import click

from concord.cli.import_columns import LEFT_OUT, Answers, say_columns
from concord.cli.import_return import pack_paths, say_children
from concord.cli.import_run import as_json as told_as_json
from concord.cli.import_run import import_content, report_of, say_rows, transaction, wait_or_cancel
from concord.cli.workplace import Workplace, agency_scope, workplace
from concord.settings import Settings
from matching.intake.column import SHEETS, SheetKind
from matching.intake.import_run import ImportRun, get_import, read_mapping
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.refusals import list_refusals
from matching.intake.sheet import MOST_BYTES, UnreadableSheet
from matching.intake.undo import request_undo
from tenants.base import utc_now
from tenants.scope import Scope
from workers.document.refusals import render_refusals

FILE_REFUSED = 1
ROWS_REFUSED = 3
COLUMNS_UNSURE = 4
"""Exit codes: the whole file was refused; some rows were, and the others taken; it is not certain what the columns
hold. 0 when every row was taken."""


@click.group("import")
def command() -> None:
    """Import households or children from a sheet, or an SSDA903 return; docs/data.md says how to write a sheet.

    Exits with 0 when every row was taken, 3 when some rows were refused and the others taken, 4 when it is not certain
    what the columns hold, 1 when the whole file was refused.
    """


def _command(kind: SheetKind) -> click.Command:
    @command.command(kind.value, help=f"Import {kind.value} from FILE, in one transaction.")
    @click.option("--agency", required=True, help="Whose they are, by the agency's short name.")
    @click.option("--consortium", help="Which consortium, where the agency belongs to several.")
    @click.option("--dry-run", is_flag=True, help="Say what would become of each row, and keep nothing.")
    @click.option("--rows", is_flag=True, help="Say it of every row, not of the refused ones alone.")
    @click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
    @click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="THEIRS=OURS",
        help=f"What a column holds, by its heading or letter; {LEFT_OUT} leaves it out. As often as needed.",
    )
    @click.option("--sheet", "sheets", multiple=True, help="A worksheet to read. Without it, those that fit.")
    @click.option("--key", "keys", multiple=True, help="A heading that knows a row where there is no reference.")
    @click.option("--accept", is_flag=True, help="Take every other column for what it looks like.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.pass_obj
    def run(
        settings: Settings,
        agency: str,
        consortium: str | None,
        dry_run: bool,
        rows: bool,
        as_json: bool,
        columns: tuple[str, ...],
        sheets: tuple[str, ...],
        keys: tuple[str, ...],
        accept: bool,
        file: Path,
    ) -> None:
        if file.stat().st_size > MOST_BYTES:
            raise UnreadableSheet(f"{file.name} is larger than {MOST_BYTES // 2**20} MB. Split it in parts.")
        with workplace(settings) as place:
            scope = agency_scope(place.database, agency, consortium=consortium)
            done = import_content(
                place,
                scope,
                kind=kind,
                filename=file.name,
                content=file.read_bytes(),
                dry_run=dry_run,
                answers=Answers(columns, sheets, keys, accept),
            )
            report = report_of(place, scope, done)
            if done.needs_mapping and not as_json:
                _say_mapping(place, scope, done)
        _say(done, report, as_json=as_json, every_row=rows)

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
        done = import_content(place, scope, kind=SheetKind.SSDA903, filename=filename, content=content, dry_run=dry_run)
        report = report_of(place, scope, done)
    _say(done, report, as_json=as_json, every_row=rows)


@command.command("undo")
@click.option("--agency", required=True, help="Whose import it was, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.argument("import_id", type=click.UUID)
@click.pass_obj
def undo(settings: Settings, agency: str, consortium: str | None, import_id: UUID) -> None:
    """Take a whole import back, within a day and while nothing is built on it."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        with transaction(place, scope) as session:
            run = get_import(session, import_id)
            job_id = request_undo(session, run, now=utc_now())
        wait_or_cancel(place, scope, job_id, words=f"Taking {run.filename} back")
    click.echo(f"{run.filename} was taken back: {run.added} removed, {run.changed} put back as before.")


@command.command("refusals")
@click.option("--agency", required=True, help="Whose import it was, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The workbook.")
@click.argument("import_id", type=click.UUID)
@click.pass_obj
def refusals(settings: Settings, agency: str, consortium: str | None, output: Path, import_id: UUID) -> None:
    """Write the refused rows of an import as they were handed in, each with what to mend, to be handed in again."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        with transaction(place, scope) as session:
            run = get_import(session, import_id)
            content = render_refusals(list_refusals(session, run, now=utc_now()))
    # It says who people are, so its owner alone may read it.
    with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    click.echo(f"{output}: {run.refused} refused {'row' if run.refused == 1 else 'rows'}.")


def _say_mapping(place: Workplace, scope: Scope, done: ImportRun) -> None:
    with transaction(place, scope) as session:
        mapping = read_mapping(session, get_import(session, done.id), now=utc_now())
    for line in say_columns(mapping):
        click.echo(line)
    click.echo("Say what is marked “?” with --column, or take all as they look with --accept.")


def _say(done: ImportRun, report: list[RowOutcome], *, as_json: bool, every_row: bool) -> None:
    """Say what came of an import, and leave with its exit code."""
    if as_json:
        click.echo(told_as_json(done, report))
    elif done.refusal is not None:
        click.echo(f"{done.filename} was not taken. {done.refusal}", err=True)
    else:
        wanted = report if every_row else [row for row in report if row.outcome is Outcome.REFUSED]
        for note in done.notes:
            click.echo(f"Note: {note}")
        for line in say_children(wanted) if done.kind is SheetKind.SSDA903 else say_rows(wanted):
            click.echo(line)
        click.echo(_counts(done))
    sys.exit(_exit_code(done))


def _counts(done: ImportRun) -> str:
    noun, others = ("Rows", "")
    if done.kind is SheetKind.SSDA903:
        noun, others = "Children", f" {done.not_for_adoption} not for adoption,"
    counts = f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged,{others} {done.refused} refused."
    return f"{noun}: {counts}" + (" This was a dry run: nothing was kept." if done.dry_run else "")


def _exit_code(done: ImportRun) -> int:
    if done.needs_mapping:
        return COLUMNS_UNSURE
    if done.refusal is not None:
        return FILE_REFUSED
    return ROWS_REFUSED if done.refused else 0
