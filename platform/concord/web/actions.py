"""The pages on which a meeting's actions are set and closed."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import SelectChoice, SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, Length

from concord.web.access import may
from concord.web.form import DayField, error_summary, lines, one_line
from concord.web.request import transaction
from matching.meeting import get_meeting
from matching.meeting_action import (
    MOST_CHARACTERS,
    ActionAboutUnknown,
    ActionInvalid,
    close_action,
    get_action,
    set_action,
    who_may_act,
)
from tenants.agency import Agency
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("actions", __name__)

_LENGTH = Length(max=MOST_CHARACTERS, message=f"Write at most {MOST_CHARACTERS:,} characters")


class ActionForm(FlaskForm):  # type: ignore[misc]
    """What is to be done, by whom and by when."""

    what = TextAreaField(
        "What is to be done?",
        widget=GovTextArea(),
        filters=[lines],
        validators=[DataRequired("Enter what is to be done"), _LENGTH],
    )
    about = StringField("Which group or household is it about?", widget=GovTextInput(), filters=[one_line])
    agency = SelectField("Which agency is to do it?", widget=GovSelect())
    person = StringField(
        "Who there sees to it?",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[Length(max=200, message="A name has at most 200 characters")],
    )
    due_on = DayField(
        "When is it due?",
        missing="Enter the day, month and year when it is due",
        impossible="Enter a real date, for example 27 3 2027",
    )
    submit = SubmitField("Set the action", widget=GovSubmitInput())


class CloseForm(FlaskForm):  # type: ignore[misc]
    """What came of an action."""

    outcome = TextAreaField(
        "What came of it?",
        widget=GovTextArea(),
        filters=[lines],
        validators=[DataRequired("Enter what came of it"), _LENGTH],
    )
    submit = SubmitField("Close the action", widget=GovSubmitInput())


@blueprint.route("/meetings/<uuid:meeting_id>/actions/new", methods=["GET", "POST"])
@may(Verb.KEEP_ACTIONS)
def new(meeting_id: UUID) -> ResponseReturnValue:
    """Take what a meeting leaves to do: the office for any member, an agency for itself."""
    form = ActionForm()
    with transaction() as session:
        meeting = get_meeting(session, meeting_id)
        agencies = who_may_act(session, meeting, on=utc_now().date())
    form.agency.choices = _choices(agencies)
    if form.validate_on_submit() and _set(form, meeting_id):
        return redirect(url_for("meetings.show", meeting_id=meeting_id, _anchor="actions"), 303)
    page = render_template("action-new.html", form=form, errors=error_summary(form), meeting=meeting, agencies=agencies)
    return page, 422 if form.errors else 200


@blueprint.route("/actions/<uuid:action_id>/close", methods=["GET", "POST"])
@may(Verb.KEEP_ACTIONS)
def close(action_id: UUID) -> ResponseReturnValue:
    """Take what came of an action, and close it."""
    form = CloseForm()
    with transaction() as session:
        action = get_action(session, action_id)
        meeting = get_meeting(session, action.meeting_id)
    if form.validate_on_submit():
        with transaction() as session:
            close_action(session, get_action(session, action_id), outcome=form.outcome.data, now=utc_now())
        return redirect(url_for("meetings.show", meeting_id=meeting.id, _anchor="actions"), 303)
    page = render_template("action-close.html", form=form, errors=error_summary(form), action=action, meeting=meeting)
    return page, 422 if form.errors else 200


def _choices(agencies: list[Agency]) -> list[SelectChoice]:
    # Several are to be chosen from with care, so none is chosen yet; one's own alone is no choice.
    ask = [SelectChoice("", "Choose an agency")] if len(agencies) > 1 else []
    return [*ask, *(SelectChoice(str(agency.id), agency.name) for agency in agencies)]


def _set(form: ActionForm, meeting_id: UUID) -> bool:
    if not form.agency.data:
        form.agency.errors = ["Choose the agency that is to do it"]
        return False
    try:
        with transaction() as session:
            set_action(
                session,
                get_meeting(session, meeting_id),
                what=form.what.data,
                agency_id=UUID(form.agency.data),
                due_on=form.due_on.data,
                about=form.about.data,
                person=form.person.data,
                now=utc_now(),
            )
    except ActionAboutUnknown as refusal:
        form.about.errors = [str(refusal)]
    except ActionInvalid as refusal:
        form.due_on.errors = [str(refusal)]
    return not form.errors
