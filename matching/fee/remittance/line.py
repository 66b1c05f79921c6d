"""A line of a bank's file, its words sealed, and what has become of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.cipher import unseal
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.permission import Verb, require


class LineState(StrEnum):
    """What has become of a line."""

    WAITING = "waiting"
    MATCHED = "matched"
    PAID_BACK = "paid_back"
    SET_ASIDE = "set_aside"
    REVERSED = "reversed"
    NOT_RECEIPT = "not_receipt"
    ADVICE = "advice"
    TAKEN_BACK = "taken_back"

    @property
    def label(self) -> str:
        """Return it in words."""
        return {
            "waiting": "Waiting",
            "matched": "Matched",
            "paid_back": "Paid back",
            "set_aside": "Set aside",
            "reversed": "Came back",
            "not_receipt": "Not a receipt",
            "advice": "Advice of a payment",
            "taken_back": "Taken back with its file",
        }[self.value]


class RemittanceLine(Base):
    """One line: pence above nothing came in, below nothing went out."""

    __tablename__ = "remittance_line"

    id: Mapped[Id]
    remittance_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    position: Mapped[int]
    dated_on: Mapped[date]
    pence: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes]
    """Who paid, the reference, and where it stands in the file."""
    fingerprint: Mapped[bytes]
    payer_mark: Mapped[bytes | None]
    undoes: Mapped[bool]
    """Whether the bank marks it as the undoing of an earlier line."""
    state: Mapped[LineState] = mapped_column(Word(LineState))
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None]
    settled_name: Mapped[str | None]
    sealed_reason: Mapped[bytes | None]
    """Why it was set aside."""


@dataclass(frozen=True, slots=True)
class LineWords:
    """What a bank wrote of a line."""

    payer: str
    reference: str
    place: str

    def sealable(self) -> bytes:
        """Return them as they are sealed."""
        return json.dumps([self.payer, self.reference, self.place], ensure_ascii=False).encode("utf-8", "replace")


class LineUnknown(NotFound):
    """No such line is this agency's."""


def get_line(session: Session, line_id: UUID) -> RemittanceLine:
    """Return a line of the scope's agency as it stands now.

    :raises LineUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    query = select(RemittanceLine).where(RemittanceLine.id == line_id).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise LineUnknown("There is no such line in your agency.")
    return found


def list_lines(
    session: Session, *, remittance_id: UUID | None = None, state: LineState | None = None, limit: int | None = None
) -> list[RemittanceLine]:
    """Return lines of the scope's agency: of a file in its order, else the oldest first."""
    query = select(RemittanceLine)
    if remittance_id is not None:
        query = query.where(RemittanceLine.remittance_id == remittance_id)
    if state is not None:
        query = query.where(RemittanceLine.state == state)
    order = [RemittanceLine.position] if remittance_id else [RemittanceLine.dated_on, RemittanceLine.id]
    return list(session.scalars(query.order_by(*order).limit(limit)))


def reason_id(line_id: UUID) -> UUID:
    """Return the id to which the reason of a line is bound: another than its words', so that neither opens as both."""
    return uuid5(line_id, "reason")


def count_waiting(session: Session, *, until_on: date | None = None) -> int:
    """Return how many lines of the scope's agency wait to be matched, dated until a day where one is given."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(func.count()).select_from(RemittanceLine).where(RemittanceLine.state == LineState.WAITING)
    if until_on is not None:
        query = query.where(RemittanceLine.dated_on <= until_on)
    return session.scalar(query) or 0


def words_of(session: Session, line: RemittanceLine) -> LineWords:
    """Return what the bank wrote of a line."""
    return LineWords(*json.loads(unseal(session, line.sealed, row_id=line.id)))
