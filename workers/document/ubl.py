"""An invoice or a credit note as UBL 2.1 XML with the content of EN 16931-1:2017; BT numbers are that standard's.

Elements stand in the order of the OASIS schemas. Text goes through the XML library, so that nothing anybody wrote is
markup. Characters that XML cannot hold are left out first.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from matching.fee.invoice.content import ContentLine, InvoiceContent, Party
from matching.fee.invoice.vat import VatCategory
from matching.fee.money import plain_pounds
from workers.document.text import clean

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC: Final = f"{{{_UBL}CommonAggregateComponents-2}}"
_CBC: Final = f"{{{_UBL}CommonBasicComponents-2}}"
SPECIFICATION: Final = "urn:cen.eu:en16931:2017"
_PROCESS: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_CURRENCY: Final = "GBP"
_ONE: Final = "C62"
"""The unit of one, in UN/ECE Recommendation 20 (BT-130)."""
_CREDIT_TRANSFER: Final = "30"
"""UNTDID 4461 (BT-81)."""
_INVOICE_CODE, _CREDIT_CODE = "380", "381"
"""UNTDID 1001 (BT-3)."""


def write_ubl(content: InvoiceContent) -> bytes:
    """Return an invoice as UBL."""
    kind = "CreditNote" if content.credit else "Invoice"
    for prefix, name in (("", kind), ("cac", "CommonAggregateComponents"), ("cbc", "CommonBasicComponents")):
        register_namespace(prefix, f"{_UBL}{name}-2")
    root = Element(f"{{{_UBL}{kind}-2}}{kind}")
    _head(root, content)
    _party(_aggregate(root, "AccountingSupplierParty"), content.frozen.seller, content, seller=True)
    _party(_aggregate(root, "AccountingCustomerParty"), content.frozen.buyer, content, seller=False)
    _payment(root, content)
    _tax(root, content)
    _totals(root, content)
    for position, line in enumerate(content.lines, start=1):
        _line(root, position, line, content)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def percent(rate: int) -> str:
    """Return hundredths of a per cent as a per cent."""
    return f"{rate // 100}.{rate % 100:02d}".rstrip("0").rstrip(".")


def _head(root: Element, content: InvoiceContent) -> None:
    _basic(root, "CustomizationID", SPECIFICATION)  # BT-24
    _basic(root, "ProfileID", _PROCESS)  # BT-23
    _basic(root, "ID", content.number)  # BT-1
    _basic(root, "IssueDate", content.issued_on.isoformat())  # BT-2
    if content.credit:
        _basic(root, "CreditNoteTypeCode", _CREDIT_CODE)  # BT-3
    else:
        _basic(root, "DueDate", content.due_on.isoformat())  # BT-9
        _basic(root, "InvoiceTypeCode", _INVOICE_CODE)
    if content.reason:
        _basic(root, "Note", content.reason)  # BT-22
    _basic(root, "DocumentCurrencyCode", _CURRENCY)  # BT-5
    # A buyer's reference or order, of which networks ask one: without an order, the agreements' references (BT-10).
    references = ", ".join(sorted({line.reference for line in content.lines if line.reference}))
    if references:
        _basic(root, "BuyerReference", references)
    if content.purchase_order:
        _basic(_aggregate(root, "OrderReference"), "ID", content.purchase_order)  # BT-13
    if content.credits_number and content.credits_on:
        credited = _aggregate(_aggregate(root, "BillingReference"), "InvoiceDocumentReference")
        _basic(credited, "ID", content.credits_number)  # BT-25
        _basic(credited, "IssueDate", content.credits_on.isoformat())  # BT-26


def _party(parent: Element, party: Party, content: InvoiceContent, *, seller: bool) -> None:
    inside = _aggregate(parent, "Party")
    if party.endpoint and party.endpoint_scheme:
        _basic(inside, "EndpointID", party.endpoint, schemeID=party.endpoint_scheme)  # BT-34, BT-49
    # What the payer's system calls the payee where it said so, else the agency's own number (BT-29).
    known = content.frozen.supplier_number if seller and content.frozen.supplier_number else party.id
    _basic(_aggregate(inside, "PartyIdentification"), "ID", known)
    address = _aggregate(inside, "PostalAddress")
    for name, value in (
        ("StreetName", ", ".join(party.address.splitlines())),
        ("CityName", party.town),
        ("PostalZone", party.postcode),
    ):
        if value:
            _basic(address, name, value)
    _basic(_aggregate(address, "Country"), "IdentificationCode", "GB")  # BT-40, BT-55
    # What is outside the scope of VAT names no VAT number (BR-O-02, BR-O-03).
    if party.vat_number and content.category is not VatCategory.OUTSIDE_SCOPE:
        _tax_scheme(inside, party.vat_number, "VAT")  # BT-31, BT-48
    if seller and party.tax_reference and content.category is not VatCategory.OUTSIDE_SCOPE:
        _tax_scheme(inside, party.tax_reference, "TAX")  # BT-32
    _basic(_aggregate(inside, "PartyLegalEntity"), "RegistrationName", party.name)  # BT-27, BT-44
    if party.contact:
        _basic(_aggregate(inside, "Contact"), "Name", party.contact)  # BT-41, BT-56


def _tax_scheme(inside: Element, number: str, scheme: str) -> None:
    registered = _aggregate(inside, "PartyTaxScheme")
    _basic(registered, "CompanyID", number)
    _basic(_aggregate(registered, "TaxScheme"), "ID", scheme)


def _payment(root: Element, content: InvoiceContent) -> None:
    bank = content.frozen.bank
    if bank is None or content.credit:
        return
    means = _aggregate(root, "PaymentMeans")
    _basic(means, "PaymentMeansCode", _CREDIT_TRANSFER)
    _basic(means, "PaymentID", content.number)  # BT-83
    account = _aggregate(means, "PayeeFinancialAccount")
    _basic(account, "ID", bank.account_number)  # BT-84
    _basic(account, "Name", bank.name)  # BT-85
    _basic(_aggregate(account, "FinancialInstitutionBranch"), "ID", bank.sort_code)  # BT-86


def _tax(root: Element, content: InvoiceContent) -> None:
    total = _aggregate(root, "TaxTotal")
    _money(total, "TaxAmount", content.vat_pence)  # BT-110
    part = _aggregate(total, "TaxSubtotal")
    _money(part, "TaxableAmount", content.net_pence)  # BT-116
    _money(part, "TaxAmount", content.vat_pence)  # BT-117
    category = _category(part, "TaxCategory", content)
    reason = content.frozen.vat_words or content.category.reason
    if content.category in {VatCategory.EXEMPT, VatCategory.OUTSIDE_SCOPE}:
        # Before the scheme, which closes the category.
        said = Element(f"{_CBC}TaxExemptionReason")  # BT-120
        said.text = clean(reason)
        category.insert(len(category) - 1, said)


def _totals(root: Element, content: InvoiceContent) -> None:
    totals = _aggregate(root, "LegalMonetaryTotal")
    _money(totals, "LineExtensionAmount", content.net_pence)  # BT-106
    _money(totals, "TaxExclusiveAmount", content.net_pence)  # BT-109
    _money(totals, "TaxInclusiveAmount", content.gross_pence)  # BT-112
    _money(totals, "PayableAmount", content.gross_pence)  # BT-115


def _line(root: Element, position: int, said: ContentLine, content: InvoiceContent) -> None:
    kind = "CreditNote" if content.credit else "Invoice"
    line = _aggregate(root, f"{kind}Line")
    _basic(line, "ID", str(position))  # BT-126
    _basic(line, "CreditedQuantity" if content.credit else "InvoicedQuantity", "1", unitCode=_ONE)  # BT-129
    _money(line, "LineExtensionAmount", said.pence)  # BT-131
    item = _aggregate(line, "Item")
    _basic(item, "Name", said.words)  # BT-153
    _category(item, "ClassifiedTaxCategory", content)
    _money(_aggregate(line, "Price"), "PriceAmount", said.pence)  # BT-146


def _category(parent: Element, name: str, content: InvoiceContent) -> Element:
    category = _aggregate(parent, name)
    _basic(category, "ID", content.category.code)  # BT-118, BT-151
    if content.category is not VatCategory.OUTSIDE_SCOPE:
        _basic(category, "Percent", percent(content.rate))  # BT-119, BT-152
    _basic(_aggregate(category, "TaxScheme"), "ID", "VAT")
    return category


def _aggregate(parent: Element, name: str) -> Element:
    return SubElement(parent, f"{_CAC}{name}")


def _basic(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, f"{_CBC}{name}", attributes).text = " ".join(clean(text).split())


def _money(parent: Element, name: str, pence: int) -> None:
    _basic(parent, name, plain_pounds(pence), currencyID=_CURRENCY)
