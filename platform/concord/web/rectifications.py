"""The pages on which an agency takes and decides on corrections that people ask for."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.access import may
from concord.web.form import DayField, error_summary, one_line
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.colleague import colleague_names
from matching.record_audit import RecordUnknown
from matching.rectification import (
    RectificationDecided,
    RectificationInvalid,
    Rectified,
    ask_rectification,
    decide_rectification,
    get_rectification,
    list_rectifications,
    read_rectification,
    seen_by,
)
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("rectifications", __name__)


class CorrectionForm(FlaskForm):  # type: ignore[misc]
    """What is to be corrected on which record, and what they say about it."""

    code = StringField(
        "Code or your own reference of the record",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter a code or your own reference")],
    )
    field = StringField(
        "What is to be corrected?",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter what is to be corrected"), Length(max=200, message="At most 200 characters")],
    )
    before = words_field("What stands there now?", missing="Enter what stands there now")
    after = words_field("What is to stand there?", missing="Enter what is to stand there")
    statement = words_field("What do they say about it?", missing="Enter what they say about it")
    asked_on = DayField(
        "When did they ask?",
        missing="Enter the day, month and year on which they asked",
        impossible="Enter a real date, for example 27 3 2026",
    )
    submit = SubmitField("Take the correction", widget=GovSubmitInput())


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """What is decided of a correction, and why."""

    decision = RadioField(
        "What do you decide?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(Rectified.DONE.value, "It is right, and the record has been corrected"),
            SelectChoice(Rectified.REFUSED.value, "It is refused; their statement is kept"),
        ],
        validators=[InputRequired("Say what you decide")],
    )
    reason = words_field("Why?", missing="Enter why")
    submit = SubmitField("Decide", widget=GovSubmitInput())


@blueprint.get("/rectifications")
@may(Verb.ANSWER_SUBJECTS)
def index() -> ResponseReturnValue:
    """Show the corrections, those that wait first."""
    with transaction() as session:
        found = list_rectifications(session)
    return render_template("rectifications.html", found=found, today=utc_now().date())


@blueprint.route("/rectifications/new", methods=["GET", "POST"])
@may(Verb.ANSWER_SUBJECTS)
def new() -> ResponseReturnValue:
    """Take a correction."""
    form = CorrectionForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                said = {name: form[name].data for name in ("field", "before", "after", "statement", "asked_on")}
                row = ask_rectification(session, form.code.data, **said, now=utc_now())
            return redirect(url_for("rectifications.show", row_id=row.id), 303)
        except RecordUnknown as unknown:
            form.code.errors = [str(unknown)]
        except RectificationInvalid as refusal:
            form.asked_on.errors = [str(refusal)]
    return short_form(
        form,
        title="Take a correction",
        back=(url_for("rectifications.index"), "Rectification"),
        lead="It is due one month after they asked. What you write here is sealed.",
        hints={"code": "For example H-7K2M4P or G-3QX8ZA", "asked_on": "For example, 27 3 2026"},
    )


@blueprint.route("/rectifications/<uuid:row_id>", methods=["GET", "POST"])
@may(Verb.ANSWER_SUBJECTS)
def show(row_id: UUID) -> ResponseReturnValue:
    """Show a correction and who saw the record, and take what is decided."""
    form = DecisionForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                row = get_rectification(session, row_id)
                chosen = Rectified(form.decision.data)
                decide_rectification(session, row, decision=chosen, reason=form.reason.data, now=utc_now())
            return redirect(url_for("rectifications.show", row_id=row_id), 303)
        except RectificationDecided as refusal:
            form.decision.errors = [str(refusal)]
    with transaction() as session:
        said = read_rectification(session, get_rectification(session, row_id), now=utc_now())
        others, names = seen_by(session, said.row), colleague_names(session)
    page = render_template(
        "rectification.html", said=said, others=others, names=names, form=form, errors=error_summary(form)
    )
    return page, 422 if form.errors else 200
