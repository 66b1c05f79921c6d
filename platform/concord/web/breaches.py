"""The pages of the record of breaches."""

from __future__ import annotations

import json
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import DayField, error_summary, one_line
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.breach import (
    BreachClosed,
    BreachInvalid,
    EntryKind,
    add_entry,
    export_breach,
    get_breach,
    list_breaches,
    open_breach,
    read_breach,
)
from matching.colleague import colleague_names
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("breaches", __name__)

_HERE = ZoneInfo("Europe/London")


class BreachForm(FlaskForm):  # type: ignore[misc]
    """What happened, and when it was found."""

    what = words_field("What happened?", missing="Enter what happened")
    found_on = DayField(
        "On which day was it found?",
        missing="Enter the day, month and year on which it was found",
        impossible="Enter a real date, for example 27 3 2026",
    )
    found_at = StringField("At what time was it found?", widget=GovTextInput(), filters=[one_line])
    submit = SubmitField("Begin the record", widget=GovSubmitInput())


class EntryForm(FlaskForm):  # type: ignore[misc]
    """A line to add."""

    kind = RadioField(
        "What is it about?",
        widget=GovRadioInput(),
        choices=[SelectChoice(kind.value, kind.label) for kind in EntryKind],
        validators=[InputRequired("Say what it is about")],
    )
    text = words_field("What is to be kept?", missing="Enter what is to be kept")
    submit = SubmitField("Add it", widget=GovSubmitInput())


@blueprint.get("/breaches")
@may(Verb.KEEP_BREACHES)
def index() -> ResponseReturnValue:
    """Show the agency's breaches, the newest first."""
    now = utc_now()
    with transaction() as session:
        found = list_breaches(session, now=now)
    return render_template("breaches.html", found=found, now=now)


@blueprint.route("/breaches/new", methods=["GET", "POST"])
@may(Verb.KEEP_BREACHES)
def new() -> ResponseReturnValue:
    """Begin the record of a breach."""
    form = BreachForm()
    if form.validate_on_submit():
        try:
            found_at = datetime.combine(form.found_on.data, time.fromisoformat(form.found_at.data or ""), tzinfo=_HERE)
            with transaction() as session:
                breach = open_breach(session, what=form.what.data, found_at=found_at, now=utc_now())
            return redirect(url_for("breaches.show", breach_id=breach.id), 303)
        except BreachInvalid as refusal:
            form.found_on.errors = [str(refusal)]
        except (ValueError, OverflowError):
            form.found_at.errors = ["Enter a time, for example 09:30"]
    return short_form(
        form,
        title="Record a breach",
        back=(url_for("breaches.index"), "Breaches"),
        lead="The Information Commissioner is told within 72 hours of when it was found, unless a risk is unlikely.",
        hints={"found_on": "For example, 27 3 2026", "found_at": "By the clock of the United Kingdom, such as 09:30"},
    )


@blueprint.route("/breaches/<uuid:breach_id>", methods=["GET", "POST"])
@may(Verb.KEEP_BREACHES)
def show(breach_id: UUID) -> ResponseReturnValue:
    """Show a breach's record and its clock, and take a line to add."""
    form, now = EntryForm(), utc_now()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                breach = get_breach(session, breach_id)
                add_entry(session, breach, kind=EntryKind(form.kind.data), text=form.text.data, now=now)
            return redirect(url_for("breaches.show", breach_id=breach_id), 303)
        except BreachClosed as refusal:
            form.kind.errors = [str(refusal)]
    with transaction() as session:
        said, names = read_breach(session, get_breach(session, breach_id), now=now), colleague_names(session)
    left = said.hours_left(now)
    page = render_template("breach.html", said=said, left=left, names=names, form=form, errors=error_summary(form))
    return page, 422 if form.errors else 200


@blueprint.get("/breaches/<uuid:breach_id>/record.json")
@may(Verb.KEEP_BREACHES)
def export(breach_id: UUID) -> ResponseReturnValue:
    """Hand a breach's record over as JSON."""
    with transaction() as session:
        breach = get_breach(session, breach_id)
        answer = export_breach(session, breach, names=colleague_names(session), now=utc_now())
    headers = {
        "Content-Disposition": f'attachment; filename="breach-{answer["number"]}.json"',
        "Cache-Control": "no-store",
    }
    return Response(json.dumps(answer, indent=2, ensure_ascii=False), mimetype="application/json", headers=headers)
