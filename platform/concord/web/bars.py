"""Who is shut out of a record because they know the family: set, listed, lifted, and said of oneself."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, Length

from concord.web.access import may
from concord.web.form import error_summary, lines, one_line
from concord.web.record_kind import KIND, get_record, name_of
from concord.web.request import transaction
from matching.bar import (
    Bar,
    BarInvalid,
    bar_email,
    bar_oneself,
    bar_person,
    get_bar,
    lift_bar,
    list_bars,
    people_to_bar,
)
from matching.sharing import MOST_CHARACTERS, Record, own_record
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may
from tenants.person import Person

blueprint = Blueprint("bars", __name__)


def _why(label: str, missing: str) -> TextAreaField:
    most = Length(max=MOST_CHARACTERS, message=f"Write at most {MOST_CHARACTERS:,} characters")
    return TextAreaField(label, widget=GovTextArea(), filters=[lines], validators=[DataRequired(missing), most])


class BarForm(FlaskForm):  # type: ignore[misc]
    """Who is to be shut out, one of the agency's people or an e-mail address, and why."""

    person = SelectField("One of your agency’s people", widget=GovSelect())
    email = StringField(
        "Or the e-mail address with which somebody of another agency signs in",
        widget=GovTextInput(),
        filters=[one_line],
    )
    reason = _why("How do they know the family?", "Enter how they know the family")
    submit = SubmitField("Shut them out", widget=GovSubmitInput())


class KnownForm(FlaskForm):  # type: ignore[misc]
    """That a person knows the family, and how."""

    reason = _why("How do you know them?", "Enter how you know them")
    submit = SubmitField("I know this family: shut me out", widget=GovSubmitInput())


class LiftForm(FlaskForm):  # type: ignore[misc]
    """Why somebody may see a record again."""

    reason = _why("Why may they see it again?", "Enter why they may see it again")
    submit = SubmitField("Let them see it again", widget=GovSubmitInput())


@blueprint.get("/bars")
@may(Verb.SET_BARS)
def index() -> ResponseReturnValue:
    """Show everyone who is, or was, shut out of one of the agency's records."""
    with transaction() as session:
        bars = list_bars(session)
    return render_template("bars.html", bars=bars, may_lift=scope_may(g.scope, Verb.LIFT_BARS))


@blueprint.route(f"/{KIND}/<uuid:record_id>/bars", methods=["GET", "POST"])
@may(Verb.SET_BARS)
def of_record(kind: str, record_id: UUID) -> ResponseReturnValue:
    """Show who is shut out of one of the agency's records, and shut somebody else out."""
    form = BarForm()
    with transaction() as session:
        record = own_record(session, get_record(session, kind, record_id))
        people, bars = people_to_bar(session, now=utc_now()), list_bars(session, record)
    form.person.choices = [("", "Choose a person"), *((str(each.id), each.name) for each in people)]
    if form.validate_on_submit() and _bar(form, kind, record_id, people):
        return redirect(url_for("bars.of_record", kind=kind, record_id=record_id), 303)
    return _page(form, kind, record, bars), 422 if form.errors else 200


@blueprint.route("/bars/<uuid:bar_id>/lift", methods=["GET", "POST"])
@may(Verb.LIFT_BARS)
def lift(bar_id: UUID) -> ResponseReturnValue:
    """Let somebody see a record again, with the reason."""
    form = LiftForm()
    with transaction() as session:
        bar = get_bar(session, bar_id)
        if form.validate_on_submit():
            lift_bar(session, bar_id, reason=form.reason.data, now=utc_now())
            return redirect(url_for("bars.index"), 303)
    page = render_template("bar-lift.html", form=form, errors=error_summary(form), bar=bar)
    return page, 422 if form.errors else 200


@blueprint.route(f"/{KIND}/<uuid:record_id>/known", methods=["GET", "POST"])
@may(Verb.READ_GROUPS)
def known(kind: str, record_id: UUID) -> ResponseReturnValue:
    """Shut the reader out of a record at their own word."""
    form = KnownForm()
    with transaction() as session:
        record = get_record(session, kind, record_id)
        name = name_of(record)
        if form.validate_on_submit():
            bar_oneself(session, record, reason=form.reason.data, now=utc_now())
            return redirect(url_for("bars.shut_out"), 303)
    page = render_template(
        "known.html", form=form, errors=error_summary(form), name=name, kind=kind, record_id=record_id
    )
    return page, 422 if form.errors else 200


@blueprint.get("/shut-out")
@may(Verb.READ_GROUPS)
def shut_out() -> ResponseReturnValue:
    """Say what follows for somebody who has just said that they know a family; it names no record."""
    return render_template("shut-out.html")


def _bar(form: BarForm, kind: str, record_id: UUID, people: list[Person]) -> bool:
    if bool(form.person.data) is bool(form.email.data):
        form.person.errors = ["Choose a person, or enter an e-mail address, and not both"]
        return False
    try:
        with transaction() as session:
            _set(session, get_record(session, kind, record_id), form, people)
    except BarInvalid as refusal:
        (form.email if form.email.data else form.person).errors = [str(refusal)]
    return not form.errors


def _set(session: Session, record: Record, form: BarForm, people: list[Person]) -> None:
    if form.email.data:
        bar_email(session, record, email=form.email.data, reason=form.reason.data, now=utc_now())
        return
    person = next(each for each in people if str(each.id) == form.person.data)
    bar_person(session, record, person_id=person.id, reason=form.reason.data, now=utc_now())


def _page(form: BarForm, kind: str, record: Record, bars: list[Bar]) -> str:
    return render_template(
        "record-bars.html",
        form=form,
        errors=error_summary(form),
        kind=kind,
        record=record,
        name=name_of(record),
        bars=bars,
        may_lift=scope_may(g.scope, Verb.LIFT_BARS),
    )
