"""The pages on which an agency says, before a meeting, which of its households are still there to be considered."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary, one_line
from concord.web.request import transaction
from matching.availability_check import (
    AvailabilityInvalid,
    NotTheirAgency,
    confirm_availability,
    confirm_days,
    list_checks,
)
from matching.household import Household, get_household
from tenants.base import utc_now
from tenants.database import scope_of
from tenants.permission import Verb

blueprint = Blueprint("availability", __name__)


class AvailabilityForm(FlaskForm):  # type: ignore[misc]
    """Whether a household is still there to be considered, and how busy it is."""

    available = RadioField(
        "Are they still there to be considered?",
        widget=GovRadioInput(),
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No, not at present")],
        validators=[InputRequired("Say whether they are still there to be considered")],
    )
    considered_for = StringField(
        "For how many groups are they being considered?", widget=GovTextInput(), filters=[one_line]
    )
    submit = SubmitField("Confirm", widget=GovSubmitInput())


@blueprint.get("/availability")
@may(Verb.CONFIRM_AVAILABILITY)
def index() -> ResponseReturnValue:
    """Show the agency's own households, those to confirm first."""
    now = utc_now()
    with transaction() as session:
        checks, days = list_checks(session, as_of=now.date(), now=now), confirm_days(session)
    return render_template("availability.html", checks=checks, days=days, due=[each for each in checks if each.due])


@blueprint.route("/households/<uuid:household_id>/availability", methods=["GET", "POST"])
@may(Verb.CONFIRM_AVAILABILITY)
def confirm(household_id: UUID) -> ResponseReturnValue:
    """Take how available one of the agency's own households is."""
    with transaction() as session:
        household = get_household(session, household_id)
        if household.agency_id != scope_of(session).agency_id:
            raise NotTheirAgency("The household’s own agency says how available it is. Ask it to confirm.")
    said = household.considered_for
    form = AvailabilityForm(considered_for="" if said is None else str(said))
    if form.validate_on_submit() and _confirm(form, household_id):
        return redirect(url_for("availability.index", _anchor=household.code), 303)
    return _page(form, household), 422 if form.errors else 200


def _confirm(form: AvailabilityForm, household_id: UUID) -> bool:
    available, said = form.available.data == "yes", (form.considered_for.data or "").strip()
    if available and not (said.isascii() and said.isdigit() and len(said) <= 3):
        form.considered_for.errors = ["Enter for how many groups they are being considered, for example 0 or 2"]
        return False
    try:
        with transaction() as session:
            household = get_household(session, household_id)
            count = int(said) if available else None
            confirm_availability(session, household, available=available, considered_for=count, now=utc_now())
    except AvailabilityInvalid as refusal:
        form.considered_for.errors = [str(refusal)]
    return not form.errors


def _page(form: AvailabilityForm, household: Household) -> str:
    return render_template("availability-confirm.html", form=form, errors=error_summary(form), household=household)
