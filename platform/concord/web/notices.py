"""The pages of notices: what a person was told of, how they are told by e-mail, and their calendar’s address."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.listing import pagination
from concord.web.request import current_settings, transaction
from matching.calendar_feed import find_feed
from matching.fee.notice import FeeWord
from matching.notice import NoticeWay, choose_way, find_way, list_notices
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as allows

blueprint = Blueprint("notices", __name__, url_prefix="/notices")
_AGREEMENT = ("fee_agreements.show", "agreement_id", "The agreement")
_INVOICE = ("invoices.show", "invoice_id", "The invoice")
_NETTING = ("fee_netting.show", "netting_id", "The netting")
_ACCOUNT = ("payee_accounts.show", None, "Our account")
_PAYEES = ("payee_accounts.suppliers", None, "Suppliers and orders")
_MONTHS = ("fee_ledger.periods", None, "Months")
_PLACES: dict[FeeWord, tuple[str, str | None, str]] = {
    FeeWord.REMINDER: _INVOICE,
    FeeWord.DISPUTE_OPENED: _INVOICE,
    FeeWord.DISPUTE_ANSWERED: _INVOICE,
    FeeWord.DISPUTE_OVER: _INVOICE,
    FeeWord.BANK_ASKED: _ACCOUNT,
    FeeWord.BANK_APPROVED: _ACCOUNT,
    FeeWord.BANK_WITHDRAWN: _ACCOUNT,
    FeeWord.BANK_CHANGES: _PAYEES,
    FeeWord.BANK_STAYS: _PAYEES,
    FeeWord.BANK_SOON: _PAYEES,
    FeeWord.TO_SIGN: _AGREEMENT,
    FeeWord.ADDENDUM: _AGREEMENT,
    FeeWord.EXCEPTION_ASKED: ("fee_ledger.exceptions", "agreement_id", "What was asked"),
    FeeWord.REOPEN_ASKED: _MONTHS,
    FeeWord.REOPENED: _MONTHS,
    FeeWord.LIMIT_ASKED: ("fee_payers.index", None, "Who signs, and up to how much"),
    FeeWord.MONTH_OPEN: _MONTHS,
    FeeWord.STATEMENT: ("fee_statements.show", "fee_statement_id", "The statement"),
    FeeWord.NETTING: _NETTING,
    FeeWord.NETTING_POSTED: _NETTING,
    FeeWord.NETTING_DECLINED: _NETTING,
    FeeWord.NETTING_OVER: _NETTING,
    FeeWord.LEG_REMINDER: ("fee_netting.index", None, "Nettings"),
}
"""Where what a notice tells of is to be seen: the page, what its address takes of the notice, and what it is called."""


class WayForm(FlaskForm):  # type: ignore[misc]
    """How a person is told by e-mail."""

    way = RadioField(
        "How are you told by e-mail?",
        widget=GovRadioInput(),
        choices=[SelectChoice(way.value, way.label) for way in NoticeWay],
        validators=[InputRequired("Select how you are told")],
    )
    submit = SubmitField("Save", widget=GovSubmitInput())


@blueprint.route("", methods=["GET", "POST"])
@may(Verb.READ_LINKS, Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show what the person was told of, and take how they want to be told by e-mail."""
    with transaction() as session:
        page = list_notices(session, number=request.args.get("page", 1, type=int))
        form, feed = WayForm(way=find_way(session).value), find_feed(session)
    if form.validate_on_submit():
        with transaction() as session:
            choose_way(session, NoticeWay(form.way.data), now=utc_now())
        return redirect(url_for("notices.index"), 303)
    shown = render_template(
        "notices.html",
        page=page,
        places=_PLACES,
        of_links=allows(g.scope, Verb.READ_LINKS),
        of_fees=allows(g.scope, Verb.READ_FEES),
        form=form,
        feed=feed,
        mails=current_settings().mails,
        errors=error_summary(form),
        pagination=pagination(page, lambda number: url_for("notices.index", page=number)),
    )
    return shown, 422 if form.errors else 200
