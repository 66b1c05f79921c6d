"""The pages of the ledger: the agency's own book, its months, and what departs from an agreement."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date
from functools import partial
from uuid import UUID

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from concord.web.access import may
from concord.web.fee_closing import list_unfinished
from concord.web.fee_ledger_form import ExceptionForm, ReopenForm
from concord.web.fee_ledger_tables import exception_table, month_table, period_table, posting_table, sum_table
from concord.web.fee_table import show_page, whole_asked
from concord.web.form import place_refusal
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.code import read_code
from matching.fee.agreement import get_agreement
from matching.fee.agreement_page import names_of
from matching.fee.exception import (
    ExceptionInvalid,
    ExceptionKind,
    NotYoursToGive,
    ask_exception,
    decide_exception,
    get_exception,
    list_exceptions,
)
from matching.fee.exception_page import decisions_of, refusals_of
from matching.fee.ledger import (
    Account,
    ask_to_reopen,
    close_month,
    get_period,
    kept_totals,
    list_periods,
    open_months,
    reopen,
    require_reopening,
    totals_of,
    withdraw_reopening,
)
from matching.fee.ledger.listing import (
    MOST_SHOWN,
    Wanted,
    list_counterparties,
    list_lines,
    list_months,
    list_shared_invoices,
    sum_accounts,
)
from matching.working_day import add_months
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.error import refusal_of
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_ledger", __name__)


@blueprint.get("/fees/ledger")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show the agency's own book as asked for, with what it adds up to."""
    wanted = _wanted()
    with transaction() as session:
        lines = list_lines(session, wanted, limit=None if whole_asked() else MOST_SHOWN)
        sums = sum_accounts(session, wanted)
        shared = list_shared_invoices(session, wanted.reference) if wanted.reference else []
        months, others = list_months(session), list_counterparties(session)
        names = names_of(list_agencies(session))
    return show_page(
        "fee-ledger.html",
        sum_table(sums, _asked(wanted)),
        posting_table(lines, names),
        shared=shared,
        months=months,
        others=sorted(others, key=lambda each: names[each]),
        names=names,
        wanted=wanted,
        asked=_asked(wanted),
        accounts=list(Account),
        postings=sum(each.postings for each in sums),
    )


@blueprint.get("/fees/periods")
@may(Verb.READ_FEES)
def periods() -> ResponseReturnValue:
    """Show the month to be closed next, with what is not finished in it, and the months that are closed."""
    today = utc_now().date()
    with transaction() as session:
        closed, open_ = list_periods(session), open_months(session)
        month = next(iter(open_), None)
        unfinished = list_unfinished(session, month) if month else []
        totals = totals_of(session, month) if month else []
        newest = next((each for each in closed if each.reopened_at is None), None)
        unopened = refusal_of(partial(require_reopening, session, newest, on=today)) if newest else None
    first = [month_table(totals, month, f"What each account has come to in {month:%B %Y}")] if month else []
    return show_page(
        "fee-periods.html",
        *first,
        period_table(closed),
        month=month,
        month_table=next(iter(first), None),
        over=month is not None and today >= add_months(month, 1),
        unfinished=unfinished,
        newest=newest,
        unopened=unopened,
        closes=scope_may(g.scope, Verb.KEEP_FEES),
        approves=scope_may(g.scope, Verb.APPROVE_FEES),
        person_id=g.scope.person_id,
    )


@blueprint.post("/fees/periods/<int:year>/<int:month>")
@may(Verb.KEEP_FEES)
def close(year: int, month: int) -> ResponseReturnValue:
    """Close a month."""
    wanted = _month(f"{year:04d}-{month:02d}")
    if wanted is None:
        raise NotFound
    with transaction() as session:
        period = close_month(session, wanted, now=utc_now())
        return redirect(url_for("fee_ledger.period", fee_period_id=period.id), 303)


@blueprint.get("/fees/periods/<uuid:fee_period_id>")
@may(Verb.READ_FEES)
def period(fee_period_id: UUID) -> ResponseReturnValue:
    """Show what a closed month came to."""
    with transaction() as session:
        found = get_period(session, fee_period_id)
        totals, now = kept_totals(found), totals_of(session, found.month)
    listed = month_table(totals, found.month, "What each account came to")
    return show_page(
        "fee-period.html", listed, period=found, listed=listed, same=totals == now or bool(found.reopened_at)
    )


@blueprint.route("/fees/periods/<uuid:fee_period_id>/reopen", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def ask(fee_period_id: UUID) -> ResponseReturnValue:
    """Ask for a closed month to be opened again."""
    form = ReopenForm()
    with transaction() as session:
        found = get_period(session, fee_period_id)
        if form.validate_on_submit():
            ask_to_reopen(session, found, reason=form.reason.data, now=utc_now())
            return redirect(url_for("fee_ledger.periods"), 303)
    title = f"Open {found.month:%B %Y} again"
    lead = "Another person has to agree before anything can be posted into it."
    return short_form(form, title=title, back=(url_for("fee_ledger.periods"), "Months"), lead=lead)


@blueprint.post("/fees/periods/<uuid:fee_period_id>/withdraw")
@may(Verb.KEEP_FEES)
def withdraw(fee_period_id: UUID) -> ResponseReturnValue:
    """Take back what one asked for oneself: the month stays closed."""
    with transaction() as session:
        withdraw_reopening(session, get_period(session, fee_period_id), now=utc_now())
    return redirect(url_for("fee_ledger.periods"), 303)


@blueprint.post("/fees/periods/<uuid:fee_period_id>/agree")
@may(Verb.APPROVE_FEES)
def agree(fee_period_id: UUID) -> ResponseReturnValue:
    """Agree that a month is opened again."""
    with transaction() as session:
        reopen(session, get_period(session, fee_period_id), now=utc_now())
    return redirect(url_for("fee_ledger.periods"), 303)


@blueprint.get("/fees/agreements/<uuid:agreement_id>/exceptions")
@may(Verb.READ_FEES)
def exceptions(agreement_id: UUID) -> ResponseReturnValue:
    """Show what was waived, agreed anew or paid back, and what waits for somebody to decide."""
    today = utc_now().date()
    with transaction() as session:
        found, asked = get_agreement(session, agreement_id), list_exceptions(session, agreement_id)
        names = names_of(list_agencies(session))
        refusals = refusals_of(session, found, on=today)
        decisions = decisions_of(session, found, asked, on=today)
    listed = exception_table(asked, found.reference, names)
    return show_page(
        "fee-exceptions.html",
        listed,
        agreement=found,
        listed=listed,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        refusals=refusals,
        decisions=decisions,
    )


@blueprint.route("/fees/agreements/<uuid:agreement_id>/exceptions/new", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def depart(agreement_id: UUID) -> ResponseReturnValue:
    """Ask for a waiver, another fee or a refund."""
    form, back = ExceptionForm(), url_for("fee_ledger.exceptions", agreement_id=agreement_id)
    with transaction() as session:
        found = get_agreement(session, agreement_id)
        reference, refusals = found.reference, refusals_of(session, found, on=utc_now().date())
    form.offer(each for each, refusal in refusals.items() if refusal is None)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                _ask(session, agreement_id, form)
            return redirect(back, 303)
        except (ExceptionInvalid, NotYoursToGive) as refused:
            place_refusal(form, refused, otherwise="amount")
    return short_form(form, title=f"Depart from {reference}", back=(back, "Waivers, other fees and refunds"))


@blueprint.post("/fees/exceptions/<uuid:fee_exception_id>")
@may(Verb.APPROVE_FEES)
def decide(fee_exception_id: UUID) -> ResponseReturnValue:
    """Approve or refuse what another person asked for."""
    with transaction() as session:
        found = get_exception(session, fee_exception_id)
        decide_exception(session, found, approve=request.form.get("approve") == "yes", now=utc_now())
        return redirect(url_for("fee_ledger.exceptions", agreement_id=found.agreement_id), 303)


def _ask(session: Session, agreement_id: UUID, form: ExceptionForm) -> None:
    ask_exception(
        session,
        get_agreement(session, agreement_id),
        ExceptionKind(form.kind.data),
        pence=form.amount.data,
        reason=form.reason.data,
        now=utc_now(),
    )


def _wanted() -> Wanted:
    args = request.args
    account, year = args.get("account", ""), args.get("year", type=int)
    reference = read_code(args.get("reference", "")) or None
    return Wanted(
        other_agency_id=_id(args.get("with")),
        month=_month(args.get("month", "")),
        reference=reference.upper() if reference else None,
        account=next((each for each in Account if each.value == account), None),
        year=year if year and MINYEAR <= year < MAXYEAR else None,
    )


def _asked(wanted: Wanted) -> dict[str, str]:
    said = {
        "with": str(wanted.other_agency_id or ""),
        "month": f"{wanted.month:%Y-%m}" if wanted.month else "",
        "reference": wanted.reference or "",
        "account": wanted.account.value if wanted.account else "",
        "year": str(wanted.year or ""),
    }
    return {name: value for name, value in said.items() if value}


def _id(said: str | None) -> UUID | None:
    try:
        return UUID(said or "")
    except ValueError:
        return None


def _month(said: str) -> date | None:
    """Return the first day of a month, or ``None`` for none that has a month after it."""
    try:
        found = date.fromisoformat(f"{said}-01")
    except ValueError:
        return None
    return found if found.year < MAXYEAR else None
