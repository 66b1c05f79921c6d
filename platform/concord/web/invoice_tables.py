"""The tables of the pages of invoices, of the agency's own account and of its suppliers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from flask import url_for

from concord.web.fee_table import Cell, Column, Holds, Row, Table, money, row
from matching.fee.agreement import FeeAgreement
from matching.fee.invoice.invoice import InvoiceKind, InvoicePage, InvoiceRow, InvoiceState
from matching.fee.invoice.issuing import DueSum
from matching.fee.invoice.supplier import Supplier
from matching.fee.ledger import LedgerTransaction, Posting

STATES = {
    InvoiceState.DISPUTED: "govuk-tag--red",
    InvoiceState.OVERDUE: "govuk-tag--orange",
    InvoiceState.OPEN: "govuk-tag--blue",
    InvoiceState.SETTLED: "govuk-tag--green",
}


def invoice_table(
    found: InvoicePage, invoices: Iterable[InvoiceRow], names: Mapping[UUID, str], *, received: bool
) -> Table:
    """Return the invoices that were issued or received, with what the whole list comes to."""
    columns = (
        Column("Number"),
        Column("Kind", below=True),
        Column("From" if received else "To"),
        Column("Issued", Holds.DAY, below=True, named=True),
        Column("Pay by", Holds.DAY, below=True, named=True),
        Column("Order", below=True, named=True),
        Column("State"),
        *money("Total"),
        *(Column(each, Holds.POUNDS, below=True, named=True) for each in ("Net", "VAT")),
        *money("Outstanding"),
    )
    rows = [_invoice_row(each, names, received=received) for each in invoices]
    sums = (found.gross, found.net, found.vat, found.outstanding)
    total = row("All together, credit notes taken off", None, None, None, None, None, None, *sums)
    name, word = ("invoices-received", "received") if received else ("invoices-issued", "issued")
    return Table(name, f"Invoices {word}, the latest first", columns, rows, [total])


def due_table(due: Iterable[DueSum], names: Mapping[UUID, str]) -> Table:
    """Return what is due and not invoiced."""
    columns = (Column("Who pays"), Column("What"), Column("Purchase order"), *money("Amount"))
    rows = [row(names[each.agreement.payer_agency_id], each.words, each.purchase_order, each.pence) for each in due]
    return Table("due-to-invoice", "What is due and not invoiced", columns, rows).added_up("Together")


def move_table(moves: Iterable[tuple[LedgerTransaction, int]]) -> Table:
    """Return how an invoice came to what is outstanding of it."""
    columns = (Column("What"), Column("Day", Holds.DAY), *money("Owed"))
    rows: list[Row] = []
    for each, pence in moves:
        href = url_for("fee_statements.line", ledger_transaction_id=each.id)
        rows.append(row(Cell(each.narrative, href, f", number {len(rows) + 1}"), each.dated_on, pence))
    return Table("moves", "How it came to what is outstanding", columns, rows).added_up("Outstanding")


def posting_table(postings: Iterable[Posting]) -> Table:
    """Return a transaction's postings in the agency's own book."""
    columns = (Column("Account"), Column("Month"), *money("Debit", "Credit"))
    rows: list[Row] = []
    for each in postings:
        href = url_for("fee_ledger.index", month=f"{each.period_on:%Y-%m}", account=each.account.value)
        link = Cell(each.account.label, href, f", number {len(rows) + 1}")
        sides = (each.pence, None) if each.pence > 0 else (None, -each.pence)
        rows.append(row(link, f"{each.period_on:%B %Y}", *sides))
    return Table("postings", "Postings in your agency’s book", columns, rows).added_up("Together")


def unapproved_table(payees: Iterable[UUID], names: Mapping[UUID, str]) -> Table:
    """Return the payees of the agency's agreements that are no approved suppliers."""
    rows = [row(names[each]) for each in payees]
    return Table("suppliers-to-approve", "Agencies to approve as suppliers", (Column("Agency"),), rows)


def order_table(agreements: Iterable[FeeAgreement], names: Mapping[UUID, str], *, keeps: bool) -> Table:
    """Return the agreements without a purchase order; each leads to where one is given."""
    columns = (Column("Agreement"), Column("Paid to"), *money("Fee"))
    rows = []
    for each in agreements:
        href = url_for("payee_accounts.order" if keeps else "fee_agreements.show", agreement_id=each.id)
        fee = "Not priced" if each.amount_pence is None else each.amount_pence
        rows.append(row(Cell(each.reference, href), names[each.payee_agency_id], fee))
    return Table("agreements-without-order", "Agreements without a purchase order", columns, rows)


def supplier_table(suppliers: Iterable[Supplier], names: Mapping[UUID, str]) -> Table:
    """Return the approved suppliers."""
    columns = (Column("Agency"), Column("Since", Holds.DAY), Column("Its number"))
    rows = [row(names[each.payee_agency_id], each.approved_on, each.supplier_number) for each in suppliers]
    return Table("suppliers", "Approved suppliers", columns, rows)


def _invoice_row(each: InvoiceRow, names: Mapping[UUID, str], *, received: bool) -> Row:
    invoice, credit = each.invoice, each.invoice.kind is InvoiceKind.CREDIT_NOTE
    sign, other = -1 if credit else 1, invoice.payee_agency_id if received else invoice.payer_agency_id
    return row(
        Cell(invoice.number, url_for("invoices.show", invoice_id=invoice.id)),
        invoice.kind.label if credit else None,
        names[other],
        invoice.issued_on,
        None if credit else invoice.due_on,
        invoice.purchase_order,
        Cell(each.state.label, tag=STATES[each.state]),
        *(sign * pence for pence in (invoice.gross_pence, invoice.net_pence, invoice.vat_pence)),
        each.outstanding,
    )
