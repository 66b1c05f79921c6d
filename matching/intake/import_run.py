"""An import: a sheet handed in by an agency, kept sealed, taken in one transaction, reported row by row."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import PurePath
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.intake.child_row import read_groups
from matching.intake.column import SheetKind
from matching.intake.group_record import take_groups
from matching.intake.household_record import take_households
from matching.intake.household_row import read_households
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.reading import read_sheet
from matching.intake.row import RowProblem
from matching.intake.sheet import MOST_BYTES, Sheet, UnreadableSheet
from tenants import audit
from tenants.agency import KINDS_WITH_CHILDREN, KINDS_WITH_HOUSEHOLDS, get_agency
from tenants.base import Base, Id, Word
from tenants.bulk import add_rows
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.job import Job, JobState, request_job
from tenants.permission import Verb, require

IMPORT_JOB: Final = "import"
"""The kind of job that performs an import; its payload names the run as ``import_run_id``."""

Progress = Callable[[int, int], None]
"""Told the rows done and the rows in all; what it raises stops the import and undoes it."""

_BATCH: Final = 500
_LONGEST_NAME: Final = 200
VERB_OF: Final = {
    SheetKind.HOUSEHOLDS: Verb.IMPORT_HOUSEHOLDS,
    SheetKind.CHILDREN: Verb.IMPORT_CHILDREN,
    SheetKind.SSDA903: Verb.IMPORT_CHILDREN,
}
"""What a person must be allowed to do in order to import each kind."""
_KINDS: Final = {
    SheetKind.HOUSEHOLDS: KINDS_WITH_HOUSEHOLDS,
    SheetKind.CHILDREN: KINDS_WITH_CHILDREN,
    SheetKind.SSDA903: KINDS_WITH_CHILDREN,
}

Item = TypeVar("Item")


class ImportRun(Base):
    """One sheet handed in, and in sum what became of it."""

    __tablename__ = "import_run"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    consortium_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    kind: Mapped[SheetKind] = mapped_column(Word(SheetKind))
    filename: Mapped[str]
    digest: Mapped[bytes]
    """SHA-256 of the file."""
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    """The file as it came. Read only when it is taken: it may be 20 MB."""
    dry_run: Mapped[bool]
    job_id: Mapped[UUID]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    refusal: Mapped[str | None]
    """Why the whole file was refused; then no row was looked at."""
    notes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    """What the reader of the file had to assume."""
    added: Mapped[int]
    changed: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]
    not_for_adoption: Mapped[int]
    needs_mapping: Mapped[bool]
    """A person is to say what the columns hold; then no row was looked at."""
    sealed_mapping: Mapped[bytes | None] = mapped_column(deferred=True)
    """What each column was taken for."""
    checked_run_id: Mapped[UUID | None]
    """The check that an import for real follows."""
    overtaken: Mapped[bool]
    """It found other than its check did, because something came between: it took nothing and is a check itself now."""
    decision: Mapped[bytes | None]
    """What was decided of every row, as an HMAC under the agency's key."""
    undo_job_id: Mapped[UUID | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None]


class ImportRow(Base):
    """What became of one row of the sheet."""

    __tablename__ = "import_row"

    id: Mapped[Id]
    import_run_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    sheet: Mapped[str]
    row_number: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(Word(Outcome))
    record_id: Mapped[UUID | None]
    changed_columns: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    sealed_problems: Mapped[bytes | None]
    sealed_changes: Mapped[bytes | None]


class ImportUnknown(NotFound):
    """No such import is this agency's."""


class ImportNotForAgency(Invalid):
    """The agency keeps no records of this kind, or acts in no consortium."""


class ImportNotFinished(Conflict):
    """The import has no report yet."""


class RowsLost(Conflict):
    """The outcomes do not account for every row; nothing was kept."""


def request_import(
    session: Session, *, kind: SheetKind, filename: str, content: bytes, dry_run: bool, now: datetime
) -> ImportRun:
    """Keep a sheet, sealed, and ask for its import as a job; the same sheet asked for twice at once is one import.

    :raises NotAllowed: when the scope's roles do not include importing such sheets.
    :raises ImportNotForAgency: when the scope's agency keeps no records of this kind.
    :raises UnreadableSheet: when the file is empty or too large to keep.
    """
    scope = scope_of(session)
    require(scope, VERB_OF[kind])
    agency_id, consortium_id = _tenancy(session, kind)
    if not content or len(content) > MOST_BYTES:
        raise UnreadableSheet(f"The file is empty or larger than {MOST_BYTES // 2**20} MB. Nothing was taken.")
    digest = hashlib.sha256(content).digest()
    _lock(session, f"request import {agency_id}")
    waiting = _find_waiting(session, kind=kind, digest=digest, dry_run=dry_run)
    if waiting is not None:
        return waiting
    run_id = uuid4()
    run = ImportRun(
        id=run_id,
        agency_id=agency_id,
        consortium_id=consortium_id,
        person_id=scope.person_id,
        kind=kind,
        filename=_tidy_name(filename),
        digest=digest,
        sealed=seal(session, content, agency_id=agency_id, row_id=run_id, now=now),
        dry_run=dry_run,
        job_id=request_job(
            session,
            kind=IMPORT_JOB,
            payload={"import_run_id": str(run_id)},
            now=now,
            key=str(run_id),
            urgent=True,
        ),
        requested_at=now,
        notes=[],
        added=0,
        changed=0,
        unchanged=0,
        refused=0,
        not_for_adoption=0,
        needs_mapping=False,
        overtaken=False,
    )
    session.add(run)
    session.flush()
    return run


def perform_import(session: Session, run: ImportRun, *, progress: Progress, now: datetime) -> ImportRun:
    """Take a sheet in the session's one transaction: every row is added, changed, unchanged or refused.

    A finished run is left as it is, so that a job that runs twice does no harm. Imports of one agency wait for each
    other. A file that cannot be read is refused whole, and that is kept with its reason.

    :raises RowsLost: when the outcomes do not account for every row, which is never to happen.
    """
    _lock(session, f"import {run.agency_id}")
    session.refresh(run)
    if run.finished_at is not None:
        return run
    sealed = session.scalars(select(ImportRun.sealed).where(ImportRun.id == run.id)).one()
    content = unseal(session, sealed, row_id=run.id)
    try:
        sheet = read_sheet(content, filename=run.filename, wanted=run.kind)
        outcomes = _take(session, run, sheet, progress=progress, now=now)
    except UnreadableSheet as refusal:
        run.refusal = str(refusal)
    else:
        run.notes = list(sheet.notes)
        _keep(session, run, outcomes, now=now)
    run.finished_at = now
    audit.record(session, audit.Act.IMPORT, record_kind="import_run", record_id=run.id, now=now)
    session.flush()
    return run


def get_import(session: Session, run_id: UUID) -> ImportRun:
    """Return an import of the scope's agency as it stands now.

    :raises ImportUnknown: when there is none.
    """
    run = session.scalar(select(ImportRun).where(ImportRun.id == run_id).execution_options(populate_existing=True))
    if run is None:
        raise ImportUnknown("There is no such import in your agency.")
    return run


def list_imports(session: Session, *, limit: int = 50) -> list[ImportRun]:
    """Return the scope's agency's imports, newest first."""
    query = select(ImportRun).order_by(ImportRun.requested_at.desc(), ImportRun.id).limit(limit)
    return list(session.scalars(query))


def read_report(
    session: Session, run: ImportRun, *, now: datetime, outcomes: frozenset[Outcome] = frozenset(Outcome)
) -> list[RowOutcome]:
    """Return what became of each row, in sheet order, and put the look on record: problems quote the sheet.

    :raises ImportNotFinished: when the import has not ended.
    """
    if run.finished_at is None:
        raise ImportNotFinished("The import has not finished. Wait for it, or see its job.")
    query = (
        select(ImportRow)
        .where(ImportRow.import_run_id == run.id, ImportRow.outcome.in_(outcomes))
        .order_by(ImportRow.sheet, ImportRow.row_number, ImportRow.id)
    )
    report = [_reported(session, row) for row in session.scalars(query)]
    audit.record(
        session, audit.Act.READ, record_kind="import_run", record_id=run.id, level=audit.Level.IDENTITY, now=now
    )
    return report


# ── within ──


def _tenancy(session: Session, kind: SheetKind) -> tuple[UUID, UUID]:
    scope = scope_of(session)
    if scope.agency_id is None or scope.consortium_id is None:
        raise ImportNotForAgency("Choose the agency and the consortium for which to import.")
    agency = get_agency(session, scope.agency_id)
    if agency.kind not in _KINDS[kind]:
        raise ImportNotForAgency(f"{agency.name} is a {agency.kind.label.lower()}: it keeps no {kind} of its own.")
    return scope.agency_id, scope.consortium_id


def _find_waiting(session: Session, *, kind: SheetKind, digest: bytes, dry_run: bool) -> ImportRun | None:
    query = (
        select(ImportRun)
        .join(Job, Job.id == ImportRun.job_id)
        .where(
            # An agency of two consortia hands the same sheet in to each.
            ImportRun.consortium_id == scope_of(session).consortium_id,
            ImportRun.kind == kind,
            ImportRun.digest == digest,
            ImportRun.dry_run == dry_run,
            ImportRun.finished_at.is_(None),
            Job.state.in_([JobState.WAITING, JobState.RUNNING]),
        )
        .order_by(ImportRun.requested_at, ImportRun.id)
    )
    return session.scalars(query).first()


def _lock(session: Session, name: str) -> None:
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _tidy_name(filename: str) -> str:
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(character for character in name if character.isprintable())[-_LONGEST_NAME:] or "sheet"


def _take(session: Session, run: ImportRun, sheet: Sheet, *, progress: Progress, now: datetime) -> list[RowOutcome]:
    total = len(sheet.rows)
    progress(0, total)
    if run.kind is SheetKind.HOUSEHOLDS:
        households = read_households(sheet, today=now.date())
        outcomes = _refusals(households.problems)
        for rows in _batches(households.rows):
            outcomes += take_households(session, rows, now=now, dry_run=run.dry_run)
            progress(len(outcomes), total)
    else:
        children = read_groups(sheet, today=now.date())
        outcomes = _refusals(children.problems)
        for groups in _batches(children.groups):
            outcomes += take_groups(session, groups, now=now, dry_run=run.dry_run)
            progress(len(outcomes), total)
    if sorted(each.row for each in outcomes) != [row.number for row in sheet.rows]:
        raise RowsLost("The import did not account for every row, so nothing of it was kept. Tell the operator.")
    return sorted(outcomes, key=lambda each: each.row)


def _batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _refusals(problems: Sequence[RowProblem]) -> list[RowOutcome]:
    by_row: dict[int, list[RowProblem]] = defaultdict(list)
    for problem in problems:
        by_row[problem.row].append(problem)
    return [RowOutcome(row, Outcome.REFUSED, problems=tuple(found)) for row, found in by_row.items()]


def _keep(session: Session, run: ImportRun, outcomes: Sequence[RowOutcome], *, now: datetime) -> None:
    counts = Counter(each.outcome for each in outcomes)
    run.added, run.changed = counts[Outcome.ADDED], counts[Outcome.CHANGED]
    run.unchanged, run.refused = counts[Outcome.UNCHANGED], counts[Outcome.REFUSED]
    rows = [_kept_row(session, run, each, now=now) for each in outcomes]
    add_rows(session, ImportRow, rows)


def _kept_row(session: Session, run: ImportRun, each: RowOutcome, *, now: datetime) -> dict[str, Any]:
    row_id = uuid4()
    sealed = None
    if each.problems:
        plain = json.dumps([asdict(problem) for problem in each.problems], ensure_ascii=False).encode()
        sealed = seal(session, plain, agency_id=run.agency_id, row_id=row_id, now=now)
    return {
        "id": row_id,
        "import_run_id": run.id,
        "agency_id": run.agency_id,
        "sheet": each.sheet,
        "row_number": each.row,
        "outcome": each.outcome,
        "record_id": each.record_id,
        "changed_columns": list(each.changed),
        "sealed_problems": sealed,
        "sealed_changes": None,
    }


def _reported(session: Session, row: ImportRow) -> RowOutcome:
    problems = json.loads(unseal(session, row.sealed_problems, row_id=row.id)) if row.sealed_problems else []
    return RowOutcome(
        row=row.row_number,
        outcome=row.outcome,
        record_id=row.record_id,
        changed=tuple(row.changed_columns),
        problems=tuple(RowProblem(**problem) for problem in problems),
        sheet=row.sheet,
    )
