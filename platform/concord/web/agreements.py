"""The pages of the ledger of a household's agreement."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.access import may
from concord.web.form import DayField, one_line
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.agreement import (
    AfterWithdrawal,
    AgreedHow,
    AgreedTo,
    AgreementInvalid,
    AgreementWithdrawn,
    get_agreement,
    own_household,
    read_ledger,
    record_agreement,
    standing_agreements,
    withdraw_agreement,
)
from matching.colleague import colleague_names
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("agreements", __name__)

_WHO = {"filters": [one_line], "widget": GovTextInput()}
_LENGTH = Length(max=200, message="A name has at most 200 characters")
_HOW = [SelectChoice(how.value, how.label) for how in AgreedHow]


class AgreementForm(FlaskForm):  # type: ignore[misc]
    """Who agreed to what, how and when."""

    agreed_to = RadioField(
        "What did they agree to?",
        widget=GovRadioInput(),
        choices=[SelectChoice(each.value, each.label) for each in AgreedTo],
        validators=[InputRequired("Say what they agreed to")],
    )
    who = StringField("Who agreed?", validators=[DataRequired("Enter who agreed"), _LENGTH], **_WHO)
    how = RadioField("How?", widget=GovRadioInput(), choices=_HOW, validators=[InputRequired("Say how")])
    said_on = DayField(
        "When?",
        missing="Enter the day, month and year on which they agreed",
        impossible="Enter a real date, for example 27 3 2026",
    )
    submit = SubmitField("Record the agreement", widget=GovSubmitInput())


class WithdrawForm(FlaskForm):  # type: ignore[misc]
    """Who withdrew it, how and when, and what becomes of sharing."""

    who = StringField("Who withdrew it?", validators=[DataRequired("Enter who withdrew it"), _LENGTH], **_WHO)
    how = RadioField("How?", widget=GovRadioInput(), choices=_HOW, validators=[InputRequired("Say how")])
    said_on = DayField(
        "When?",
        missing="Enter the day, month and year on which they withdrew it",
        impossible="Enter a real date, for example 27 3 2026",
    )
    after = RadioField(
        "What do you do about sharing?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(AfterWithdrawal.HOLD_BACK.value, "Hold the household back from this pool"),
            SelectChoice(AfterWithdrawal.GO_ON.value, "Go on sharing, as the law allows"),
        ],
        validators=[InputRequired("Say what you do about sharing")],
    )
    reason = words_field("Why?", missing="Enter why")
    submit = SubmitField("Record the withdrawal", widget=GovSubmitInput())


@blueprint.get("/households/<uuid:household_id>/agreements")
@may(Verb.READ_AGREEMENTS)
def index(household_id: UUID) -> ResponseReturnValue:
    """Show what adopters of one's own agency's household agreed to, and what of it stands."""
    with transaction() as session:
        household = own_household(session, household_id)
        ledger, names = read_ledger(session, household, now=utc_now()), colleague_names(session)
    return render_template(
        "agreements.html",
        household=household,
        ledger=ledger,
        names=names,
        standing=standing_agreements(ledger),
        all=list(AgreedTo),
        keeps=scope_may(g.scope, Verb.KEEP_AGREEMENTS),
    )


@blueprint.route("/households/<uuid:household_id>/agreements/new", methods=["GET", "POST"])
@may(Verb.KEEP_AGREEMENTS)
def new(household_id: UUID) -> ResponseReturnValue:
    """Take an agreement."""
    form = AgreementForm()
    with transaction() as session:
        household = own_household(session, household_id)
    back = url_for("agreements.index", household_id=household_id)
    if form.validate_on_submit() and _record(form, household_id):
        return redirect(back, 303)
    return short_form(
        form,
        title="Record an agreement",
        back=(back, f"Agreement of {household.code}"),
        lead="It is recorded beside the lawful basis and is not the lawful basis: sharing rests on the public task.",
        hints={"said_on": "For example, 27 3 2026", "who": "Their name. It is sealed"},
    )


@blueprint.route("/households/<uuid:household_id>/agreements/<uuid:entry_id>/withdraw", methods=["GET", "POST"])
@may(Verb.KEEP_AGREEMENTS)
def withdraw(household_id: UUID, entry_id: UUID) -> ResponseReturnValue:
    """Take a withdrawal, and what is done about sharing."""
    form = WithdrawForm()
    with transaction() as session:
        household = own_household(session, household_id)
        entry = get_agreement(session, household, entry_id)
    back = url_for("agreements.index", household_id=household_id)
    if form.validate_on_submit() and _withdraw(form, household_id, entry_id):
        return redirect(back, 303)
    return short_form(
        form,
        title=f"Withdrawn: {entry.agreed_to.label.lower()}",
        back=(back, f"Agreement of {household.code}"),
        lead="A withdrawal changes nothing by itself: sharing rests on the public task. You decide, and say why.",
        hints={"said_on": "For example, 27 3 2026", "who": "Their name. It is sealed"},
    )


def _record(form: AgreementForm, household_id: UUID) -> bool:
    try:
        with transaction() as session:
            record_agreement(
                session,
                own_household(session, household_id),
                agreed_to=AgreedTo(form.agreed_to.data),
                who=form.who.data,
                said_on=form.said_on.data,
                how=AgreedHow(form.how.data),
                now=utc_now(),
            )
    except AgreementInvalid as refusal:
        form.said_on.errors = [str(refusal)]
    return not form.errors


def _withdraw(form: WithdrawForm, household_id: UUID, entry_id: UUID) -> bool:
    try:
        with transaction() as session:
            household = own_household(session, household_id)
            withdraw_agreement(
                session,
                get_agreement(session, household, entry_id),
                who=form.who.data,
                said_on=form.said_on.data,
                how=AgreedHow(form.how.data),
                after=AfterWithdrawal(form.after.data),
                reason=form.reason.data,
                now=utc_now(),
            )
    except (AgreementInvalid, AgreementWithdrawn) as refusal:
        form.said_on.errors = [str(refusal)]
    return not form.errors
