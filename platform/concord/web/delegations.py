"""The page on which two agencies agree that one acts for the other, see who does, and end it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovCheckboxInput, GovSelect, GovSubmitInput
from wtforms import BooleanField, SelectChoice, SelectField, SelectMultipleField, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import DayField, error_summary
from concord.web.request import transaction
from tenants.agency import get_agency, list_agencies
from tenants.base import utc_now
from tenants.delegation import (
    DELEGABLE,
    DelegationInvalid,
    delegate,
    end_delegation,
    get_delegation,
    list_delegations,
    people_acting_by,
    sign_delegation,
)
from tenants.permission import Verb
from tenants.person import names_of
from tenants.role import Role

blueprint = Blueprint("delegations", __name__)


class DelegationForm(FlaskForm):  # type: ignore[misc]
    """Which agency is to act, in which roles and from when."""

    agency = SelectField(
        "Which agency is to act for yours?", widget=GovSelect(), validators=[InputRequired("Select an agency")]
    )
    roles = SelectMultipleField(
        "In which roles?",
        widget=GovCheckboxesInput(),
        choices=[SelectChoice(role.value, role.label) for role in DELEGABLE],
        validators=[InputRequired("Select one role or more")],
    )
    starts_on = DayField(
        "From which day?",
        missing="Enter the day, month and year",
        impossible="Enter a real date, for example 1 4 2027",
    )
    by_own_service = BooleanField("They may come in by their own agency’s sign-in service", widget=GovCheckboxInput())
    submit = SubmitField("Propose this", widget=GovSubmitInput())


@blueprint.route("/agency/delegations", methods=["GET", "POST"])
@may(Verb.DECIDE_LIFE)
def index() -> ResponseReturnValue:
    """Show who acts for whom, and take a new proposal."""
    form = DelegationForm()
    with transaction() as session:
        agencies = {each.id: each.name for each in list_agencies(session)}
    others = [SelectChoice(str(each), name) for each, name in agencies.items() if each != g.scope.agency_id]
    form.agency.choices = [SelectChoice("", "Select an agency"), *others]
    if form.validate_on_submit() and _propose(form):
        return redirect(url_for("delegations.index"), 303)
    with transaction() as session:
        found = list_delegations(session)
        people = {each.id: people_acting_by(session, each, on=utc_now().date()) for each in found}
        names = names_of(session, [who for each in found for who in (each.given_by, each.taken_by, each.ended_by)])
    return render_template(
        "delegations.html",
        form=form,
        errors=error_summary(form),
        delegations=found,
        people=people,
        names=names,
        agencies=agencies,
        others=others,
        labels={role.value: role.label for role in Role},
        today=utc_now().date(),
        own=g.scope.agency_id,
    ), 422 if form.errors else 200


@blueprint.post("/agency/delegations/<uuid:delegation_id>/sign")
@may(Verb.DECIDE_LIFE)
def sign(delegation_id: UUID) -> ResponseReturnValue:
    """Take the word of the person's own side."""
    with transaction() as session:
        sign_delegation(session, get_delegation(session, delegation_id), now=utc_now())
    return redirect(url_for("delegations.index"), 303)


@blueprint.post("/agency/delegations/<uuid:delegation_id>/end")
@may(Verb.DECIDE_LIFE)
def end(delegation_id: UUID) -> ResponseReturnValue:
    """End a delegation at once."""
    with transaction() as session:
        end_delegation(session, get_delegation(session, delegation_id), now=utc_now())
    return redirect(url_for("delegations.index"), 303)


def _propose(form: DelegationForm) -> bool:
    now = utc_now()
    try:
        with transaction() as session:
            made = delegate(
                session,
                get_agency(session, UUID(form.agency.data)),
                acts_for=get_agency(session, g.scope.agency_id),
                roles=[Role(each) for each in form.roles.data],
                starts_on=form.starts_on.data,
                by_own_service=form.by_own_service.data,
                now=now,
            )
            sign_delegation(session, made, now=now)
    except DelegationInvalid as refusal:
        form.starts_on.errors = [str(refusal)]
    return not form.errors
