"""The pages on which an administrator invites somebody, and reads what to tell them: no e-mail is sent."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovSubmitInput, GovTextInput
from wtforms import SelectMultipleField, StringField, SubmitField
from wtforms.validators import DataRequired, Length

from concord.web.access import may
from concord.web.form import error_summary, one_line
from concord.web.people import own_agency, role_choices
from concord.web.request import current_settings, transaction
from tenants.base import utc_now
from tenants.colleague import RolesInvalid
from tenants.invitation import (
    GOOD_FOR,
    AlreadyHere,
    AlreadyInvited,
    get_invitation,
    invite,
    renew_invitation,
    withdraw_invitation,
)
from tenants.permission import Verb
from tenants.permission import may as scope_may
from tenants.person import PersonInvalid
from tenants.role import Role

blueprint = Blueprint("invitations", __name__, url_prefix="/agency/invitations")

_LENGTH = Length(max=200, message="Write at most 200 characters")


class InvitationForm(FlaskForm):  # type: ignore[misc]
    """Who is asked to do what."""

    name = StringField(
        "Name", widget=GovTextInput(), filters=[one_line], validators=[DataRequired("Enter their name"), _LENGTH]
    )
    email = StringField(
        "E-mail address",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter the e-mail address of the account that they sign in with"), _LENGTH],
    )
    roles = SelectMultipleField(
        "What will they do?", widget=GovCheckboxesInput(), validators=[DataRequired("Choose at least one role")]
    )
    submit = SubmitField("Invite", widget=GovSubmitInput())


@blueprint.route("/new", methods=["GET", "POST"])
@may(Verb.MANAGE_PEOPLE)
def new() -> ResponseReturnValue:
    """Take whom to invite, to do what."""
    form = InvitationForm()
    with transaction() as session:
        form.roles.choices = role_choices(own_agency(session))
    invitation_id = _invite(form) if form.validate_on_submit() else None
    if invitation_id:
        return redirect(url_for("invitations.show", invitation_id=invitation_id), 303)
    page = render_template("invitation-new.html", form=form, errors=error_summary(form), days=GOOD_FOR.days)
    return page, 422 if form.errors else 200


@blueprint.get("/<uuid:invitation_id>")
@may(Verb.READ_PEOPLE)
def show(invitation_id: UUID) -> ResponseReturnValue:
    """Show an invitation, what to tell the person, and what has come of it."""
    now = utc_now()
    with transaction() as session:
        invitation = get_invitation(session, invitation_id)
        return render_template(
            "invitation.html",
            invitation=invitation,
            state=invitation.state(now=now).value,
            agency=own_agency(session),
            site_url=current_settings().site_url,
            keeps=scope_may(g.scope, Verb.MANAGE_PEOPLE),
        )


@blueprint.post("/<uuid:invitation_id>/renew")
@may(Verb.MANAGE_PEOPLE)
def renew(invitation_id: UUID) -> ResponseReturnValue:
    """Make an invitation good for its whole time again."""
    with transaction() as session:
        renew_invitation(session, get_invitation(session, invitation_id), now=utc_now())
    flash(f"The invitation is good for {GOOD_FOR.days} days from now. Tell them again.")
    return redirect(url_for("invitations.show", invitation_id=invitation_id), 303)


@blueprint.post("/<uuid:invitation_id>/withdraw")
@may(Verb.MANAGE_PEOPLE)
def withdraw(invitation_id: UUID) -> ResponseReturnValue:
    """Take an invitation back."""
    with transaction() as session:
        invitation = get_invitation(session, invitation_id)
        withdraw_invitation(session, invitation, now=utc_now())
    flash(f"The invitation of {invitation.name} is withdrawn.")
    return redirect(url_for("people.index"), 303)


def _invite(form: InvitationForm) -> UUID | None:
    try:
        with transaction() as session:
            return invite(
                session,
                agency=own_agency(session),
                name=form.name.data,
                email=form.email.data,
                roles={Role(role) for role in form.roles.data or ()},
                now=utc_now(),
            ).id
    except RolesInvalid as refusal:
        form.roles.errors = [str(refusal)]
    except (PersonInvalid, AlreadyHere, AlreadyInvited) as refusal:
        form.email.errors = [str(refusal)]
    return None
