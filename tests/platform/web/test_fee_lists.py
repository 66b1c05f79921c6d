"""Long lists of fees: a page at a time, with the totals of all of it, and the whole of it as a sheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from io import StringIO
from itertools import chain

import pytest

from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tests.factories import Factories, Tenant
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
    while at:
        shown, total = amounts(visitor, at, column)
        found.append(shown)
        totals.add(total)
        at = next((each.get("href") for each in page_of(visitor).all("a") if each.get("rel") == "next"), None)
    mark = "&" if "?" in path else "?"
    assert amounts(visitor, f"{path}{mark}page=99999999999", column)[0] == found[-1]
    for none in ("0", "-1", "many", ""):
        assert amounts(visitor, f"{path}{mark}page={none}", column)[0] == found[0]
    (said,) = totals
    return found, said


def amounts(visitor: Visitor, path: str, column: str) -> tuple[list[int], tuple[str, ...]]:
    """Return the pence of a column of a list's table, and the amounts in its foot."""
    assert visitor.get(path).status_code == 200
    body, foot = page_of(visitor).all("tbody")[-1], page_of(visitor).all("tfoot")[-1]
    cells = [each for each in body.iter("td") if each.get("data-label") == column]
    return [int(re.sub(r"\D", "", text_of(each))) for each in cells], tuple(re.findall(r"£[\d,.]+", text_of(foot)))


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
        assert len(sheet(payee, "/fees/agreements.csv?page=2")) == 5
        stranger.get("/fees/agreements?page=2")
        assert "There is no agreement yet" in page_of(stranger).text
