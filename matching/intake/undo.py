"""An import taken back: what it added is removed, what it changed stands as before, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from matching.agreement import AgreementEntry
from matching.bar import RecordBar
from matching.clock.mark import ClockMark
from matching.clock.reason import ClockReason
from matching.decline import Decline, DeclineFeedback
from matching.glass import Glass
from matching.household import Household
from matching.intake.column import SheetKind
from matching.intake.image import ImportImage, Part, Rows, digests_of, open_before, parts_of
from matching.intake.import_row import ImportRow
from matching.intake.import_run import VERB_OF, ImportRun, lock_imports
from matching.intake.outcome import Outcome
from matching.intake.taking import Progress
from matching.legal_hold import LegalHold
from matching.sibling_group import SiblingGroup
from matching.sibling_placement import SiblingPlacement
from tenants import audit
from tenants.bulk import given_rows
from tenants.cipher import forget_keys
from tenants.database import scope_of
from tenants.error import Conflict
from tenants.job import JobState, get_job, request_job, retry_job
from tenants.permission import require

UNDO_JOB: Final = "import_undo"
"""The kind of job that takes an import back; its payload names the run as ``import_run_id``."""
UNDOABLE_FOR: Final = timedelta(hours=24)
_KEPT_FOR: Final = timedelta(hours=48)
"""How long images are kept: longer than an import can be undone, for a job may wait."""
_BATCH: Final = 500
_MOST_NAMED: Final = 5
_SHUT_OUT: Final = (
    "It wrote a record that you are shut out of, because you know the family. Ask somebody else to undo the import."
)
_UNDOING: Final = "Putting records back"


class NotUndoable(Conflict):
    """The import cannot be taken back; ``reasons`` says why, each in a sentence."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


def why_not_undoable(session: Session, run: ImportRun, *, now: datetime) -> tuple[str, ...]:
    """Return why an import cannot be taken back, in words fit to show; none when it can."""
    early = _told_by_the_run(run, now=now)
    if early is not None:
        return (early,)
    if run.destroyed_at is None and _hides_some(session, run):
        return (_SHUT_OUT,)
    images = _images(session, run)
    if not images:
        # An undoing that failed may be set to run again long after.
        return ("What the records were before is no longer kept. Correct them with another sheet.",)
    ids = [image.record_id for image in images]
    added = [image.record_id for image in images if image.sealed_before is None]
    return tuple(
        reason
        for reason in (
            _changed_since(session, run, images),
            _named_since(session, run.kind, added),
            _kept_since(session, added),
            _packed_since(session, run, ids),
        )
        if reason
    )


def request_undo(session: Session, run: ImportRun, *, now: datetime) -> UUID:
    """Ask for an import to be taken back, as a job, and return the job's id; asked twice it is one job.

    :raises NotAllowed: when the scope's roles do not include importing such sheets.
    :raises NotUndoable: when it cannot be taken back.
    """
    require(scope_of(session), VERB_OF[run.kind])
    reasons = why_not_undoable(session, run, now=now)
    if reasons:
        raise NotUndoable(reasons)
    payload = {"import_run_id": str(run.id)}
    run.undo_job_id = request_job(session, kind=UNDO_JOB, payload=payload, now=now, key=str(run.id), urgent=True)
    job = get_job(session, run.undo_job_id)
    if job.state in {JobState.FAILED, JobState.CANCELLED}:
        retry_job(session, job, now=now)
    session.flush()
    return run.undo_job_id


def undo_import(
    session: Session, run: ImportRun, *, asked_at: datetime, progress: Progress, now: datetime
) -> ImportRun:
    """Take an import back in the session's one transaction; one that is taken back already stays as it is.

    :raises NotUndoable: when something was built on it by now; then nothing is taken back.
    """
    lock_imports(session, run.agency_id)
    session.refresh(run)
    if run.undone_at is not None:
        return run
    images = _images(session, run)
    _lock_records(session, run.kind, [image.record_id for image in images])
    reasons = why_not_undoable(session, run, now=asked_at)
    if reasons:
        raise NotUndoable(reasons)
    _take_back(session, run, images, progress=progress, now=now)
    run.undone_at, run.undone_by = now, scope_of(session).person_id
    audit.record(session, audit.Act.REMOVE, record_kind="import_run", record_id=run.id, reason="import undone", now=now)
    session.flush()
    return run


def forget_images(session: Session, *, agency_id: UUID, now: datetime) -> None:
    """Remove what is kept of imports that can be taken back no longer: it is personal, and nobody needs it."""
    old = select(ImportRun.id).where(ImportRun.agency_id == agency_id, ImportRun.finished_at < now - _KEPT_FOR)
    session.execute(delete(ImportImage).where(ImportImage.agency_id == agency_id, ImportImage.import_run_id.in_(old)))


# ── why not ──


def _told_by_the_run(run: ImportRun, *, now: datetime) -> str | None:
    if run.finished_at is None:
        return "The import has not finished. Cancel it instead."
    if run.undone_at is not None:
        return "The import was undone already."
    if run.dry_run:
        return "A check changes nothing, so there is nothing to undo."
    if run.added + run.changed == 0:
        return "The import changed nothing, so there is nothing to undo."
    if now - run.finished_at > UNDOABLE_FOR:
        return "The import is more than 24 hours old. Correct the records with another sheet."
    return None


def _images(session: Session, run: ImportRun) -> list[ImportImage]:
    query = select(ImportImage).where(ImportImage.import_run_id == run.id).order_by(ImportImage.record_id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _hides_some(session: Session, run: ImportRun) -> bool:
    """Say whether the database leaves out rows that the import wrote, for the scope's person is barred from them."""
    written = ImportRow.outcome.in_((Outcome.ADDED, Outcome.CHANGED))
    seen = select(func.count()).where(ImportRow.import_run_id == run.id, written)
    return (session.scalar(seen) or 0) < run.added + run.changed


def _changed_since(session: Session, run: ImportRun, images: Sequence[ImportImage]) -> str | None:
    changed: list[UUID] = []
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        now = digests_of(session, run.kind, [image.record_id for image in batch])
        changed += [image.record_id for image in batch if now[image.record_id] != image.digest_after]
    if not changed:
        return None
    return f"{_named(session, run.kind, changed)} changed after the import. Undo what came later first, if you can."


def _named_since(session: Session, kind: SheetKind, added: Sequence[UUID]) -> str | None:
    """Say which added households somebody has named as where a brother or sister lives."""
    if kind is not SheetKind.HOUSEHOLDS or not added:
        return None
    named = select(Household.id).where(
        Household.id.in_(added), Household.code.in_(select(SiblingPlacement.household_code))
    )
    found = list(session.scalars(named.order_by(Household.code)))
    if not found:
        return None
    return f"{_named(session, kind, found)} named since as the home of a child’s brother or sister."


def _kept_since(session: Session, added: Sequence[UUID]) -> str | None:
    """Say that something must be kept of added records which would go with them, and which no image holds."""
    stands = (
        select(RecordBar.id).where(func.coalesce(RecordBar.household_id, RecordBar.sibling_group_id).in_(added)),
        select(Glass.id).where(func.coalesce(Glass.household_id, Glass.sibling_group_id).in_(added)),
        select(AgreementEntry.id).where(AgreementEntry.household_id.in_(added)),
        select(LegalHold.id).where(LegalHold.sibling_group_id.in_(added)),
        select(ClockMark.id).where(func.coalesce(ClockMark.household_id, ClockMark.sibling_group_id).in_(added)),
        select(ClockReason.id).where(func.coalesce(ClockReason.household_id, ClockReason.sibling_group_id).in_(added)),
        *(
            select(each.sibling_group_id).where(or_(each.household_id.in_(added), each.sibling_group_id.in_(added)))
            for each in (Decline, DeclineFeedback)
        ),
    )
    if not any(session.scalar(query.limit(1)) for query in stands):
        return None
    return (
        "Since then somebody was shut out of a record that it added, opened who such a record is about by breaking "
        "glass, declined it, or recorded what the family agreed to, a legal hold, or a time limit. That is kept, and "
        "the record with it."
    )


def _packed_since(session: Session, run: ImportRun, ids: Sequence[UUID]) -> str | None:
    if not session.scalar(select(func.packed_since(list(ids), run.finished_at))):
        return None
    return "A pack for a meeting has been built since and may show these records."


def _named(session: Session, kind: SheetKind, ids: Sequence[UUID]) -> str:
    model = Household if kind is SheetKind.HOUSEHOLDS else SiblingGroup
    codes = list(session.scalars(select(model.code).where(model.id.in_(ids)).order_by(model.code).limit(_MOST_NAMED)))
    more = len(ids) - len(codes)
    if not codes:
        return (
            "A record that it wrote is gone, or was" if more == 1 else f"{more} records that it wrote are gone, or were"
        )
    listed = [*codes, f"{more:,} more"] if more else codes
    verb = "was" if len(listed) == 1 else "were"
    return f"{listed[0] if len(listed) == 1 else ', '.join(listed[:-1]) + ' and ' + listed[-1]} {verb}"


# ── putting back ──


def _lock_records(session: Session, kind: SheetKind, ids: Sequence[UUID]) -> None:
    for part in (parts_of(kind)[0], parts_of(kind)[-1]):
        session.execute(select(part.record).where(part.record.in_(ids)).order_by(part.record).with_for_update())


def _take_back(
    session: Session, run: ImportRun, images: Sequence[ImportImage], *, progress: Progress, now: datetime
) -> None:
    progress(0, len(images), _UNDOING)
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        added = [image.record_id for image in batch if image.sealed_before is None]
        before = {image.record_id: rows for image in batch if (rows := open_before(session, image)) is not None}
        _remove(session, run.kind, added)
        for part in parts_of(run.kind):
            _restore(session, part, before)
        _record(session, run.kind, audit.Act.REMOVE, added, now=now)
        _record(session, run.kind, audit.Act.CHANGE, list(before), now=now)
        progress(start + len(batch), len(images), _UNDOING)


def _remove(session: Session, kind: SheetKind, ids: Sequence[UUID]) -> None:
    main = parts_of(kind)[0]
    try:
        with session.begin_nested():
            session.execute(delete(main.table).where(main.record.in_(ids)))
    except IntegrityError as error:
        # The database sees what this scope may not: say that something is there, and not what.
        forget_keys(session)
        raise NotUndoable(["Something recorded since depends on records that the import added."]) from error


def _restore(session: Session, part: Part, before: dict[UUID, Rows]) -> None:
    """Make one table's rows of these records what they were: no row more, none less, none other."""
    if not before:
        return
    rows = [row for record in before.values() for row in record.get(part.table.name, [])]
    keys = _keys(part.table)
    stale: ColumnElement[bool] = part.belongs_to(list(before))
    if rows:
        given = given_rows(part.model, [{key.name: row[key.name] for key in keys} for row in rows])
        stale = stale & tuple_(*keys).not_in(select(*given.c))
    session.execute(delete(part.model).where(stale).execution_options(synchronize_session=False))
    if not rows:
        return
    names = [column.name for column in part.table.columns]
    statement = insert(part.table).from_select(
        names, select(*given_rows(part.model, [{name: row[name] for name in names} for row in rows]).c)
    )
    others = [column for column in part.table.columns if column not in keys]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[key.name for key in keys],
            set_={column.name: statement.excluded[column.name] for column in others},
            where=or_(*(column.is_distinct_from(statement.excluded[column.name]) for column in others)),
        )
    )


def _keys(table: Table) -> list[Any]:
    """Return the columns of the primary key as the database has it: the agency is in it wherever the id is not."""
    keys = list(table.primary_key)
    return keys if [key.name for key in keys] == ["id"] else [*keys, table.c.agency_id]


def _record(session: Session, kind: SheetKind, act: audit.Act, ids: Sequence[UUID], *, now: datetime) -> None:
    name = "household" if kind is SheetKind.HOUSEHOLDS else "sibling_group"
    audit.record_each(
        session,
        act,
        record_kind=name,
        records=[(record_id, None) for record_id in ids],
        level=audit.Level.IDENTITY,
        now=now,
    )
