"""The pages on which an agency holds records back from destruction, and says for which an adoption order was made."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired

from concord.web.access import may
from concord.web.form import DayField, one_line
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.colleague import colleague_names
from matching.record_audit import RecordUnknown
from matching.retention.adoption_order import OrderInvalid, OrderRecorded, record_order
from matching.retention.hold import HoldStands, get_hold, lift_hold, own_record, place_hold, read_holds
from matching.retention.record_class import RecordClass, title_of
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("retention_holds", __name__)

_ONE = "one"


class HoldForm(FlaskForm):  # type: ignore[misc]
    """What is not to be destroyed, and why."""

    what = RadioField(
        "What is to be held?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(_ONE, "One record"),
            *(SelectChoice(each.value, f"All of them: {title_of(each).lower()}") for each in RecordClass),
        ],
        validators=[InputRequired("Say what is to be held")],
    )
    code = StringField("Code or your own reference, for one record", widget=GovTextInput(), filters=[one_line])
    reason = words_field("Why, and who asked for it?", missing="Enter why it is held, and who asked for that")
    submit = SubmitField("Hold", widget=GovSubmitInput())


class LiftForm(FlaskForm):  # type: ignore[misc]
    """Why a hold is lifted."""

    reason = words_field("Why is it lifted?", missing="Enter why it is lifted")
    submit = SubmitField("Lift the hold", widget=GovSubmitInput())


class OrderForm(FlaskForm):  # type: ignore[misc]
    """For which record an adoption order was made, and when."""

    code = StringField(
        "Code or your own reference",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter a code or your own reference")],
    )
    ordered_on = DayField(
        "When was the order made?",
        missing="Enter the day, month and year of the order",
        impossible="Enter a real date, for example 27 3 2026",
    )
    submit = SubmitField("Record the order", widget=GovSubmitInput())


@blueprint.get("/retention/holds")
@may(Verb.KEEP_RETENTION)
def index() -> ResponseReturnValue:
    """Show the holds that stand and those that were lifted."""
    with transaction() as session:
        holds, names = read_holds(session, now=utc_now()), colleague_names(session)
    return render_template("retention-holds.html", holds=holds, names=names, title_of=title_of)


@blueprint.route("/retention/holds/new", methods=["GET", "POST"])
@may(Verb.KEEP_RETENTION)
def new() -> ResponseReturnValue:
    """Hold a record, or all of a class."""
    form = HoldForm()
    if form.validate_on_submit() and _place(form):
        return redirect(url_for("retention_holds.index"), 303)
    return short_form(
        form,
        title="Hold records back from destruction",
        back=(url_for("retention_holds.index"), "Holds"),
        lead="While a hold stands nothing that it covers is destroyed, even where two people have agreed to it.",
        hints={"code": "For example H-7K2M4P or G-3QX8ZA"},
    )


@blueprint.route("/retention/holds/<uuid:hold_id>/lift", methods=["GET", "POST"])
@may(Verb.KEEP_RETENTION)
def lift(hold_id: UUID) -> ResponseReturnValue:
    """Lift a hold."""
    form = LiftForm()
    with transaction() as session:
        hold = get_hold(session, hold_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                lift_hold(session, get_hold(session, hold_id), reason=form.reason.data, now=utc_now())
            return redirect(url_for("retention_holds.index"), 303)
        except HoldStands as refusal:
            form.reason.errors = [str(refusal)]
    what = hold.code or (title_of(hold.record_class) if hold.record_class else "")
    return short_form(form, title=f"Lift the hold on {what}", back=(url_for("retention_holds.index"), "Holds"))


@blueprint.route("/retention/orders/new", methods=["GET", "POST"])
@may(Verb.KEEP_RETENTION)
def order() -> ResponseReturnValue:
    """Record that an adoption order was made for one of the agency's own records."""
    form = OrderForm()
    if form.validate_on_submit() and _record(form):
        return redirect(url_for("retention.index"), 303)
    return short_form(
        form,
        title="Record an adoption order",
        back=(url_for("retention.index"), "Retention"),
        lead="From the day of the order the record is an adoption record, and is kept for at least 100 years.",
        warning="An order that is recorded by mistake takes two people to set aside. Check the code and the date.",
        hints={"code": "For example H-7K2M4P or G-3QX8ZA", "ordered_on": "For example, 27 3 2026"},
    )


def _place(form: HoldForm) -> bool:
    one = form.what.data == _ONE
    if one and not form.code.data:
        form.code.errors = ["Enter the record’s code or your own reference"]
        return False
    try:
        with transaction() as session:
            place_hold(
                session,
                reference=form.code.data if one else None,
                record_class=None if one else RecordClass(form.what.data),
                reason=form.reason.data,
                now=utc_now(),
            )
    except RecordUnknown as unknown:
        form.code.errors = [str(unknown)]
    except HoldStands as stands:
        form.what.errors = [str(stands)]
    return not form.errors


def _record(form: OrderForm) -> bool:
    try:
        with transaction() as session:
            record_order(session, own_record(session, form.code.data), ordered_on=form.ordered_on.data, now=utc_now())
    except RecordUnknown as unknown:
        form.code.errors = [str(unknown)]
    except (OrderInvalid, OrderRecorded) as refusal:
        form.ordered_on.errors = [str(refusal)]
    return not form.errors
