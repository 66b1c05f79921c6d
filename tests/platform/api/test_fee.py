"""Fees as an agency's finance system reads them, what it issues and hands in, and what it is not told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from concord.servers.login import DatabaseUrls
from matching.fee.invoice.account import Series
from matching.fee.journal.mapping import POSTED, Layout, keep_mapping
from matching.fee.ledger import close_month, open_months
from matching.fee.statement.statement import make_statement
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories
from tests.matching.fee.invoice.invoice_ground import InvoiceGround, make_invoice_ground
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]


@pytest.fixture(scope="module")
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> InvoiceGround:
    """Two agencies between which money is due, and a stranger."""
    return make_invoice_ground(database, migrated, factories)


class TestFees:
    def test_are_read_by_both_sides_each_its_own_book_and_invoiced_once(
        self, program_of: ProgramOf, ground: InvoiceGround, database: Database
    ) -> None:
        ground.keep(series=Series.FINANCE_SYSTEM)
        agreement_id = str(ground.due(1_000))
        ours, theirs = program_of(ground.payee, "fees.write"), program_of(ground.payer, "fees.read")
        stranger = program_of(ground.stranger)

        due = ours.get("/fees/due").json or {}
        (sum_due,) = (each for each in due["items"] if each["sum"].startswith(agreement_id))
        assert (sum_due["pence"], sum_due["payer"]["name"]) == (1_000, ground.payer.name)
        wanted = {"payer_id": str(ground.payer.id), "sums": [sum_due["sum"]]}
        assert ours.send("/fees/invoices", wanted).status_code == 422
        issued = ours.send("/fees/invoices", {**wanted, "number": "FS 17"}, key="once")
        again = ours.send("/fees/invoices", {**wanted, "number": "FS 17"}, key="once")
        assert (issued.status_code, again.data) == (201, issued.data)
        assert ours.send("/fees/invoices", {**wanted, "number": "FS 18"}).json["type"] == "urn:concord:nothing-due"  # type: ignore[index]
        assert theirs.send("/fees/invoices", {**wanted, "number": "FS 18"}).status_code == 403
        invoice = issued.json or {}
        assert (invoice["state"], invoice["outstanding_pence"]) == ("open", 1_000)
        assert [line["pence"] for line in invoice["lines"]] == [1_000]
        (listed,) = theirs.items("/fees/invoices", side="received", number="FS 17")
        assert listed["id"] == invoice["id"]
        assert theirs.items("/fees/invoices", side="issued") == []
        path = f"/fees/invoices/{invoice['id']}"
        read = theirs.get(path)
        assert theirs.get(path, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
        assert b"FS 17" in theirs.get(f"{path}/ubl").data

        books = {
            each: each.items("/fees/postings", limit=1, other_agency=str(other))
            for each, other in ((ours, ground.payer.id), (theirs, ground.payee.id))
        }
        assert [sum(each["pence"] for each in book) for book in books.values()] == [0, 0]
        assert {each["account"] for each in books[theirs]} == {"fee_cost", "to_be_invoiced", "payable"}
        assert [each["posted_at"] for each in books[ours]] == sorted(each["posted_at"] for each in books[ours])
        read_once = ours.get("/fees/postings?limit=200").json or {}
        after = ours.get(f"/fees/postings?limit=200&cursor={read_once['follow']}").json or {}
        assert (read_once["next"], after["items"], after["follow"]) == (None, [], read_once["follow"])
        about = (ours.get(f"/fees/transactions/{books[ours][0]['transaction_id']}")).json or {}
        assert {each["account"] for each in about["postings"]} <= {"fee_income", "to_invoice", "receivable"}
        (agreement,) = (each for each in theirs.items("/fees/agreements") if each["id"] == agreement_id)
        assert (theirs.get(f"/fees/agreements/{agreement_id}").json or {}).items() >= agreement.items()
        for path in ("/fees/invoices", "/fees/postings", "/fees/agreements", "/fees/statements", "/fees/remittances"):
            assert stranger.items(path) == []
        with database.transaction(ground.payee.scope) as session:
            noted = select(AuditEntry.act).where(AuditEntry.actor_client_id == ours.made.client.id)
            assert {Act.ADD, Act.READ} <= set(session.scalars(noted))

    def test_are_closed_stated_taken_as_a_journal_and_paid(
        self, program_of: ProgramOf, ground: InvoiceGround, database: Database
    ) -> None:
        ours, theirs = program_of(ground.payee), program_of(ground.payer)
        ground.due(500)
        with database.transaction(ground.payee.scope) as session:
            made_id = make_statement(session, ground.payer.id, until_on=TODAY, now=NOW).id
            keep_mapping(session, "Ours", Layout({each: f"{each}" for each in POSTED}), now=NOW)
            month = open_months(session)[0]
        path = f"/fees/journal?layout=Ours&month={month:%Y-%m}"
        assert ours.get(path).status_code == 409
        assert b"PROVISIONAL" in ours.get(f"{path}&provisional=true").data
        with database.transaction(ground.payee.scope) as session:
            close_month(session, month, now=NOW)

        journal = ours.get(path)
        assert journal.content_type == "text/csv; charset=utf-8"
        assert journal.data == ours.get(path).data
        assert theirs.get(path).status_code == ours.get(path.replace("Ours", "X")).status_code == 404
        periods = ours.get("/fees/periods").json or {}
        assert f"{month:%Y-%m}" not in periods["open"]
        assert sum(each["carried"] for each in periods["items"][0]["totals"]) == 0
        assert (theirs.get("/fees/periods").json or {})["items"] == []
        (statement,) = theirs.items("/fees/statements")
        assert (statement["id"], statement["agreed_at"]) == (str(made_id), None)
        sides = (theirs.get(f"/fees/statements/{made_id}").json or {})["sides"]
        assert {side["payer"]["name"] for side in sides} == {ground.payer.name, ground.payee.name}

        path, content = "/fees/remittances", b"Date,Amount,Payer\n"
        taken, again = (
            ours.send(f"{path}?filename={name}", data=content, content_type="application/octet-stream")
            for name in ("november.csv", "other.csv")
        )
        assert (taken.status_code, (taken.json or {})["state"]) == (202, "reading")
        assert (again.json or {})["id"] == (taken.json or {})["id"]
        assert ours.items(path) == [taken.json]
        assert theirs.items(path) == []
