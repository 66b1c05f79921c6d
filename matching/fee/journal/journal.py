"""The journal of a month: every posting of the agency's book as its finance system takes it, with control totals.

The same month is the same file byte for byte: rows stand in the order of their days and ids, and nothing says when the
file was made. A month that is not closed may still change, so its rows say so themselves.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from matching.fee.journal.mapping import Column, JournalMapping, Layout, Sign
from matching.fee.ledger import Account
from matching.fee.money import plain_pounds
from matching.intake.formula import guarded
from matching.sealed_words import own_agency
from tenants import audit
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require

PROVISIONAL = "PROVISIONAL "
_AT_ONCE = 2_000
_ACCOUNTS = {each.value: each for each in Account}
_ROWS = text("""
    SELECT p.account, p.pence, p.period_on, t.dated_on, t.id AS transaction_id, t.narrative, f.reference,
        o.slug AS counterparty
    FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
        LEFT JOIN fee_agreement f ON f.id = p.agreement_id
        LEFT JOIN agency o ON o.id = p.other_agency_id
    WHERE p.agency_id = :own AND p.period_on = :month AND p.account NOT IN (
        'agreed_income', 'agreed_income_contra', 'agreed_cost', 'agreed_cost_contra')
    ORDER BY t.dated_on, t.id, p.account, p.id
""")
_CLOSED = text(
    "SELECT EXISTS (SELECT FROM fee_period WHERE agency_id = :own AND month = :month AND reopened_at IS NULL)"
)


class MonthOpen(Conflict):
    """The month is not closed."""


class MonthWrong(Invalid):
    """This is no month of a journal."""


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """What whoever takes the file checks it by."""

    month: date
    provisional: bool
    count: int
    debit_pence: int
    credit_pence: int
    """More than nothing; as much as the debits, for each transaction balances."""
    sha256: str
    """Of the file's bytes."""


def is_closed(session: Session, month: date) -> bool:
    """Say whether the scope's agency has closed a month."""
    require(scope_of(session), Verb.READ_FEES)
    return bool(session.scalar(_CLOSED, {"own": own_agency(session), "month": month}))


def write_journal(
    session: Session, out: IO[bytes], mapping: JournalMapping, *, month: date, provisional: bool = False, now: datetime
) -> ControlTotals:
    """Write a month's journal into an open binary file as CSV (UTF-8), and return its control totals.

    :param provisional: take a month that is not closed, each row of it marked.
    :raises MonthOpen: when the month is not closed and nobody asked for it as it stands.
    :raises MonthWrong: when it is no first day of a month, or one to come.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    if month.day != 1 or month > now.date():
        raise MonthWrong("Choose this month or one before it.")
    closed = is_closed(session, month)
    if not closed and not provisional:
        raise MonthOpen(f"{month:%B %Y} is not closed. Close it first, or take it as provisional.")
    layout, totals = mapping.layout, _Totals(out)
    totals.write(csv_line([heading for _, heading in layout.columns]))
    for row in _rows(session, month):
        totals.add(row["pence"])
        totals.write(csv_line(_cells(layout, row, provisional=not closed)))
    audit.record(session, audit.Act.EXPORT, record_kind="journal", now=now)
    return ControlTotals(month, not closed, totals.count, totals.debits, totals.credits, totals.hash.hexdigest())


def csv_line(cells: list[str]) -> bytes:
    """Return one line of the file, no cell of which a spreadsheet program runs: not a heading or a code either."""
    line = io.StringIO(newline="")
    csv.writer(line).writerow(map(guarded, cells))
    return line.getvalue().encode()


class _Totals:
    """What was written so far."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out, self.hash = out, hashlib.sha256()
        self.count = self.debits = self.credits = 0

    def write(self, line: bytes) -> None:
        self.out.write(line)
        self.hash.update(line)

    def add(self, pence: int) -> None:
        self.count += 1
        if pence > 0:
            self.debits += pence
        else:
            self.credits -= pence


def _rows(session: Session, month: date) -> Iterator[RowMapping]:
    values = {"own": own_agency(session), "month": month}
    yield from session.execute(_ROWS, values, execution_options={"yield_per": _AT_ONCE}).mappings()


def _cells(layout: Layout, row: RowMapping, *, provisional: bool) -> list[str]:
    account, pence = _ACCOUNTS[row["account"]], row["pence"]
    said = {
        Column.DATE: row["dated_on"].strftime(layout.date_style.pattern),
        Column.PERIOD: row["period_on"].strftime("%Y-%m"),
        Column.CODE: layout.codes[account],
        Column.COST_CENTRE: layout.cost_centres.get(account, layout.cost_centre),
        Column.DEBIT: plain_pounds(pence) if pence > 0 else "",
        Column.CREDIT: plain_pounds(-pence) if pence < 0 else "",
        Column.AMOUNT: plain_pounds(pence if layout.sign is Sign.DEBITS else -pence),
        Column.NARRATIVE: (PROVISIONAL if provisional else "") + row["narrative"],
        Column.REFERENCE: row["reference"] or "",
        Column.COUNTERPARTY: row["counterparty"] or "",
        Column.TRANSACTION: str(row["transaction_id"]),
    }
    return [said[column] for column, _ in layout.columns]
