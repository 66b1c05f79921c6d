"""Legal holds: an application to revoke the placement order, a stay or a direction; while one stands nobody is placed.

It is the children's agency's own, and stands until a named person lifts it with a reason. Setting and lifting one is
told on each open link of the group, by :mod:`matching.transition.hold`.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.error import NotFound


class HoldKind(StrEnum):
    """What stops the placing."""

    REVOCATION = "revocation"
    STAY = "stay"
    DIRECTION = "direction"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "revocation": "Application to revoke the placement order",
            "stay": "Stay",
            "direction": "Court’s direction",
        }[self]


class LegalHold(Base):
    """One hold on placing a group's children."""

    __tablename__ = "legal_hold"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID]
    kind: Mapped[HoldKind] = mapped_column(Word(HoldKind))
    from_on: Mapped[date]
    reason: Mapped[str]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None]
    lifted_name: Mapped[str | None]
    lifted_reason: Mapped[str | None]


class HoldUnknown(NotFound):
    """No such hold is the scope's agency's."""


def get_legal_hold(session: Session, hold_id: UUID) -> LegalHold:
    """Return a hold of the scope's agency.

    :raises HoldUnknown: when there is none.
    """
    hold = session.get(LegalHold, hold_id)
    if hold is None:
        raise HoldUnknown("There is no such legal hold of your agency.")
    return hold


def list_legal_holds(session: Session, group_id: UUID, *, standing: bool = False) -> list[LegalHold]:
    """Return the scope's own agency's holds of a group, the newest first; only those that stand where ``standing``."""
    query = select(LegalHold).where(LegalHold.sibling_group_id == group_id)
    if standing:
        query = query.where(LegalHold.lifted_at.is_(None))
    found = session.scalars(query.order_by(LegalHold.at.desc(), LegalHold.id).execution_options(populate_existing=True))
    return list(found)
