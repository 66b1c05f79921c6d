"""Pages of the ledger: sums that add up, the same in the sheet, months closed and opened by two, departures by two."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from io import StringIO
from typing import Any

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.event import FeeEventKind
from matching.fee.exception import list_exceptions
from matching.fee.ledger import TransactionKind, list_periods, mirrored, post
from matching.fee.settlement import RUN_JOB
from tenants.database import Database
from tenants.job import request_job
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant
from tests.fee_tables import check_tables, read_file
from tests.matching.fee.ledger.agreed import Agreed, agree
from tests.matching.fee.remittance.samples import csv_of
from tests.matching.fee.remittance.taking import take
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
PLACED = date(2024, 2, 29)


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture
def agreed(admin: psycopg.Connection[Any], database: Database, factories: Factories) -> Agreed:
    """An agreement with its first part due."""
    made = agree(admin, database, factories.two_tenants())
    made.tell(FeeEventKind.AGREEMENT_SIGNED, PLACED)
    made.tell(FeeEventKind.PLACED, PLACED)
    made.settle(PLACED)
    return made


def said(visitor: Visitor, path: str) -> str:
    assert visitor.get(path).status_code == 200
    assert visitor.page
    return visitor.page.text


class TestLedger:
    def test_opens_for_an_agency_of_two_consortia_whichever_it_chose(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories, visit_as: Visit, agreed: Agreed
    ) -> None:
        payee, consortium_id = agreed.payee, agreed.payee.scope.consortium_id
        assert consortium_id
        with database.transaction(payee.scope) as session:
            post(
                session,
                consortium_id=consortium_id,
                payer_agency_id=agreed.payer.id,
                payee_agency_id=payee.id,
                kind=TransactionKind.OVERPAID,
                key="over",
                dated_on=PLACED,
                entries=mirrored(TransactionKind.OVERPAID, 100, agreed.payer.id, payee.id),
                narrative="Too much",
                now=NOW,
            )
        second = factories.consortium()
        admin.execute(
            "INSERT INTO consortium_member (consortium_id, agency_id, joined_on) VALUES (%s, %s, '2020-01-01')",
            (second, payee.id),
        )
        visitor = visit_as(payee)
        for chosen, name in (
            (consortium_id, agreed.payer.name),
            (second, "An agency outside the consortium"),
        ):
            visitor.get("/acting")
            visitor.post("/acting", {"choice": f"{payee.id}:{chosen}"})
            for path in ("/fees/ledger", "/fees/reports", "/fees/statements"):
                assert name in said(visitor, path)

    def test_shows_ones_own_book_as_asked_for_and_the_same_in_the_sheet(
        self, visit_as: Visit, factories: Factories, agreed: Agreed
    ) -> None:
        payee, payer = visit_as(agreed.payee), visit_as(agreed.payer)
        stranger = visit_as(factories.tenant(factories.consortium()))
        page = said(payee, f"/fees/ledger?month=2024-02&reference={agreed.reference}")
        assert "holds several agreements" not in page
        assert check_tables(payee, "/fees/ledger?month=2024-02") == {"accounts", "ledger"}
        sheet = payee.get("/fees/ledger?month=2024-02&file=ledger.csv")
        rows = list(csv.DictReader(StringIO(sheet.get_data(as_text=True).lstrip("\ufeff"))))

        assert "Due to us, to be invoiced" in page
        assert "Part 1, due when the placement begins" in page
        assert "£18,000" in page
        assert len(rows) == 6
        assert sum(float(row["Debit"] or 0) for row in rows) == sum(float(row["Credit"] or 0) for row in rows)
        assert "Due from us, not yet invoiced" in said(payer, "/fees/ledger?account=to_be_invoiced")
        assert "There is no posting yet" in said(stranger, "/fees/ledger")
        assert "No posting is so" in said(payee, "/fees/ledger?month=2030-01&with=nobody")
        assert "Part 1, due when the placement begins" in said(payee, "/fees/ledger?year=2023&account=fee_income")
        assert "No posting is so" in said(payee, "/fees/ledger?year=2030&month=2024-02")
        assert "Part 1, due when the placement begins" in said(payee, f"/fees/ledger?year={'9' * 9}")
        assert visit_as(factories.colleague(agreed.payee, roles=frozenset({Role.FAMILY_FINDER}))).get(
            "/fees/ledger"
        ).status_code in {403, 404}


class TestUnsettled:
    def test_is_listed_for_who_is_paid(
        self, admin: psycopg.Connection[Any], visit_as: Visit, database: Database, agreed: Agreed
    ) -> None:
        payee, payer = visit_as(agreed.payee), visit_as(agreed.payer)
        waiting, words = "/fees/agreements?waiting=settling", "One agreement that the daily run could not settle"
        before = [said(payee, "/fees"), said(payee, waiting)]
        with database.transaction(agreed.payee.scope) as session:
            job_id = request_job(session, kind=RUN_JOB, payload={}, now=NOW)
        failed = "UPDATE job SET state = 'failed', finished_at = now(), reason = %s WHERE id = %s"
        admin.execute(failed, (f"1 of 1 could not be settled: {agreed.reference}.", job_id))

        assert words not in before[0]
        assert "The last daily run settled every agreement." in before[1]
        assert words in said(payee, "/fees")
        assert agreed.reference in said(payee, waiting)
        assert agreed.reference in payee.get(f"{waiting}&file=fee-agreements.csv").get_data(as_text=True)
        assert words not in said(payer, "/fees")
        assert agreed.reference not in said(payer, waiting)


class TestMonths:
    def test_are_closed_and_opened_again_by_two(
        self, visit_as: Visit, database: Database, factories: Factories, agreed: Agreed
    ) -> None:
        keeper = visit_as(agreed.payee)
        second = visit_as(factories.colleague(agreed.payee, roles=agreed.payee.scope.roles))
        other = visit_as(agreed.payer)
        with database.transaction(agreed.payee.scope) as session:
            # Of each month, what counts in it: the second line is March's, and so is the second part.
            take(session, csv_of([("29/02/2024", "A PAYER", "A", "5.00"), ("01/03/2024", "A PAYER", "B", "6.00")]))
        agreed.tell(FeeEventKind.ORDERED, date(2024, 3, 1))
        agreed.settle(date(2024, 3, 1))
        before = said(keeper, "/fees/periods")
        assert "February 2024, the first open month" in before
        assert "One instalment is due and not invoiced" in before
        assert "One receipt is not matched" in before

        sheet = keeper.get("/fees/periods?file=month-2024-02.csv").get_data(as_text=True).lstrip("\ufeff")
        *_, total = csv.DictReader(StringIO(sheet))
        assert float(total["Debit"]) == float(total["Credit"]) > 0
        assert keeper.get("/fees/periods?file=month-2024-13.csv").mimetype == "text/html"

        closed = keeper.post("/fees/periods/2024/2")
        assert closed.status_code == 303
        assert "The ledger still comes to these totals." in said(keeper, closed.headers["Location"])
        assert keeper.post("/fees/periods/2024/2").status_code == 409
        assert other.get(closed.headers["Location"]).status_code == 404
        march = said(keeper, "/fees/periods")
        assert "Two instalments are due and not invoiced" in march
        assert "Two receipts are not matched" in march
        with database.transaction(agreed.payee.scope) as session:
            path = f"/fees/periods/{list_periods(session)[0].id}"
        keeper.get(f"{path}/reopen")
        assert keeper.post(f"{path}/reopen", {"reason": ""}).status_code == 422
        assert keeper.post(f"{path}/reopen", {"reason": "The wrong month."}).status_code == 303
        assert check_tables(keeper, "/fees/periods") == {"month-2024-03", "closed-months"}
        assert "Take it back: leave February 2024 closed" in said(keeper, "/fees/periods")
        assert keeper.post(f"{path}/withdraw").status_code == 303
        assert "The wrong month." not in said(keeper, "/fees/periods")
        assert keeper.post(f"{path}/reopen", {"reason": "A line was missing."}).status_code == 303
        assert keeper.post(f"{path}/agree").status_code == 403
        assert "A line was missing." in said(second, "/fees/periods")
        assert second.post(f"{path}/agree").status_code == 303
        assert "February 2024, the first open month" in said(keeper, "/fees/periods")


class TestDepartures:
    def test_take_a_reason_and_two_people_who_are_named_in_the_ledger(
        self, visit_as: Visit, database: Database, factories: Factories, agreed: Agreed
    ) -> None:
        keeper, other = visit_as(agreed.payee), visit_as(agreed.payer)
        colleague = factories.colleague(agreed.payee, roles=agreed.payee.scope.roles)
        path = f"/fees/agreements/{agreed.id}/exceptions"
        assert "None was asked for." in said(keeper, path)
        assert "There is nothing to pay back" in said(keeper, path)
        assert "Pay back" not in said(keeper, f"{path}/new")
        assert keeper.post(f"{path}/new", {"kind": "refund", "amount": "", "reason": "A gift"}).status_code == 422
        waiver = {"kind": "waiver", "amount": "", "reason": "A swap after all"}
        assert keeper.post(f"{path}/new", waiver).status_code == 303
        assert "The agency that is paid waives and pays back." in said(other, path)
        assert "Waive what is not invoiced" not in said(other, f"{path}/new")
        assert other.post(f"{path}/new", waiver).status_code == 422
        assert "This needs a second person, and you are the first." in said(keeper, path)
        second = visit_as(colleague)
        assert "A swap after all" in said(second, path)
        to_decide = "/fees/agreements?waiting=decide"
        said(second, "/fees")
        assert second.page
        assert to_decide in second.page.links().values()
        assert agreed.reference in said(second, to_decide)
        with database.transaction(agreed.payee.scope) as session:
            action = f"/fees/exceptions/{list_exceptions(session, agreed.id)[0].id}"
        assert keeper.post(action, {"approve": "yes"}).status_code == 403
        assert other.post(action, {"approve": "yes"}).status_code == 403
        assert check_tables(second, path) == {f"exceptions-{agreed.reference}"}
        assert second.post(action, {"approve": "yes"}).status_code == 303
        assert second.post(action, {"approve": "yes"}).status_code == 409
        assert "Nothing is left for your agency to decide." in said(second, to_decide)
        agreed.settle(date(2030, 1, 1))

        headings, *rows = read_file(keeper, "/fees/ledger?file=ledger.csv")
        waived = [found for row in rows if (found := dict(zip(headings, row, strict=True)))["What"] == "Waived"]
        assert {row["Reason"] for row in waived} == {"A swap after all"}
        assert {row["Approved by"] for row in waived} == {f"Kit Sample {colleague.subject}"}
        assert agreed.balances() == {}
