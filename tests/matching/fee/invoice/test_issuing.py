"""What is due is invoiced once, under numbers without a gap, and credited so that no penny is left behind."""

from __future__ import annotations

import threading
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from matching.fee.agreement import FeeAgreement
from matching.fee.invoice.account import AccountInvalid, Series, SeriesBegun, find_account
from matching.fee.invoice.invoice import (
    InvoiceLine,
    InvoiceState,
    InvoiceUnknown,
    Wanted,
    find_invoice,
    get_invoice,
    lines_of,
    list_invoices,
    read_content,
)
from matching.fee.invoice.issuing import (
    CreditInvalid,
    NothingDue,
    NumberTaken,
    VatOpen,
    credit_invoice,
    issue_invoice,
    list_due,
    open_lines,
)
from matching.fee.invoice.supplier import approve_supplier, set_purchase_order
from matching.fee.invoice.vat import VatCategory
from matching.fee.ledger import outstanding
from tenants.error import DomainError
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY
from tests.matching.fee.invoice.invoice_ground import InvoiceGround


class TestIssueInvoice:
    def test_invoices_several_agreements_once_for_both_sides_and_nobody_else(self, ground: InvoiceGround) -> None:
        agreement_id = ground.due(1_800_000)
        ground.due(900_000, position=2, agreement_id=agreement_id)
        ground.due(4_300_000)
        with ground.database.transaction(ground.payer.scope) as session:
            agreement = session.get_one(FeeAgreement, agreement_id)
            set_purchase_order(session, agreement, number=" PO  77 ", now=NOW)
            approve_supplier(session, ground.payee.id, supplier_number="S-9", approved_on=TODAY, now=NOW)
        ground.set_bank("12345678")

        invoice_id = ground.issue()

        for tenant in (ground.payee, ground.payer):
            with ground.database.transaction(tenant.scope) as session:
                invoice = get_invoice(session, invoice_id)
                content = read_content(session, invoice)
                assert outstanding(session, [invoice_id]) == {invoice_id: 7_000_000}
                assert list_due(session) == []
                assert find_invoice(session, "INV-00001").id == invoice_id
            assert (invoice.number, invoice.net_pence, invoice.vat_pence, invoice.purchase_order) == (
                *("INV-00001", 7_000_000, 0, "PO 77"),
            )
            assert [line.pence for line in content.lines] != []
            assert sum(line.pence for line in content.lines) == 7_000_000
            assert content.frozen.bank is not None
            assert content.frozen.bank.account_number == "12345678"
            assert content.frozen.supplier_number == "S-9"
        with ground.database.transaction(ground.stranger.scope) as session:
            with pytest.raises(InvoiceUnknown):
                get_invoice(session, invoice_id)
            assert list_invoices(session, Wanted(), on=TODAY) == []
        with ground.database.transaction(ground.payer.scope) as session:
            (row,) = list_invoices(
                session, Wanted(received=True, other_agency_id=ground.payee.id, number="0001"), on=TODAY
            )
            assert (row.state, row.signed_gross) == (InvoiceState.OPEN, 7_000_000)
            assert list_invoices(session, Wanted(), on=TODAY) == []
        # No line is of what was agreed with somebody else.
        others = replace(ground, payer=ground.stranger).due(1)
        parties = {"payer_agency_id": ground.payer.id, "payee_agency_id": ground.payee.id}
        line = {"id": uuid4(), "position": 9, "agreement_id": others, "due_key": "due/1", "words": "1", "pence": 1}
        with ground.database.transaction(ground.payee.scope) as session, pytest.raises(DBAPIError, match="row-level"):
            session.execute(insert(InvoiceLine).values(invoice_id=invoice_id, **parties, **line))

    def test_takes_the_number_for_a_colleague_who_changes_nothing_else_in_anothers_name(
        self, ground: InvoiceGround
    ) -> None:
        invoice_id = replace(ground, payee=ground.colleague).issue(1_000)

        assert ground.read(ground.payer, invoice_id).number == "INV-00001"
        with ground.database.transaction(ground.colleague.scope) as session:
            account = find_account(session)
            assert account is not None
            assert (account.next_number, account.changed_by) == (2, ground.payee.scope.person_id)
            account.payment_days = 90
            with pytest.raises(DBAPIError, match="in their own name"):
                session.flush()
            session.rollback()

    def test_numbers_without_gap_or_doublet_however_many_ask_at_once_and_some_fail(self, ground: InvoiceGround) -> None:
        for _ in range(6):
            ground.due(1_000)
        with ground.database.transaction(ground.payee.scope) as session:
            marks = [each.mark for each in list_due(session)]
        together, refused = threading.Barrier(8), list[str]()

        def ask(mark: str, *, fail: bool) -> None:
            together.wait()
            try:
                with ground.database.transaction(ground.payee.scope) as session:
                    issue_invoice(session, ground.payer.id, [mark], now=NOW)
                    if fail:
                        raise DomainError("rolled back")
            except DomainError as error:
                refused.append(type(error).__name__)

        # The first is asked for twice, and two others are rolled back after they took their number.
        asked = [(marks[0], False), (marks[0], False), *((mark, at in {2, 4}) for at, mark in enumerate(marks) if at)]
        threads = [threading.Thread(target=ask, args=(mark,), kwargs={"fail": fail}) for mark, fail in asked]
        together = threading.Barrier(len(threads))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with ground.database.transaction(ground.payee.scope) as session:
            numbers = sorted(row.invoice.number for row in list_invoices(session, Wanted(), on=TODAY))
            assert len(list_due(session)) == 2
        assert numbers == [f"INV-{each:05d}" for each in range(1, 5)]
        assert sorted(refused) == ["DomainError", "DomainError", "NothingDue"]

    def test_waits_for_a_vat_category_and_takes_the_finance_systems_number_once(self, ground: InvoiceGround) -> None:
        ground.keep(vat_category=None)
        with pytest.raises(VatOpen):
            ground.issue(1_000)
        ground.keep(series=Series.FINANCE_SYSTEM, vat_category=VatCategory.STANDARD, vat_number="GB 980 7806 84")
        ground.due(2_003)
        with ground.database.transaction(ground.payee.scope) as session:
            first, second = (each.mark for each in list_due(session))
            with pytest.raises(AccountInvalid, match="finance system"):
                issue_invoice(session, ground.payer.id, [first], now=NOW)
            for none in ("9£", "-9", "9" * 31, "9\n9"):
                with pytest.raises(AccountInvalid, match="begins with a letter or a digit"):
                    issue_invoice(session, ground.payer.id, [first], now=NOW, number=none)
            made = issue_invoice(session, ground.payer.id, [first], now=NOW, number=" 9000123 ")
            assert (made.number, made.vat_pence) == ("9000123", (made.net_pence * 20 + 50) // 100)
            with pytest.raises(NothingDue):
                issue_invoice(session, ground.payer.id, [first], now=NOW, number="9000124")
            for wrong in ([], ["nothing"], [f"{ground.payer.id}:due/1"]):
                with pytest.raises(NothingDue):
                    issue_invoice(session, ground.payer.id, wrong, now=NOW, number="9000124")
        with pytest.raises(NumberTaken), ground.database.transaction(ground.payee.scope) as session:
            issue_invoice(session, ground.payer.id, [second], now=NOW, number="9000123")
        manager = ground.payee.acting_as(Role.MANAGER)
        with ground.database.transaction(manager) as session, pytest.raises(NotAllowed):
            issue_invoice(session, ground.payer.id, [second], now=NOW, number="9")

    def test_keeps_a_series_that_has_begun(self, ground: InvoiceGround) -> None:
        ground.issue(1_000)

        for number in (1, 7):
            with pytest.raises(SeriesBegun):
                ground.keep(next_number=number)
        ground.keep(number_prefix="FEE/", next_number=40)
        ground.issue(1_000)

        # Back to an earlier prefix: its series goes on, without a number twice or left out.
        for number in (1, 3, 41):
            with pytest.raises(SeriesBegun, match="the next of these is 2"):
                ground.keep(number_prefix="inv-", next_number=number)
        ground.keep(number_prefix="inv-", next_number=2)
        second = ground.issue(1_000)
        ground.keep(number_prefix="FEE/", next_number=41)
        ground.keep(number_prefix="FEE/", next_number=41, legal_name="Another Name")
        with pytest.raises(AccountInvalid, match="End the prefix"):
            ground.keep(number_prefix="INV-1", next_number=1)
        with pytest.raises(AccountInvalid, match="begins with a letter or a digit"):
            ground.keep(number_prefix="/FEE-", next_number=1)

        with ground.database.transaction(ground.payer.scope) as session:
            account = find_account(session, ground.payee.id)
            assert account is not None
            assert account.next_number == 41
            assert find_invoice(session, "INV-00002").id == second
            assert find_invoice(session, "FEE/00040").payee_agency_id == ground.payee.id


class TestCreditInvoice:
    def test_credits_in_parts_until_nothing_is_left_and_lets_it_be_invoiced_again(self, ground: InvoiceGround) -> None:
        ground.keep(vat_category=VatCategory.STANDARD, vat_number="GB980780684")
        invoice_id = ground.issue(1_003)
        with ground.database.transaction(ground.payee.scope) as session:
            invoice = get_invoice(session, invoice_id)
            (line,) = lines_of(session, invoice)
            for wrong in ({}, {line.id: 1_004}, {line.id: -1}, {invoice.id: 5}):
                with pytest.raises(CreditInvalid):
                    credit_invoice(session, invoice, wrong, reason="Wrong", now=NOW)
            parts = [
                credit_invoice(session, invoice, {line.id: pence}, reason="Wrong order", now=NOW)
                for pence in (502, 501)
            ]
            assert [each.number for each in parts] == ["INV-00002", "INV-00003"]
            assert sum(each.vat_pence for each in parts) == invoice.vat_pence
            assert outstanding(session, [invoice_id]) == {invoice_id: 0}
            assert [pence for _, pence in open_lines(session, invoice)] == [0]
            assert [each.pence for each in list_due(session)] == [1_003]
            content = read_content(session, parts[0])
        assert (content.credit, content.credits_number, content.reason) == (True, "INV-00001", "Wrong order")
        with ground.database.transaction(ground.payer.scope) as session:
            assert outstanding(session, [invoice_id]) == {invoice_id: 0}
            rows = list_invoices(session, Wanted(received=True), on=TODAY)
            assert sum(row.signed_gross for row in rows) == 0
            assert {row.state for row in rows} == {InvoiceState.SETTLED}
            with pytest.raises(CreditInvalid):
                credit_invoice(session, get_invoice(session, invoice_id), {}, reason="Mine", now=NOW)
