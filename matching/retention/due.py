"""What is due under an agency's retention schedule on a day, and what a hold keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.household import Household, HouseholdStatus
from matching.intake.import_row import ImportRow
from matching.intake.import_run import ImportRun
from matching.retention.adoption_order import last_orders
from matching.retention.hold import standing_holds
from matching.retention.record_class import Clock, Ends, RecordClass
from matching.retention.rule import Rule, schedule_of
from matching.sealed_words import own_agency
from matching.sibling_group import Child, GroupStatus, SiblingGroup

Record = TypeVar("Record", Household, SiblingGroup)


class RecordKind(StrEnum):
    """What is destroyed as one."""

    HOUSEHOLD = "household"
    SIBLING_GROUP = "sibling_group"
    IMPORT_RUN = "import_run"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"household": "Household", "sibling_group": "Sibling group", "import_run": "Imported file"}[self]


@dataclass(frozen=True, slots=True)
class Kept:
    """A record under the schedule: since when its clock runs, if that is known, and whether a hold stands."""

    rule: Rule
    record_kind: RecordKind
    record_id: UUID
    code: str
    started_on: date | None
    held: bool

    @property
    def due_on(self) -> date | None:
        """Return the first day on which it may be destroyed; ``None`` while no clock runs."""
        return None if self.started_on is None else self.rule.due_on(self.started_on)

    def due(self, on: date) -> bool:
        """Say whether its period is over."""
        return self.due_on is not None and self.due_on <= on

    @property
    def to_review(self) -> bool:
        """Say whether it is kept unless somebody picks it."""
        return self.rule.ends is Ends.REVIEW


@dataclass(frozen=True, slots=True)
class Preview:
    """What the schedule says on a day: what is due, what of that is held, and what has no start to count from."""

    on: date
    due: tuple[Kept, ...]
    held: tuple[Kept, ...]
    undated: tuple[Kept, ...]
    """Without a date its period has no end: unknown is never yes, so it is kept."""

    def counts(self) -> dict[str, int]:
        """Return how many are due in each class, by its title."""
        found: dict[str, int] = {}
        for kept in self.due:
            found[kept.rule.title] = found.get(kept.rule.title, 0) + 1
        return found


def preview(session: Session, *, on: date) -> Preview:
    """Return what is due in the scope's own agency on a day, the longest due first; nothing is changed."""
    kept = sorted(list_kept(session), key=lambda each: (each.due_on or date.max, each.code, str(each.record_id)))
    return Preview(
        on=on,
        due=tuple(each for each in kept if each.due(on) and not each.held),
        held=tuple(each for each in kept if each.due(on) and each.held),
        undated=tuple(each for each in kept if each.started_on is None),
    )


def find_kept(session: Session, record_id: UUID) -> Kept | None:
    """Return how one record stands under the schedule now; ``None`` when it is not, or no more, subject to it."""
    return next(list_kept(session, record_id=record_id), None)


def list_kept(session: Session, *, record_id: UUID | None = None) -> Iterator[Kept]:
    """Yield every record of the scope's own agency that a rule is for, or one of them."""
    schedule, orders = schedule_of(session), last_orders(session)
    classes, records = standing_holds(session)

    def kept(record_class: RecordClass, kind: RecordKind, its_id: UUID, code: str, started_on: date | None) -> Kept:
        held = record_class in classes or its_id in records
        return Kept(schedule[record_class], kind, its_id, code, started_on, held)

    for household in _withdrawn_or_ordered(session, Household, orders, record_id):
        ordered, withdrawn = orders.get(household.id), household.changed_at.astimezone(UTC).date()
        record_class = RecordClass.ADOPTION_RECORD if ordered else RecordClass.HOUSEHOLD_NOT_PLACED
        yield kept(record_class, RecordKind.HOUSEHOLD, household.id, household.code, ordered or withdrawn)
    births = _youngest_births(session)
    for group in _withdrawn_or_ordered(session, SiblingGroup, orders, record_id):
        ordered, withdrawn = orders.get(group.id), group.changed_at.astimezone(UTC).date()
        by_birth = schedule[RecordClass.GROUP_NOT_PLACED].clock is Clock.YOUNGEST_BIRTH
        never_placed = births.get(group.id) if by_birth else withdrawn
        record_class = RecordClass.ADOPTION_RECORD if ordered else RecordClass.GROUP_NOT_PLACED
        yield kept(record_class, RecordKind.SIBLING_GROUP, group.id, group.code, ordered or never_placed)
    with_held = files_with(session, records)
    imports = select(ImportRun.id, ImportRun.finished_at).where(
        ImportRun.agency_id == own_agency(session), ImportRun.destroyed_at.is_(None), ImportRun.finished_at.is_not(None)
    )
    if record_id is not None:
        imports = imports.where(ImportRun.id == record_id)
    for run_id, finished_at in session.execute(imports.order_by(ImportRun.finished_at, ImportRun.id)):
        if finished_at is not None:
            ended = finished_at.astimezone(UTC).date()
            file = kept(RecordClass.IMPORT_FILE, RecordKind.IMPORT_RUN, run_id, f"Import of {ended:%d/%m/%Y}", ended)
            yield replace(file, held=file.held or run_id in with_held)


def files_with(session: Session, record_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return the imported files in which some records stand, and which are there still."""
    query = select(ImportRow.import_run_id).join(ImportRun, ImportRun.id == ImportRow.import_run_id)
    there = query.where(ImportRow.record_id.in_(record_ids), ImportRun.destroyed_at.is_(None))
    return frozenset(session.scalars(there)) if record_ids else frozenset()


def _withdrawn_or_ordered(
    session: Session, model: type[Record], orders: dict[UUID, date], record_id: UUID | None
) -> list[Record]:
    gone = HouseholdStatus.WITHDRAWN if model is Household else GroupStatus.WITHDRAWN
    query = select(model).where(model.agency_id == own_agency(session), (model.status == gone) | model.id.in_(orders))
    if record_id is not None:
        query = query.where(model.id == record_id)
    return list(session.scalars(query.order_by(model.code).execution_options(populate_existing=True)))


def _youngest_births(session: Session) -> dict[UUID, date]:
    """Return the month of birth of each group's youngest child, where every child's is known."""
    query = (
        select(Child.sibling_group_id, func.max(Child.birth_month))
        .where(Child.agency_id == own_agency(session))
        .group_by(Child.sibling_group_id)
        .having(func.count() == func.count(Child.birth_month))
    )
    return {group_id: month for group_id, month in session.execute(query) if month}
