"""Pages of the budget: entered by a finance officer, shown beside the book, taken away; nobody else's."""

from __future__ import annotations

from collections.abc import Callable

from matching.fee.ledger import TransactionKind
from matching.fee.report.year import year_of
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.fee_tables import check_tables
from tests.matching.fee.statement.books import Posted, make_books
from tests.platform.web.test_fee_statements import said, sheet
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestBudget:
    def test_is_entered_and_shown_beside_what_the_book_says(
        self, factories: Factories, database: Database, visit_as: Visit
    ) -> None:
        books, today = make_books(factories, database), utc_now().date()
        year, month = year_of(today), today.replace(day=1).isoformat()
        books.post([Posted(TransactionKind.DUE, 9_000_00, today)])
        payer, stranger = visit_as(books.payer), visit_as(books.stranger)
        path = f"/fees/budget/{year}/pay"

        assert "Keep the budget" in said(payer, path)
        wrong = payer.post(path, {month: "much"})
        assert (wrong.status_code, f"#month-{month}" in wrong.text) == (422, True)
        assert wrong.text.count(f"Enter an amount for {today:%B %Y}") == 2
        said(payer, path)
        assert payer.post(path, {month: "£8,500.50"}).status_code == 303

        assert said(payer, "/fees/budget").count("£499.50") == 2
        assert "<svg viewBox" in payer.get("/fees/budget").text
        assert f"/fees/ledger?month={month[:7]}&amp;account=fee_cost" in payer.get("/fees/budget").text
        assert "£9,000" in said(payer, f"/fees/ledger?month={month[:7]}&account=fee_cost")
        assert check_tables(payer, "/fees/budget") == {"budget-pay", "budget-earn"}
        rows = [sheet(payer, f"/fees/budget?file=budget-{way}.csv") for way in ("pay", "earn")]
        found = [row[1:] for table in rows for row in table if row[0] == f"{today:%B %Y}"]
        assert found == [["8500.50", "9000.00", "499.50"], ["", "0.00", ""]]
        assert "£9,000" not in said(stranger, "/fees/budget")
        assert payer.get("/fees/budget/1999/pay").status_code == 404
        worker = visit_as(factories.colleague(books.payer, roles=frozenset({Role.FAMILY_FINDER})))
        assert worker.get("/fees/budget").status_code == 403
