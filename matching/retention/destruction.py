"""Destroy one record that two people agreed on: rows, sealed values and files, all of it or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from matching.bar import barred_ids
from matching.household import Household
from matching.intake.column import SheetKind
from matching.intake.image import ImportImage, rows_of
from matching.intake.import_row import ImportRow
from matching.intake.import_run import ImportRun
from matching.retention.adoption_order import AdoptionOrder
from matching.retention.due import Kept, RecordKind, files_with, find_kept
from matching.retention.hold import lock_destruction
from matching.retention.run import Outcome, RetentionItem, RetentionRun, list_items
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.cipher import forget_keys
from tenants.error import Conflict

_WRITTEN_OF: Final = ("subject_request", "rectification")
"""Tables of what was written about a record elsewhere; what hangs on their rows goes with them."""
_ASKED: Final = text("""
    WITH about (id) AS (SELECT cast(:id AS uuid) UNION SELECT r.record_id FROM import_row r WHERE r.import_run_id = :id)
    SELECT EXISTS (SELECT FROM subject_request s JOIN about ON about.id = s.record_id WHERE s.closed_at IS NULL)
        OR EXISTS (SELECT FROM rectification c JOIN about ON about.id = c.record_id WHERE c.decided_at IS NULL)
""")
BLOCKED: Final = (
    "A link, a report or a placement still refers to it, and those are not destroyed with it. Look for it under "
    "“Links” and “Reports”: where one is kept for longer than this record, hold the record until then."
)
"""Why a record stays that the database does not let go; and what to do."""
_DESTROYED_NAME: Final = "(destroyed)"
_KEYS: Final = {
    RecordKind.HOUSEHOLD: Household.id,
    RecordKind.SIBLING_GROUP: SiblingGroup.id,
    RecordKind.IMPORT_RUN: ImportRun.id,
}
_KIND_OF: Final = {RecordKind.HOUSEHOLD: SheetKind.HOUSEHOLDS, RecordKind.SIBLING_GROUP: SheetKind.CHILDREN}


class NotApproved(Conflict):
    """No second person has let this be destroyed."""


class RunUnfinished(Conflict):
    """Something of the run is neither destroyed nor kept yet."""


def destroy_item(session: Session, item_id: UUID, *, now: datetime) -> Outcome:
    """Destroy one record of an approved run, or keep it and say why, in the session's one transaction.

    Looked at anew: a hold placed since, a record taken up again or a longer period since keep it. One that was done
    already stays as it is.

    :raises NotApproved: when nobody but the asker has agreed.
    """
    lock_destruction(session)
    query = select(RetentionItem).where(RetentionItem.id == item_id).execution_options(populate_existing=True)
    item = session.scalars(query).one()
    if item.outcome is not None:
        return item.outcome
    run = session.scalars(select(RetentionRun).where(RetentionRun.id == item.retention_run_id)).one()
    if not run.approved or run.decided_by in (None, run.asked_by):
        raise NotApproved("A second person has to agree before anything is destroyed.")
    why = _why_kept(session, item, now=now)
    destroyed = None if why else _destroy(session, item, now=now)
    if destroyed is None:
        item.why = why or BLOCKED
    item.outcome = Outcome.KEPT if destroyed is None else Outcome.DESTROYED
    item.destroyed, item.ended_at = destroyed, now
    session.flush()
    if destroyed is not None:
        audit.record(
            session,
            audit.Act.DESTROY,
            record_kind=item.record_kind.value,
            record_id=item.record_id,
            reason=f"{item.record_class.value}, asked by {run.asked_by}, approved by {run.decided_by}, run {run.id}",
            now=now,
        )
    return item.outcome


def finish_run(session: Session, run: RetentionRun, *, now: datetime) -> dict[str, int]:
    """Close a run whose records are all destroyed or kept, and return how many of each.

    :raises RunUnfinished: when one is neither.
    """
    items = list_items(session, run)
    if any(item.outcome is None for item in items):
        raise RunUnfinished("Not every record of this destruction has been dealt with. Run the job again.")
    if run.finished_at is None:
        run.finished_at = now
        session.flush()
    return {outcome.value: sum(item.outcome is outcome for item in items) for outcome in Outcome}


def _why_kept(session: Session, item: RetentionItem, *, now: datetime) -> str | None:
    if barred_ids(session):
        return "Whoever approved this has been shut out of a record since. Ask again, and let somebody else approve it."
    # Whoever changes it meanwhile is waited for, and then seen.
    key = _KEYS[item.record_kind]
    if session.scalar(select(key).where(key == item.record_id).with_for_update()) is None:
        return "It was gone already when its turn came."
    kept = find_kept(session, item.record_id)
    if kept is None or kept.rule.record_class is not item.record_class or not kept.due(now.date()):
        return "It is no longer due: the record or the schedule changed after it was asked for."
    if kept.held:
        return "A hold on destruction stands."
    if any(file.held for file in _files_of(session, item.record_id)):
        return "A hold on destruction stands on an imported file that it is in, or on another record of that file."
    # To destroy what somebody has asked to see or to have put right is an offence (Data Protection Act 2018, s.173).
    asked = session.scalar(_ASKED, {"id": item.record_id})
    return "Somebody’s request for access to it, or for a correction, has not been answered yet." if asked else None


def _files_of(session: Session, record_id: UUID) -> list[Kept]:
    """Return how the imported files stand that a record is in."""
    return [kept for file in files_with(session, [record_id]) if (kept := find_kept(session, file)) is not None]


def _destroy(session: Session, item: RetentionItem, *, now: datetime) -> dict[str, int] | None:
    if item.record_kind is RecordKind.IMPORT_RUN:
        return _destroy_import(session, item.record_id, now=now)
    try:
        with session.begin_nested():
            return _destroy_record(session, item, now=now)
    except IntegrityError:
        forget_keys(session)
        return None


def _destroy_record(session: Session, item: RetentionItem, *, now: datetime) -> dict[str, int]:
    record_id, kind = item.record_id, _KIND_OF[item.record_kind]
    counts = {table: len(rows) for table, rows in rows_of(session, kind, [record_id])[record_id].items()}
    orders = func.coalesce(AdoptionOrder.household_id, AdoptionOrder.sibling_group_id) == record_id
    counts["adoption_order"] = len(
        session.scalars(delete(AdoptionOrder).where(orders).returning(AdoptionOrder.id)).all()
    )
    # A file that brought the record in holds its names too, and what others' rows say in it is in the register.
    brought = select(ImportRow.import_run_id).where(ImportRow.record_id == record_id)
    files = session.scalars(
        select(ImportRun.id).where(
            ImportRun.id.in_(brought), ImportRun.finished_at.is_not(None), ImportRun.destroyed_at.is_(None)
        )
    ).all()
    for run_id in files:
        _destroy_import(session, run_id, now=now)
    counts["import_run"] = len(files)
    session.execute(delete(ImportImage).where(ImportImage.record_id == record_id))
    model = Household if item.record_kind is RecordKind.HOUSEHOLD else SiblingGroup
    session.execute(delete(model).where(model.id == record_id).execution_options(synchronize_session=False))
    for table in _WRITTEN_OF:
        counts[table] = session.execute(text(f"DELETE FROM {table} WHERE record_id = :id"), {"id": record_id}).rowcount  # type: ignore[attr-defined]  # noqa: S608 -- the names of tables, from the constant above
    return {table: count for table, count in sorted(counts.items()) if count}


def _destroy_import(session: Session, run_id: UUID, *, now: datetime) -> dict[str, int]:
    rows = session.execute(delete(ImportRow).where(ImportRow.import_run_id == run_id)).rowcount  # type: ignore[attr-defined]
    session.execute(delete(ImportImage).where(ImportImage.import_run_id == run_id))
    gone = {"sealed": None, "sealed_mapping": None, "filename": _DESTROYED_NAME, "destroyed_at": now}
    session.execute(update(ImportRun).where(ImportRun.id == run_id).values(gone))
    return {"import_row": rows, "file": 1}
