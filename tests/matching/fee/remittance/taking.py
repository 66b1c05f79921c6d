"""A file handed in and read at once, as tests need it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from matching.fee.remittance.column_map import guess
from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.mapping import choose_mapping, preview_mapping
from matching.fee.remittance.remittance import Purpose, Remittance, RemittanceState, request_remittance
from tests.factories import NOW


def take(session: Session, content: bytes, *, purpose: Purpose = Purpose.RECEIPTS, name: str = "may.csv") -> Remittance:
    """Hand a file in and read it, a CSV file by its headings."""
    found = request_remittance(session, purpose=purpose, filename=name, content=content, now=NOW)
    perform_remittance(session, found, progress=lambda *_: None, now=NOW)
    if found.state is RemittanceState.ASKING:
        chosen = guess(preview_mapping(session, found).table.headings)
        choose_mapping(session, found, chosen, outgoing=purpose is Purpose.ADVICE, now=NOW)
        perform_remittance(session, found, progress=lambda *_: None, now=NOW)
    return found
