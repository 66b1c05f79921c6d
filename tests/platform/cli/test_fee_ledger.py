"""``concord fees run``, ``ledger``, ``close`` and ``invoice`` as an operator meets them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.event import FeeEventKind
from matching.fee.invoice.account import AccountTerms, keep_account
from matching.fee.invoice.vat import VatCategory
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.fee.ledger.agreed import agree
from tests.platform.cli.run import answer, refusal, run
from tests.platform.cli.test_docs import example

THIS_MONTH = utc_now().date().replace(day=1)
PLACED_ON = (THIS_MONTH - timedelta(days=1)).replace(day=10)
MONTH = f"{PLACED_ON:%Y-%m}"


@pytest.mark.usefixtures("on_servers")
class TestFees:
    def test_are_posted_once_read_by_their_own_agency_invoiced_and_closed(
        self, factories: Factories, database: Database, migrated: DatabaseUrls, tmp_path: Path
    ) -> None:
        payer, payee = factories.two_tenants()
        stranger = factories.tenant(factories.consortium())
        of = {each.slug: ("--agency", each.slug) for each in (payer, payee, stranger)}
        with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as admin:
            agreed = agree(admin, database, (payer, payee))
            for kind in (FeeEventKind.AGREEMENT_SIGNED, FeeEventKind.PLACED):
                agreed.tell(kind, PLACED_ON)

        said = [run("fees", "run", *of[payee.slug]).stdout for _ in range(2)]
        assert said == ["2 transactions posted.\n", "0 transactions posted.\n"]
        book = answer("fees", "ledger", *of[payee.slug], "--month", MONTH, "--reference", agreed.reference)
        shape: dict[str, Any] = example("fees ledger")
        assert book.keys() == shape.keys()
        assert book["postings"][0].keys() == shape["postings"][0].keys()
        assert (book["accounts"]["to_invoice"], sum(book["accounts"].values())) == (18_000_00, 0)
        theirs = answer("fees", "ledger", *of[payer.slug])
        assert theirs["accounts"]["to_be_invoiced"] == -18_000_00
        assert answer("fees", "ledger", *of[stranger.slug]) == {"accounts": {}, "postings": []}
        words = run("fees", "ledger", *of[payee.slug]).stdout
        assert "£18,000" in words
        assert agreed.reference in words
        assert run("fees", "ledger", *of[stranger.slug]).stdout == "The book has no such posting.\n"

        issue = ("fees", "invoice", "issue", *of[payee.slug], "--payer", payer.slug)
        assert "no account for invoices yet" in refusal(*issue)
        with transaction(database, payee) as session:
            keep_account(session, AccountTerms("Sample", vat_category=VatCategory.EXEMPT), now=utc_now())
        issued = answer(*issue)
        assert issued["gross_pence"] == 18_000_00
        assert "Some of this is invoiced already, or none was chosen." in refusal(*issue)
        (listed,) = answer("fees", "invoice", "list", *of[payer.slug], "--received")["invoices"]
        assert (listed["number"], listed["outstanding_pence"]) == (issued["number"], 18_000_00)
        file = tmp_path / "invoice.xml"
        assert run("fees", "invoice", "ubl", *of[payer.slug], "--number", issued["number"], str(file)).exit_code == 0
        assert issued["number"] in file.read_text("utf-8")
        assert "no invoice of that number" in refusal(
            "fees", "invoice", "ubl", *of[stranger.slug], "--number", issued["number"], str(file)
        )

        closed = run("fees", "close", *of[payee.slug], "--month", MONTH).stdout
        assert closed.startswith(f"{PLACED_ON:%B %Y} is closed.\n")
        assert "£18,000" in closed
        assert "is closed already" in refusal("fees", "close", *of[payee.slug], "--month", MONTH)
        assert "The month is not over." in refusal("fees", "close", *of[payee.slug], "--month", f"{THIS_MONTH:%Y-%m}")

    @pytest.mark.parametrize("asked", [("run",), ("ledger",), ("close", "--month", "2026-10")])
    def test_say_what_is_unknown(self, asked: tuple[str, ...]) -> None:
        assert "There is no agency called “nowhere”" in refusal("fees", *asked, "--agency", "nowhere")
        for month in ("2026-13", "October", "0000-01", "2026-1"):
            wrong = run("fees", "close", "--agency", "nowhere", "--month", month)
            assert wrong.exit_code == 2
            assert f"“{month}” is no month. Write its year and its number, such as 2026-10." in wrong.stderr
