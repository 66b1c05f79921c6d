"""The page of reports: what is due and not invoiced, what falls due in a year, and a financial year by account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.fee_chart import draw_pounds
from concord.web.fee_statement_tables import TOGETHER, WHO
from concord.web.fee_table import Cell, Column, Holds, Table, money, row, show_page
from concord.web.request import transaction
from matching.fee.agreement_page import names_of
from matching.fee.invoice.issuing import say_due
from matching.fee.report.accrual import Accrual, list_accruals
from matching.fee.report.forecast import Foreseen, MonthAhead, by_month, forecast
from matching.fee.report.year import FIRST_YEAR, YearOfAccount, read_year, year_of
from matching.fee.statement.aged_debt import Direction
from matching.monitoring.month import month_named
from matching.working_day import add_months
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("fee_reports", __name__)

_BOTH = ("", "To us", "By us")


@blueprint.get("/fees/reports")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show a month's accruals, the year ahead, and a financial year by account."""
    today = utc_now().date()
    month, year = month_named(request.args.get("of"), on=today), _year(today)
    with transaction() as session:
        accruals, ahead = list_accruals(session, month=month), forecast(session, on=today)
        accounts, names = read_year(session, year), names_of(list_agencies(session))
    months = by_month(ahead, on=today)
    return show_page(
        "fee-reports.html",
        _month_table(months),
        _ahead_table(ahead, names),
        _accrual_table(accruals, names),
        _year_table(accounts, year),
        month=month,
        choices=sorted({month, *(add_months(today.replace(day=1), -count) for count in range(24))}, reverse=True),
        charts={
            "forecast": draw_pounds("forecast", "What falls due by month", _BOTH, _by_month(months)),
            "accruals": draw_pounds("accruals", "Due and not invoiced by agency", _BOTH, _by_agency(accruals, names)),
            "year": draw_pounds("year", "The year by account", ("Account", "Debits", "Credits"), _by_account(accounts)),
        },
        year=year,
        this_year=year_of(today),
        today=today,
    )


def _month_table(months: Sequence[MonthAhead]) -> Table:
    rows = [
        row(Cell(words, "#rests-on" if to_us or by_us else None, ": what it rests on"), to_us, by_us)
        for words, to_us, by_us in _by_month(months)
    ]
    columns = (Column("Month"), *money("To us", "By us"))
    return Table("months", "What falls due by month", columns, rows, wide=True).added_up("Together")


def _ahead_table(ahead: Sequence[Foreseen], names: Mapping[UUID, str]) -> Table:
    columns = (
        Column("Agreement"),
        Column("Agency", below=True),
        Column("Who pays", below=True),
        Column("Day", Holds.DAY),
        *money("Amount"),
        Column("What it rests on"),
    )
    rows = []
    for each in ahead:
        href = url_for("fee_agreements.show", agreement_id=each.agreement_id)
        pays = "They pay us" if each.direction is Direction.TO_US else "We pay them"
        link, other = Cell(each.reference, href, f": {each.words}"), names[each.other_agency_id]
        rows.append(row(link, other, pays, each.due_on or "No day yet", each.pence, each.words))
    return Table("forecast", "Each amount, and what it rests on", columns, rows).added_up("Together")


def _accrual_table(accruals: Sequence[Accrual], names: Mapping[UUID, str]) -> Table:
    columns = (
        Column("Agency"),
        Column("Who owes", below=True),
        Column("Agreement"),
        Column("Part", below=True),
        *money("Due and not invoiced"),
    )
    rows = []
    for each in accruals:
        part = say_due(each.part)
        other_id = each.other_agency_id
        statement = url_for("fee_statements.draw", other_agency_id=other_id) if other_id in names else None
        fell_due = url_for("fee_ledger.index", reference=each.reference) if each.reference else None
        other = Cell(names[other_id], statement, f": statement, {each.reference} {part}")
        agreement = Cell(each.reference or "None", fell_due, f", {part}: how it fell due")
        rows.append(row(other, WHO[each.direction], agreement, part, each.pence))
    totals = [
        row(TOGETHER[way], None, None, None, sum(each.pence for each in accruals if each.direction is way))
        for way in Direction
    ]
    return Table("accruals", "What is due and not invoiced, by agency and agreement", columns, rows, totals)


def _year_table(accounts: Sequence[YearOfAccount], year: int) -> Table:
    columns = (Column("Account"), *money("Brought forward", "Debits", "Credits", "Carried forward"))
    rows = []
    for each in accounts:
        href = url_for("fee_ledger.index", year=year, account=each.account.value)
        rows.append(row(Cell(each.account.label, href), each.brought, each.debits, each.credits, each.carried))
    return Table("year", "The year by account", columns, rows, wide=True).added_up("Together")


def _by_month(months: Sequence[MonthAhead]) -> Iterator[tuple[str, int, int]]:
    for each in months:
        yield f"{each.begins:%B %Y}" if each.begins else "No day yet", each.to_us, each.by_us


def _by_agency(accruals: Sequence[Accrual], names: Mapping[UUID, str]) -> Iterator[tuple[str, int, int]]:
    for agency_id in dict.fromkeys(each.other_agency_id for each in accruals):
        theirs = [each for each in accruals if each.other_agency_id == agency_id]
        to_us, by_us = (sum(row.pence for row in theirs if row.direction is each) for each in Direction)
        yield names[agency_id], to_us, by_us


def _by_account(accounts: Sequence[YearOfAccount]) -> Iterator[tuple[str, int, int]]:
    for each in accounts:
        yield each.account.label, each.debits, -each.credits


def _year(today: date) -> int:
    """Return the financial year that the address asks for, or the present one."""
    asked = request.args.get("year", type=int)
    return asked if asked and FIRST_YEAR <= asked <= year_of(today) else year_of(today)
