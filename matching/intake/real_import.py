"""From a dry run to the import itself: the very same file, taken for real."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from matching.intake.import_run import ImportRun, find_mapping, open_file, request_import
from tenants.error import Conflict


class NothingToImport(Conflict):
    """The dry run has not ended, or found nothing that would be saved."""


def worth_importing(run: ImportRun) -> bool:
    """Say whether a dry run found anything that an import for real would save."""
    return run.dry_run and run.finished_at is not None and run.refusal is None and run.added + run.changed > 0


def import_for_real(session: Session, run: ImportRun, *, now: datetime) -> ImportRun:
    """Ask for the import of a dry run's own file under the same headings, so that what is saved is what was checked.

    When it would do other than the check said, because records have changed since, it takes nothing and becomes a
    check itself.

    :raises NothingToImport: when the run is no dry run that found something to save.
    """
    if not worth_importing(run):
        raise NothingToImport("This check found nothing that could be saved. Correct the sheet and check it again.")
    return request_import(
        session,
        kind=run.kind,
        filename=run.filename,
        content=open_file(session, run),
        dry_run=False,
        now=now,
        mapping=find_mapping(session, run),
        checked=run,
    )
