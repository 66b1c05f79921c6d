"""Drawing up and issuing: what is due and not invoiced becomes an invoice, once, under the payee's next number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.debt_holder import Sides, sides_of
from matching.fee.invoice.account import PayeeAccount, find_account, lock_account, take_number
from matching.fee.invoice.bank import BankDetails, details_on
from matching.fee.invoice.content import Frozen, Party, seal_frozen
from matching.fee.invoice.invoice import RECORD_KIND, Invoice, InvoiceKind, InvoiceLine, credits_of, lines_of
from matching.fee.invoice.supplier import PurchaseOrder, find_supplier
from matching.fee.invoice.vat import VatCategory, rate_on, tax_of, tax_to_credit
from matching.fee.ledger import (
    Account,
    Posting,
    TransactionKind,
    list_to_invoice,
    lock_agreement,
    outstanding,
    post,
    share_books,
)
from matching.fee.ledger.entry import Entry, both_books
from matching.fee.remittance.remittance import lock_remittances
from matching.fee.settlement import settle
from matching.register import count_rows
from matching.sealed_words import own_agency, tidy
from tenants import audit
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require

_LONGEST_REASON = 500


class NothingDue(Conflict):
    """Nothing of what was chosen is due and not invoiced."""


class VatOpen(Conflict):
    """The payee's VAT category is to be confirmed, and until then nothing is invoiced."""


class NumberTaken(Conflict):
    """Another invoice of the payee has that number."""


class CreditInvalid(Invalid):
    """An invoice cannot be credited like that."""


@dataclass(frozen=True, slots=True)
class DueSum:
    """A sum that is due to the scope's agency and not invoiced; below nothing, what was invoiced too much."""

    agreement: FeeAgreement
    due_key: str
    pence: int
    purchase_order: str | None

    @property
    def mark(self) -> str:
        """Return what names it in a form."""
        return f"{self.agreement.id}:{self.due_key}"

    @property
    def words(self) -> str:
        """Return what stands on the invoice: the agreement's reference, and nothing of a child."""
        return f"Inter-agency adoption fee, agreement {self.agreement.reference}, {say_due(self.due_key)}"


def say_due(due_key: str) -> str:
    """Return which sum of an agreement a key is: ``due/1`` its first instalment, ``due/month-13`` a month’s."""
    name = due_key.partition("/")[2]
    if name.isdigit():
        return f"instalment {name}"
    if name.startswith("month-"):
        return f"monthly charge after {name.removeprefix('month-')} months"
    return name or due_key


def list_due(session: Session, payer_agency_id: UUID | None = None) -> list[DueSum]:
    """Return what is due to the scope's own agency and not invoiced, by payer, agreement and instalment."""
    require(scope_of(session), Verb.READ_FEES)
    lines = list_to_invoice(session, payer_agency_id=payer_agency_id)
    ids = {line.agreement_id for line in lines}
    agreements = {each.id: each for each in session.scalars(select(FeeAgreement).where(FeeAgreement.id.in_(ids)))}
    asked = select(PurchaseOrder.agreement_id, PurchaseOrder.number).where(PurchaseOrder.agreement_id.in_(ids))
    orders = dict(session.execute(asked).all())
    found = [
        DueSum(agreements[line.agreement_id], line.due_key, line.pence, orders.get(line.agreement_id))
        for line in lines
        if line.agreement_id in agreements
    ]
    return sorted(found, key=lambda each: (each.agreement.payer_agency_id, each.agreement.reference, each.due_key))


def count_due(session: Session) -> int:
    """Count the sums that are due to the scope's own agency and not, or not wholly, invoiced."""
    require(scope_of(session), Verb.READ_FEES)
    sums = (
        select(Posting.agreement_id, Posting.due_key)
        .join(FeeAgreement, FeeAgreement.id == Posting.agreement_id)
        .where(
            Posting.agency_id == own_agency(session),
            Posting.account == Account.TO_INVOICE,
            Posting.due_key.is_not(None),
        )
        .group_by(Posting.agreement_id, Posting.due_key)
        .having(func.sum(Posting.pence) > 0)
    )
    return count_rows(session, sums)


def issue_invoice(
    session: Session, payer_agency_id: UUID, marks: Collection[str], *, now: datetime, number: str = ""
) -> Invoice:
    """Invoice what is due from one payer and chosen by its marks; whoever asks for the same again finds nothing due.

    :param number: the finance system's, where the payee's invoices carry its numbers.
    :raises NothingDue: when one of the sums chosen is invoiced already, or none is chosen.
    :raises VatOpen: when the payee has not chosen a VAT category.
    :raises NumberTaken: when an invoice has that number.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    account = lock_account(session)
    _hold(session, {_read_id(mark.partition(":")[0]) for mark in marks})
    # What was told of them and not settled yet comes first.
    for each in {each.agreement.id for each in list_due(session, payer_agency_id) if each.mark in set(marks)}:
        settle(session, each, on=now.date(), now=now)
    due = [each for each in list_due(session, payer_agency_id) if each.mark in set(marks) and each.pence > 0]
    if not due or len(due) != len(set(marks)):
        raise NothingDue("Some of this is invoiced already, or none was chosen. Look at what is due again.")
    if account.vat_category is None:
        raise VatOpen("Your VAT category is to be confirmed. Choose it on “Our account”; then invoices can be issued.")
    lines = [(each.agreement.id, each.due_key, each.words, each.pence) for each in due]
    net, rate = sum(each.pence for each in due), rate_on(account.vat_category, now.date())
    orders = sorted({each.purchase_order for each in due if each.purchase_order})
    draft = Invoice(
        id=uuid4(),
        consortium_id=due[0].agreement.consortium_id,
        payer_agency_id=payer_agency_id,
        payee_agency_id=account.agency_id,
        kind=InvoiceKind.INVOICE,
        number=take_number(session, account, entered=number),
        issued_on=now.date(),
        due_on=now.date() + timedelta(days=account.payment_days),
        purchase_order=", ".join(orders) or None,
        vat_category=account.vat_category,
        vat_rate=rate,
        net_pence=net,
        vat_pence=tax_of(net, rate),
    )
    frozen = _freeze(session, account, payer_agency_id, account.vat_category, details_on(session, now=now))
    return _keep(session, draft, lines, frozen, of=None, now=now)


def credit_invoice(
    session: Session, invoice: Invoice, pence: dict[UUID, int], *, reason: str, now: datetime, number: str = ""
) -> Invoice:
    """Credit an invoice, whole or in part: what is credited is due again, to be invoiced rightly.

    Giving up a fee is another thing, for which a waiver takes two people.

    :param pence: how much of each line, by the line's id; a line that is left out stays.
    :raises CreditInvalid: when it is more than is left of a line or owed, or nothing.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    _credited_sides(session, invoice)
    account = lock_account(session)
    # Nobody confirms a payment of it meanwhile.
    lock_remittances(session, account.agency_id)
    said = " ".join(tidy(reason, what="why it is credited, naming no child").split())[:_LONGEST_REASON]
    left, lines = open_lines(session, invoice), []
    for line, open_pence in left:
        asked = pence.get(line.id, 0)
        if not 0 <= asked <= open_pence:
            raise CreditInvalid("A line cannot be credited by more than is left of it.")
        if asked:
            lines.append((line.agreement_id, line.due_key, f"Credit: {line.words}"[:300], asked))
    _hold(session, {each[0] for each in lines})
    sides = _credited_sides(session, invoice)
    net = sum(each[3] for each in lines)
    open_net = sum(each for _, each in left)
    if not net or set(pence) - {line.id for line, _ in left}:
        raise CreditInvalid("Choose how much of which line is credited.")
    vat = tax_to_credit(
        net,
        invoice.vat_rate,
        open_net_pence=open_net,
        open_vat_pence=invoice.vat_pence - _credited_vat(session, invoice),
    )
    if net + vat > outstanding(session, [invoice.id]).get(invoice.id, 0):
        raise CreditInvalid("More is credited than is still owed: what was paid is refunded, not credited.")
    draft = Invoice(
        id=uuid4(),
        consortium_id=invoice.consortium_id,
        payer_agency_id=sides.payer_agency_id,
        payee_agency_id=sides.payee_agency_id,
        kind=InvoiceKind.CREDIT_NOTE,
        credits_id=invoice.id,
        number=take_number(session, account, entered=number),
        issued_on=now.date(),
        due_on=now.date(),
        purchase_order=invoice.purchase_order,
        vat_category=invoice.vat_category,
        vat_rate=invoice.vat_rate,
        net_pence=net,
        vat_pence=vat,
        reason=said,
    )
    frozen = _freeze(session, account, sides.payer_agency_id, invoice.vat_category, None)
    note = _keep(session, draft, lines, frozen, of=invoice, now=now)
    for agreement_id in sorted({each[0] for each in lines}):
        # Of a placement that disrupted, what is credited falls away instead of being due again.
        settle(session, agreement_id, on=now.date(), now=now)
    return note


def _hold(session: Session, agreement_ids: Collection[UUID]) -> None:
    """Let nobody settle agreements, nor hand them or a book over, until this transaction ends."""
    for agreement_id in sorted(agreement_ids):
        lock_agreement(session, agreement_id)
    # As a hand-over does, the agreements before the books: else each would wait for the other.
    query = select(FeeAgreement.id).where(FeeAgreement.id.in_(agreement_ids)).order_by(FeeAgreement.id)
    session.execute(query.with_for_update(read=True))
    share_books(session)


def _credited_sides(session: Session, invoice: Invoice) -> Sides:
    sides = sides_of(session, invoice)
    if invoice.kind is not InvoiceKind.INVOICE or sides.payee_agency_id != own_agency(session):
        raise CreditInvalid("Only an invoice that your agency issued, or took over, can be credited.")
    return sides


def open_lines(session: Session, invoice: Invoice) -> list[tuple[InvoiceLine, int]]:
    """Return each line of an invoice, with how much of it is not credited, in pence."""
    credited: dict[tuple[UUID, str], int] = {}
    for note in credits_of(session, invoice):
        for line in lines_of(session, note):
            about = (line.agreement_id, line.due_key)
            credited[about] = credited.get(about, 0) + line.pence
    return [
        (line, line.pence - credited.get((line.agreement_id, line.due_key), 0)) for line in lines_of(session, invoice)
    ]


Lines = Sequence[tuple[UUID, str, str, int]]


def _keep(
    session: Session, draft: Invoice, lines: Lines, frozen: Frozen, *, of: Invoice | None, now: datetime
) -> Invoice:
    draft.gross_pence = draft.net_pence + draft.vat_pence
    draft.issued_by, draft.issued_at = scope_of(session).person_id, now
    draft.sealed_key, draft.sealed = seal_frozen(session, frozen, invoice_id=draft.id)
    kind = TransactionKind.CREDITED if of else TransactionKind.INVOICED
    draft.transaction_id = post(
        session,
        consortium_id=draft.consortium_id,
        payer_agency_id=draft.payer_agency_id,
        payee_agency_id=draft.payee_agency_id,
        kind=kind,
        key=f"{kind.value}/{draft.id}",
        dated_on=draft.issued_on,
        entries=_entries(draft, lines),
        narrative=f"{draft.kind.label} {draft.number}",
        invoice_id=of.id if of else draft.id,
        reason=draft.reason,
        now=now,
    ).id
    try:
        with session.begin_nested():
            session.add(draft)
            session.flush()
    except IntegrityError as error:
        if "invoice_number_key" not in str(error.orig):
            raise
        raise NumberTaken(f"An invoice of your agency has the number {draft.number} already.") from None
    parties = {"payer_agency_id": draft.payer_agency_id, "payee_agency_id": draft.payee_agency_id}
    for position, (agreement_id, due_key, words, pence) in enumerate(lines, start=1):
        line = {"position": position, "agreement_id": agreement_id, "due_key": due_key, "words": words, "pence": pence}
        session.add(InvoiceLine(id=uuid4(), invoice_id=draft.id, **parties, **line))
    session.flush()
    audit.record(
        session,
        audit.Act.ADD,
        record_kind=RECORD_KIND,
        record_id=draft.id,
        owner_agency_id=draft.payer_agency_id,
        reason=draft.kind.label.lower(),
        now=now,
    )
    return draft


def _entries(draft: Invoice, lines: Lines) -> list[Entry]:
    """Return what an invoice moves, or a credit note moves back, line by line and then the tax."""
    sign = 1 if draft.kind is InvoiceKind.INVOICE else -1
    between = (draft.payer_agency_id, draft.payee_agency_id)
    entries: list[Entry] = []
    for agreement_id, due_key, _, pence in lines:
        moved = [(Account.RECEIVABLE, sign * pence), (Account.TO_INVOICE, -sign * pence)]
        entries += both_books(moved, *between, agreement_id=agreement_id, due_key=due_key)
    tax = [(Account.RECEIVABLE, sign * draft.vat_pence), (Account.VAT_OUT, -sign * draft.vat_pence)]
    return entries + both_books(tax, *between)


def _credited_vat(session: Session, invoice: Invoice) -> int:
    return sum(session.scalars(select(Invoice.vat_pence).where(Invoice.credits_id == invoice.id)))


def _freeze(
    session: Session, account: PayeeAccount, payer_agency_id: UUID, category: VatCategory, bank: BankDetails | None
) -> Frozen:
    supplier = find_supplier(session, payer_agency_id=payer_agency_id, payee_agency_id=own_agency(session))
    return Frozen(
        seller=_party(session, account.agency_id, account),
        buyer=_party(session, payer_agency_id, find_account(session, payer_agency_id)),
        bank=bank,
        vat_words=account.vat_words or category.reason,
        supplier_number=supplier.supplier_number if supplier else None,
    )


def _party(session: Session, agency_id: UUID, account: PayeeAccount | None) -> Party:
    if account is None:
        return Party(id=str(agency_id), name=get_agency(session, agency_id).name)
    return Party(
        id=str(agency_id),
        name=account.legal_name,
        address=account.address,
        town=account.town,
        postcode=account.postcode,
        vat_number=account.vat_number,
        tax_reference=account.tax_reference,
        contact=account.contact,
        endpoint_scheme=account.endpoint_scheme,
        endpoint=account.endpoint,
    )


def _read_id(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise NothingDue("Choose what to invoice from the list of what is due.") from None
