"""Long lists of fees: a page at a time, with the totals of all of it, and the whole of it as a sheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from io import StringIO
from itertools import chain

import pytest

from concord.servers.login import DatabaseUrls
from matching.fee.invoice.dispute import open_dispute
from matching.fee.invoice.invoice import get_invoice
from matching.fee.invoice.issuing import issue_invoice, list_due
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.fee_tables import check_tables
from tests.matching.fee.invoice.invoice_ground import InvoiceGround, make_invoice_ground
from tests.page import text_of
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
SUMS = (100, 2_000, 30_000, 400_000, 5_000_000)


@pytest.fixture(scope="module")
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> InvoiceGround:
    """A payee that is due sums of five agreements, their payer, and a stranger."""
    made = make_invoice_ground(database, migrated, factories)
    for pence in SUMS:
        made.due(pence)
    return made


def pages(visitor: Visitor, path: str, column: str) -> tuple[list[list[int]], tuple[str, ...]]:
    """Go through a list by its links; return each page's pence of a column, and the totals that every page says.

    What lies beyond the last page is the last page, and what is no page is the first.
    """
    found: list[list[int]] = []
    totals = set()
    at: str | None = path
    assert check_tables(visitor, f"{path}&endpoint=x&_external=y" if "?" in path else path)
    while at:
        shown, total = amounts(visitor, at, column)
        found.append(shown)
        totals.add(total)
        at = next((each.get("href") for each in page_of(visitor).all("a") if each.get("rel") == "next"), None)
    mark = "&" if "?" in path else "?"
    assert amounts(visitor, f"{path}{mark}page=99999999999", column)[0] == found[-1]
    for none in ("-1", "many"):
        assert amounts(visitor, f"{path}{mark}page={none}", column)[0] == found[0]
    (said,) = totals
    return found, said


def amounts(visitor: Visitor, path: str, column: str) -> tuple[list[int], tuple[str, ...]]:
    """Return the pence of a column of a list's table, and the amounts in its foot."""
    assert visitor.get(path).status_code == 200
    body, foot = page_of(visitor).all("tbody")[-1], page_of(visitor).all("tfoot")[-1]
    cells = [each for each in body.iter("td") if each.get("data-label") == column]
    firsts = [re.findall(r"£([\d,.]+)", text_of(each))[0] for each in cells]
    return [int(re.sub(r"\D", "", each)) for each in firsts], tuple(re.findall(r"£[\d,.]+", text_of(foot)))


def sheet(visitor: Visitor, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(visitor.client.get(path).data.decode("utf-8-sig"))))


class TestAgreements:
    def test_are_listed_a_page_at_a_time_with_the_totals_of_all(
        self, visit_as: Visit, ground: InvoiceGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matching.fee.agreement.PAGE_AGREEMENTS", 2)
        payee, payer, stranger = (visit_as(each) for each in (ground.payee, ground.payer, ground.stranger))

        for visitor, sums in ((payee, ("£0.00", "£54,321.00")), (payer, ("£54,321.00", "£0.00"))):
            shown, totals = pages(visitor, "/fees/agreements?state=drafted", "Fee")
            assert [len(each) for each in shown] == [2, 2, 1]
            assert sorted(chain.from_iterable(shown)) == list(SUMS)
            assert totals == sums
            assert "ive agreements, the latest first" in page_of(visitor).text
        assert len(sheet(payee, "/fees/agreements?page=2&file=fee-agreements.csv")) == 7
        stranger.get("/fees/agreements?page=2")
        assert "There is no agreement yet" in page_of(stranger).text


class TestSuppliers:
    def test_list_what_has_no_order_a_page_at_a_time(
        self, visit_as: Visit, ground: InvoiceGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matching.fee.invoice.supplier.PAGE_AGREEMENTS", 2)
        payee, payer = visit_as(ground.payee), visit_as(ground.payer)
        orders: list[str] = []

        for number, said in ((1, "1 to 2 of 5"), (2, "3 to 4 of 5"), (3, "5 to 5 of 5"), (99, "5 to 5 of 5")):
            assert payer.get(f"/fees/suppliers?page={number}").status_code == 200
            assert said in page_of(payer).text
            assert "agreements-without-order" in check_tables(payer, f"/fees/suppliers?page={number}")
            orders += [each for each in page_of(payer).links().values() if each.endswith("/order")]
        assert (len(orders), len(set(orders))) == (6, 5)
        payer.get("/fees")
        assert "Five agreements without a purchase order" in page_of(payer).text
        payee.get("/fees/suppliers?page=2")
        assert "/order" not in page_of(payee).html


class TestInvoices:
    def test_are_listed_a_page_at_a_time_with_the_totals_of_all(
        self, visit_as: Visit, ground: InvoiceGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matching.fee.invoice.invoice.PAGE_INVOICES", 2)
        payee, payer, stranger = (visit_as(each) for each in (ground.payee, ground.payer, ground.stranger))
        payee.get("/fees")
        assert "Five sums due to be invoiced" in page_of(payee).text
        with ground.database.transaction(ground.payee.scope) as session:
            for each in list_due(session):
                last = issue_invoice(session, ground.payer.id, [each.mark], now=NOW)
        with ground.database.transaction(ground.payer.scope) as session:
            open_dispute(session, get_invoice(session, last.id), words="Wrong order.", now=NOW)

        for visitor, side, column in ((payee, "issued", "Total"), (payer, "received", "Outstanding")):
            shown, totals = pages(visitor, f"/fees/invoices?side={side}&number=INV", column)
            assert [len(each) for each in shown] == [2, 2, 1]
            assert sorted(chain.from_iterable(shown)) == list(SUMS)
            assert totals == ("£54,321.00", "£54,321.00", "£0.00", "£54,321.00")
            assert len(sheet(visitor, f"/fees/invoices?side={side}&page=3&file=invoices-{side}.csv")) == 6
            disputed, totals = amounts(visitor, f"/fees/invoices?side={side}&state=disputed", "Total")
            assert disputed == [last.gross_pence]
            assert len(set(totals) - {"£0.00"}) == 1
            assert len(sheet(visitor, f"/fees/invoices?side={side}&state=disputed&file=invoices-{side}.csv")) == 2
        payer.get("/fees")
        assert "Four invoices to approve" in page_of(payer).text
        stranger.get("/fees/invoices?page=2")
        assert "There are none yet" in page_of(stranger).text
