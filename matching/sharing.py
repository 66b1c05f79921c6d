"""How far a record is shared: set by a person with a reason, or moved by the schedule; and who sees it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household, HouseholdStatus, HouseholdUnknown
from matching.pool import PoolEntry, Stage, Way, share_each, sharing_of
from matching.sibling_group import GroupStatus, GroupUnknown, SiblingGroup
from matching.timing import NextMove, next_move, timing_of
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Invalid
from tenants.permission import Verb, require
from tenants.person import Person

MOVE_JOB = "sharing.move"
"""The kind of the daily job that moves what is due in one agency's share of one consortium's pool."""
MOST_CHARACTERS = 1_000
_ORDER = {Stage.IN_HOUSE: 0, Stage.CONSORTIUM: 1, Stage.NATIONAL: 2}

Record = Household | SiblingGroup


class SharingMove(Base):
    """One change of how far a record is shared: written by the database itself, never changed or removed."""

    __tablename__ = "sharing_move"

    id: Mapped[Id]
    at: Mapped[datetime]
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    household_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    stage: Mapped[Stage] = mapped_column(Word(Stage))
    held: Mapped[bool]
    kept: Mapped[bool]
    reason: Mapped[str | None]
    way: Mapped[Way] = mapped_column(Word(Way))
    person_id: Mapped[UUID | None]


class SharingInvalid(Invalid):
    """Sharing was asked for in a way that cannot be kept."""


@dataclass(frozen=True, slots=True)
class Move:
    """One change, in words: what it came to, who or what made it, and why."""

    at: datetime
    what: str
    who: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Sharing:
    """How one's own agency shares a record in the present consortium, what moves it next, and how it came to that."""

    entry: PoolEntry | None
    next: NextMove | None
    elsewhere: int
    """In how many other consortia the agency shares it."""
    moves: tuple[Move, ...]


def own_record(session: Session, record: Record) -> Record:
    """Return the record where it is the scope's agency's own.

    :raises NotFound: when it is another's.
    """
    if record.agency_id != scope_of(session).agency_id:
        if isinstance(record, Household):
            raise HouseholdUnknown("There is no such household in your agency.")
        raise GroupUnknown("There is no such sibling group in your agency.")
    return record


def set_sharing(
    session: Session,
    record: Record,
    *,
    stage: Stage,
    reason: str,
    now: datetime,
    held: bool = False,
    kept: bool = False,
) -> None:
    """Share a record as a person says, with the reason in their words.

    ``held`` shows it to nobody outside the agency until it is let go; ``kept`` keeps it at its stage whatever the
    timing says, as does taking it back from a stage that it had reached.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotFound: when the record is another agency's.
    :raises SharingInvalid: when no reason is given, or one too long.
    """
    require(scope_of(session), Verb.SHARE_RECORDS)
    own_record(session, record)
    words = given_reason(reason)
    present = sharing_of(session, [record.id]).get(record.id)
    back = present is not None and _ORDER[stage] < _ORDER[present.stage]
    ids = (record.id, None) if isinstance(record, Household) else (None, record.id)
    share_each(session, [(*ids, stage, held, words)], on=now.date(), way=Way.PERSON, kept=kept or back)
    session.expire_all()


def given_reason(reason: str) -> str:
    """Return a reason in a person's words.

    :raises SharingInvalid: when it says nothing, or too much.
    """
    words = reason.replace("\x00", "").strip()
    if not words or len(words) > MOST_CHARACTERS:
        raise SharingInvalid(f"Say why, in at most {MOST_CHARACTERS:,} characters.")
    return words


def read_sharing(session: Session, record: Record) -> Sharing:
    """Return how one's own agency shares a record, and how it came to that."""
    own_record(session, record)
    entry = sharing_of(session, [record.id]).get(record.id)
    coming = None
    if entry is not None and record.status in (HouseholdStatus.WAITING, GroupStatus.WAITING):
        coming = next_move(entry, timing_of(session), approved_on=_approved_on(record))
    return Sharing(
        entry=entry, next=coming, elsewhere=_elsewhere(session, record), moves=tuple(list_moves(session, record))
    )


def list_moves(session: Session, record: Record) -> list[Move]:
    """Return each change of how far one's own agency shares a record in this consortium, newest first."""
    query = (
        select(SharingMove, Person.name)
        .outerjoin(Person, Person.id == SharingMove.person_id)
        .where(
            or_(SharingMove.household_id == record.id, SharingMove.sibling_group_id == record.id),
            SharingMove.agency_id == record.agency_id,
            SharingMove.consortium_id == scope_of(session).consortium_id,
        )
        .order_by(SharingMove.at.desc(), SharingMove.id)
    )
    return [
        Move(
            at=move.at,
            what=stage_words(move.stage, held=move.held, kept=move.kept),
            who=_who(move, name),
            reason=move.reason,
        )
        for move, name in session.execute(query)
    ]


def stage_words(stage: Stage, *, held: bool, kept: bool) -> str:
    """Return how far a record is shared, in words."""
    if held:
        return "Held back"
    return f"{stage.label}, until somebody says otherwise" if kept else stage.label


def _approved_on(record: Record) -> date | None:
    return record.approved_on if isinstance(record, Household) else None


def _elsewhere(session: Session, record: Record) -> int:
    query = select(func.count()).where(
        or_(PoolEntry.household_id == record.id, PoolEntry.sibling_group_id == record.id),
        PoolEntry.consortium_id != scope_of(session).consortium_id,
        PoolEntry.stage != Stage.IN_HOUSE,
        ~PoolEntry.held,
    )
    return session.scalar(query) or 0


def _who(move: SharingMove, name: str | None) -> str:
    if move.way is Way.SCHEDULE:
        return "Moved by the schedule"
    person = name or ("Somebody who has left" if move.person_id else "A command on the server")
    return f"{person}, by an import" if move.way is Way.IMPORT else person
