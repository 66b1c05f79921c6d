"""Whom a payer has approved as a supplier, and the purchase orders of its agreements: asked for early, never a bar."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.agreement import PAGE_AGREEMENTS, AgreementState, FeeAgreement
from matching.register import Page, count_rows, read_page
from matching.sealed_words import own_agency
from tenants import audit
from tenants.base import Base
from tenants.database import scope_of
from tenants.error import Forbidden, Invalid
from tenants.permission import Verb, require

_LONGEST = 30
_OPEN = (AgreementState.DRAFTED, AgreementState.SIGNED, AgreementState.IN_FORCE)


class Supplier(Base):
    """An agency that another has approved to be paid."""

    __tablename__ = "supplier"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    payee_agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    approved_on: Mapped[date]
    ended_on: Mapped[date | None]
    supplier_number: Mapped[str | None]
    """What the payer's finance system calls it."""
    recorded_by: Mapped[UUID | None]
    recorded_at: Mapped[datetime]


class PurchaseOrder(Base):
    """The payer's own number for what it ordered by an agreement, which its invoices have to name."""

    __tablename__ = "purchase_order"

    agreement_id: Mapped[UUID] = mapped_column(primary_key=True)
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    number: Mapped[str]
    recorded_by: Mapped[UUID | None]
    recorded_at: Mapped[datetime]


class SupplierInvalid(Invalid):
    """A supplier's or an order's number cannot be kept like that."""


class NotYoursToOrder(Forbidden):
    """Another agency pays."""


def approve_supplier(
    session: Session, payee_agency_id: UUID, *, supplier_number: str = "", approved_on: date, now: datetime
) -> None:
    """Put on record that the scope's own agency has approved a payee, or change its number."""
    scope, own = scope_of(session), own_agency(session)
    require(scope, Verb.KEEP_FEES)
    if payee_agency_id == own:
        raise SupplierInvalid("An agency is not its own supplier.")
    row = {
        "approved_on": approved_on,
        "ended_on": None,
        "supplier_number": _number(supplier_number) if supplier_number.strip() else None,
        "recorded_by": scope.person_id,
        "recorded_at": now,
    }
    query = insert(Supplier).values(agency_id=own, payee_agency_id=payee_agency_id, **row)
    session.execute(query.on_conflict_do_update(index_elements=["agency_id", "payee_agency_id"], set_=row))
    audit.record(session, audit.Act.APPROVE, record_kind="supplier", record_id=payee_agency_id, now=now)


def list_suppliers(session: Session) -> list[Supplier]:
    """Return whom the scope's own agency has approved, by id."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Supplier).where(Supplier.agency_id == own_agency(session))
    return list(session.scalars(query.order_by(Supplier.payee_agency_id)))


def find_supplier(session: Session, *, payer_agency_id: UUID, payee_agency_id: UUID) -> Supplier | None:
    """Return a payer's word on a payee, for either of the two."""
    require(scope_of(session), Verb.READ_FEES)
    return session.get(Supplier, (payer_agency_id, payee_agency_id))


def set_purchase_order(session: Session, agreement: FeeAgreement, *, number: str, now: datetime) -> None:
    """Put the payer's purchase order of an agreement on record, or change it; what was invoiced stays.

    :raises NotYoursToOrder: when another agency pays; SupplierInvalid when it is no number.
    """
    scope = scope_of(session)
    require_payer(session, agreement)
    row = {"number": _number(number), "recorded_by": scope.person_id, "recorded_at": now}
    parties = {"payer_agency_id": agreement.payer_agency_id, "payee_agency_id": agreement.payee_agency_id}
    query = insert(PurchaseOrder).values(agreement_id=agreement.id, **parties, **row)
    session.execute(query.on_conflict_do_update(index_elements=["agreement_id"], set_=row | parties))
    audit.record(session, audit.Act.CHANGE, record_kind="purchase_order", record_id=agreement.id, now=now)


def require_payer(session: Session, agreement: FeeAgreement) -> None:
    """Let whoever may give an agreement's purchase order pass.

    :raises NotYoursToOrder: when another agency pays.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    if agreement.payer_agency_id != own_agency(session):
        raise NotYoursToOrder("Only the agency that pays gives a purchase order. Ask its finance officer.")


def find_purchase_order(session: Session, agreement_id: UUID) -> PurchaseOrder | None:
    """Return an agreement's purchase order, if its payer has given one."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(PurchaseOrder).where(PurchaseOrder.agreement_id == agreement_id)
    return session.scalar(query.execution_options(populate_existing=True))


def list_without_order(session: Session) -> list[FeeAgreement]:
    """Return the agreements that the scope's own agency pays and gave no order for, the latest first."""
    return list(session.scalars(_latest_first(session)))


def read_without_order(session: Session, *, number: int) -> Page[FeeAgreement]:
    """Return a page of the same."""
    return read_page(
        session, _latest_first(session), number=number, total=count_without_order(session), size=PAGE_AGREEMENTS
    )


def count_without_order(session: Session) -> int:
    """Count the same."""
    return count_rows(session, _without_order(session))


def _latest_first(session: Session) -> Select[FeeAgreement]:
    return _without_order(session).order_by(FeeAgreement.drafted_at.desc(), FeeAgreement.id)


def _without_order(session: Session) -> Select[FeeAgreement]:
    require(scope_of(session), Verb.READ_FEES)
    ordered = select(PurchaseOrder.agreement_id)
    return select(FeeAgreement).where(
        FeeAgreement.payer_agency_id == own_agency(session),
        FeeAgreement.state.in_(_OPEN),
        FeeAgreement.waived.is_(False),
        FeeAgreement.id.not_in(ordered),
    )


def list_unapproved(session: Session) -> list[UUID]:
    """Return the payees of the scope's own agreements that are no approved suppliers of it, by id."""
    require(scope_of(session), Verb.READ_FEES)
    approved = select(Supplier.payee_agency_id).where(Supplier.agency_id == own_agency(session))
    query = select(FeeAgreement.payee_agency_id).where(
        FeeAgreement.payer_agency_id == own_agency(session),
        FeeAgreement.state.in_(_OPEN),
        FeeAgreement.waived.is_(False),
        FeeAgreement.payee_agency_id.not_in(approved),
    )
    return list(session.scalars(query.distinct().order_by(FeeAgreement.payee_agency_id)))


def _number(said: str) -> str:
    number = " ".join(said.split())
    if not number or len(number) > _LONGEST:
        raise SupplierInvalid(f"Enter a number of at most {_LONGEST} letters and digits. It must name no child.")
    return number
