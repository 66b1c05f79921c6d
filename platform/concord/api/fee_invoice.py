"""Invoices and bank files: what is due, issuing and reading invoices, and handing in what the bank says was paid."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from sqlalchemy import select

from concord.api.cursor import write_cursor
from concord.api.fee import Names, columns_of, record_list
from concord.api.listing import as_page, place_of
from concord.api.operation import Call, File, Shape, operation
from concord.api.parts import ROOT
from concord.schema.fee import (
    DueSumsSchema,
    FeeInvoiceSchema,
    HandInRemittanceQuery,
    InvoiceCardSchema,
    InvoicesQuery,
    IssueInvoiceSchema,
    RemittanceSchema,
)
from concord.schema.page import PageQuery, page_of
from matching.fee.agreement import FeeAgreement
from matching.fee.invoice import invoice as invoices
from matching.fee.invoice.issuing import issue_invoice, list_due
from matching.fee.remittance.remittance import RECORD_KIND, Remittance, get_remittance, request_remittance
from matching.fee.stretch import WantedInvoices, list_invoices_after, list_remittances_after
from tenants import audit
from tenants.permission import Verb
from workers.document.ubl import write_ubl

blueprint = Blueprint("api_invoices", __name__, url_prefix=ROOT, description="Invoices and bank files")

READ, KEEP = (Verb.READ_FEES,), (Verb.KEEP_FEES,)
UBL = "application/xml"
_ONE = "/fees/invoices/<uuid:invoice_id>"
_ISSUE = {
    "payer_id": "5b8f0c1e-7a52-4f0b-9b1a-1f7f6f0c2d11",
    "sums": ["0f9f3b1f-3f6e-4a46-9d0b-6f1c0e2a7a11:due/1"],
    "number": "FS-2026-0417",
}


@operation(blueprint, "/fees/invoices", Shape("GET", READ, page_of(InvoiceCardSchema), query=InvoicesQuery))
def list_fee_invoices(call: Call) -> dict[str, Any]:
    """List the invoices and credit notes that the agency issued or received, the latest first."""
    after, limit = place_of(call)
    wanted = WantedInvoices(call.query["side"], call.query.get("number"), call.query.get("issued_since"))
    found = list_invoices_after(call.session, wanted, after=after, limit=limit, on=call.now.date())
    names = Names(call.session)
    record_list(call, invoices.RECORD_KIND, len(found.shown))
    return {"items": [_invoice(each, names) for each in found.shown], "next": write_cursor(found.end)}


@operation(
    blueprint,
    "/fees/invoices",
    Shape(
        "POST",
        KEEP,
        FeeInvoiceSchema,
        status=201,
        body=IssueInvoiceSchema,
        examples={"body": _ISSUE},
    ),
)
def issue_fee_invoice(call: Call) -> dict[str, Any]:
    """Issue an invoice of sums that are due from one payer; with the finance system's number, where it gives them."""
    said = call.body
    made = issue_invoice(call.session, said["payer_id"], said["sums"], number=said["number"], now=call.now)
    call.location = f"{ROOT}/fees/invoices/{made.id}"
    return _whole(call, made)


@operation(blueprint, _ONE, Shape("GET", READ, FeeInvoiceSchema, errors=(404,)))
def read_fee_invoice(call: Call, invoice_id: UUID) -> dict[str, Any]:
    """Open an invoice with its lines, and what is owed of it still; the look is on record."""
    found = invoices.get_invoice(call.session, invoice_id)
    invoices.record_look(call.session, found, audit.Act.READ, "invoice", now=call.now)
    return _whole(call, found)


@operation(blueprint, f"{_ONE}/ubl", Shape("GET", READ, None, media=(UBL,), errors=(404,)))
def take_fee_invoice(call: Call, invoice_id: UUID) -> File:
    """Take an invoice as UBL 2.1."""
    found = invoices.get_invoice(call.session, invoice_id)
    content = invoices.read_content(call.session, found)
    invoices.record_look(call.session, found, audit.Act.DOWNLOAD, "xml", now=call.now)
    return File(write_ubl(content), UBL, f"{found.kind.value}-{found.id}.xml")


@operation(blueprint, "/fees/due", Shape("GET", READ, DueSumsSchema))
def list_fees_due(call: Call) -> dict[str, Any]:
    """List what is due to the agency and not invoiced, by payer and agreement."""
    found, names = list_due(call.session), Names(call.session)
    record_list(call, "ledger", len(found))
    return {
        "items": [
            {
                "sum": each.mark,
                "agreement": each.agreement.reference,
                "payer": names(each.agreement.payer_agency_id),
                "words": each.words,
                "pence": each.pence,
                "purchase_order": each.purchase_order,
            }
            for each in found
        ]
    }


@operation(
    blueprint,
    "/fees/remittances",
    Shape("POST", KEEP, RemittanceSchema, status=202, query=HandInRemittanceQuery, takes_bytes=True),
)
def hand_in_remittance(call: Call) -> Remittance:
    """Hand in a bank's file, as the body's bytes: CSV, MT940, CAMT.053 or OFX. A job reads it; people match it."""
    asked = request_remittance(
        call.session,
        purpose=call.query["purpose"],
        filename=call.query["filename"],
        content=call.body,
        now=call.now,
    )
    call.location = f"{ROOT}/fees/remittances/{asked.id}"
    return asked


@operation(blueprint, "/fees/remittances", Shape("GET", KEEP, page_of(RemittanceSchema), query=PageQuery))
def list_remittances(call: Call) -> dict[str, Any]:
    """List the agency's bank files, the latest first."""
    after, limit = place_of(call)
    found = list_remittances_after(call.session, after=after, limit=limit)
    record_list(call, RECORD_KIND, len(found.shown))
    return as_page(found)


@operation(blueprint, "/fees/remittances/<uuid:remittance_id>", Shape("GET", KEEP, RemittanceSchema, errors=(404,)))
def read_remittance(call: Call, remittance_id: UUID) -> Remittance:
    """Read how far a bank's file is, and what came of it in sum."""
    found = get_remittance(call.session, remittance_id)
    audit.record(call.session, audit.Act.READ, record_kind=RECORD_KIND, record_id=found.id, now=call.now)
    return found


def _invoice(row: invoices.InvoiceRow, names: Names) -> dict[str, Any]:
    return {
        **columns_of(row.invoice, InvoiceCardSchema),
        "payer": names(row.invoice.payer_agency_id),
        "payee": names(row.invoice.payee_agency_id),
        "outstanding_pence": row.outstanding,
        "state": row.state,
    }


def _whole(call: Call, invoice: invoices.Invoice) -> dict[str, Any]:
    (row,) = invoices.rows_of(call.session, [invoice], on=call.now.date())
    lines = invoices.lines_of(call.session, invoice)
    about = select(FeeAgreement.id, FeeAgreement.reference).where(
        FeeAgreement.id.in_([line.agreement_id for line in lines])
    )
    references = dict(call.session.execute(about).all())
    said = [
        {
            "position": line.position,
            "agreement": references.get(line.agreement_id, ""),
            "words": line.words,
            "pence": line.pence,
        }
        for line in lines
    ]
    return {**_invoice(row, Names(call.session)), "reason": invoice.reason, "lines": said}
