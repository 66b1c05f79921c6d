"""Adoption orders, as far as retention needs them: from the day of one, a record is kept for a hundred years."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session

from matching.household import Household, HouseholdUnknown
from matching.sealed_words import own_agency, own_person
from matching.sibling_group import GroupUnknown, SiblingGroup
from tenants import audit
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require


class AdoptionOrder(Base):
    """An order by which children of a group, or children with a household, were adopted."""

    __tablename__ = "adoption_order"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    household_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    ordered_on: Mapped[date]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class OrderInvalid(Invalid):
    """The order cannot have been made on that day."""


class OrderRecorded(Conflict):
    """That order is on record already."""


def record_order(
    session: Session, record: Household | SiblingGroup, *, ordered_on: date, now: datetime
) -> AdoptionOrder:
    """Record that an adoption order was made for one's own agency's household or group; it cannot be taken back.

    :raises NotAllowed: when the scope's roles do not keep the schedule.
    :raises HouseholdUnknown: or ``GroupUnknown``, when the record is another agency's.
    :raises OrderInvalid: when the day is yet to come, or before adoption by order began (1 January 1927).
    :raises OrderRecorded: when that order is recorded.
    """
    require(scope_of(session), Verb.KEEP_RETENTION)
    check_own(session, record)
    if not date(1927, 1, 1) <= ordered_on <= now.date():
        raise OrderInvalid("Enter the day of the adoption order: not after today, and not before 1 January 1927.")
    household_id = record.id if isinstance(record, Household) else None
    group_id = record.id if isinstance(record, SiblingGroup) else None
    order = AdoptionOrder(
        agency_id=own_agency(session),
        household_id=household_id,
        sibling_group_id=group_id,
        ordered_on=ordered_on,
        recorded_by=own_person(session),
        recorded_at=now,
    )
    if ordered_on in list_orders(session, record.id):
        raise OrderRecorded("An adoption order of that day is recorded already.")
    session.add(order)
    session.flush()
    kind = "household" if household_id else "sibling_group"
    audit.record(
        session, audit.Act.CHANGE, record_kind=kind, record_id=record.id, reason="adoption order recorded", now=now
    )
    return order


def list_orders(session: Session, record_id: UUID) -> list[date]:
    """Return the days of a record's adoption orders, the earliest first."""
    ours = func.coalesce(AdoptionOrder.household_id, AdoptionOrder.sibling_group_id) == record_id
    return list(session.scalars(select(AdoptionOrder.ordered_on).where(ours).order_by(AdoptionOrder.ordered_on)))


def last_orders(session: Session) -> dict[UUID, date]:
    """Return the day of the last adoption order of each record of the scope's own agency that has one."""
    record = func.coalesce(AdoptionOrder.household_id, AdoptionOrder.sibling_group_id)
    query = select(record, func.max(AdoptionOrder.ordered_on)).group_by(record)
    return dict(session.execute(query).all())


def check_own(session: Session, record: Household | SiblingGroup) -> None:
    """Let a record of the scope's own agency pass.

    :raises HouseholdUnknown: or ``GroupUnknown``, when it is another agency's.
    """
    if record.agency_id == scope_of(session).agency_id:
        return
    if isinstance(record, Household):
        raise HouseholdUnknown("There is no such household in your agency.")
    raise GroupUnknown("There is no such sibling group in your agency.")
