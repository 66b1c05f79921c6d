"""The pages of statements: what is owed between agencies and for how long, and statements that two of them agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import SubmitField

from concord.web.access import may
from concord.web.fee_chart import draw_pounds
from concord.web.fee_file import hand_out, plain
from concord.web.form import DayField
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.fee.invoice.invoice import get_invoice
from matching.fee.ledger import Posting, get_transaction, postings_of
from matching.fee.ledger.listing import references_of
from matching.fee.remittance.bank_file import pounds
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
    withdraw_statement,
)
from matching.register import Page
from tenants import audit
from tenants.agency import get_agency, list_agencies
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_statements", __name__)

LINES_A_PAGE = 100
DEBT_HEADINGS = ("Agency", "Who owes", *AGES, "Invoiced and not paid", "Paid ahead", "To pay")
LINE_HEADINGS = (
    *("Payer", "Day", "What", "Narrative", "Agreement", "Over"),
    *("Agreed, not yet due", "Due, not invoiced", "Invoiced, not paid", "Paid ahead"),
)
WHO = {Direction.TO_US: "They owe us", Direction.BY_US: "We owe them"}


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
        names = _names(session)
        own = g.scope.agency_id
    return render_template(
        "fee-statements.html",
        debts=debts,
        chart=draw_pounds("debts", "What is owed by age", ("Days", "To us", "By us"), _by_age(debts)),
        totals=[(each, _total(each, debts)) for each in Direction if any(debt.direction is each for debt in debts)],
        statements=statements,
        names=names,
        others=[(each, name) for each, name in names.items() if each != own],
        own=own,
        ages=AGES,
        who=WHO,
        pounds=pounds,
    )


@blueprint.get("/fees/statements.<any(xlsx, csv):file_format>")
@may(Verb.READ_FEES)
def export(file_format: str) -> ResponseReturnValue:
    """Hand out what is owed by age, as it is shown."""
    today = utc_now().date()
    with transaction() as session:
        debts, names = list_debts(session, until_on=today), _names(session)
    rows = [
        (names.get(each.other_agency_id, ""), WHO[each.direction], *map(plain, (*each.by_age, each.owed, each.ahead)),
         plain(each.to_pay))
        for each in debts
    ]  # fmt: skip
    return hand_out(f"aged-debt-{today}", DEBT_HEADINGS, rows, file_format)


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


@blueprint.get("/fees/statements/with/<uuid:other_agency_id>/lines.<any(xlsx, csv):file_format>")
@may(Verb.READ_FEES)
def export_drawn(other_agency_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out the lines of the statement as it would be drawn up now."""
    now = utc_now()
    form = UntilForm(request.args, meta={"csrf": False})
    with transaction() as session:
        drawn = draw_statement(session, other_agency_id, until_on=_day(form, now.date()), now=now)
        found, names = lines(session, drawn.chosen), _names(session)
    return hand_out(f"statement-{drawn.until_on}", LINE_HEADINGS, _rows(found, names), file_format)


@blueprint.get("/fees/statements/<uuid:fee_statement_id>")
@may(Verb.READ_FEES)
def show(fee_statement_id: UUID) -> ResponseReturnValue:
    """Show a statement, whether the agency's own book says the same, and what either side says besides."""
    return _show_made(fee_statement_id)


@blueprint.get("/fees/statements/<uuid:fee_statement_id>/lines.<any(xlsx, csv):file_format>")
@may(Verb.READ_FEES)
def export_made(fee_statement_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out a statement's lines."""
    with transaction() as session:
        statement = get_statement(session, fee_statement_id)
        found, names = lines_of(session, statement), _names(session)
    return hand_out(f"statement-{statement.until_on}", LINE_HEADINGS, _rows(found, names), file_format)


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
        postings: list[Posting] = postings_of(session, found)
        facts = {
            "event": find_event(session, found),
            "agreements": references_of(session, postings),
            "invoice": get_invoice(session, found.invoice_id) if found.invoice_id else None,
            "names": _names(session),
        }
    return render_template("fee-transaction.html", each=found, postings=postings, pounds=pounds, **facts)


def _show_drawn(other_agency_id: UUID, *, problem: str | None = None) -> str:
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
        shown = lines(session, drawn.chosen, skipped=(page - 1) * LINES_A_PAGE, most=LINES_A_PAGE)
        sent = list_sent(session, other_agency_id, until_on=drawn.until_on, now=now)
        balanced, names = balances(session, other_agency_id), _names(session)
    asked = _asked(drawn.until_on)
    form.until.raw_data, form.until.errors = asked["until"], ()
    values: dict[str, Any] = {"other_agency_id": other_agency_id, **asked}
    return render_template(
        "fee-statement-draw.html",
        other=other,
        drawn=drawn,
        form=form,
        waiting=waiting if waiting and waiting.is_open else None,
        lines=shown,
        sent=sent,
        values=values,
        balanced={side.payer_agency_id: balanced.get(side.payer_agency_id, Amounts()) for side in drawn.sides},
        today=now.date(),
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        names=names,
        pounds=pounds,
        problem=problem,
        pagination=_pagination(page, drawn.line_count, "fee_statements.draw", values),
    )


def _show_made(statement_id: UUID, *, problem: str | None = None) -> str:
    with transaction() as session:
        statement = get_statement(session, statement_id)
        count = statement.content["lines"]
        page = _page(count)
        shown = lines_of(session, statement, skipped=(page - 1) * LINES_A_PAGE, most=LINES_A_PAGE)
        differences, names = compare_statement(session, statement), _names(session)
        other_id = chosen_of(session, statement).other_agency_id
        audit.record(
            session,
            audit.Act.READ,
            record_kind=RECORD_KIND,
            record_id=statement.id,
            owner_agency_id=statement.agency_id,
            now=utc_now(),
        )
    return render_template(
        "fee-statement.html",
        statement=statement,
        other_id=other_id,
        waits_for_us=statement.is_open and statement.other_agency_id == g.scope.agency_id,
        lines=shown,
        differences=differences,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        names=names,
        pounds=pounds,
        problem=problem,
        pagination=_pagination(page, count, "fee_statements.show", {"fee_statement_id": statement_id}),
    )


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


def _names(session: Session) -> dict[UUID, str]:
    return {each.id: each.name for each in list_agencies(session)}


def _by_age(debts: list[AgedDebt]) -> Iterator[tuple[str, int, int]]:
    for at, age in enumerate(AGES):
        to_us, by_us = (sum(each.by_age[at] for each in debts if each.direction is way) for way in Direction)
        yield age, to_us, by_us


def _total(direction: Direction, debts: list[AgedDebt]) -> AgedDebt:
    found = [each for each in debts if each.direction is direction]
    first, second, third, rest = (sum(each.by_age[k] for each in found) for k in range(len(AGES)))
    return AgedDebt(
        found[0].other_agency_id, direction, (first, second, third, rest), sum(each.ahead for each in found)
    )


def _rows(found: Iterable[Line], names: dict[UUID, str]) -> Iterator[tuple[str, ...]]:
    for each in found:
        moved = each.amounts
        yield (
            names.get(each.payer_agency_id, ""),
            each.dated_on.isoformat(),
            each.kind.label,
            each.narrative,
            each.reference or "",
            *map(plain, (each.pence, moved.agreed, moved.to_invoice, moved.owed, moved.ahead)),
        )
