"""An invoice or a credit note as a tagged PDF (PDF/UA-1): the parties, the lines, the tax and where to pay."""

from __future__ import annotations

from datetime import UTC, datetime, time

from matching.fee.invoice.content import InvoiceContent, Party
from matching.fee.invoice.vat import VatCategory
from workers.document.paper import printable
from workers.document.pdf import typeset_pdf
from workers.document.ubl import percent
from workers.document.view import day

Pairs = list[list[str]]


def render_invoice(content: InvoiceContent) -> bytes:
    """Return an invoice as a PDF/UA-1 file; the same invoice gives the same bytes.

    :raises TypesettingFailed: when it cannot be typeset.
    """
    view = {
        "title": content.title,
        "from": "Credited by" if content.credit else "From",
        "what": "What is credited" if content.credit else "What is invoiced",
        "facts": _facts(content),
        "seller": _address(content.frozen.seller, vat=True),
        "buyer": _address(content.frozen.buyer, vat=False),
        "lines": [[line.words, line.reference, _pounds(line.pence)] for line in content.lines],
        "totals": _totals(content),
        "pay": _pay(content),
        "notes": _notes(content),
    }
    made_at = datetime.combine(content.issued_on, time(), tzinfo=UTC)
    return typeset_pdf(printable(view), template="invoice", made_at=made_at)


def _facts(content: InvoiceContent) -> Pairs:
    facts = [["Date", day(content.issued_on)]]
    if not content.credit:
        facts.append(["Pay by", day(content.due_on)])
    if content.credits_number and content.credits_on:
        facts.append(["Credits", f"invoice {content.credits_number} of {day(content.credits_on)}"])
    if content.reason:
        facts.append(["Why", content.reason])
    facts.append(["Purchase order", content.purchase_order or "None was given"])
    if content.frozen.supplier_number:
        facts.append(["Supplier number", content.frozen.supplier_number])
    return facts


def _address(party: Party, *, vat: bool) -> list[str]:
    lines = [party.name, *party.address.splitlines(), party.town, party.postcode]
    if party.contact:
        lines.append(f"Contact: {party.contact}")
    if vat and party.vat_number:
        lines.append(f"VAT number: {party.vat_number}")
    return [line for line in lines if line.strip()]


def _totals(content: InvoiceContent) -> Pairs:
    taxed = content.category is VatCategory.STANDARD
    rate = f"VAT at {percent(content.rate)} per cent" if taxed else f"VAT: {content.category.label}"
    said = "Credited" if content.credit else "To pay"
    return [
        ["Net", f"£{_pounds(content.net_pence)}"],
        [rate, f"£{_pounds(content.vat_pence)}"],
        [said, f"£{_pounds(content.gross_pence)}"],
    ]


def _pay(content: InvoiceContent) -> Pairs:
    bank = content.frozen.bank
    if content.credit:
        return []
    if bank is None:
        return [["Bank details", "Ask the payee: none were in effect when this was issued"]]
    return [
        ["Account name", bank.name],
        ["Sort code", bank.written],
        ["Account number", bank.account_number],
        ["Reference", content.number],
    ]


def _notes(content: InvoiceContent) -> list[str]:
    notes = [content.frozen.vat_words or content.category.reason]
    if content.frozen.bank and not content.credit:
        notes.append(
            "A change of these bank details is shown in Concord before it takes effect. If you are told of one by any "
            "other way, ask the payee by a number that you know."
        )
    return [note for note in notes if note]


def _pounds(pence: int) -> str:
    return f"{pence // 100:,}.{pence % 100:02d}"
