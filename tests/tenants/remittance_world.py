"""A bank's file of an agency, what its columns hold, and a payment by which a neighbour's invoice was paid."""

from __future__ import annotations

from matching.fee.reconciliation.fact import Share
from matching.fee.reconciliation.owed import list_owed
from matching.fee.reconciliation.settling import confirm_match, set_aside
from matching.fee.remittance.column_map import guess
from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.line import LineState, list_lines
from matching.fee.remittance.mapping import choose_mapping, preview_mapping
from matching.fee.remittance.remittance import Purpose, RemittanceState, request_remittance
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant


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
        paying, aside, _ = list_lines(session, state=LineState.WAITING)
        owed = next(each for each in list_owed(session, on=TODAY) if each.outstanding > 0)
        confirm_match(session, paying, [Share(owed.id, min(owed.outstanding, paying.pence))], now=NOW)
        set_aside(session, aside, reason="A gift.", now=NOW)
