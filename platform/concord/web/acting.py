"""Whose work the person does: chosen by who holds roles in several agencies, and always visible."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, current_app, g, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput
from wtforms import RadioField, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import signed_in
from concord.web.request import current_database, give_token, sign_in_token, transaction
from tenants.agency import Agency
from tenants.base import utc_now
from tenants.consortium import Consortium, list_consortia_of
from tenants.delegation import agencies_by_delegation
from tenants.person import list_appointments
from tenants.role import Role
from tenants.scope import Scope
from tenants.sign_in import act_for

blueprint = Blueprint("acting", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """An agency that the person works for, in one of its consortia, and what they do there."""

    agency: Agency
    consortium: Consortium | None
    roles: frozenset[Role]
    by_delegation: bool = False
    """They belong to another agency that acts for this one."""

    @property
    def value(self) -> str:
        """Return what a form sends for this choice."""
        return f"{self.agency.id}:{self.consortium.id if self.consortium else ''}"

    @property
    def words(self) -> str:
        """Return the choice as a person reads it."""
        where = f"{self.agency.name}, in {self.consortium.name}," if self.consortium else self.agency.name
        how = ", by delegation" if self.by_delegation else ""
        return f"{where} as {' and '.join(sorted(role.label.lower() for role in self.roles))}{how}"


class ActingForm(FlaskForm):  # type: ignore[misc]
    """The agencies, in their consortia, whose work the person may do."""

    choice = RadioField(
        "Whose work are you doing?",
        widget=GovRadioInput(),
        validators=[InputRequired("Select the agency whose work you are doing")],
    )
    submit = SubmitField("Continue", widget=GovSubmitInput())


@blueprint.route("/acting", methods=["GET", "POST"])
@signed_in
def choose() -> ResponseReturnValue:
    """Show the agencies that the person works for, and take their choice."""
    choices = {choice.value: choice for choice in _list_choices(g.scope.person_id, on=utc_now().date())}
    form = ActingForm()
    form.choice.choices = [(value, choice.words) for value, choice in choices.items()]
    if form.validate_on_submit():
        token = _act(choices[form.choice.data])
        session["chosen"] = True
        session["by_delegation"] = choices[form.choice.data].by_delegation
        # What another tab shows still is the former agency's: none of its forms is to be taken as this one's.
        session.pop(current_app.config["WTF_CSRF_FIELD_NAME"], None)
        response = redirect(session.pop("next", None) or url_for("home.page"), 303)
        give_token(response, token)
        return response
    return render_template("acting.html", form=form, choices=choices), 422 if form.errors else 200


def _act(choice: Choice) -> str:
    with transaction() as database:
        return act_for(
            database,
            token=sign_in_token() or "",
            agency_id=choice.agency.id,
            consortium_id=choice.consortium.id if choice.consortium else None,
            now=utc_now(),
        )


def _list_choices(person_id: UUID, *, on: date) -> list[Choice]:
    roles: dict[UUID, set[Role]] = defaultdict(set)
    agencies: dict[UUID, Agency] = {}
    with transaction() as database:
        for agency, role in list_appointments(database, person_id, on=on):
            agencies[agency.id] = agency
            roles[agency.id].add(role)
        delegated = agencies_by_delegation(database, person_id, on=on)
    return [
        Choice(
            agency=agency,
            consortium=consortium,
            roles=frozenset(roles[agency.id]),
            by_delegation=agency.id in delegated,
        )
        for agency in agencies.values()
        for consortium in _list_consortia(agency, person_id, on=on)
    ]


def _list_consortia(agency: Agency, person_id: UUID, *, on: date) -> list[Consortium] | list[None]:
    # Only an agency's own scope sees its memberships; the person was just found to hold a role in it.
    with current_database().transaction(Scope(agency_id=agency.id, person_id=person_id)) as database:
        return list_consortia_of(database, agency, on=on) or [None]
