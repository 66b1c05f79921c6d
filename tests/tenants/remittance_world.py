"""A bank's file of an agency, what its columns hold, and a payment by which a neighbour's invoice was paid."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.invoice.content import Frozen, Party, seal_frozen
from matching.fee.ledger import TransactionKind, mirrored, post
from matching.fee.reconciliation.fact import Share
from matching.fee.reconciliation.settling import confirm_match, set_aside
from matching.fee.remittance.column_map import guess
from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.line import LineState, list_lines
from matching.fee.remittance.mapping import choose_mapping, preview_mapping
from matching.fee.remittance.remittance import Purpose, RemittanceState, request_remittance
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant

_PENCE = 100


def make_bank_lines(database: Database, *, agency: Tenant) -> None:
    """Have the agency take in a file of three lines, let one pay an invoice of its own, and set one aside."""
    rows = [f"{TODAY:%d/%m/%Y},A NEIGHBOUR,FEE,{place}.00" for place in (1, 2, 3)]
    content = "\n".join(["Date,Name,Reference,Amount", *rows]).encode()
    with database.transaction(agency.scope) as session:
        found = request_remittance(session, purpose=Purpose.RECEIPTS, filename="may.csv", content=content, now=NOW)
        perform_remittance(session, found, progress=lambda *_: None, now=NOW)
        assert found.state is RemittanceState.ASKING
        chosen = guess(preview_mapping(session, found).table.headings)
        choose_mapping(session, found, chosen, outgoing=False, now=NOW)
        perform_remittance(session, found, progress=lambda *_: None, now=NOW)
        share = Share(issue_pound(session, agency, number="BANK-1"), _PENCE)
    with database.transaction(agency.scope) as session:
        paying, aside, _ = sorted(list_lines(session, state=LineState.WAITING), key=lambda line: line.position)
        confirm_match(session, paying, [share], now=NOW)
        set_aside(session, aside, reason="A gift.", now=NOW)


def issue_pound(session: Session, agency: Tenant, *, number: str) -> UUID:
    """Issue an invoice of a pound under the agency's agreement."""
    agreement = session.scalars(select(FeeAgreement).where(FeeAgreement.payee_agency_id == agency.id)).first()
    assert agreement is not None
    invoice_id, payer, payee = uuid4(), agreement.payer_agency_id, agency.id
    posted = post(
        session,
        consortium_id=agreement.consortium_id,
        payer_agency_id=payer,
        payee_agency_id=payee,
        kind=TransactionKind.INVOICED,
        key=f"invoice/{invoice_id}",
        dated_on=TODAY,
        entries=mirrored(TransactionKind.INVOICED, _PENCE, payer, payee),
        narrative="Invoiced",
        now=NOW,
        invoice_id=invoice_id,
    )
    frozen = Frozen(Party(str(payee), "Payee"), Party(str(payer), "Payer"), None, "Exempt.")
    key, sealed = seal_frozen(session, frozen, invoice_id=invoice_id)
    values = {
        "id": invoice_id, "consortium": agreement.consortium_id, "payer": payer, "payee": payee, "on": TODAY,
        "pence": _PENCE, "posted": posted.id, "by": agency.scope.person_id, "at": NOW, "key": key, "sealed": sealed,
        "line": uuid4(), "agreement": agreement.id, "number": number,
    }  # fmt: skip
    session.execute(
        text(
            "INSERT INTO invoice (id, consortium_id, payer_agency_id, payee_agency_id, kind, number, issued_on, "
            "due_on, vat_category, vat_rate, net_pence, vat_pence, gross_pence, transaction_id, issued_by, issued_at, "
            "sealed_key, sealed) VALUES (:id, :consortium, :payer, :payee, 'invoice', :number, :on, :on, 'exempt', 0, "
            ":pence, 0, :pence, :posted, :by, :at, :key, :sealed)"
        ),
        values,
    )
    session.execute(
        text(
            "INSERT INTO invoice_line (id, invoice_id, payer_agency_id, payee_agency_id, position, agreement_id, "
            "due_key, words, pence) VALUES (:line, :id, :payer, :payee, 1, :agreement, 'due/1', 'First', :pence)"
        ),
        values,
    )
    return invoice_id
