"""The demonstration's bank file: what an agency with open invoices was paid, as a bank's website would export it.

Of its lines one is sure, one names its invoice with a slip, one pays no fee, and one is the bank's own charge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from concord.demo.cast import Cast, acting
from matching.fee.money import plain_pounds
from matching.fee.reconciliation.fact import KnownInvoice
from matching.fee.reconciliation.owed import list_others, list_owed
from matching.fee.remittance.column_map import guess
from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.mapping import choose_mapping, preview_mapping
from matching.fee.remittance.remittance import (
    Purpose,
    Remittance,
    RemittanceState,
    list_remittances,
    request_remittance,
)
from tenants.database import Database
from tenants.role import Role

FILENAME = "bank-lines.csv"
_HEADINGS = "Date,Payer name,Reference,Paid in,Paid out"
_AFTER = timedelta(days=18)
_LONGEST_NAME = 35


def make_bank_files(database: Database, cast: Cast, *, agencies: Iterable[str], now: datetime) -> int:
    """Hand in a file for each agency that has open invoices and no file yet, and return how many there were."""
    made = 0
    for slug in agencies:
        with acting(database, cast(slug, Role.FINANCE_OFFICER)) as session:
            owed = [each for each in list_owed(session, on=now.date()) if each.outstanding > 0]
            if owed and not list_remittances(session, limit=1):
                names = {each.id: each.names[0] for each in list_others(session)}
                take_bank_file(session, _content(owed, names, today=now.date()), now=now)
                made += 1
    return made


def take_bank_file(session: Session, content: bytes, *, now: datetime) -> Remittance:
    """Hand a file in, say that its columns hold what their headings say, and take its lines."""
    found = request_remittance(session, purpose=Purpose.RECEIPTS, filename=FILENAME, content=content, now=now)
    perform_remittance(session, found, progress=lambda *_: None, now=now)
    if found.state is RemittanceState.ASKING:
        chosen = guess(preview_mapping(session, found).table.headings)
        choose_mapping(session, found, chosen, outgoing=False, now=now)
        perform_remittance(session, found, progress=lambda *_: None, now=now)
    return found


def _content(owed: Sequence[KnownInvoice], names: dict[UUID, str], *, today: date) -> bytes:
    rows = []
    for place, invoice in enumerate(owed[:2]):
        paid_on = min(invoice.issued_on + _AFTER, today)
        name = names.get(invoice.payer_id, "COUNCIL").upper().replace(",", " ")[:_LONGEST_NAME]
        number = _with_a_slip(invoice.number) if place else invoice.number
        rows.append(f"{paid_on:%d/%m/%Y},{name},{number},{plain_pounds(invoice.outstanding)},")
    rows.append(f"{today:%d/%m/%Y},A WELLWISHER,DONATION,250.00,")
    rows.append(f"{today:%d/%m/%Y},,BANK CHARGES,,12.50")
    return "\r\n".join((_HEADINGS, *rows)).encode()


def _with_a_slip(number: str) -> str:
    """Return a number with its last two letters in each other's place, or one left out where they are the same."""
    return number[:-1] if number[-1] == number[-2:-1] else f"{number[:-2]}{number[-1]}{number[-2:-1]}"
