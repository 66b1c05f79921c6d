"""The pages of the budget: a year's months beside what the book says, and the form that keeps a year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from concord.web.access import may
from concord.web.fee_chart import draw_pounds
from concord.web.fee_table import Cell, Column, Table, money, row, show_page
from concord.web.request import transaction
from matching.fee.ledger import Account
from matching.fee.money import plain_pounds
from matching.fee.remittance.written_amount import typed_pence
from matching.fee.report.budget import Month, Way, compare_budget, keep_budget, months_of
from matching.fee.report.year import FIRST_YEAR, year_of
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_budget", __name__)

_ACCOUNTS = {Way.PAY: Account.FEE_COST, Way.EARN: Account.FEE_INCOME}


@blueprint.get("/fees/budget")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show a year's months, each way: the budget, what was borne or earned, and the difference."""
    year, latest, keeps = _asked(), year_of(utc_now().date()) + 1, scope_may(g.scope, Verb.KEEP_FEES)
    with transaction() as session:
        found = compare_budget(session, year)
    tables = {way: _table(way, months, keeps=keeps) for way, months in found.items()}
    return show_page(
        "fee-budget.html",
        *tables.values(),
        ways=tables,
        charts={
            way: draw_pounds(
                way.value,
                way.label,
                ("Month", "Budget", "Actual"),
                ((f"{each.begins_on:%B %Y}", each.planned, each.actual) for each in months),
            )
            for way, months in found.items()
        },
        year=year,
        latest=latest,
        first=FIRST_YEAR,
        keeps=keeps,
    )


@blueprint.route("/fees/budget/<int:year>/<any(pay, earn):way>", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def enter(year: int, way: str) -> ResponseReturnValue:
    """Keep a year's budget of one way."""
    if not FIRST_YEAR <= year <= year_of(utc_now().date()) + 1:
        raise NotFound
    wanted, wrong, said = Way(way), dict[date, str](), request.form.to_dict()
    if request.method == "POST":
        typed = {month: _pence(said.get(month.isoformat(), "")) for month in months_of(year)}
        pence = [each for each in typed.values() if each is not None]
        missing = (month for month, each in typed.items() if each is None)
        wrong = {each: f"Enter an amount for {each:%B %Y}, for example 12,000 or 350.50" for each in missing}
        if not wrong:
            with transaction() as session:
                keep_budget(session, wanted, year, pence, now=utc_now())
            return redirect(url_for("fee_budget.index", year=year), 303)
    else:
        with transaction() as session:
            planned = compare_budget(session, year)[wanted]
        said = {each.begins_on.isoformat(): plain_pounds(each.planned) for each in planned if each.planned is not None}
    page = render_template(
        "fee-budget-enter.html", year=year, way=wanted, months=months_of(year), said=said, wrong=wrong
    )
    return page, 422 if wrong else 200


def _table(way: Way, months: Sequence[Month], *, keeps: bool) -> Table:
    rows = []
    for each in months:
        month = each.begins_on
        ledger = url_for("fee_ledger.index", month=f"{month:%Y-%m}", account=_ACCOUNTS[way].value)
        entered = url_for("fee_budget.enter", year=year_of(month), way=way.value, _anchor=f"month-{month}")
        planned = Cell(each.planned, entered if keeps and each.planned is not None else None, ": change it")
        over = None if each.planned is None else each.over
        link = Cell(f"{month:%B %Y}", ledger if each.actual else None, f": {way.label.lower()}")
        rows.append(row(link, planned, each.actual, over))
    columns = (Column("Month"), *money("Budget", "Actual", "More than planned"))
    return Table(f"budget-{way}", f"{way.label}, month by month", columns, rows, wide=True).added_up("Together")


def _pence(text: str) -> int | None:
    """Return what was typed for a month, in pence; nothing for an empty box, and ``None`` for no amount."""
    found = typed_pence(text) if text.strip() else 0
    return found if found is not None and found >= 0 else None


def _asked() -> int:
    """Return the financial year that the address asks for, or the present one."""
    asked, present = request.args.get("year", type=int), year_of(utc_now().date())
    return asked if asked and FIRST_YEAR <= asked <= present + 1 else present
