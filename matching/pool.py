"""What the pool shows of whom: an entry per record and consortium, with its stage and holds.

Reads of other agencies' records go through these entries; the database's policies look at nothing else.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import date
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.bulk import given_rows
from tenants.database import scope_of
from tenants.error import Invalid


class Stage(StrEnum):
    """How far a record is shared."""

    IN_HOUSE = "in_house"
    CONSORTIUM = "consortium"
    NATIONAL = "national"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"in_house": "In-house", "consortium": "Shared with the consortium", "national": "Shared nationally"}[
            self
        ]


class Way(StrEnum):
    """How a record came to be shared as it is."""

    PERSON = "person"
    IMPORT = "import"
    SCHEDULE = "schedule"


class PoolEntry(Base):
    """One household or sibling group in one consortium's pool."""

    __tablename__ = "pool_entry"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    household_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    stage: Mapped[Stage] = mapped_column(Word(Stage))
    entered_on: Mapped[date]
    """The day on which the record reached its present stage."""
    held: Mapped[bool]
    reason: Mapped[str | None]
    """Why it is held back, or shared earlier than the consortium's timing."""
    way: Mapped[Way] = mapped_column(Word(Way))
    kept: Mapped[bool]
    """A person said that it stays at its stage, whatever the timing says."""


class NoPool(Invalid):
    """The scope names no agency or no consortium, so there is no pool to share a record with."""


class SharingNeedsReason(Invalid):
    """Holding a record back asks for a reason."""


def share(
    session: Session,
    *,
    stage: Stage,
    on: date,
    household_id: UUID | None = None,
    sibling_group_id: UUID | None = None,
    held: bool = False,
    reason: str | None = None,
) -> None:
    """Set how far the scope's consortium may see a record of the scope's agency.

    :raises SharingNeedsReason: when it is held back without a reason.
    :raises NoPool: when the scope names no agency or no consortium.
    """
    if held and not reason:
        raise SharingNeedsReason("Say why the record is held back from the pool.")
    share_each(session, [(household_id, sibling_group_id, stage, held, reason)], on=on)


def share_each(
    session: Session,
    entries: list[tuple[UUID | None, UUID | None, Stage, bool, str | None]],
    *,
    on: date,
    way: Way = Way.IMPORT,
    kept: bool = False,
) -> None:
    """Set the sharing of many records: household or group id, stage, held, reason.

    ``kept`` keeps them at that stage until a person says otherwise.

    :raises NoPool: when the scope names no agency or no consortium.
    """
    scope = scope_of(session)
    if scope.agency_id is None or scope.consortium_id is None:
        raise NoPool("Choose the agency and the consortium in which to share the record.")
    for column in ("household_id", "sibling_group_id"):
        rows = [
            {
                "id": uuid4(),
                "consortium_id": scope.consortium_id,
                "agency_id": scope.agency_id,
                "household_id": household_id,
                "sibling_group_id": group_id,
                "stage": stage,
                "entered_on": on,
                "held": held,
                "reason": reason,
                "way": way,
                "kept": kept,
            }
            for household_id, group_id, stage, held, reason in entries
            if (household_id if column == "household_id" else group_id) is not None
        ]
        if not rows:
            continue
        statement = insert(PoolEntry).from_select(
            list(rows[0]), select(*given_rows(PoolEntry, rows).c), include_defaults=False
        )
        changed = statement.excluded.stage.is_distinct_from(PoolEntry.stage)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["consortium_id", column, "agency_id"],
                set_={
                    "stage": statement.excluded.stage,
                    "held": statement.excluded.held,
                    "reason": statement.excluded.reason,
                    "way": statement.excluded.way,
                    "kept": statement.excluded.kept,
                    # Holding a record for a while must not make it new to the pool again.
                    "entered_on": case((changed, statement.excluded.entered_on), else_=PoolEntry.entered_on),
                },
            )
        )


def sharing_of(session: Session, record_ids: list[UUID], *, anywhere: bool = False) -> dict[UUID, PoolEntry]:
    """Return the present consortium's entry of each record that this scope may see, by the record's id.

    ``anywhere`` takes in what is shared nationally in another consortium and has no entry in this one.
    """
    here = PoolEntry.consortium_id == scope_of(session).consortium_id
    query = select(PoolEntry).where(
        or_(PoolEntry.household_id.in_(record_ids), PoolEntry.sibling_group_id.in_(record_ids))
    )
    if anywhere:
        query = query.where(or_(here, shared_nationally())).order_by(case((here, 1), else_=0), PoolEntry.id)
    else:
        query = query.where(here)
    # The last one stands: the present consortium's, where there is one.
    return {entry.household_id or entry.sibling_group_id: entry for entry in session.scalars(query)}  # type: ignore[misc]


def pooled_here(session: Session) -> Set[UUID]:
    """Return the records with an entry in the present consortium, as far as this scope sees them."""
    entries = select(func.coalesce(PoolEntry.household_id, PoolEntry.sibling_group_id)).where(
        PoolEntry.consortium_id == scope_of(session).consortium_id
    )
    return set(session.scalars(entries))


def shared_nationally() -> ColumnElement[bool]:
    """Return that an entry shows its record to every consortium."""
    return and_(PoolEntry.stage == Stage.NATIONAL, ~PoolEntry.held)
