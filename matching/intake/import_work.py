"""The work of an import: a file becoming records in one transaction, with what became of every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.intake.alike import heading_likeness
from matching.intake.column import SheetKind
from matching.intake.image import ImageKeeper
from matching.intake.import_row import decision_digest, keep_rows
from matching.intake.import_run import ImportRun, find_mapping, keep_mapping, lock_imports, open_file
from matching.intake.laid_sheet import LaidSheet, lay_out
from matching.intake.mapping import BookMapping, doubts_of, notes_of, shape_of
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.proposal import propose
from matching.intake.reading import read_book
from matching.intake.shape import recall, remember
from matching.intake.sheet import Book, UnreadableSheet
from matching.intake.ssda903.intake import read_return
from matching.intake.ssda903.return_record import take_return
from matching.intake.taking import Progress, Taken, Taking, take_sheets
from matching.intake.undo import forget_images
from tenants import audit
from tenants.cipher import forget_keys

OVERTAKEN: Final = (
    "What would happen is no longer what the check said, because records have changed since. Nothing was taken. "
    "This is what would happen now."
)


def perform_import(session: Session, run: ImportRun, *, progress: Progress, now: datetime) -> ImportRun:
    """Take a file in the session's one transaction: every row is added, changed, unchanged or refused.

    A finished run is left as it is, so that a job that runs twice does no harm. Imports of one agency wait for each
    other. A file that cannot be read is refused whole, and that is kept with its reason. A file of which it is not
    clear what its columns hold takes nothing and waits for a person. An import for real that would do other than its
    check said takes nothing and becomes a check itself.

    :raises RowsLost: when the outcomes do not account for every row, which is never to happen.
    """
    lock_imports(session, run.agency_id)
    session.refresh(run)
    if run.finished_at is not None:
        return run
    forget_images(session, agency_id=run.agency_id, now=now)
    content = open_file(session, run)
    progress(0, 0, "Reading the file")
    try:
        take = _take_return if run.kind is SheetKind.SSDA903 else _take_book
        take(session, run, content, progress=progress, now=now)
    except UnreadableSheet as refusal:
        run.refusal = str(refusal)
    run.finished_at = now
    audit.record(session, audit.Act.IMPORT, record_kind="import_run", record_id=run.id, now=now)
    session.flush()
    return run


# ── within ──


class _OvertakenError(Exception):
    """The rows would become other than the check said."""


def _take_book(session: Session, run: ImportRun, content: bytes, *, progress: Progress, now: datetime) -> None:
    book = read_book(content, filename=run.filename, likeness=heading_likeness(run.kind))
    mapping = _mapping(session, run, book, now=now)
    keep_mapping(session, run, mapping, now=now)
    doubts = doubts_of(mapping)
    if doubts:
        _refuse_other_kind(book, run.kind)
        run.needs_mapping = True
        raise UnreadableSheet(f"Say what the columns hold. {' '.join(doubts)} Nothing was taken.")
    remember(session, mapping, agency_id=run.agency_id, now=now)
    laid = lay_out(book, mapping)
    notes = [*book.notes, *_sheet_notes(laid, mapping), *notes_of(mapping)]
    _settle(session, run, lambda taking: take_sheets(taking, laid, run.kind), notes, progress=progress, now=now)


def _take_return(session: Session, run: ImportRun, content: bytes, *, progress: Progress, now: datetime) -> None:
    intake = read_return(content, filename=run.filename, today=now.date())
    _settle(session, run, lambda taking: take_return(taking, intake), intake.notes, progress=progress, now=now)


def _settle(
    session: Session,
    run: ImportRun,
    take: Callable[[Taking], Taken],
    notes: Sequence[str],
    *,
    progress: Progress,
    now: datetime,
) -> None:
    """Take the rows and keep what became of each; what is other than the check said is not taken after all."""
    try:
        with session.begin_nested():
            taken = take(_taking(session, run, progress=progress, now=now))
            decision = decision_digest(session, taken.outcomes, agency_id=run.agency_id, now=now)
            if not run.dry_run and decision != _expected(session, run, decision):
                raise _OvertakenError
    except _OvertakenError:
        forget_keys(session)
        session.refresh(run)
        run.dry_run = run.overtaken = True
        taken = take(_taking(session, run, progress=progress, now=now))
        notes = [OVERTAKEN, *notes]
    run.notes = [*notes, *taken.notes]
    run.decision = decision
    _keep(session, run, taken.outcomes, now=now)


def _taking(session: Session, run: ImportRun, *, progress: Progress, now: datetime) -> Taking:
    images = None if run.dry_run else ImageKeeper(session, run.kind, run.id, run.agency_id, now)
    return Taking(session, run.agency_id, now, progress, images)


def _expected(session: Session, run: ImportRun, decision: bytes) -> bytes | None:
    """Return what the check decided; an import without one decides for itself."""
    if run.checked_run_id is None:
        return decision
    return session.scalar(select(ImportRun.decision).where(ImportRun.id == run.checked_run_id))


def _mapping(session: Session, run: ImportRun, book: Book, *, now: datetime) -> BookMapping:
    """Return what a person has said of this very file, else what its columns most likely hold."""
    given = find_mapping(session, run)
    if given is not None:
        return given
    shapes = {shape_of(sheet.headings) for sheet in book.sheets}
    return propose(book, run.kind, recall(session, shapes, kind=run.kind, agency_id=run.agency_id, now=now))


def _refuse_other_kind(book: Book, kind: SheetKind) -> None:
    """Say so when the file is plainly one of the other kind."""
    other = SheetKind.CHILDREN if kind is SheetKind.HOUSEHOLDS else SheetKind.HOUSEHOLDS
    if not doubts_of(propose(book, other, {})):
        raise UnreadableSheet(f"This looks like a sheet of {other}, and {kind} were asked for. Import it as {other}.")


def _sheet_notes(laid: Sequence[LaidSheet], mapping: BookMapping) -> list[str]:
    several = len(mapping.sheets) > 1
    return [f"Sheet “{each.sheet.title}”: {note}" if several else note for each in laid for note in each.sheet.notes]


def _keep(session: Session, run: ImportRun, outcomes: Sequence[RowOutcome], *, now: datetime) -> None:
    counts = Counter(each.outcome for each in outcomes)
    run.added, run.changed = counts[Outcome.ADDED], counts[Outcome.CHANGED]
    run.unchanged, run.refused = counts[Outcome.UNCHANGED], counts[Outcome.REFUSED]
    run.not_for_adoption = counts[Outcome.NOT_FOR_ADOPTION]
    keep_rows(session, outcomes, import_run_id=run.id, agency_id=run.agency_id, now=now)
