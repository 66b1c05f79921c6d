"""Who saw or did what: an append-only record of ids, never of content.

Rows are appended unchained so that no request waits for a lock; the database refuses to change or remove one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.bulk import add_rows
from tenants.database import scope_of


class Act(StrEnum):
    """What was done to a record."""

    READ = "read"
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    SHARE = "share"
    RANK = "rank"
    IMPORT = "import"
    BUILD = "build"
    DOWNLOAD = "download"
    EXPORT = "export"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    REFUSE = "refuse"
    INVITE = "invite"
    REQUEST = "request"
    GRANT = "grant"
    REVOKE = "revoke"
    UNDERTAKE = "undertake"
    BAR = "bar"
    BREAK_GLASS = "break_glass"
    HOLD = "hold"
    RELEASE = "release"
    DESTROY = "destroy"
    APPROVE = "approve"
    ROTATE = "rotate"
    SEAL = "seal"
    SIGN = "sign"
    HAND_OVER = "hand_over"
    SEARCH = "search"
    DECIDE = "decide"
    DECLINE = "decline"
    CONFIRM = "confirm"


class Level(StrEnum):
    """How much of a record was seen, from counts to reports."""

    COUNT = "count"
    SUMMARY = "summary"
    PROFILE = "profile"
    IDENTITY = "identity"
    REPORT = "report"


class Origin(StrEnum):
    """By what way an act came."""

    PAGE = "page"
    API = "api"
    CLI = "cli"
    JOB = "job"
    SCHEDULE = "schedule"


class AuditEntry(Base):
    """One look or one act."""

    __tablename__ = "audit_entry"

    id: Mapped[Id]
    at: Mapped[datetime]
    actor_agency_id: Mapped[UUID | None]
    actor_person_id: Mapped[UUID | None]
    consortium_id: Mapped[UUID | None]
    owner_agency_id: Mapped[UUID | None]
    act: Mapped[Act] = mapped_column(Word(Act))
    record_kind: Mapped[str]
    record_id: Mapped[UUID | None]
    level: Mapped[Level | None] = mapped_column(Word(Level))
    reason: Mapped[str | None]
    request_id: Mapped[str | None]
    """The request, job or command in which it happened."""
    actor_client_id: Mapped[UUID | None]
    """The agency's program that did it, where no person did."""
    origin: Mapped[Origin | None] = mapped_column(Word(Origin))
    """By what way it came; like the address, the database takes it from the transaction’s settings."""
    address: Mapped[str | None]
    """The network address of whoever asked at a page or by the API."""


def record(
    session: Session,
    act: Act,
    *,
    record_kind: str,
    now: datetime,
    record_id: UUID | None = None,
    owner_agency_id: UUID | None = None,
    level: Level | None = None,
    reason: str | None = None,
) -> None:
    """Append one entry in the session's own transaction: what is rolled back was not done."""
    record_each(
        session,
        act,
        record_kind=record_kind,
        now=now,
        records=[(record_id, owner_agency_id)],
        level=level,
        reason=reason,
    )


def record_each(
    session: Session,
    act: Act,
    *,
    record_kind: str,
    now: datetime,
    records: Iterable[tuple[UUID | None, UUID | None]],
    level: Level | None = None,
    reason: str | None = None,
) -> None:
    """Append one entry for each of ``records``, pairs of a record's id and its owner's agency."""
    scope = scope_of(session)
    shared: dict[str, Any] = {
        "at": now,
        "actor_agency_id": scope.agency_id,
        "actor_person_id": scope.person_id,
        "actor_client_id": scope.client_id,
        "consortium_id": scope.consortium_id,
        "act": act,
        "record_kind": record_kind,
        "level": level,
        "reason": reason,
        "request_id": session.info.get("request_id"),
    }
    rows = [
        {"id": uuid4(), "record_id": record_id, "owner_agency_id": owner or scope.agency_id, **shared}
        for record_id, owner in records
    ]
    add_rows(session, AuditEntry, rows)


def list_entries_of(
    session: Session, record_id: UUID, *, limit: int | None = None, offset: int = 0
) -> list[AuditEntry]:
    """Return who saw or changed a record, newest first, as far as this scope may know."""
    query = select(AuditEntry).where(AuditEntry.record_id == record_id).order_by(AuditEntry.at.desc(), AuditEntry.id)
    return list(session.scalars(query.limit(limit).offset(offset)))


def count_entries_of(session: Session, record_id: UUID) -> int:
    """Return how many entries of a record this scope may know of."""
    return session.scalar(select(func.count()).where(AuditEntry.record_id == record_id)) or 0
