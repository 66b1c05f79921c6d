"""The pages of statements: what is owed between agencies and for how long, and statements that two of them agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from wtforms import SubmitField

from concord.web.access import may
from concord.web.fee_chart import draw_pounds
from concord.web.fee_statement_tables import (
    debt_table,
    difference_table,
    line_table,
    sent_table,
    side_tables,
    statement_table,
)
from concord.web.fee_table import show_page, whole_asked
from concord.web.form import DayField
from concord.web.invoice_tables import posting_table
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.fee.agreement_page import names_of
from matching.fee.invoice.invoice import find_by_id
from matching.fee.ledger import get_transaction, postings_of
from matching.fee.ledger.listing import references_of
from matching.fee.money import pounds
from matching.fee.statement.aged_debt import AGES, AgedDebt, Direction, list_debts
from matching.fee.statement.behind import find_event
from matching.fee.statement.movement import Amounts, Line, balances, lines
from matching.fee.statement.sent import list_sent
from matching.fee.statement.statement import (
    RECORD_KIND,
    BooksDiffer,
    StatementInvalid,
    StatementWaits,
    agree_statement,
    chosen_of,
    compare_statement,
    draw_statement,
    find_last,
    get_statement,
    lines_of,
    list_statements,
    make_statement,
    require_agreeing,
    withdraw_statement,
)
from matching.register import Page
from matching.sealed_words import own_agency
from tenants import audit
from tenants.agency import get_agency, list_agencies
from tenants.approval import require_one_side
from tenants.base import utc_now
from tenants.error import refusal_of
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_statements", __name__)

LINES_A_PAGE = 100


class UntilForm(FlaskForm):  # type: ignore[misc]
    """Until which day a statement goes."""

    class Meta:
        """It changes nothing: it is asked by its address."""

        csrf = False

    until = DayField(
        "Until which day?",
        missing="Enter the day, month and year",
        impossible="Enter a real date, for example 31 3 2027",
    )
    submit = SubmitField("Show the statement", widget=GovSubmitInput())


class WithdrawForm(FlaskForm):  # type: ignore[misc]
    """Why a statement is withdrawn."""

    reason = words_field("Why?", missing="Say why, so that the other agency knows")
    submit = SubmitField("Withdraw the statement", widget=GovSubmitInput())


@blueprint.get("/fees/statements")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show what is owed between the agency and each other by age, and the statements."""
    with transaction() as session:
        debts, statements = list_debts(session, until_on=utc_now().date()), list_statements(session)
        names = names_of(list_agencies(session))
        own = own_agency(session)
    return show_page(
        "fee-statements.html",
        debt_table(debts, names),
        statement_table(statements, names, own=own),
        chart=draw_pounds("debts", "What is owed by age", ("Days", "To us", "By us"), _by_age(debts)),
        others=[(each, name) for each, name in names.items() if each != own],
    )


@blueprint.get("/fees/statements/with/<uuid:other_agency_id>")
@may(Verb.READ_FEES)
def draw(other_agency_id: UUID) -> ResponseReturnValue:
    """Show the statement with another agency as it would be drawn up now."""
    return _show_drawn(other_agency_id)


@blueprint.post("/fees/statements/with/<uuid:other_agency_id>")
@may(Verb.KEEP_FEES)
def make(other_agency_id: UUID) -> ResponseReturnValue:
    """Freeze it and agree to it for the agency's own side."""
    try:
        with transaction() as session:
            until_on = date.fromisoformat(request.form.get("until_on", ""))
            made = make_statement(session, other_agency_id, until_on=until_on, now=utc_now())
    except (StatementInvalid, StatementWaits) as refusal:
        return _show_drawn(other_agency_id, problem=str(refusal)), 422
    except ValueError:
        return _show_drawn(other_agency_id, problem="Choose the day again."), 422
    return redirect(url_for("fee_statements.show", fee_statement_id=made.id), 303)


@blueprint.get("/fees/statements/<uuid:fee_statement_id>")
@may(Verb.READ_FEES)
def show(fee_statement_id: UUID) -> ResponseReturnValue:
    """Show a statement, whether the agency's own book says the same, and what either side says besides."""
    return _show_made(fee_statement_id)


@blueprint.post("/fees/statements/<uuid:fee_statement_id>/agree")
@may(Verb.KEEP_FEES)
def agree(fee_statement_id: UUID) -> ResponseReturnValue:
    """Agree to a statement for the other side."""
    try:
        with transaction() as session:
            agree_statement(session, get_statement(session, fee_statement_id), now=utc_now())
    except (BooksDiffer, StatementWaits) as refusal:
        return _show_made(fee_statement_id, problem=str(refusal)), 409
    return redirect(url_for("fee_statements.show", fee_statement_id=fee_statement_id), 303)


@blueprint.route("/fees/statements/<uuid:fee_statement_id>/withdraw", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def withdraw(fee_statement_id: UUID) -> ResponseReturnValue:
    """Take a statement back that was not agreed."""
    form, back = WithdrawForm(), url_for("fee_statements.show", fee_statement_id=fee_statement_id)
    with transaction() as session:
        statement = get_statement(session, fee_statement_id)
        if form.validate_on_submit():
            withdraw_statement(session, statement, reason=form.reason.data, now=utc_now())
            return redirect(back, 303)
    return short_form(
        form,
        title="Withdraw this statement?",
        back=(back, "The statement"),
        lead="Nothing in either book changes. Its lines stand in the next statement.",
    )


@blueprint.get("/fees/statements/lines/<uuid:ledger_transaction_id>")
@may(Verb.READ_FEES)
def line(ledger_transaction_id: UUID) -> ResponseReturnValue:
    """Show a transaction: its postings in the agency's own book, and the event behind it."""
    with transaction() as session:
        found = get_transaction(session, ledger_transaction_id)
        postings = postings_of(session, found)
        facts = {
            "event": find_event(session, found),
            "agreements": references_of(session, postings),
            "invoice": find_by_id(session, found.invoice_id) if found.invoice_id else None,
            "names": names_of(list_agencies(session)),
        }
    return show_page("fee-transaction.html", posting_table(postings), each=found, pounds=pounds, **facts)


def _show_drawn(other_agency_id: UUID, *, problem: str | None = None) -> str | Response:
    now = utc_now()
    form = UntilForm(request.args, meta={"csrf": False})
    until_on = _day(form, now.date())
    problem = problem or next(iter(form.until.errors), None)
    with transaction() as session:
        other, waiting = get_agency(session, other_agency_id), find_last(session, other_agency_id)
        try:
            drawn = draw_statement(session, other_agency_id, until_on=until_on, now=now)
        except StatementInvalid as refusal:
            problem = problem or str(refusal)
            least = max(until_on, waiting.until_on) if waiting else until_on
            drawn = draw_statement(session, other_agency_id, until_on=min(least, now.date()), now=now)
        page = _page(drawn.line_count)
        found = lines(session, drawn.chosen, **_some(page))
        sent = list_sent(session, other_agency_id, until_on=drawn.until_on, now=now)
        balanced = balances(session, other_agency_id)
        names, own = names_of(list_agencies(session)), own_agency(session)
        barred = refusal_of(partial(require_one_side, session, agencies=(own, other_agency_id), on=now.date()))
    asked = _asked(drawn.until_on)
    form.until.raw_data, form.until.errors = asked["until"], ()
    values: dict[str, Any] = {"other_agency_id": other_agency_id, **asked}
    sides = side_tables(drawn.sides, names, own=own, former=drawn.former.id if drawn.former else None)
    return show_page(
        "fee-statement-draw.html",
        *sides,
        line_table(found, names),
        sent_table(sent, name="sent", who=names[own]),
        other=other,
        drawn=drawn,
        sides=list(zip(drawn.sides, sides, strict=True)),
        form=form,
        waiting=waiting if waiting and waiting.is_open else None,
        values=values,
        balanced={side.payer_agency_id: balanced.get(side.payer_agency_id, Amounts()) for side in drawn.sides},
        today=now.date(),
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        barred=barred,
        names=names,
        pounds=pounds,
        problem=problem,
        pagination=_pagination(page, drawn.line_count, "fee_statements.draw", values),
    )


def _show_made(statement_id: UUID, *, problem: str | None = None) -> str | Response:
    with transaction() as session:
        statement = get_statement(session, statement_id)
        count, former = statement.content["lines"], statement.content["former"]
        page = _page(count)
        found = lines_of(session, statement, **_some(page))
        differences = compare_statement(session, statement)
        names, own = names_of(list_agencies(session)), own_agency(session)
        other_id = chosen_of(session, statement).other_agency_id
        before = next((each.id for each in list_statements(session) if each.sha256.hex() == former), None)
        barred = refusal_of(partial(require_agreeing, session, statement, on=utc_now().date()))
        waits, sent = statement.is_open and statement.other_agency_id == own, statement.other_notes or []
        if waits:
            # Whoever is to agree sees first what is kept once they do.
            sent = list_sent(session, statement.agency_id, until_on=statement.until_on, now=utc_now())
        audit.record(
            session,
            audit.Act.READ,
            record_kind=RECORD_KIND,
            record_id=statement.id,
            owner_agency_id=statement.agency_id,
            now=utc_now(),
        )
    sides = side_tables(statement.sides, names, own=own, former=before)
    one, other = names[statement.agency_id], names[statement.other_agency_id]
    return show_page(
        "fee-statement.html",
        *sides,
        difference_table(differences),
        sent_table(statement.notes, name="sent", who=one),
        sent_table(sent, name="sent-by-other", who=other),
        line_table(found, names),
        statement=statement,
        barred=barred,
        sides=list(zip(statement.sides, sides, strict=True)),
        other_id=other_id,
        waits_for_us=waits,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        names=names,
        pounds=pounds,
        problem=problem,
        pagination=_pagination(page, count, "fee_statements.show", {"fee_statement_id": statement_id}),
    )


def _some(page: int) -> dict[str, int]:
    """Return which of a statement's lines are asked for: those of a page, or all of them for a file."""
    return {} if whole_asked() else {"skipped": (page - 1) * LINES_A_PAGE, "most": LINES_A_PAGE}


def _day(form: UntilForm, today: date) -> date:
    """Return the day that the address asks for; today where it asks for none or for no day."""
    return form.until.data if "until" in request.args and form.validate() else today


def _asked(day: date) -> dict[str, list[str]]:
    return {"until": [str(day.day), str(day.month), str(day.year)]}


def _page(count: int) -> int:
    return Page.within(request.args.get("page", 1, type=int), count, LINES_A_PAGE)


def _pagination(number: int, total: int, endpoint: str, values: dict[str, Any]) -> dict[str, Any] | None:
    page: Page[Line] = Page(cards=(), total=total, number=number, size=LINES_A_PAGE)
    return pagination(page, lambda other: url_for(endpoint, **values, page=other))


def _by_age(debts: list[AgedDebt]) -> Iterator[tuple[str, int, int]]:
    for at, age in enumerate(AGES):
        to_us, by_us = (sum(each.by_age[at] for each in debts if each.direction is way) for way in Direction)
        yield age, to_us, by_us
