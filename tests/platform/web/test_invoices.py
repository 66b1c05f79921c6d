"""Pages of invoices: issued, received, taken away, credited, disputed, and what stands on them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO

import pytest

from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.fee_tables import check_tables
from tests.matching.fee.handed_over import hand_over_books
from tests.matching.fee.invoice.invoice_ground import InvoiceGround, make_invoice_ground
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


@pytest.fixture
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> InvoiceGround:
    """A payee, a payer and a stranger."""
    return make_invoice_ground(database, migrated, factories)


def said(visitor: Visitor, path: str) -> str:
    assert visitor.get(path).status_code == 200
    assert visitor.page
    return visitor.page.text


class TestInvoices:
    def test_go_from_what_is_due_to_a_dispute_and_a_credit_note(self, visit_as: Visit, ground: InvoiceGround) -> None:
        agreement_id = ground.due(2_700_000)
        payee, payer, stranger = (visit_as(each) for each in (ground.payee, ground.payer, ground.stranger))
        assert "Nothing is due that is not invoiced" in said(stranger, "/fees/invoices/new")
        assert "sum due to be invoiced" in said(payee, "/fees")
        assert "No purchase order was given" in said(payee, "/fees/invoices/new")
        assert ",27000.00" in payee.get("/fees/invoices/new?file=due-to-invoice.csv").get_data(as_text=True)
        form = {"payer": str(ground.payer.id), "due": f"{agreement_id}:due/1"}
        issued = payee.post("/fees/invoices/new", form)
        assert issued.status_code == 303
        assert payee.post("/fees/invoices/new", form).status_code == 422
        path = issued.headers["Location"]

        for visitor, name in ((payee, "Invoices issued"), (payer, "Invoices received")):
            side = "received" if visitor is payer else "issued"
            listed = said(visitor, f"/fees/invoices?side={side}&number=INV")
            assert name in listed
            assert "All together, credit notes taken off" in listed
            sheet = visitor.get(f"/fees/invoices?side={side}&file=invoices-{side}.csv").data.decode("utf-8-sig")
            row, _ = csv.DictReader(StringIO(sheet))
            assert (row["Number"], row["Total"], row["State"]) == ("INV-00001", "27000.00", "Open")
            assert check_tables(visitor, f"/fees/invoices?side={side}") == {f"invoices-{side}"}
            assert "postings" in check_tables(visitor, path)
            assert "Invoice INV-00001" in said(visitor, path)
            assert visitor.get(f"{path}/invoice.pdf").data.startswith(b"%PDF")
            assert b"INV-00001" in visitor.get(f"{path}/invoice.xml").data
            # From the invoice to its agreement, to how it fell due, and to its transaction, which leads back.
            (posted,) = [each for each in hrefs_of(visitor, path) if "/statements/lines/" in each]
            assert f"/fees/agreements/{agreement_id}" in hrefs_of(visitor, path)
            assert {path, f"/fees/agreements/{agreement_id}"} <= set(hrefs_of(visitor, posted))
            (due,) = {each for each in hrefs_of(visitor, path) if each.startswith("/fees/ledger?reference=")}
            assert posted in hrefs_of(visitor, due)
        assert stranger.get(path).status_code == 404
        assert "There are none yet" in said(stranger, "/fees/invoices")

        payer.get(f"{path}/approve")
        assert payer.post(f"{path}/approve", {"note": "Next run"}).status_code == 303
        assert payer.post(f"{path}/approve", {"note": "Next run"}).status_code == 422
        assert payer.post(f"{path}/dispute", {"words": "Wrong order."}).status_code == 303
        assert "In dispute" in said(payee, "/fees/invoices?state=disputed")
        assert "One invoice that you issued is in dispute" in said(payee, "/fees/periods")
        assert "One invoice that you received is in dispute" in said(payer, "/fees/periods")
        credited = payee.post(f"{path}/credit", {"reason": "Wrong order"})
        assert credited.status_code == 422
        field = next(each for each in said_fields(payee, f"{path}/credit") if each.startswith("line-"))
        assert payee.post(f"{path}/credit", {field: "x", "reason": "Wrong order"}).status_code == 422
        assert payee.post(f"{path}/credit", {field: "27,000.00", "reason": "Wrong order"}).status_code == 303
        # What is outstanding is shown to be the sum of what was posted of it, on each side.
        for person in (payee, payer):
            shown = said(person, path)
            assert "How it came to what is outstanding" in shown
            assert shown.count("−£27,000.00") >= 1
        assert (
            payee.post(f"{path}/dispute", {"words": "Credited.", "outcome": "credited", "version": "1"}).status_code
            == 303
        )
        seen = said(payer, path)
        assert "Credited: the payee agreed" in seen
        assert "Settled" in seen
        assert "Next run" in seen

    def test_go_on_with_whoever_took_them_over(self, visit_as: Visit, ground: InvoiceGround) -> None:
        invoice_id = ground.issue(2_700_000, days_ago=40)
        path = f"/fees/invoices/{invoice_id}"
        heir, payee = visit_as(ground.stranger), visit_as(ground.payee)
        assert heir.get(path).status_code == 404
        ground.set_bank("11112222")
        agreement_id = ground.due(500)
        gone = ground.issue()
        hand_over_books(ground.database, ground.urls, ground.payee, ground.stranger, agreements=[agreement_id])
        assert f"{ground.stranger.name} is paid since." in said(visit_as(ground.payer), f"/fees/invoices/{gone}")
        hand_over_books(ground.database, ground.urls, ground.payer, ground.stranger)

        for visitor, words in ((heir, "Dispute it"), (payee, "Credit it")):
            page = said(visitor, path)
            assert f"Since then {ground.stranger.name} pays {ground.payee.name}" in page
            assert words in page
            for each in hrefs_of(visitor, path):
                if each.startswith("/fees/"):
                    assert visitor.get(each).status_code == 200
            assert visitor.get(f"{path}/invoice.pdf").data.startswith(b"%PDF")
        assert "27,000.00" in said(heir, "/fees/invoices?side=received&state=overdue")
        heir.post(f"{path}/dispute", {"words": "Not ours."})
        assert "Not ours." in said(payee, path)

    def test_offer_nobody_of_both_agencies_to_approve_or_end_anything_between_them(
        self, visit_as: Visit, ground: InvoiceGround, factories: Factories
    ) -> None:
        path = f"/fees/invoices/{ground.issue(5_000)}"
        double = visit_as(factories.of_both(ground.payer, ground.payee, roles=frozenset({Role.FINANCE_OFFICER})))
        double.get("/acting")
        double.post("/acting", {"choice": f"{ground.payer.id}:{ground.payer.scope.consortium_id}"})

        page = said(double, path)
        assert "To approve it to be paid: You hold roles in both agencies" in page
        assert f"{path}/approve" not in links_of(double).values()
        said(double, f"{path}/dispute")
        assert double.post(f"{path}/dispute", {"words": "Not ours."}).status_code == 303
        assert "To end the dispute: You hold roles in both agencies" in said(double, f"{path}/dispute")
        assert "outcome" not in said_fields(double, f"{path}/dispute")
        drawn = said(double, f"/fees/statements/with/{ground.payee.id}")
        assert "You hold roles in both agencies" in drawn
        assert "Draw up and agree" not in drawn


class TestAccounts:
    def test_are_set_up_and_money_goes_elsewhere_by_two_people_only(
        self, visit_as: Visit, ground: InvoiceGround, factories: Factories
    ) -> None:
        payee, second, payer = (visit_as(each) for each in (ground.payee, ground.colleague, ground.payer))
        manager = visit_as(factories.colleague(ground.payee, roles=frozenset({Role.MANAGER})))
        assert "to be confirmed" in said(payer, "/fees/account").lower()
        account = {
            "legal_name": "Sample Council", "vat_category": "standard", "vat_number": "GB 1", "series": "own",
            "number_prefix": "FEE-", "next_number": "7", "payment_days": "14", "bank_delay_days": "5",
        }  # fmt: skip
        said(payee, "/fees/account/change")
        assert payee.post("/fees/account/change", account).status_code == 422
        assert links_of(payee)["This is no VAT number: check the digits. For example, GB 980 7806 84."] == "#vat_number"
        network = {**account, "vat_number": "GB980780684", "endpoint_scheme": "zz", "endpoint": "x"}
        assert payee.post("/fees/account/change", network).status_code == 422
        assert payee.post("/fees/account/change", {**account, "vat_number": "GB980780684"}).status_code == 303
        assert "FEE-00007" in said(payee, "/fees/account")
        bank = {"name": "Sample", "sort_code": "12-34-56", "account_number": "12345678"}
        assert payee.post("/fees/account/bank", {**bank, "sort_code": "1"}).status_code == 422
        assert links_of(payee)["A sort code has six digits, such as 12-34-56."] == "#sort_code"
        assert payee.post("/fees/account/bank", bank).status_code == 303
        page = said(payee, "/fees/account")
        assert "Waits for a second person" in page
        assert "This needs a second person, and you are the first." in page
        assert "/fees/account/bank" not in links_of(payee).values()
        # Whoever asked for it is not offered to approve it, and who only reads is offered nothing.
        assert not any(each.endswith("/approve") for each in actions_of(payee))
        for path in ("/fees/account", "/fees/suppliers", "/fees/journal"):
            offered = [each for each in hrefs_of(manager, path) if each.startswith("/fees")]
            assert [each for each in offered if manager.get(each).status_code == 403] == []
        assert not any(each.endswith("/withdraw") for each in actions_of(manager))
        # Whoever approves it compares the whole of it with a letter.
        assert "Sample, 12-34-56, 12345678" in said(second, "/fees/account")
        approve = f"/fees/account/bank/{change_of(second)}/approve"
        assert payee.post(approve, {}).status_code == 403
        assert payer.post(approve, {}).status_code == 404
        assert second.post(approve, {}).status_code == 303
        assert "12-34-56, 12345678" in said(payee, "/fees/account")
        assert payee.post("/fees/account/reminders", {"days": "soon"}).status_code == 422
        assert payee.post("/fees/account/reminders", {"days": "3, 30"}).status_code == 303
        assert "3, 30 days after" in said(payee, "/fees/account")

    def test_ask_for_suppliers_and_orders_early(self, visit_as: Visit, ground: InvoiceGround) -> None:
        agreement_id = ground.due(100)
        payer = visit_as(ground.payer)
        assert "agreement without a purchase order" in said(payer, "/fees")
        supplier = {"payee": str(ground.payee.id), "supplier_number": "S-1"}
        assert payer.post("/fees/suppliers/new", supplier).status_code == 303
        assert payer.post(f"/fees/agreements/{agreement_id}/order", {"number": "PO 9"}).status_code == 303
        shown = said(payer, "/fees/suppliers")
        assert "S-1" in shown
        assert "Every agency that your agreements pay is approved" in shown
        order = f"/fees/agreements/{agreement_id}/order"
        for tenant, status in ((ground.stranger, 404), (ground.payee, 403)):
            visitor = visit_as(tenant)
            said(visitor, "/fees/account/reminders")
            # Nobody is shown a form that they can't send.
            assert visitor.get(order).status_code == status
            assert visitor.post(order, {"number": "1"}).status_code == status


def said_fields(visitor: Visitor, path: str) -> list[str]:
    said(visitor, path)
    assert visitor.page
    return [str(each.get("name")) for each in visitor.page.root.iter() if each.get("name")]


def hrefs_of(visitor: Visitor, path: str) -> list[str]:
    said(visitor, path)
    assert visitor.page
    return [str(each.get("href")) for each in visitor.page.root.iter() if each.get("href")]


def links_of(visitor: Visitor) -> dict[str, str]:
    assert visitor.page
    return visitor.page.links()


def actions_of(visitor: Visitor) -> list[str]:
    assert visitor.page
    return [str(each.get("action")) for each in visitor.page.root.iter() if each.get("action")]


def change_of(visitor: Visitor) -> str:
    return next(each.split("/")[-2] for each in actions_of(visitor) if each.endswith("/approve"))
