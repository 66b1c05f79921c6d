"""An import: a file handed in by an agency, kept sealed, with what its columns hold and in sum what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePath
from typing import Final
from uuid import UUID, uuid4, uuid5

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.intake.column import SheetKind
from matching.intake.import_row import list_rows
from matching.intake.mapping import BookMapping, SheetChoice, correct, read_back, written
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.shape import remember
from matching.intake.sheet import MOST_BYTES, UnreadableSheet
from tenants import audit
from tenants.agency import KINDS_WITH_CHILDREN, KINDS_WITH_HOUSEHOLDS, get_agency
from tenants.base import Base, Id, Word
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.job import Job, JobState, request_job
from tenants.permission import Verb, require

IMPORT_JOB: Final = "import"
"""The kind of job that performs an import; its payload names the run as ``import_run_id``."""
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
_LONGEST_NAME: Final = 200


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
    sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    """The file as it came. Read only when it is taken: it may be 20 MB. None once it is destroyed."""
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
    destroyed_at: Mapped[datetime | None]
    """When its period was over, and the file and what quotes it were destroyed."""


class ImportUnknown(NotFound):
    """No such import is this agency's."""


class ImportNotForAgency(Invalid):
    """The agency keeps no records of this kind, or acts in no consortium."""


class ImportNotFinished(Conflict):
    """The import has no report yet."""


class FileDestroyed(Conflict):
    """The file is no longer kept."""


class NoMapping(Conflict):
    """Nothing is known of what the columns of the file hold."""


def request_import(
    session: Session,
    *,
    kind: SheetKind,
    filename: str,
    content: bytes,
    dry_run: bool,
    now: datetime,
    mapping: BookMapping | None = None,
    checked: ImportRun | None = None,
) -> ImportRun:
    """Keep a file, sealed, and ask for its import as a job; the same file asked for twice at once is one import.

    ``mapping`` is what a person has said of this very file's columns; without one they are told by their names and
    cells. An import for real that follows a check ``checked`` is to do what that said, or nothing.

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
    # What a person has just said of the columns is never taken for what was asked before it.
    if mapping is None or checked is not None:
        waiting = _find_waiting(session, kind=kind, digest=digest, dry_run=dry_run, checked=checked)
        if waiting is not None:
            return waiting
    run_id = uuid4()
    payload = {"import_run_id": str(run_id)}
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
        job_id=request_job(session, kind=IMPORT_JOB, payload=payload, now=now, key=str(run_id), urgent=True),
        requested_at=now,
        checked_run_id=checked.id if checked else None,
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
    if mapping is not None:
        keep_mapping(session, run, mapping, now=now)
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
    session: Session,
    run: ImportRun,
    *,
    now: datetime,
    outcomes: frozenset[Outcome] = frozenset(Outcome),
    limit: int | None = None,
    offset: int = 0,
) -> list[RowOutcome]:
    """Return what became of each row, in the file's order, and put the look on record: it quotes the sheet.

    :raises ImportNotFinished: when the import has not ended.
    """
    if run.finished_at is None:
        raise ImportNotFinished("The import has not finished. Wait for it, or see its job.")
    mapping = find_mapping(session, run)
    sheets = [sheet.title for sheet in mapping.sheets] if mapping else []
    report = list_rows(session, run.id, outcomes=outcomes, sheets=sheets, limit=limit, offset=offset)
    _record_look(session, run, now=now)
    return report


def read_mapping(session: Session, run: ImportRun, *, now: datetime) -> BookMapping:
    """Return what each column of a file was taken for, and put the look on record: it quotes the sheet.

    :raises NoMapping: when the file could not be read, or has not been yet.
    """
    mapping = find_mapping(session, run)
    if mapping is None:
        raise NoMapping("The columns of this file are not known yet.")
    _record_look(session, run, now=now)
    return mapping


def choose_mapping(
    session: Session, run: ImportRun, choices: Iterable[SheetChoice], *, now: datetime, dry_run: bool = True
) -> ImportRun:
    """Ask for the same file again, its columns taken for what a person has chosen, and remember that for its shape.

    :raises NoMapping: when the file could not be read, or has not been yet.
    :raises MappingWrong: when a choice names what is not there, or leaves a sheet without a key.
    """
    require(scope_of(session), VERB_OF[run.kind])
    mapping = correct(read_mapping(session, run, now=now), choices)
    remember(session, mapping, agency_id=run.agency_id, now=now)
    return request_import(
        session,
        kind=run.kind,
        filename=run.filename,
        content=open_file(session, run),
        dry_run=dry_run,
        now=now,
        mapping=mapping,
    )


def open_file(session: Session, run: ImportRun) -> bytes:
    """Return the file as it was handed in.

    :raises FileDestroyed: when its period is over and it was destroyed.
    """
    sealed = session.scalars(select(ImportRun.sealed).where(ImportRun.id == run.id)).one()
    if sealed is None:
        raise FileDestroyed("The file was destroyed under your agency’s retention schedule. Hand it in again.")
    return unseal(session, sealed, row_id=run.id)


def find_mapping(session: Session, run: ImportRun) -> BookMapping | None:
    """Return what each column of a file is taken for, or ``None`` when nobody has looked yet."""
    sealed = session.scalars(select(ImportRun.sealed_mapping).where(ImportRun.id == run.id)).one()
    return None if sealed is None else read_back(unseal(session, sealed, row_id=_mapping_id(run)))


def keep_mapping(session: Session, run: ImportRun, mapping: BookMapping, *, now: datetime) -> None:
    """Keep what each column of a file is taken for."""
    plain = written(mapping)
    run.sealed_mapping = seal(session, plain, agency_id=run.agency_id, row_id=_mapping_id(run), now=now)


def lock_imports(session: Session, agency_id: UUID) -> None:
    """Wait until no other import of the agency runs, and keep it so until the transaction ends."""
    _lock(session, f"import {agency_id}")


# ── within ──


def _tenancy(session: Session, kind: SheetKind) -> tuple[UUID, UUID]:
    scope = scope_of(session)
    if scope.agency_id is None or scope.consortium_id is None:
        raise ImportNotForAgency("Choose the agency and the consortium for which to import.")
    agency = get_agency(session, scope.agency_id)
    if agency.kind not in _KINDS[kind]:
        raise ImportNotForAgency(f"{agency.name} is a {agency.kind.label.lower()}: it keeps no {kind} of its own.")
    return scope.agency_id, scope.consortium_id


def _find_waiting(
    session: Session, *, kind: SheetKind, digest: bytes, dry_run: bool, checked: ImportRun | None
) -> ImportRun | None:
    query = (
        select(ImportRun)
        .join(Job, Job.id == ImportRun.job_id)
        .where(
            # An agency of two consortia hands the same sheet in to each.
            ImportRun.consortium_id == scope_of(session).consortium_id,
            ImportRun.kind == kind,
            ImportRun.digest == digest,
            ImportRun.dry_run == dry_run,
            ImportRun.checked_run_id.is_not_distinct_from(checked.id if checked else None),
            ImportRun.finished_at.is_(None),
            Job.state.in_([JobState.WAITING, JobState.RUNNING]),
        )
        .order_by(ImportRun.requested_at, ImportRun.id)
    )
    return session.scalars(query).first()


def _record_look(session: Session, run: ImportRun, *, now: datetime) -> None:
    audit.record(
        session, audit.Act.READ, record_kind="import_run", record_id=run.id, level=audit.Level.IDENTITY, now=now
    )


def _lock(session: Session, name: str) -> None:
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _tidy_name(filename: str) -> str:
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(character for character in name if character.isprintable())[-_LONGEST_NAME:] or "sheet"


def _mapping_id(run: ImportRun) -> UUID:
    # Another id than the file's, so that neither opens in the place of the other.
    return uuid5(run.id, "mapping")
