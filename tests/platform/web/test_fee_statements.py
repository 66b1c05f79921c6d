"""Pages of statements and journals: totals that add up, files of what is shown, agreement by two people."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from concord.servers.login import DatabaseUrls
from matching.fee.journal.mapping import POSTED
from matching.fee.ledger import TransactionKind
from matching.fee.statement.movement import Amounts, Difference
from matching.fee.statement.statement import get_statement
from tenants.audit import Act, AuditEntry
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.fee_tables import check_tables, read_file
from tests.matching.fee.statement.books import Books, Posted, make_books
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
TODAY = utc_now().date()


@pytest.fixture(scope="module")
def books(factories: Factories, database: Database, migrated: DatabaseUrls) -> Books:
    """Two agencies that owe each other."""
    books = make_books(factories, database)
    books.post([Posted(TransactionKind.DUE, 9_000_00, TODAY)])
    for pence, on, turned in ((9_000_00, TODAY - timedelta(days=45), False), (1_000_00, TODAY, True)):
        books.invoice(migrated, Posted(TransactionKind.INVOICED, pence, on, turned=turned))
    return books


def said(visitor: Visitor, path: str) -> str:
    """Return what a page says."""
    assert visitor.get(path).status_code == 200, path
    return page_of(visitor).text


def sheet(visitor: Visitor, path: str) -> list[list[str]]:
    """Return the rows of a file."""
    return list(csv.reader(io.StringIO(visitor.get(path).get_data().decode("utf-8-sig"))))


class TestStatements:
    def test_take_two_agencies_from_what_is_owed_to_what_both_agreed(self, books: Books, visit_as: Visit) -> None:
        payee, payer, stranger = visit_as(books.payee), visit_as(books.payer), visit_as(books.stranger)

        shown = said(payee, "/fees/statements")
        rows = sheet(payee, "/fees/statements?file=aged-debt.csv")

        assert [row[1] for row in rows[1:]] == ["They owe us", "We owe them", "", ""]
        assert rows[1][2:] == ["0.00", "9000.00", "0.00", "0.00", "9000.00", "0.00", "9000.00"]
        assert "£9,000.00" in shown
        assert "Owed to us, together" in shown
        with_payer = f"/fees/statements/with/{books.payer.id}"
        drawn = said(payee, with_payer)
        assert drawn.count("The accounts of your book come to the same.") == 2
        assert "Three lines" in drawn
        assert check_tables(payee, with_payer) == {"paid-to-us", "paid-by-us", "lines"}
        assert "Enter a real date" in said(payee, f"{with_payer}?until=31&until=2&until=2026")
        lines = sheet(payee, f"{with_payer}?file=lines.csv")
        assert len(lines) == 4
        assert sum(float(line[8] or 0) for line in lines[1:]) == 10_000
        path = payee.post(with_payer, {"until_on": TODAY.isoformat()}).headers["Location"]
        assert "waits to be agreed" in said(payee, with_payer)
        assert "Your agency’s own book says the same" in said(payer, path)
        assert "One statement to agree" in said(payer, "/fees")
        assert stranger.get(path).status_code == 404
        assert sheet(payer, f"{path}?file=lines.csv")[1:] == lines[1:]
        assert check_tables(payer, path) == {"paid-to-us", "paid-by-us", "lines"}
        assert check_tables(payer, "/fees/statements") == {"aged-debt", "statements"}
        assert payee.post(f"{path}/agree", {}).status_code == 409
        said(payer, path)
        assert payer.post(f"{path}/agree", {}).status_code == 303
        with books.database.transaction(books.payer.scope) as session:
            entries = session.scalars(select(AuditEntry).where(AuditEntry.actor_agency_id == books.payer.id))
            acts = {(each.act, each.record_kind) for each in entries}
        assert acts >= {(Act.EXPORT, "fee_sheet"), (Act.READ, "fee_statement"), (Act.SIGN, "fee_statement")}
        assert "Agreed by" in said(payee, path)
        assert payee.get(f"{path}/withdraw").status_code == 200
        assert "There is a problem" in _again(payee, with_payer)
        with books.database.transaction(books.payer.scope) as session:
            assert get_statement(session, UUID(path.rsplit("/", 1)[1])).other_agreed_at

    def test_know_no_agency_of_another_consortium(self, books: Books, factories: Factories, visit_as: Visit) -> None:
        payee, outside = visit_as(books.payee), factories.tenant(factories.consortium())

        for other in (outside.id, uuid4()):
            assert payee.get(f"/fees/statements/with/{other}").status_code == 404, other

    def test_lead_from_a_line_to_its_postings(self, books: Books, visit_as: Visit) -> None:
        payee = visit_as(books.payee)
        (due,) = books.post([Posted(TransactionKind.DUE, 12_34, TODAY)])

        shown = said(payee, f"/fees/statements/lines/{due.id}")

        assert "Due to us, to be invoiced" in shown
        assert "None: people posted it" in shown
        assert shown.count("£24.68") == 2
        assert check_tables(payee, f"/fees/statements/lines/{due.id}") == {"postings"}
        assert visit_as(books.stranger).get(f"/fees/statements/lines/{due.id}").status_code == 404

    def test_hand_out_what_was_sent_and_where_the_books_differ(
        self, books: Books, visit_as: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payee, with_payer = visit_as(books.payee), f"/fees/statements/with/{books.payer.id}"
        (due,) = books.post([Posted(TransactionKind.DUE, 5_00, TODAY)])
        sent = [{"on": "2026-01-02", "pence": 5_00, "numbers": ["INV-1", "INV-2"]}]
        other = [Difference(due.id, None, TODAY, Amounts(owed=5_00), Amounts())]
        monkeypatch.setattr("concord.web.fee_statements.list_sent", lambda *_, **__: sent)
        monkeypatch.setattr("concord.web.fee_statements.compare_statement", lambda *_: other)

        assert check_tables(payee, with_payer) == {"paid-to-us", "paid-by-us", "sent", "lines"}
        rows = read_file(payee, f"{with_payer}?file=sent.csv")[1:]
        assert rows == [["2026-01-02", "INV-1, INV-2", "5.00"], ["Together", "", "5.00"]]
        made = payee.post(with_payer, {"until_on": TODAY.isoformat()}).headers["Location"]
        assert "differences" in check_tables(payee, made)
        # Whoever is to agree sees what their own files say they sent.
        payer = visit_as(books.payer)
        assert "sent-by-other" in check_tables(payer, made)
        assert "Nobody can agree while the books differ." in page_of(payer).text
        assert "Agree for your agency" not in page_of(payer).text
        assert payee.get(f"{made}?file=nothing.csv").mimetype == "text/html"
        assert payee.get(f"{made}?file=lines.pdf").mimetype == "text/html"

    def test_are_for_those_who_may_read_fees(self, books: Books, factories: Factories, visit_as: Visit) -> None:
        worker = visit_as(factories.colleague(books.payee, roles=frozenset({Role.FAMILY_FINDER})))

        assert worker.get("/fees/statements").status_code == 403
        assert worker.get("/fees/journal").status_code == 403


class TestJournals:
    def test_take_a_layout_and_hand_out_a_month_with_its_totals(self, books: Books, visit_as: Visit) -> None:
        officer = visit_as(books.payer)
        assert "Say first what" in said(officer, "/fees/journal")
        said(officer, "/fees/journal/layout")
        typed = {
            "name": "Ledger",
            "date_style": "yyyy-mm-dd",
            "sign": "debits",
            **{f"code-{each}": f"N{number}" for number, each in enumerate(POSTED)},
            "place-code": "1",
            "heading-code": "Code",
            "place-amount": "2",
            "heading-amount": "Amount",
        }
        refused = officer.post("/fees/journal/layout", {**typed, "heading-amount": "Code"})
        assert refused.status_code == 422
        assert "heading of its own" in refused.get_data(as_text=True)
        for place in ("1", "0", "-1", "x", "１", "100"):
            assert officer.post("/fees/journal/layout", {**typed, "place-amount": place}).status_code == 422
        assert officer.post("/fees/journal/layout", typed).status_code == 303
        asked = f"of={TODAY:%Y-%m}&name=Ledger"

        shown = said(officer, f"/fees/journal?{asked}")
        rows = sheet(officer, f"/fees/journal.csv?{asked}&provisional=yes")

        assert "not closed: provisional" in shown
        assert f"Rows{len(rows) - 1}" in shown.replace("\n", "").replace(" ", "")
        assert sum(float(row[1]) for row in rows[1:]) == 0
        assert officer.get(f"/fees/journal.csv?{asked}&provisional=yes").content_type == "text/csv; charset=utf-8"
        assert officer.get(f"/fees/journal.csv?{asked}").status_code == 409
        assert visit_as(books.payee).get(f"/fees/journal.csv?{asked}&provisional=yes").status_code == 404


def _again(visitor: Visitor, path: str) -> str:
    """Ask for a statement until a day before the last one."""
    day = TODAY - timedelta(days=3)
    return said(visitor, f"{path}?until={day.day}&until={day.month}&until={day.year}")


class TestReports:
    def test_add_up_and_are_handed_out_as_they_are_shown(self, books: Books, visit_as: Visit) -> None:
        payee = visit_as(books.payee)
        books.post([Posted(TransactionKind.DUE, 2_000_00, TODAY)])

        shown = said(payee, "/fees/reports")
        accrued, year = (sheet(payee, f"/fees/reports?file={each}.csv") for each in ("accruals", "year"))

        assert "Nothing is foreseen" in shown
        assert accrued[1][1] == "They owe us"
        assert [row for row in year[1:] if row[0] == "Invoiced, owed to us"]
        for column in range(1, 5):
            assert column in (2, 3) or float(year[-1][column]) == 0
        assert check_tables(payee, "/fees/reports") == {"accruals", "year"}
        assert sheet(payee, "/fees/reports?file=months.csv")[-2:] == [
            ["No day yet", "0.00", "0.00"],
            ["Together", "0.00", "0.00"],
        ]
        assert "Nothing was posted" in said(payee, "/fees/reports?year=2001")
        assert "No swap has spared your agency" in said(payee, "/fees/savings")
        assert sheet(payee, "/fees/savings?file=savings.csv")[0][0] == "Year from April"
