"""Adoption orders, as far as retention needs them: from the day of one, a record is kept for a hundred years.

One that was recorded by mistake is set aside by two people. It stays in the history, with their reason, and counts no
more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session

from matching.household import Household, HouseholdUnknown
from matching.sealed_words import own_agency, own_person, tidy
from matching.sibling_group import GroupUnknown, SiblingGroup
from tenants import audit
from tenants.approval import require_another
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
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
    aside_asked_by: Mapped[UUID | None]
    aside_asked_at: Mapped[datetime | None]
    aside_reason: Mapped[str | None]
    aside_by: Mapped[UUID | None]
    aside_at: Mapped[datetime | None]

    @property
    def record_id(self) -> UUID:
        """Return whose order it is."""
        found = self.household_id or self.sibling_group_id
        assert found is not None  # noqa: S101 - the table holds one of the two
        return found


@dataclass(frozen=True, slots=True)
class OrderSaid:
    """An order with the code of its record."""

    order: AdoptionOrder
    code: str


class OrderUnknown(NotFound):
    """No such order is on record in this agency."""


class OrderAside(Conflict):
    """The order was set aside already, or nobody has asked for it, or somebody has."""


class OrderInvalid(Invalid):
    """The order cannot have been made on that day."""


class OrderRecorded(Conflict):
    """That order is on record already."""


def record_order(
    session: Session, record: Household | SiblingGroup, *, ordered_on: date, now: datetime
) -> AdoptionOrder:
    """Record that an adoption order was made for one's own agency's household or group.

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
    """Return the days of a record's adoption orders that were not set aside, the earliest first."""
    ours = func.coalesce(AdoptionOrder.household_id, AdoptionOrder.sibling_group_id) == record_id
    query = select(AdoptionOrder.ordered_on).where(ours, AdoptionOrder.aside_at.is_(None))
    return list(session.scalars(query.order_by(AdoptionOrder.ordered_on)))


def last_orders(session: Session) -> dict[UUID, date]:
    """Return the day of the last adoption order of each record of the scope's own agency that has one."""
    record = func.coalesce(AdoptionOrder.household_id, AdoptionOrder.sibling_group_id)
    query = select(record, func.max(AdoptionOrder.ordered_on)).where(AdoptionOrder.aside_at.is_(None)).group_by(record)
    return dict(session.execute(query).all())


def get_order(session: Session, order_id: UUID) -> OrderSaid:
    """Return an order of the scope's own agency.

    :raises OrderUnknown: when there is none, or its record is one from which the scope's person is barred.
    """
    found = next(iter(list_all_orders(session, order_id=order_id)), None)
    if found is None:
        raise OrderUnknown("There is no such adoption order in your agency.")
    return found


def list_all_orders(session: Session, *, order_id: UUID | None = None) -> list[OrderSaid]:
    """Return the agency's orders, those set aside among them, the latest recorded first; or one of them."""
    query = (
        select(AdoptionOrder, func.coalesce(Household.code, SiblingGroup.code))
        .outerjoin(Household, Household.id == AdoptionOrder.household_id)
        .outerjoin(SiblingGroup, SiblingGroup.id == AdoptionOrder.sibling_group_id)
        .where(AdoptionOrder.agency_id == scope_of(session).agency_id)
        .order_by(AdoptionOrder.recorded_at.desc(), AdoptionOrder.id)
        .execution_options(populate_existing=True)
    )
    if order_id is not None:
        query = query.where(AdoptionOrder.id == order_id)
    return [OrderSaid(order, code or "") for order, code in session.execute(query).all()]


def ask_to_set_aside(session: Session, order: AdoptionOrder, *, reason: str, now: datetime) -> None:
    """Ask a second person to set aside an order that was recorded by mistake.

    :raises NotAllowed: when the scope's roles do not keep the schedule.
    :raises OrderAside: when it was set aside, or that was asked for, already.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.KEEP_RETENTION)
    said = tidy(reason, what="why it was recorded by mistake")
    _lock(session, order)
    if order.aside_asked_at is not None:
        raise OrderAside("Somebody has asked for this already.")
    order.aside_asked_by, order.aside_asked_at, order.aside_reason = own_person(session), now, said
    _flush(session, order, f"adoption order to be set aside: {said}", now=now)


def decide_on_setting_aside(session: Session, order: AdoptionOrder, *, approve: bool, now: datetime) -> None:
    """Set an order aside as the second person, or let it stand; whoever asked may let it stand too.

    :raises NotAllowed: when the scope's roles do not decide on destruction, which this may lead to.
    :raises OrderAside: when nobody has asked, or it was set aside already.
    :raises SamePerson: when whoever asked would approve.
    """
    require(scope_of(session), Verb.APPROVE_DESTRUCTION)
    _lock(session, order)
    if order.aside_asked_at is None:
        raise OrderAside("There is nothing to decide: nobody asks for it now.")
    if approve:
        order.aside_by = require_another(session, first_person_id=order.aside_asked_by, on=now.date())
        order.aside_at = now
    else:
        order.aside_asked_by = order.aside_asked_at = order.aside_reason = None
    _flush(session, order, "adoption order set aside" if approve else "adoption order stands", now=now)


def check_own(session: Session, record: Household | SiblingGroup) -> None:
    """Let a record of the scope's own agency pass.

    :raises HouseholdUnknown: or ``GroupUnknown``, when it is another agency's.
    """
    if record.agency_id == scope_of(session).agency_id:
        return
    if isinstance(record, Household):
        raise HouseholdUnknown("There is no such household in your agency.")
    raise GroupUnknown("There is no such sibling group in your agency.")


def _lock(session: Session, order: AdoptionOrder) -> None:
    query = select(AdoptionOrder).where(AdoptionOrder.id == order.id).with_for_update()
    # The database lets nobody change one that was set aside, and so lock it.
    if session.scalar(query.execution_options(populate_existing=True)) is None:
        raise OrderAside("The order was set aside already.")


def _flush(session: Session, order: AdoptionOrder, what: str, *, now: datetime) -> None:
    session.flush()
    kind = "household" if order.household_id else "sibling_group"
    audit.record(session, audit.Act.CHANGE, record_kind=kind, record_id=order.record_id, reason=what, now=now)
