"""``concord fees statement`` and ``journal``: the same figures as the pages, the same file each time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from matching.fee.journal.mapping import POSTED, Layout, keep_mapping
from matching.fee.ledger import TransactionKind
from tenants.audit import Act, AuditEntry
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories
from tests.matching.fee.statement.books import Posted, make_books
from tests.platform.cli.run import answer, refusal, run

TODAY = utc_now().date()


@pytest.mark.usefixtures("on_servers")
class TestFees:
    def test_say_a_statement_and_write_a_journal(
        self, factories: Factories, database: Database, tmp_path: Path
    ) -> None:
        books = make_books(factories, database)
        books.post([Posted(TransactionKind.INVOICED, 1_500_00, TODAY), Posted(TransactionKind.PAID, 500_00, TODAY)])
        with database.transaction(books.payee.scope) as session:
            layout = Layout(codes=dict.fromkeys(POSTED, "N1"))
            keep_mapping(session, "Ledger", layout, now=utc_now())
        between = ("fees", "statement", "--agency", books.payer.slug, "--with", books.payee.slug)
        month = ("--agency", books.payee.slug, "--month", f"{TODAY:%Y-%m}", "--layout", "Ledger")
        file, other = tmp_path / "journal.csv", tmp_path / "refused.csv"

        sides = answer(*between)["sides"]
        words = run(*between).stdout
        said = answer("fees", "journal", *month, "--provisional", str(file))

        [side] = [each for each in sides if each["payer"] == books.payer.slug]
        assert side["closing"] == {"agreed": 0, "to_invoice": -150_000, "owed": 100_000, "ahead": 0}
        assert [each["kind"] for each in side["movements"]] == ["invoiced", "paid"]
        assert "closing: £1,000.00 to pay" in words
        assert said["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert (said["rows"], said["debit_pence"], said["credit_pence"]) == (4, 200_000, 200_000)
        assert said["provisional"] is True
        assert "is not closed" in refusal("fees", "journal", *month, str(other))
        assert list(tmp_path.iterdir()) == [file]
        assert "no layout called" in refusal("fees", "journal", *month[:-1], "Other", str(other))
        run("fees", "budget", "export", "--agency", books.payee.slug, str(other))
        assert len(other.read_text("utf-8").splitlines()) == 25
        for command in (("ledger",), ("invoice", "list")):
            run("fees", *command, "--agency", books.payee.slug)
        looks: dict[str, list[tuple[str, str]]] = {}
        for tenant in (books.payer, books.payee, books.stranger):
            with database.transaction(tenant.scope) as session:
                query = select(AuditEntry.act, AuditEntry.record_kind).where(AuditEntry.act.in_((Act.READ, Act.EXPORT)))
                looks[tenant.slug] = sorted((act.value, kind) for act, kind in session.execute(query))
        assert looks == {
            books.payer.slug: [("read", "fee_statement")] * 2,
            books.payee.slug: [
                ("export", "fee_sheet"),
                ("export", "journal"),
                ("export", "ledger"),
                ("read", "invoice"),
            ],
            books.stranger.slug: [],
        }
