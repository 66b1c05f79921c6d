"""Invoices and credit notes, as their two agencies read them: never changed once they are issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, case, column, func, or_, select, table
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.agreement import FeeAgreement
from matching.fee.debt_holder import list_taken, sides_of
from matching.fee.invoice.content import ContentLine, InvoiceContent, open_frozen
from matching.fee.invoice.vat import VatCategory
from matching.fee.ledger import LedgerTransaction, owed_by_invoice
from matching.register import Page, read_page
from matching.sealed_words import own_agency
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.permission import Verb, require

RECORD_KIND = "invoice"
PAGE_INVOICES = 50
_DISPUTE = table("dispute", column("invoice_id"), column("status"))


class InvoiceKind(StrEnum):
    """What it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"invoice": "Invoice", "credit_note": "Credit note"}[self]


class InvoiceState(StrEnum):
    """How an invoice stands, by its ledger and its disputes."""

    DISPUTED = "disputed"
    OVERDUE = "overdue"
    OPEN = "open"
    SETTLED = "settled"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"disputed": "In dispute", "overdue": "Overdue", "open": "Open", "settled": "Settled"}[self]


class Invoice(Base):
    """An invoice, or the credit note of one."""

    __tablename__ = "invoice"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    kind: Mapped[InvoiceKind] = mapped_column(Word(InvoiceKind))
    credits_id: Mapped[UUID | None]
    number: Mapped[str]
    issued_on: Mapped[date]
    due_on: Mapped[date]
    purchase_order: Mapped[str | None]
    vat_category: Mapped[VatCategory] = mapped_column(Word(VatCategory))
    vat_rate: Mapped[int]
    net_pence: Mapped[int] = mapped_column(BigInteger)
    vat_pence: Mapped[int] = mapped_column(BigInteger)
    gross_pence: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None]
    transaction_id: Mapped[UUID]
    issued_by: Mapped[UUID | None]
    issued_at: Mapped[datetime]
    sealed_key: Mapped[bytes] = mapped_column(deferred=True)
    sealed: Mapped[bytes] = mapped_column(deferred=True)


class InvoiceLine(Base):
    """One sum of one agreement on an invoice."""

    __tablename__ = "invoice_line"

    id: Mapped[Id]
    invoice_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    position: Mapped[int]
    agreement_id: Mapped[UUID]
    due_key: Mapped[str]
    words: Mapped[str]
    pence: Mapped[int] = mapped_column(BigInteger)


class InvoiceUnknown(NotFound):
    """The scope's agency has issued or received no such invoice."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which invoices somebody asked to see."""

    received: bool = False
    state: InvoiceState | None = None
    other_agency_id: UUID | None = None
    number: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice in a list: what is owed of it still, in pence, and how it stands. Credit notes owe nothing."""

    invoice: Invoice
    outstanding: int
    state: InvoiceState

    @property
    def signed_gross(self) -> int:
        """Return its sum with the sign with which it counts in a total."""
        return -self.invoice.gross_pence if self.invoice.kind is InvoiceKind.CREDIT_NOTE else self.invoice.gross_pence


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """A page of a list of invoices, and what the whole list comes to in pence, credit notes taken off."""

    page: Page[InvoiceRow]
    net: int
    vat: int
    gross: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A query of invoices with how each stands on a day, and the two columns that say so."""

    query: Select[Invoice, int, str]
    owed: ColumnElement[int]
    """In pence."""
    state: ColumnElement[str]


def get_invoice(session: Session, invoice_id: UUID) -> Invoice:
    """Return an invoice that the scope's agency issued or received.

    :raises InvoiceUnknown: when there is none.
    """
    found = find_by_id(session, invoice_id)
    if found is None:
        raise InvoiceUnknown("There is no such invoice.")
    return found


def find_by_id(session: Session, invoice_id: UUID) -> Invoice | None:
    """Return the same, or ``None``: of what was settled before a hand-over the successor's book has the sums alone."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Invoice).where(Invoice.id == invoice_id)
    ours = or_(*(side_of(session, received=received) for received in (False, True)))
    return session.scalar(query.where(ours)) or _note_of_taken(session, query)


def side_of(session: Session, *, received: bool) -> ColumnElement[bool]:
    """Return the condition of an invoice that the scope's agency issued, or received, or took over as that."""
    ours = Invoice.payer_agency_id if received else Invoice.payee_agency_id
    taken = list_taken(session, as_payee=not received)
    return or_(ours == own_agency(session), Invoice.id.in_(taken)) if taken else ours == own_agency(session)


def find_invoice(session: Session, number: str) -> Invoice:
    """Return the one invoice or credit note of a number that the scope's agency issued, or else received.

    :raises InvoiceUnknown: when there is none, or several payees gave it.
    """
    require(scope_of(session), Verb.READ_FEES)
    own = own_agency(session)
    found = list(session.scalars(select(Invoice).where(Invoice.number == number).order_by(Invoice.id)))
    issued = [each for each in found if each.payee_agency_id == own]
    wanted = issued or found
    if len(wanted) != 1:
        raise InvoiceUnknown("There is no invoice of that number, or there are several of different payees.")
    return wanted[0]


def list_invoices(session: Session, wanted: Wanted, *, on: date) -> list[InvoiceRow]:
    """Return the invoices and credit notes that the scope's agency issued, or received, the latest first."""
    return _read(session, _select(session, wanted, on=on).query)


def read_invoice_page(session: Session, wanted: Wanted, *, on: date, number: int) -> InvoicePage:
    """Return a page of the same, or the nearest that there is, with the sums of all."""
    asked = _select(session, wanted, on=on)
    sign = case((Invoice.kind == InvoiceKind.CREDIT_NOTE, -1), else_=1)
    pence = (sign * Invoice.net_pence, sign * Invoice.vat_pence, sign * Invoice.gross_pence, asked.owed)
    sums = asked.query.with_only_columns(func.count(), *map(func.sum, pence)).order_by(None)
    total, *found = session.execute(sums).one()
    page = read_page(session, asked.query.with_only_columns(Invoice), number=number, total=total, size=PAGE_INVOICES)
    rows = tuple(rows_of(session, page.cards, on=on))
    return InvoicePage(Page(rows, page.total, page.number, page.size), *(int(each or 0) for each in found))


def rows_of(session: Session, invoices: Sequence[Invoice], *, on: date) -> list[InvoiceRow]:
    """Return how invoices stand on a day."""
    ids = [each.id for each in invoices]
    found = {row.invoice.id: row for row in _read(session, standing(session, ids, on=on).query)}
    return [found[each.id] for each in invoices]


def standing(session: Session, invoice_ids: Sequence[UUID] | None = None, *, on: date) -> Standing:
    """Return how some invoices, or all that the scope's agency may see, stand on a day."""
    each = owed_by_invoice(session, invoice_ids)
    owed = func.coalesce(each.c.pence, 0)
    state = case(
        (
            Invoice.id.in_(select(_DISPUTE.c.invoice_id).where(_DISPUTE.c.status != "resolved")),
            InvoiceState.DISPUTED.value,
        ),
        (owed <= 0, InvoiceState.SETTLED.value),
        (Invoice.due_on < on, InvoiceState.OVERDUE.value),
        else_=InvoiceState.OPEN.value,
    )
    query = select(Invoice, owed, state).outerjoin(each, each.c.invoice_id == Invoice.id)
    return Standing(query if invoice_ids is None else query.where(Invoice.id.in_(invoice_ids)), owed, state)


def _note_of_taken(session: Session, query: Select[Invoice]) -> Invoice | None:
    """Return a credit note of an invoice that was taken over."""
    taken = {each for as_payee in (False, True) for each in list_taken(session, as_payee=as_payee)}
    return session.scalar(query.where(Invoice.credits_id.in_(taken)))


def _select(session: Session, wanted: Wanted, *, on: date) -> Standing:
    require(scope_of(session), Verb.READ_FEES)
    stands = standing(session, on=on)
    others = Invoice.payee_agency_id if wanted.received else Invoice.payer_agency_id
    query = stands.query.where(side_of(session, received=wanted.received))
    if wanted.state is not None:
        query = query.where(stands.state == wanted.state.value)
    if wanted.other_agency_id is not None:
        query = query.where(others == wanted.other_agency_id)
    if wanted.number:
        query = query.where(Invoice.number.icontains(wanted.number, autoescape=True))
    query = query.order_by(Invoice.issued_on.desc(), Invoice.issued_at.desc(), Invoice.id)
    return Standing(query, stands.owed, stands.state)


def _read(session: Session, query: Select[Invoice, int, str]) -> list[InvoiceRow]:
    return [InvoiceRow(each, int(owed), InvoiceState(state)) for each, owed, state in session.execute(query)]


def lines_of(session: Session, invoice: Invoice) -> list[InvoiceLine]:
    """Return an invoice's lines, in order."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id)
    return list(session.scalars(query.order_by(InvoiceLine.position)))


def credits_of(session: Session, invoice: Invoice) -> list[Invoice]:
    """Return an invoice's credit notes, the first first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Invoice).where(Invoice.credits_id == invoice.id)
    return list(session.scalars(query.order_by(Invoice.issued_at, Invoice.id)))


def find_issue(session: Session, invoice: Invoice) -> LedgerTransaction | None:
    """Return what an invoice was posted by, unless that stands in the book of whom it was taken over from."""
    require(scope_of(session), Verb.READ_FEES)
    return session.get(LedgerTransaction, invoice.transaction_id)


def read_content(session: Session, invoice: Invoice) -> InvoiceContent:
    """Return the whole of an invoice, as it was issued."""
    require(scope_of(session), Verb.READ_FEES)
    lines = lines_of(session, invoice)
    agreements = select(FeeAgreement.id, FeeAgreement.reference).where(
        FeeAgreement.id.in_([line.agreement_id for line in lines])
    )
    references = dict(session.execute(agreements).all())
    credited = session.get(Invoice, invoice.credits_id) if invoice.credits_id else None
    kept = session.execute(select(Invoice.sealed_key, Invoice.sealed).where(Invoice.id == invoice.id)).one()
    return InvoiceContent(
        credit=invoice.kind is InvoiceKind.CREDIT_NOTE,
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        credits_number=credited.number if credited else None,
        credits_on=credited.issued_on if credited else None,
        reason=invoice.reason,
        purchase_order=invoice.purchase_order,
        frozen=open_frozen(session, kept.sealed_key, kept.sealed, invoice_id=invoice.id),
        category=invoice.vat_category,
        rate=invoice.vat_rate,
        lines=tuple(ContentLine(line.words, references.get(line.agreement_id, ""), line.pence) for line in lines),
        net_pence=invoice.net_pence,
        vat_pence=invoice.vat_pence,
        gross_pence=invoice.gross_pence,
    )


def record_look(session: Session, invoice: Invoice, act: audit.Act, what: str, *, now: datetime) -> None:
    """Put on record that somebody looked at an invoice, or took it away."""
    sides = sides_of(session, invoice)
    ours = sides.payee_agency_id == own_agency(session)
    audit.record(
        session,
        act,
        record_kind=RECORD_KIND,
        record_id=invoice.id,
        owner_agency_id=sides.payer_agency_id if ours else sides.payee_agency_id,
        reason=what,
        now=now,
    )
