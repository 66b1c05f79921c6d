"""The pages of API access: which programs may ask in the agency's name, what of, until when, and with which secret."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovSubmitInput, GovTextInput
from wtforms import SelectChoice, SelectMultipleField, StringField, SubmitField
from wtforms.validators import DataRequired, Length

from concord.web.access import may
from concord.web.form import error_summary, one_line
from concord.web.request import current_settings, transaction
from tenants.api_client import (
    LONGEST_DAYS,
    LONGEST_NAME,
    OVERLAP_DAYS,
    USUAL_DAYS,
    ClientInvalid,
    NewSecret,
    add_client,
    end_client,
    get_client,
    list_clients,
    list_secrets,
    rotate_secret,
    scope_words,
)
from tenants.api_scope import ApiScope
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("clients", __name__, url_prefix="/agency/clients")


class ClientForm(FlaskForm):  # type: ignore[misc]
    """What makes a client."""

    name = StringField(
        "What is the program called?",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[
            DataRequired("Enter what the program is called, for example Case system"),
            Length(max=LONGEST_NAME, message=f"Write at most {LONGEST_NAME} characters"),
        ],
    )
    scopes = SelectMultipleField(
        "What may it do?",
        widget=GovCheckboxesInput(),
        choices=[SelectChoice(scope.value, scope.words) for scope in ApiScope],
        validators=[DataRequired("Select at least one thing that it may do")],
    )
    days = StringField("For how many days?", widget=GovTextInput(), filters=[one_line])
    submit = SubmitField("Add the client", widget=GovSubmitInput())


@blueprint.get("")
@may(Verb.MANAGE_CLIENTS)
def index() -> ResponseReturnValue:
    """Show the agency's clients."""
    now = utc_now()
    with transaction() as session:
        clients = list_clients(session)
    return render_template("clients.html", clients=[(each, each.live(now)) for each in clients])


@blueprint.route("/new", methods=["GET", "POST"])
@may(Verb.MANAGE_CLIENTS)
def new() -> ResponseReturnValue:
    """Take what makes a client, and show its secret once."""
    form = ClientForm(days=str(USUAL_DAYS))
    made = _add(form) if form.validate_on_submit() else None
    if made:
        return _show_secret(made)
    page = render_template("client-new.html", form=form, errors=error_summary(form))
    return page, 422 if form.errors else 200


@blueprint.get("/<uuid:client_id>")
@may(Verb.MANAGE_CLIENTS)
def show(client_id: UUID) -> ResponseReturnValue:
    """Show what one client may do, when it was last used, and its secrets' dates."""
    return _page(client_id)


@blueprint.post("/<uuid:client_id>/rotate")
@may(Verb.MANAGE_CLIENTS)
def rotate(client_id: UUID) -> ResponseReturnValue:
    """Give a client a new secret, and show it once."""
    with transaction() as session:
        made = rotate_secret(session, get_client(session, client_id), now=utc_now())
    return _show_secret(made)


@blueprint.post("/<uuid:client_id>/end")
@may(Verb.MANAGE_CLIENTS)
def end(client_id: UUID) -> ResponseReturnValue:
    """Shut a client out, with every token that it holds."""
    with transaction() as session:
        end_client(session, get_client(session, client_id), now=utc_now())
    return redirect(url_for("clients.show", client_id=client_id), 303)


def _add(form: ClientForm) -> NewSecret | None:
    days = form.days.data or ""
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:6]) <= LONGEST_DAYS):
        form.days.errors = [f"Enter a number of days from 1 to {LONGEST_DAYS}"]
        return None
    try:
        with transaction() as session:
            return add_client(session, name=form.name.data, scopes=form.scopes.data, days=int(days[:6]), now=utc_now())
    except ClientInvalid as refusal:
        form.name.errors = [str(refusal)]
        return None


def _show_secret(made: NewSecret) -> str:
    # In the answer to the form itself, and nowhere that could be opened again.
    return render_template(
        "client-secret.html", client=made.client, secret=made.secret, overlap=OVERLAP_DAYS, site=current_settings()
    )


def _page(client_id: UUID) -> str:
    now = utc_now()
    with transaction() as session:
        client = get_client(session, client_id)
        facts: dict[str, Any] = {"secrets": list_secrets(session, client, now=now), "words": scope_words(client)}
    return render_template("client.html", client=client, live=client.live(now), overlap=OVERLAP_DAYS, **facts)
