"""The pages on which two people of an agency decide that it leaves a consortium, or the service."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextArea
from sqlalchemy.orm import Session
from wtforms import RadioField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.access import may
from concord.web.form import DayField, error_summary, lines
from concord.web.request import transaction
from tenants.agency import get_agency
from tenants.base import utc_now
from tenants.consortium import Consortium, list_consortia_of
from tenants.departure import (
    DepartureInvalid,
    agree_to_departure,
    get_departure,
    list_departures,
    propose_departure,
    withdraw_departure,
)
from tenants.error import Conflict
from tenants.permission import Verb
from tenants.person import names_of

blueprint = Blueprint("leaving", __name__)
_SERVICE = "service"


class LeavingForm(FlaskForm):  # type: ignore[misc]
    """What an agency leaves, when and why."""

    what = RadioField(
        "What does your agency leave?",
        widget=GovRadioInput(),
        validators=[InputRequired("Select what your agency leaves")],
    )
    leaves_on = DayField(
        "From which day is it no longer there?",
        missing="Enter the day, month and year",
        impossible="Enter a real date, for example 1 4 2027",
    )
    reason = TextAreaField(
        "Why?",
        widget=GovTextArea(),
        filters=[lines],
        validators=[
            DataRequired("Say why your agency leaves"),
            Length(max=2000, message="Use 2,000 characters at most"),
        ],
    )
    submit = SubmitField("Propose this", widget=GovSubmitInput())


@blueprint.route("/agency/leaving", methods=["GET", "POST"])
@may(Verb.DECIDE_LIFE)
def index() -> ResponseReturnValue:
    """Show the agency's plans to leave, and take a new one."""
    form = LeavingForm()
    with transaction() as session:
        form.what.choices = _choices(_consortia(session))
    if form.validate_on_submit() and _propose(form):
        return redirect(url_for("leaving.index"), 303)
    with transaction() as session:
        plans = list_departures(session)
        asked = [person for each in plans for person in (each.proposed_by, each.agreed_by, each.withdrawn_by)]
        names = names_of(session, asked)
        consortia = {each.id: each.name for each in _consortia(session)}
    return render_template(
        "leaving.html",
        form=form,
        errors=error_summary(form),
        plans=plans,
        names=names,
        consortia=consortia,
        today=utc_now().date(),
        me=g.scope.person_id,
    ), 422 if form.errors else 200


@blueprint.post("/agency/leaving/<uuid:departure_id>/agree")
@may(Verb.DECIDE_LIFE)
def agree(departure_id: UUID) -> ResponseReturnValue:
    """Take the second person's word."""
    with transaction() as session:
        agree_to_departure(session, get_departure(session, departure_id), now=utc_now())
    return redirect(url_for("leaving.index"), 303)


@blueprint.post("/agency/leaving/<uuid:departure_id>/withdraw")
@may(Verb.DECIDE_LIFE)
def withdraw(departure_id: UUID) -> ResponseReturnValue:
    """Take a plan back."""
    with transaction() as session:
        withdraw_departure(session, get_departure(session, departure_id), now=utc_now())
    return redirect(url_for("leaving.index"), 303)


def _propose(form: LeavingForm) -> bool:
    try:
        with transaction() as session:
            propose_departure(
                session,
                leaves_on=form.leaves_on.data,
                reason=form.reason.data,
                consortium_id=None if form.what.data == _SERVICE else UUID(form.what.data),
                now=utc_now(),
            )
    except DepartureInvalid as refusal:
        form.leaves_on.errors = [str(refusal)]
    except Conflict as refusal:
        form.what.errors = [str(refusal)]
    return not form.errors


def _consortia(session: Session) -> list[Consortium]:
    return list_consortia_of(session, get_agency(session, g.scope.agency_id), on=utc_now().date())


def _choices(consortia: list[Consortium]) -> list[tuple[str, str]]:
    return [*((str(each.id), each.name) for each in consortia), (_SERVICE, "Concord, and every consortium in it")]
