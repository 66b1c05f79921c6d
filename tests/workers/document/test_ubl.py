"""UBL as the OASIS schemas and an independent implementation of EN 16931's rules take it, whatever the sums."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO
from xml.etree.ElementTree import fromstring

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peppol.rules import check_rules  # type: ignore[import-untyped]
from peppol.xsd import validate_xsd  # type: ignore[import-untyped]

from matching.fee.invoice.bank import BankDetails
from matching.fee.invoice.content import ContentLine, Frozen, InvoiceContent, Party
from matching.fee.invoice.vat import VatCategory, rate_on, tax_of
from workers.document.invoice import render_invoice
from workers.document.ubl import write_ubl

DAY = date(2026, 4, 1)
ODD = "Sample <&> \x00\x0bCouncil \ud800 \U0001f431 #let *b*"
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
SUMS = ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableAmount", "TaxableAmount")


def content_of(category: VatCategory, *sums: int, credit: bool = False, name: str = "Sample Council") -> InvoiceContent:
    seller = Party(
        "1", name, "1 Sample Street\nFloor 2", "Sampleton", "SA1 1AA", "GB980780684", "TR1", "Fees", "0088", "1"
    )
    bank = BankDetails("Sample", "123456", "12345678")
    net, rate = sum(sums), rate_on(category, DAY)
    vat = tax_of(net, rate)
    return InvoiceContent(
        credit=credit,
        number="INV-00002",
        issued_on=DAY,
        due_on=DAY,
        credits_number="INV-00001" if credit else None,
        credits_on=DAY if credit else None,
        reason="Wrong order" if credit else None,
        purchase_order="PO 1",
        frozen=Frozen(seller, Party("2", name), bank, category.reason, "S-1"),
        category=category,
        rate=rate,
        lines=tuple(ContentLine(f"Fee {at}: {name}", "FA-7Q3K2M", pence) for at, pence in enumerate(sums)),
        net_pence=net,
        vat_pence=vat,
        gross_pence=net + vat,
    )


class TestWriteUbl:
    @settings(max_examples=25, deadline=None)
    @given(
        st.sampled_from(list(VatCategory)),
        st.lists(st.integers(1, 10**10), min_size=1, max_size=4),
        st.booleans(),
        st.sampled_from(["Sample Council", ODD]),
    )
    def test_is_valid_and_adds_up(self, category: VatCategory, sums: list[int], credit: bool, name: str) -> None:
        content = content_of(category, *sums, credit=credit, name=name)

        written = write_ubl(content)

        assert validate_xsd(written) == (True, [])
        assert [str(each) for each in check_rules(written)] == []
        root = fromstring(written)  # noqa: S314 - our own
        said = {name: [Decimal(each.text or "") for each in root.iter(f"{CBC}{name}")] for name in SUMS}
        net, *lines = said["LineExtensionAmount"]
        # BR-CO-10, BR-CO-13, BR-CO-15, BR-CO-16, and the one breakdown of BR-S-08, BR-Z-08, BR-E-08, BR-O-08.
        assert sum(lines) == net
        assert said["TaxableAmount"] == said["TaxExclusiveAmount"] == [net]
        tax = {Decimal(each.text or "") for each in root.iter(f"{CBC}TaxAmount")}
        assert tax == {Decimal(content.vat_pence) / 100}
        assert said["PayableAmount"] == said["TaxInclusiveAmount"] == [net + tax.pop()]
        # BR-O-02, BR-O-05, BR-E-10, BR-O-10: no number and no rate where it is outside the scope, and a reason why.
        outside = category is VatCategory.OUTSIDE_SCOPE
        assert bool(root.findall(f".//{CBC}Percent")) is not outside
        assert bool(root.findall(f".//{CBC}CompanyID")) is not outside
        reasoned = category in {VatCategory.OUTSIDE_SCOPE, VatCategory.EXEMPT}
        assert bool(root.findall(f".//{CBC}TaxExemptionReason")) is reasoned


class TestRenderInvoice:
    @pytest.mark.parametrize("credit", [False, True])
    def test_is_tagged_whatever_people_wrote_and_the_same_each_time(self, credit: bool) -> None:
        content = content_of(VatCategory.STANDARD, 100, 205, credit=credit, name=ODD)

        made = render_invoice(content)

        with pikepdf.open(BytesIO(made)) as document:
            assert document.Root.MarkInfo.Marked
            metadata = document.open_metadata()
            assert (metadata["pdfuaid:part"], metadata["dc:title"]) == ("1", content.title)
        assert credit or made == render_invoice(content)
