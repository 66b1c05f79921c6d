"""Entries of the audit by what is asked of them: whose record, whose look, when, how much was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from tenants.audit import AuditEntry, Level

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of the audit; what is ``None`` is not asked."""

    record_id: UUID | None = None
    agency_id: UUID | None = None
    """Of which agency whoever looked is."""
    person_id: UUID | None = None
    level: Level | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is too late."""

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield each condition that an entry has to meet."""
        equal = (
            (AuditEntry.record_id, self.record_id),
            (AuditEntry.actor_agency_id, self.agency_id),
            (AuditEntry.actor_person_id, self.person_id),
            (AuditEntry.level, self.level),
        )
        yield from (column == value for column, value in equal if value is not None)
        if self.since is not None:
            yield AuditEntry.at >= self.since
        if self.until is not None:
            yield AuditEntry.at < self.until


def count_entries(session: Session, asked: Asked) -> int:
    """Return how many entries there are, as far as this scope may know."""
    return session.scalar(select(func.count()).select_from(AuditEntry).where(*asked.conditions())) or 0


def list_entries(session: Session, asked: Asked, *, limit: int, offset: int = 0) -> list[AuditEntry]:
    """Return some of the entries, newest first."""
    query = select(AuditEntry).where(*asked.conditions()).order_by(AuditEntry.at.desc(), AuditEntry.id)
    return list(session.scalars(query.limit(limit).offset(offset)))


def each_batch(session: Session, asked: Asked) -> Iterator[list[AuditEntry]]:
    """Yield every entry, oldest first, some at a time, as the audit stands at one moment: a file of it may be long."""
    query = select(AuditEntry).where(*asked.conditions()).order_by(AuditEntry.at, AuditEntry.id)
    yield from map(list, session.scalars(query, execution_options={"yield_per": _AT_ONCE}).partitions())
