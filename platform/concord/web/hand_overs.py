"""The pages on which two agencies agree that one hands over to the other, and sign for what came of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSelect, GovSubmitInput, GovTextArea, GovTextInput
from sqlalchemy.orm import Session
from wtforms import RadioField, SelectChoice, SelectField, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.access import may
from concord.web.form import DayField, error_summary, lines, one_line
from concord.web.request import transaction
from matching.household import Household
from matching.retention.hold import own_record
from tenants.agency import AgencyKind, get_agency, list_agencies
from tenants.base import utc_now
from tenants.error import Conflict, Invalid, NotFound
from tenants.hand_over import (
    HandOver,
    HandOverKind,
    NameWrong,
    Preview,
    agree_to_hand_over,
    find_job_of,
    get_hand_over,
    list_hand_overs,
    preview_hand_over,
    propose_hand_over,
    side_of,
    sign_hand_over,
    withdraw_hand_over,
)
from tenants.job import retry_job
from tenants.permission import Verb
from tenants.person import names_of
from tenants.reconciliation import csv_of, lines_of

blueprint = Blueprint("hand_overs", __name__)
_GIVE, _TAKE = "give", "take"
_WHOLE, _CHOSEN = "whole", "chosen"
_KINDS = {
    "household": [HandOverKind.HOUSEHOLD],
    "sibling_group": [HandOverKind.GROUP],
    "records": list(HandOverKind),
}
_WHAT = [
    SelectChoice(_WHOLE, "Everything: the agency merges into the other, and is over"),
    SelectChoice("household", "All its adopter households"),
    SelectChoice("sibling_group", "All its sibling groups"),
    SelectChoice("records", "All its households and groups"),
    SelectChoice(_CHOSEN, "Some of your agency’s records, by code"),
]


class HandOverForm(FlaskForm):  # type: ignore[misc]
    """Who hands over what to whom, from which day, and why."""

    way = RadioField(
        "Which way?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(_GIVE, "Your agency hands over to it"),
            SelectChoice(_TAKE, "Your agency takes over from it"),
        ],
        validators=[InputRequired("Select which way it goes")],
    )
    agency = SelectField(
        "Which other agency?", widget=GovSelect(), validators=[InputRequired("Select the other agency")]
    )
    what = RadioField(
        "What is handed over?",
        widget=GovRadioInput(),
        choices=_WHAT,
        validators=[InputRequired("Select what is handed over")],
    )
    codes = TextAreaField("Which records?", widget=GovTextArea(), filters=[lines], validators=[Length(max=20_000)])
    takes_effect_on = DayField(
        "On which day?",
        missing="Enter the day, month and year",
        impossible="Enter a real date, for example 1 4 2027",
    )
    reason = TextAreaField(
        "Why?",
        widget=GovTextArea(),
        filters=[lines],
        validators=[DataRequired("Say why"), Length(max=2000, message="Use 2,000 characters at most")],
    )
    submit = SubmitField("Propose this", widget=GovSubmitInput())


class SignatureForm(FlaskForm):  # type: ignore[misc]
    """The name of whoever signs."""

    name = StringField(
        "Your full name", widget=GovTextInput(), filters=[one_line], validators=[DataRequired("Enter your full name")]
    )
    submit = SubmitField("Sign: what came is what went", widget=GovSubmitInput())


@blueprint.route("/agency/hand-overs", methods=["GET", "POST"])
@may(Verb.DECIDE_LIFE)
def index() -> ResponseReturnValue:
    """Show the agency's plans to hand over or take over, and take a new one."""
    form = HandOverForm()
    with transaction() as session:
        agencies = {each.id: each for each in list_agencies(session)}
    others = [
        SelectChoice(str(each.id), each.name)
        for each in agencies.values()
        if each.id != g.scope.agency_id and each.closed_on is None and each.kind is not AgencyKind.CONSORTIUM_OFFICE
    ]
    form.agency.choices = [SelectChoice("", "Select an agency"), *others]
    if form.validate_on_submit() and (made := _propose(form)):
        return redirect(url_for("hand_overs.show", hand_over_id=made), 303)
    with transaction() as session:
        plans = list_hand_overs(session)
    return render_template(
        "hand-overs.html",
        form=form,
        errors=error_summary(form),
        plans=plans,
        agencies=agencies,
        others=others,
        today=utc_now().date(),
    ), 422 if form.errors else 200


@blueprint.route("/agency/hand-overs/<uuid:hand_over_id>", methods=["GET", "POST"])
@may(Verb.DECIDE_LIFE)
def show(hand_over_id: UUID) -> ResponseReturnValue:
    """Show a plan, what came of it, and take a signature."""
    form = SignatureForm()
    if form.validate_on_submit() and _sign(form, hand_over_id):
        return redirect(url_for("hand_overs.show", hand_over_id=hand_over_id), 303)
    return _page(hand_over_id, form), 422 if form.errors else 200


@blueprint.post("/agency/hand-overs/<uuid:hand_over_id>/try")
@may(Verb.DECIDE_LIFE)
def attempt(hand_over_id: UUID) -> ResponseReturnValue:
    """Show what would come of a plan now; nothing is done."""
    with transaction() as session:
        found = preview_hand_over(session, get_hand_over(session, hand_over_id))
    return _page(hand_over_id, SignatureForm(formdata=None), preview=found)


@blueprint.post("/agency/hand-overs/<uuid:hand_over_id>/agree")
@may(Verb.DECIDE_LIFE)
def agree(hand_over_id: UUID) -> ResponseReturnValue:
    """Take the word of the person's own side."""
    with transaction() as session:
        agree_to_hand_over(session, get_hand_over(session, hand_over_id), now=utc_now())
    return redirect(url_for("hand_overs.show", hand_over_id=hand_over_id), 303)


@blueprint.post("/agency/hand-overs/<uuid:hand_over_id>/withdraw")
@may(Verb.DECIDE_LIFE)
def withdraw(hand_over_id: UUID) -> ResponseReturnValue:
    """Take a plan back."""
    with transaction() as session:
        withdraw_hand_over(session, get_hand_over(session, hand_over_id), now=utc_now())
    return redirect(url_for("hand_overs.show", hand_over_id=hand_over_id), 303)


@blueprint.post("/agency/hand-overs/<uuid:hand_over_id>/again")
@may(Verb.DECIDE_LIFE)
def again(hand_over_id: UUID) -> ResponseReturnValue:
    """Have what failed done again, once what stood against it is put right."""
    with transaction() as session:
        job = find_job_of(session, get_hand_over(session, hand_over_id))
        if job is not None:
            retry_job(session, job, now=utc_now())
    return redirect(url_for("hand_overs.show", hand_over_id=hand_over_id), 303)


@blueprint.get("/agency/hand-overs/<uuid:hand_over_id>/rows.<any(csv, json):file_format>")
@may(Verb.DECIDE_LIFE)
def rows(hand_over_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out the reconciliation, row for row."""
    with transaction() as session:
        plan = get_hand_over(session, hand_over_id)
        content = csv_of(plan) if file_format == "csv" else _json([asdict(line) for line in lines_of(plan)])
    response = send_file(
        BytesIO(content),
        mimetype="text/csv" if file_format == "csv" else "application/json",
        as_attachment=True,
        download_name=f"concord-hand-over-{plan.takes_effect_on.isoformat()}.{file_format}",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _words(plan: HandOver) -> str:
    """Return which records a plan hands over, in words."""
    kinds = " and ".join(HandOverKind(kind).label.lower() for kind in plan.kinds).capitalize()
    return f"{kinds}, {'all of them' if plan.record_ids is None else f'{len(plan.record_ids)} by code'}"


def _json(said: list[dict[str, Any]]) -> bytes:
    return json.dumps(said, indent=1).encode()


def _page(hand_over_id: UUID, form: SignatureForm, *, preview: Preview | None = None) -> str:
    with transaction() as session:
        plan = get_hand_over(session, hand_over_id)
        names = names_of(session, [plan.given_by, plan.taken_by, plan.withdrawn_by])
        agencies = {each: get_agency(session, each).name for each in (plan.agency_id, plan.receiver_id)}
        side, job = side_of(session, plan), find_job_of(session, plan)
    signed = {"giver": plan.giver_signed_at, "receiver": plan.receiver_signed_at}
    return render_template(
        "hand-over.html",
        form=form,
        errors=error_summary(form) if request.method == "POST" else {"errorList": []},
        plan=plan,
        preview=preview,
        job=job,
        names=names,
        agencies=agencies,
        own=g.scope.agency_id,
        what=_words(plan),
        to_sign=side if side and not signed[side] else None,
        today=utc_now().date(),
    )


def _propose(form: HandOverForm) -> UUID | None:
    try:
        with transaction() as session:
            own, other = get_agency(session, g.scope.agency_id), get_agency(session, UUID(form.agency.data))
            giver, receiver = (own, other) if form.way.data == _GIVE else (other, own)
            return propose_hand_over(
                session,
                giver,
                receiver=receiver,
                takes_effect_on=form.takes_effect_on.data,
                reason=form.reason.data,
                **_what(session, form),
                now=utc_now(),
            ).id
    except NotFound as refusal:
        form.codes.errors = [str(refusal)]
    except (Invalid, Conflict) as refusal:
        form.takes_effect_on.errors = [str(refusal)]
    return None


def _what(session: Session, form: HandOverForm) -> dict[str, Any]:
    if form.what.data != _CHOSEN:
        return {"kinds": _KINDS.get(form.what.data, [])}
    records = [own_record(session, code) for code in (form.codes.data or "").split()]
    if not records:
        raise NotFound("Enter the codes of the records, one in each line.")
    kinds = {HandOverKind.HOUSEHOLD if isinstance(each, Household) else HandOverKind.GROUP for each in records}
    return {"kinds": kinds, "record_ids": [each.id for each in records]}


def _sign(form: SignatureForm, hand_over_id: UUID) -> bool:
    try:
        with transaction() as session:
            sign_hand_over(session, get_hand_over(session, hand_over_id), name=form.name.data, now=utc_now())
    except NameWrong as refusal:
        form.name.errors = [str(refusal)]
    return not form.errors
