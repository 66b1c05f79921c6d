"""An agency's account with bank details, whom another approves, and an invoice that is reminded of and disputed."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from sqlalchemy import select

from matching.fee.agreement import FeeAgreement
from matching.fee.invoice.account import AccountTerms, keep_account
from matching.fee.invoice.bank import ask_change, read_details
from matching.fee.invoice.dispute import open_dispute
from matching.fee.invoice.invoice import Invoice
from matching.fee.invoice.reminder import InvoiceReminder, approve_payment, set_stages
from matching.fee.invoice.supplier import approve_supplier, set_purchase_order
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, TODAY, Tenant


def make_invoices(database: Database, *, agency: Tenant, neighbour: Tenant) -> None:
    """Have the agency's invoice to the neighbour, which is there already, reminded of, approved and disputed."""
    payee, payer = (replace(each.scope, roles=frozenset({Role.FINANCE_OFFICER})) for each in (agency, neighbour))
    with database.transaction(payee) as session:
        keep_account(session, AccountTerms("Sample Council"), now=NOW)
        ask_change(session, read_details("Sample", "12-34-56", "12345678"), now=NOW)
        set_stages(session, [1], now=NOW)
        invoice_id = session.scalars(select(Invoice.id)).one()
        parties = {"payer_agency_id": neighbour.id, "payee_agency_id": agency.id}
        # It is paid by now: written as it was when it was not.
        facts = {"days": 1, "raised_on": TODAY, "outstanding_pence": 100}
        session.add(InvoiceReminder(id=uuid4(), invoice_id=invoice_id, **parties, **facts))
        approve_supplier(session, neighbour.id, approved_on=TODAY, now=NOW)
    with database.transaction(payer) as session:
        agreement = session.scalars(select(FeeAgreement).where(FeeAgreement.payer_agency_id == neighbour.id)).first()
        assert agreement is not None
        set_purchase_order(session, agreement, number="PO 1", now=NOW)
        invoice = session.get_one(Invoice, invoice_id)
        approve_payment(session, invoice, note="", now=NOW)
        open_dispute(session, invoice, words="No order.", now=NOW)
