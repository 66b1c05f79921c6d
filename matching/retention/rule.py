"""An agency's own retention schedule: its periods where it set any, and else what Concord starts from."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.retention.record_class import CLOCKS_OF, FLOOR_MONTHS, Clock, Ends, RecordClass, class_defaults
from matching.sealed_words import own_agency, own_person, tidy
from tenants import audit
from tenants.agency import get_agency
from tenants.base import Base, Word
from tenants.database import scope_of
from tenants.error import Invalid
from tenants.permission import Verb, require

MOST_MONTHS: Final = 2400


class RetentionRule(Base):
    """What an agency has set for one class of record."""

    __tablename__ = "retention_rule"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_class: Mapped[RecordClass] = mapped_column(Word(RecordClass), primary_key=True)
    clock: Mapped[Clock] = mapped_column(Word(Clock))
    months: Mapped[int]
    ends: Mapped[Ends] = mapped_column(Word(Ends))
    basis: Mapped[str]
    set_by: Mapped[UUID]
    set_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule in force for a class; ``set_at`` is ``None`` while it is the one Concord starts from."""

    record_class: RecordClass
    title: str
    what: str
    clock: Clock
    months: int
    ends: Ends
    basis: str
    set_at: datetime | None

    @property
    def period(self) -> str:
        """Return how long records are kept, in words."""
        years, months = divmod(self.months, 12)
        parts = [
            f"{count:,} {unit}{'' if count == 1 else 's'}"
            for count, unit in ((years, "year"), (months, "month"))
            if count
        ]
        return f"{' and '.join(parts)} from {self.clock.label}"

    def due_on(self, start: date) -> date:
        """Return the first day on which a record whose clock started on a day may be destroyed."""
        return months_after(start, self.months)


class RuleInvalid(Invalid):
    """A period that the law, or the schedule, does not allow."""


def schedule_of(session: Session) -> dict[RecordClass, Rule]:
    """Return the rule in force for each class of the scope's own agency, in the order of the schedule."""
    agency = get_agency(session, own_agency(session))
    own = {row.record_class: row for row in session.scalars(select(RetentionRule))}
    found = {}
    for record_class, default in class_defaults(agency.nation).items():
        row = own.get(record_class)
        said = row or default
        found[record_class] = Rule(
            record_class=record_class,
            title=default.title,
            what=default.what,
            clock=said.clock,
            months=said.months,
            ends=said.ends,
            basis=said.basis,
            set_at=row.set_at if row else None,
        )
    return found


def set_rule(
    session: Session,
    record_class: RecordClass,
    *,
    clock: Clock,
    months: int,
    ends: Ends,
    basis: str,
    now: datetime,
) -> Rule:
    """Set the agency's own period for a class, with the ground on which it stands.

    :raises NotAllowed: when the scope's roles do not keep the schedule.
    :raises RuleInvalid: when the period is under the floor of adoption records, under a month or past 200 years, or
        the class has no such clock.
    :raises WordsMissing: when no ground is given.
    """
    require(scope_of(session), Verb.KEEP_RETENTION)
    _check(record_class, clock, months)
    ground = tidy(basis, what="on what ground records are kept so long")
    values = {
        "clock": clock,
        "months": months,
        "ends": ends,
        "basis": ground,
        "set_by": own_person(session),
        "set_at": now,
    }
    agency_id = own_agency(session)
    statement = insert(RetentionRule).values(agency_id=agency_id, record_class=record_class, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["agency_id", "record_class"], set_=values))
    session.expire_all()
    audit.record(
        session,
        audit.Act.CHANGE,
        record_kind="retention_rule",
        reason=f"{record_class.value}: {months} months from {clock.value}, then {ends.value}",
        now=now,
    )
    return schedule_of(session)[record_class]


def months_after(start: date, months: int) -> date:
    """Return the day some months later; the last of the month where that month has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _check(record_class: RecordClass, clock: Clock, months: int) -> None:
    if clock not in CLOCKS_OF[record_class]:
        raise RuleInvalid("The clock of these records cannot start there. Choose another start.")
    if record_class is RecordClass.ADOPTION_RECORD and months < FLOOR_MONTHS:
        raise RuleInvalid(
            "Adoption records are kept at least 100 years from the order (SI 2005/888, regulation 6). Enter 1,200 "
            "months or more."
        )
    if not 1 <= months <= MOST_MONTHS:
        raise RuleInvalid(f"Enter a number of months from 1 to {MOST_MONTHS:,}.")
