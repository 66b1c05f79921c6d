"""The tables of the pages of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import url_for

from concord.web.fee_table import Cell, Column, Holds, Table, money, row
from concord.web.words import moment
from matching.fee.exception import FeeException
from matching.fee.ledger import FeePeriod, Total
from matching.fee.ledger.listing import AccountSum, Line


def sum_table(sums: Iterable[AccountSum], asked: Mapping[str, str]) -> Table:
    """Return what the postings that are asked for add up to, by account."""
    columns = (Column("Account"), Column("Postings", Holds.NUMBER), *money("Debit", "Credit", "Together"))
    rows = []
    for each in sums:
        values: dict[str, Any] = {**asked, "account": each.account.value}
        link = Cell(each.account.label, url_for("fee_ledger.index", **values))
        rows.append(row(link, each.postings, each.debits, -each.credits, each.pence))
    caption = "What the postings shown add up to, by account"
    return Table("accounts", caption, columns, rows, wide=True).added_up("All")


def posting_table(lines: Iterable[Line], names: Mapping[UUID, str]) -> Table:
    """Return postings, each with its transaction and its agreement."""
    columns = (
        Column("What"),
        Column("Words", below=True),
        Column("Agreement", below=True),
        Column("Reason", below=True, named=True),
        Column("By", below=True, named=True),
        Column("Approved by", below=True, named=True),
        Column("Day", Holds.DAY),
        Column("Counts in", below=True, named=True),
        Column("With"),
        Column("Account"),
        *money("Debit", "Credit"),
    )
    rows = []
    for line in lines:
        posting, made = line.posting, line.transaction
        about = f", {made.narrative}, {posting.account.label}"
        link = Cell(made.kind.label, url_for("fee_statements.line", ledger_transaction_id=made.id), about)
        agreement: Cell | None = None
        if posting.agreement_id:
            href = url_for("fee_agreements.show", agreement_id=posting.agreement_id)
            agreement = Cell(line.reference or "Its agreement", href, about)
        people = (made.reason, made.made_name, made.approved_name)
        when = (made.dated_on, f"{posting.period_on:%B %Y}")
        sides = (posting.pence, None) if posting.pence > 0 else (None, -posting.pence)
        other = names[posting.other_agency_id]
        rows.append(row(link, made.narrative, agreement, *people, *when, other, posting.account.label, *sides))
    return Table("ledger", "Postings, the last first", columns, rows)


def month_table(totals: Iterable[Total], month: date, caption: str) -> Table:
    """Return what each account brought into a month, took in it and carries out of it."""
    columns = (Column("Account"), *money("Brought in", "Debit", "Credit", "Carried out"))
    rows = []
    for each in totals:
        href = url_for("fee_ledger.index", month=f"{month:%Y-%m}", account=each.account.value)
        rows.append(row(Cell(each.account.label, href), each.brought, each.debits, -each.credits, each.carried))
    return Table(f"month-{month:%Y-%m}", caption, columns, rows, wide=True).added_up("All")


def period_table(periods: Iterable[FeePeriod]) -> Table:
    """Return the months that were closed, and which of them were opened again."""
    columns = (Column("Month"), Column("Closed"), Column("By", below=True, named=True), Column("Opened again"))
    rows = []
    for each in periods:
        href = url_for("fee_ledger.period", fee_period_id=each.id)
        link = Cell(f"{each.month:%B %Y}", href, f", closed {moment(each.closed_at)}")
        rows.append(row(link, moment(each.closed_at), each.closed_name, _opened(each), of=each))
    return Table("closed-months", "Closed months, the last first", columns, rows)


def exception_table(exceptions: Iterable[FeeException], reference: str, names: Mapping[UUID, str]) -> Table:
    """Return the waivers, other fees and refunds of an agreement, with who asked and who decided."""
    href = url_for("fee_ledger.index", reference=reference)
    columns = (
        Column("What"),
        Column("Reason", below=True),
        *money("Amount"),
        Column("Asked"),
        Column("By", below=True),
        Column("Decided"),
    )
    rows = []
    for each in exceptions:
        kind = Cell(each.kind.label, href)
        by = f"{each.asked_name} of {names[each.agency_id]}"
        rows.append(row(kind, each.reason, each.pence, moment(each.asked_at), by, _decided(each, names), of=each))
    return Table(f"exceptions-{reference}", "What was asked for, the last first", columns, rows)


def _opened(period: FeePeriod) -> str:
    if period.reopened_at:
        by = f"asked by {period.reopen_asked_name}, agreed by {period.reopened_name}"
        return f"{moment(period.reopened_at)}, {by}: {period.reopen_reason}"
    if period.reopen_asked_at:
        return f"{period.reopen_asked_name} asks: {period.reopen_reason}"
    return "No"


def _decided(exception: FeeException, names: Mapping[UUID, str]) -> str:
    if not exception.decided_at:
        return f"Not yet: another person of {names[exception.deciding_agency_id]} decides"
    word = "Approved" if exception.approved else "Refused"
    return f"{word} by {exception.decided_name}, {moment(exception.decided_at)}"
