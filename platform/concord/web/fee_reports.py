"""The page of reports: what is due and not invoiced, what falls due in a year, and a financial year by account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from concord.web.access import may
from concord.web.fee_chart import draw_pounds
from concord.web.fee_file import hand_out, plain
from concord.web.fee_statements import WHO
from concord.web.request import transaction
from matching.fee.invoice.issuing import say_due
from matching.fee.remittance.bank_file import pounds
from matching.fee.report.accrual import Accrual, list_accruals
from matching.fee.report.forecast import MonthAhead, by_month, forecast
from matching.fee.report.year import YearOfAccount, read_year, year_of
from matching.fee.statement.aged_debt import Direction
from matching.monitoring.month import month_named
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("fee_reports", __name__)

FIRST_YEAR = 2000
ACCRUED = ("Agency", "Who owes", "Agreement", "Part", "Due and not invoiced")
AHEAD = ("Day", "Agency", "Who pays", "Agreement", "Amount", "What it rests on")
_BOTH = ("", "To us", "By us")
MONTHS = ("Month", "To us", "By us")
YEARLY = ("Account", "Brought forward", "Debits", "Credits", "Carried forward")


@blueprint.get("/fees/reports")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show a month's accruals, the year ahead, and a financial year by account."""
    today = utc_now().date()
    month, year = month_named(request.args.get("of"), on=today), _year(today)
    with transaction() as session:
        accruals, ahead = list_accruals(session, month=month), forecast(session, on=today)
        accounts, names = read_year(session, year), _names(session)
    months = by_month(ahead, on=today)
    return render_template(
        "fee-reports.html",
        month=month,
        accruals=accruals,
        accrued=[(each, sum(row.pence for row in accruals if row.direction is each)) for each in Direction],
        ahead=ahead,
        months=months,
        charts={
            "forecast": draw_pounds("forecast", "What falls due by month", _BOTH, _by_month(months)),
            "accruals": draw_pounds("accruals", "Due and not invoiced by agency", _BOTH, _by_agency(accruals, names)),
            "year": draw_pounds("year", "The year by account", ("Account", "Debits", "Credits"), _by_account(accounts)),
        },
        accounts=accounts,
        year=year,
        this_year=year_of(today),
        today=today,
        names=names,
        who=WHO,
        say_due=say_due,
        pounds=pounds,
    )


@blueprint.get("/fees/reports/<any(accruals, forecast, months, year):name>.<any(xlsx, csv):file_format>")
@may(Verb.READ_FEES)
def take(name: str, file_format: str) -> ResponseReturnValue:
    """Hand out one of them as it is shown."""
    today = utc_now().date()
    with transaction() as session:
        headings, rows = _table(session, name, today)
    return hand_out(f"{name}-{today}", headings, rows, file_format)


def _table(session: Session, name: str, today: date) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    names = _names(session)
    if name == "year":
        accounts = read_year(session, _year(today))
        return YEARLY, [
            (each.account.label, *map(plain, (each.brought, each.debits, each.credits, each.carried)))
            for each in accounts
        ]
    if name == "accruals":
        accruals = list_accruals(session, month=month_named(request.args.get("of"), on=today))
        return ACCRUED, [
            (
                names.get(each.other_agency_id, ""),
                WHO[each.direction],
                each.reference,
                say_due(each.part),
                plain(each.pence),
            )
            for each in accruals
        ]
    if name == "months":
        months = by_month(forecast(session, on=today), on=today)
        return MONTHS, [(words, plain(to_us), plain(by_us)) for words, to_us, by_us in _by_month(months)]
    return AHEAD, [
        (
            each.due_on.isoformat() if each.due_on else "",
            names.get(each.other_agency_id, ""),
            "They pay us" if each.direction is Direction.TO_US else "We pay them",
            each.reference,
            plain(each.pence),
            each.words,
        )
        for each in forecast(session, on=today)
    ]


def _by_month(months: Sequence[MonthAhead]) -> Iterator[tuple[str, int, int]]:
    for each in months:
        yield f"{each.begins:%B %Y}" if each.begins else "No day yet", each.to_us, each.by_us


def _by_agency(accruals: Sequence[Accrual], names: Mapping[UUID, str]) -> Iterator[tuple[str, int, int]]:
    for agency_id in dict.fromkeys(each.other_agency_id for each in accruals):
        theirs = [each for each in accruals if each.other_agency_id == agency_id]
        to_us, by_us = (sum(row.pence for row in theirs if row.direction is each) for each in Direction)
        yield names.get(agency_id, "An agency that has left"), to_us, by_us


def _by_account(accounts: Sequence[YearOfAccount]) -> Iterator[tuple[str, int, int]]:
    for each in accounts:
        yield each.account.label, each.debits, -each.credits


def _year(today: date) -> int:
    """Return the financial year that the address asks for, or the present one."""
    asked = request.args.get("year", type=int)
    return asked if asked and FIRST_YEAR <= asked <= year_of(today) else year_of(today)


def _names(session: Session) -> dict[UUID, str]:
    return {each.id: each.name for each in list_agencies(session)}
