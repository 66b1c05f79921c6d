"""An import as the command line drives it: handed in, waited for, stopped by Ctrl-C, taken back, told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import click
from sqlalchemy.orm import Session

from concord.cli.import_columns import Answers, choices_of
from concord.cli.wait import wait_for_job
from concord.cli.workplace import Workplace, jobs_running
from concord.schema.import_run import ImportRunSchema, RowOutcomeSchema
from matching.intake.column import SheetKind
from matching.intake.import_run import ImportRun, choose_mapping, get_import, read_mapping, read_report, request_import
from matching.intake.outcome import Outcome, RowOutcome
from tenants.base import utc_now
from tenants.job import JobOver, cancel_job, get_job
from tenants.scope import Scope


@contextmanager
def transaction(place: Workplace, scope: Scope) -> Iterator[Session]:
    """Open a transaction of the command's own name."""
    with place.database.transaction(scope) as session:
        session.info["request_id"] = "cli:import"
        yield session


def import_content(
    place: Workplace,
    scope: Scope,
    *,
    kind: SheetKind,
    filename: str,
    content: bytes,
    dry_run: bool,
    answers: Answers | None = None,
) -> ImportRun:
    """Hand in a file's content as ``scope``, wait until a worker has taken it, and return the import.

    With ``answers`` the file is checked first, and then taken with its columns as they say.

    :raises UnreadableSheet: when it is too large to keep.
    :raises ColumnUnknown: when an answer names what the file does not have.
    :raises MappingWrong: when the columns cannot be taken so.
    :raises JobFailed: when the import could not be done.
    """

    def ask(session: Session) -> ImportRun:
        first = bool(answers) or dry_run
        return request_import(session, kind=kind, filename=filename, content=content, dry_run=first, now=utc_now())

    def ask_again(session: Session) -> ImportRun:
        run = get_import(session, done.id)
        choices = choices_of(read_mapping(session, run, now=utc_now()), answers or Answers())
        return choose_mapping(session, run, choices, now=utc_now(), dry_run=dry_run)

    done = _through(place, scope, ask, words=f"Importing {filename}")
    if answers and (done.refusal is None or done.needs_mapping):
        done = _through(place, scope, ask_again, words=f"Importing {filename}")
    return done


def report_of(place: Workplace, scope: Scope, run: ImportRun) -> list[RowOutcome]:
    """Return what became of each row."""
    with transaction(place, scope) as session:
        return read_report(session, get_import(session, run.id), now=utc_now())


def wait_or_cancel(place: Workplace, scope: Scope, job_id: UUID, *, words: str) -> None:
    """Wait for a job; Ctrl-C stops it, and nothing of it is kept.

    :raises JobFailed: when it could not be done.
    """
    with jobs_running(place, workers=1) as staffed:
        try:
            wait_for_job(place.database, scope, job_id, words=words, check=staffed.check)
        except KeyboardInterrupt:
            with suppress(JobOver), transaction(place, scope) as session:
                cancel_job(session, get_job(session, job_id), now=utc_now())
                click.echo("Stopped: nothing of it is kept.", err=True)
            raise


def as_json(done: ImportRun, report: list[RowOutcome]) -> str:
    """Return an import with its rows, as ``docs/cli.md`` shows it."""
    answer = {**ImportRunSchema().dump(done), "rows": RowOutcomeSchema(many=True).dump(report)}
    return json.dumps(answer, indent=2, ensure_ascii=False)


def say_rows(report: Iterable[RowOutcome]) -> Iterator[str]:
    """Return the lines that tell what became of each row, every change before and after."""
    for row in report:
        where = f"Row {row.row} of “{row.sheet}”" if row.sheet else f"Row {row.row}"
        if row.outcome is not Outcome.REFUSED:
            yield f"{where} {row.outcome}" + (":" if row.changed else "")
        for change in row.changed:
            yield f"    {change.heading}: {change.before or '(blank)'} → {change.after or '(blank)'}"
        for problem in row.problems:
            column = f", {problem.column}" if problem.column else ""
            value = f", “{problem.value}”" if problem.value is not None else ""
            yield f"{where} refused{column}{value}: {problem.reason}"


def _through(place: Workplace, scope: Scope, ask: Callable[[Session], ImportRun], *, words: str) -> ImportRun:
    with transaction(place, scope) as session:
        asked = ask(session)
    wait_or_cancel(place, scope, asked.job_id, words=words)
    with transaction(place, scope) as session:
        return get_import(session, asked.id)
