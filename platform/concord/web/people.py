"""The pages of an agency's people: who works there, what each may do, who leaves."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import SelectMultipleField, SubmitField
from wtforms.validators import DataRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.request import transaction
from tenants.agency import Agency, get_agency
from tenants.base import utc_now
from tenants.colleague import (
    Colleague,
    LastAdministrator,
    RolesInvalid,
    change_roles,
    get_colleague,
    leave,
    list_colleagues,
    list_history,
    list_leavers,
    roles_of,
)
from tenants.invitation import list_invitations
from tenants.open_session import end_sessions_at, list_open_sessions
from tenants.permission import Verb
from tenants.permission import may as scope_may
from tenants.role import Role

blueprint = Blueprint("people", __name__, url_prefix="/agency/people")


class RolesForm(FlaskForm):  # type: ignore[misc]
    """What a person is to do."""

    roles = SelectMultipleField(
        "What do they do?",
        widget=GovCheckboxesInput(),
        validators=[DataRequired("Choose at least one role. When somebody leaves, end their work here instead")],
    )
    submit = SubmitField("Save", widget=GovSubmitInput())

    @property
    def chosen(self) -> set[Role]:
        """Return the roles that are ticked."""
        return {Role(role) for role in self.roles.data or ()}


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """A step that is asked about once."""

    submit = SubmitField("End their work here", widget=GovSubmitInput())


@blueprint.get("")
@may(Verb.READ_PEOPLE)
def index() -> ResponseReturnValue:
    """Show who works for the agency, whom it has invited and who has left."""
    now = utc_now()
    with transaction() as session:
        agency = own_agency(session)
        return render_template(
            "people.html",
            agency=agency,
            colleagues=list_colleagues(session, agency_id=agency.id, on=now.date()),
            invitations=[(each, each.state(now=now)) for each in list_invitations(session, agency_id=agency.id)],
            leavers=list_leavers(session, agency_id=agency.id, on=now.date()),
            keeps=scope_may(g.scope, Verb.MANAGE_PEOPLE),
        )


@blueprint.get("/<uuid:person_id>")
@may(Verb.READ_PEOPLE)
def show(person_id: UUID) -> ResponseReturnValue:
    """Show what a person does and did in the agency, and to an administrator where they are signed in."""
    now = utc_now()
    keeps = scope_may(g.scope, Verb.MANAGE_PEOPLE)
    with transaction() as session:
        return render_template(
            "colleague.html",
            agency=own_agency(session),
            colleague=_colleague(session, person_id),
            history=list_history(session, person_id, agency_id=g.scope.agency_id),
            sessions=list_open_sessions(session, person_id, now=now) if keeps else [],
            keeps=keeps and person_id != g.scope.person_id,
            today=now.date(),
        )


@blueprint.route("/<uuid:person_id>/roles", methods=["GET", "POST"])
@may(Verb.MANAGE_PEOPLE)
def roles(person_id: UUID) -> ResponseReturnValue:
    """Take what a person does from today."""
    with transaction() as session:
        agency, colleague = own_agency(session), _colleague(session, person_id)
    form = RolesForm(roles=sorted(colleague.roles))
    form.roles.choices = role_choices(agency, held=colleague.roles)
    if form.validate_on_submit() and _change(form, agency, colleague):
        flash(f"{colleague.person.name}’s roles are changed.")
        return redirect(url_for("people.show", person_id=person_id), 303)
    page = render_template("colleague-roles.html", form=form, errors=error_summary(form), colleague=colleague)
    return page, 422 if form.errors else 200


@blueprint.route("/<uuid:person_id>/leave", methods=["GET", "POST"])
@may(Verb.MANAGE_PEOPLE)
def end(person_id: UUID) -> ResponseReturnValue:
    """Ask once, then end what a person does in the agency, and their sign-ins with it."""
    with transaction() as session:
        agency, colleague = own_agency(session), _colleague(session, person_id)
    form = ConfirmForm()
    if form.validate_on_submit() and _leave(form, agency, colleague):
        flash(f"{colleague.person.name} no longer works for {agency.name}, and is signed out here.")
        return redirect(url_for("people.index"), 303)
    page = render_template("colleague-leave.html", form=form, agency=agency, colleague=colleague)
    return page, 422 if form.errors else 200


@blueprint.post("/<uuid:person_id>/sign-out")
@may(Verb.MANAGE_PEOPLE)
def sign_out(person_id: UUID) -> ResponseReturnValue:
    """End the sign-ins in which a person acts for the agency."""
    with transaction() as session:
        name = _colleague(session, person_id).person.name
        ended = end_sessions_at(session, person_id=person_id, agency_id=g.scope.agency_id, now=utc_now())
    flash(f"{name} is signed out of {ended} {'place' if ended == 1 else 'places'}.")
    return redirect(url_for("people.show", person_id=person_id), 303)


def own_agency(session: Session) -> Agency:
    """Return the agency that the person acts for."""
    return get_agency(session, g.scope.agency_id)


def role_choices(agency: Agency, *, held: frozenset[Role] = frozenset()) -> list[tuple[str, str]]:
    """Return the roles to choose from: those that the agency has to give, and what the person holds already."""
    offered = roles_of(agency.kind)
    return [(role.value, role.label) for role in Role if role in offered or role in held]


def _colleague(session: Session, person_id: UUID) -> Colleague:
    return get_colleague(session, person_id, agency_id=g.scope.agency_id, on=utc_now().date())


def _change(form: RolesForm, agency: Agency, colleague: Colleague) -> bool:
    try:
        with transaction() as session:
            change_roles(session, colleague.person, agency=agency, roles=form.chosen, on=utc_now().date())
    except (RolesInvalid, LastAdministrator) as refusal:
        form.roles.errors = [str(refusal)]
    return not form.errors


def _leave(form: ConfirmForm, agency: Agency, colleague: Colleague) -> bool:
    try:
        with transaction() as session:
            leave(session, colleague.person, agency=agency, now=utc_now())
    except LastAdministrator as refusal:
        form.submit.errors = [str(refusal)]
    return not form.errors
