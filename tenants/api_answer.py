"""Doing a write once, however often it is asked: each answer is kept for a day with the key that came with the request.

The answer is written in the transaction of what was done, and the key is locked in it: two that arrive at once wait for
one another, and a first that was killed has left neither. What was refused is not kept, for nothing was done.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session

from tenants.api_token import Caller
from tenants.base import Base, Id
from tenants.cipher import seal, unseal
from tenants.error import Conflict, Invalid

KEPT_FOR = timedelta(hours=24)
_WAIT = "10s"


class ApiAnswer(Base):
    """One answer to one client's write."""

    __tablename__ = "api_answer"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    client_id: Mapped[UUID]
    key: Mapped[str]
    fingerprint: Mapped[bytes]
    """SHA-256 of the request: the same key with another request is a mistake."""
    status: Mapped[int]
    sealed: Mapped[bytes]
    """The body and the place of what was made, sealed with the agency's key."""
    answered_at: Mapped[datetime]


class IdempotencyKeyTaken(Invalid):
    """The key came with another request before."""


class IdempotencyKeyBusy(Conflict):
    """The first request with this key has not been answered yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write was answered with."""

    status: int
    body: str
    location: str | None = None


def find_answer(session: Session, caller: Caller, *, key: str, fingerprint: bytes, now: datetime) -> Answer | None:
    """Wait until nobody else answers this key, and return what it was answered with, if it was.

    ``fingerprint`` is a SHA-256 of the request.

    :raises IdempotencyKeyTaken: when that was another request.
    :raises IdempotencyKeyBusy: when it is still being answered after some seconds.
    """
    _lock(session, f"api {caller.client_id} {key}")
    row = session.scalar(
        select(ApiAnswer).where(
            ApiAnswer.client_id == caller.client_id, ApiAnswer.key == key, ApiAnswer.answered_at > now - KEPT_FOR
        )
    )
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyTaken(
            "This Idempotency-Key was used with another request in the last 24 hours. Give each request its own."
        )
    return Answer(row.status, **json.loads(unseal(session, row.sealed, row_id=row.id)))


def keep_answer(
    session: Session, caller: Caller, answer: Answer, *, key: str, fingerprint: bytes, now: datetime
) -> None:
    """Keep what a write was answered with, and forget the client's answers of which the day is over."""
    session.execute(
        delete(ApiAnswer).where(ApiAnswer.client_id == caller.client_id, ApiAnswer.answered_at <= now - KEPT_FOR)
    )
    row_id = uuid4()
    plain = json.dumps({"body": answer.body, "location": answer.location}).encode()
    session.add(
        ApiAnswer(
            id=row_id,
            agency_id=caller.agency_id,
            client_id=caller.client_id,
            key=key,
            fingerprint=fingerprint,
            status=answer.status,
            sealed=seal(session, plain, agency_id=caller.agency_id, row_id=row_id, now=now),
            answered_at=now,
        )
    )
    session.flush()


def _lock(session: Session, name: str) -> None:
    session.execute(text(f"SET LOCAL lock_timeout = '{_WAIT}'"))
    try:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":
            raise IdempotencyKeyBusy(
                "The first request with this Idempotency-Key is still being answered. Ask again in a moment."
            ) from None
        raise
    session.execute(text("SET LOCAL lock_timeout = DEFAULT"))
