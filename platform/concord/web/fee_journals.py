"""The pages of journals: a month as the finance system takes it, and what that calls each account."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.request import transaction
from matching.fee.journal.journal import ControlTotals, MonthOpen, is_closed, write_journal
from matching.fee.journal.mapping import (
    POSTED,
    Column,
    DateStyle,
    MappingInvalid,
    Sign,
    get_mapping,
    keep_mapping,
    list_mappings,
    read_layout,
)
from matching.fee.money import pounds
from matching.monitoring.month import month_named
from matching.working_day import add_months
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_journals", __name__)

COLUMN_WORDS = {
    Column.DATE: "Day",
    Column.PERIOD: "Month",
    Column.CODE: "Ledger code",
    Column.COST_CENTRE: "Cost centre",
    Column.DEBIT: "Debit",
    Column.CREDIT: "Credit",
    Column.AMOUNT: "Amount with a sign",
    Column.NARRATIVE: "Narrative",
    Column.REFERENCE: "Agreement’s reference",
    Column.COUNTERPARTY: "The other agency",
    Column.TRANSACTION: "Transaction’s id",
}


@blueprint.get("/fees/journal")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show a month's control totals by each layout, to take it away."""
    return _show_index()


@blueprint.get("/fees/journal.csv")
@may(Verb.KEEP_FEES)
def take() -> ResponseReturnValue:
    """Hand out a month's journal."""
    file = BytesIO()
    try:
        totals = _write(file, provisional=request.args.get("provisional") == "yes")
    except MonthOpen as refusal:
        return _show_index(problem=str(refusal)), 409
    file.seek(0)
    word = "provisional-journal" if totals.provisional else "journal"
    response = send_file(
        file, mimetype="text/csv", as_attachment=True, download_name=f"{word}-{totals.month:%Y-%m}.csv"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/fees/journal/layout", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def layout() -> ResponseReturnValue:
    """Set what the finance system calls each account, and its columns."""
    problem, name = None, request.args.get("name", "")
    if request.method == "POST":
        try:
            _check_places()
            with transaction() as session:
                keep_mapping(session, request.form.get("name", ""), read_layout(_typed()), now=utc_now())
            return redirect(url_for("fee_journals.index"), 303)
        except MappingInvalid as refusal:
            problem = str(refusal)
    with transaction() as session:
        former = get_mapping(session, name).mapping if name else {}
    page = render_template(
        "fee-journal-layout.html",
        name=request.form.get("name", name),
        said=_typed() if request.method == "POST" else former,
        accounts=POSTED,
        columns=COLUMN_WORDS,
        styles=list(DateStyle),
        signs=list(Sign),
        problem=problem,
    )
    return page, 422 if problem else 200


def _show_index(*, problem: str | None = None) -> str:
    now = utc_now()
    month = month_named(request.args.get("of"), on=now.date())
    with transaction() as session:
        mappings, closed = list_mappings(session), is_closed(session, month)
    totals: ControlTotals | None = None
    if mappings and request.args.get("name") and not problem and scope_may(g.scope, Verb.KEEP_FEES):
        totals = _write(BytesIO(), provisional=not closed)
    return render_template(
        "fee-journals.html",
        month=month,
        mappings=mappings,
        closed=closed,
        totals=totals,
        chosen=request.args.get("name"),
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        months=[add_months(now.date().replace(day=1), -count) for count in range(12)],
        pounds=pounds,
        problem=problem,
    )


def _write(file: BytesIO, *, provisional: bool) -> ControlTotals:
    now = utc_now()
    month = month_named(request.args.get("of"), on=now.date())
    with transaction() as session:
        mapping = get_mapping(session, request.args.get("name", ""))
        return write_journal(session, file, mapping, month=month, provisional=provisional, now=now)


def _typed() -> dict[str, Any]:
    """Return the layout that the form says, columns in the order of their numbers."""
    asked = request.form
    placed = sorted(
        (int(place), column)
        for column in Column
        if re.fullmatch(r"[1-9]\d?", place := asked.get(f"place-{column}", "").strip(), re.ASCII)
    )
    codes = {each.value: asked.get(f"code-{each}", "").strip() for each in POSTED}
    centres = {each.value: asked.get(f"centre-{each}", "").strip() for each in POSTED}
    return {
        "codes": {account: code for account, code in codes.items() if code},
        "columns": [[column.value, asked.get(f"heading-{column}", "").strip()] for _, column in placed],
        "cost_centre": asked.get("cost_centre", "").strip(),
        "cost_centres": {account: centre for account, centre in centres.items() if centre},
        "date_style": asked.get("date_style", ""),
        "sign": asked.get("sign", ""),
    }


def _check_places() -> None:
    """Refuse columns whose place is no number, or another's: they would be left out, or stand in no order.

    :raises MappingInvalid: when there is one.
    """
    places = [place for column in Column if (place := request.form.get(f"place-{column}", "").strip())]
    if any(re.fullmatch(r"[1-9]\d?", place, re.ASCII) is None for place in places):
        raise MappingInvalid("Number the columns from 1 to 99, or leave a number out to leave its column out.")
    if len(set(places)) < len(places):
        raise MappingInvalid("Give each column a number of its own.")
