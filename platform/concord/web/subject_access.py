"""The pages on which an agency answers people who ask what it holds about them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired

from concord.web.access import may
from concord.web.form import DayField, one_line
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.colleague import colleague_names
from matching.record_audit import RecordUnknown
from matching.subject_access.export import FileFormat, download_export, list_exports, request_export
from matching.subject_access.gathering import gather
from matching.subject_access.item import Decision, RedactionInvalid, decide_item, get_item, read_items
from matching.subject_access.request import (
    RequestInvalid,
    close_request,
    extend_request,
    get_request,
    list_requests,
    open_request,
    read_request,
)
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("subject_access", __name__)

_TYPES = {FileFormat.PDF: "application/pdf", FileFormat.JSON: "application/json"}


class RequestForm(FlaskForm):  # type: ignore[misc]
    """Who asks about which record, and how their identity was checked."""

    code = StringField(
        "Code or your own reference of the record",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter a code or your own reference")],
    )
    asker = words_field("Who asks?", missing="Enter who asks")
    identity = words_field("How was their identity checked?", missing="Enter how their identity was checked")
    received_on = DayField(
        "When did the request come?",
        missing="Enter the day, month and year on which it came",
        impossible="Enter a real date, for example 27 3 2026",
    )
    submit = SubmitField("Open the request", widget=GovSubmitInput())


class DecideForm(FlaskForm):  # type: ignore[misc]
    """Whether a part leaves, without which words, and why."""

    decision = RadioField(
        "What do you decide?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(Decision.WITHHOLD.value, "Withhold it"),
            SelectChoice(Decision.REDACT.value, "Release it without some words"),
            SelectChoice(Decision.RELEASE.value, "Release all of it"),
        ],
        validators=[InputRequired("Say what you decide")],
    )
    remove = words_field("Which words are to be removed?", missing="", optional=True)
    reason = words_field("Why?", missing="Enter why")
    submit = SubmitField("Decide", widget=GovSubmitInput())


class ExtendForm(FlaskForm):  # type: ignore[misc]
    """Why the answer takes longer."""

    reason = words_field("Why does it take longer?", missing="Enter why it takes longer")
    submit = SubmitField("Put the answer off", widget=GovSubmitInput())


@blueprint.get("/subject-access")
@may(Verb.ANSWER_SUBJECTS)
def index() -> ResponseReturnValue:
    """Show the requests, the next due first."""
    with transaction() as session:
        requests = list_requests(session)
    return render_template("subject-requests.html", requests=requests, today=utc_now().date())


@blueprint.route("/subject-access/new", methods=["GET", "POST"])
@may(Verb.ANSWER_SUBJECTS)
def new() -> ResponseReturnValue:
    """Open a request."""
    form = RequestForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                made = open_request(
                    session,
                    form.code.data,
                    asker=form.asker.data,
                    identity=form.identity.data,
                    received_on=form.received_on.data,
                    now=utc_now(),
                )
            return redirect(url_for("subject_access.show", request_id=made.id), 303)
        except RecordUnknown as unknown:
            form.code.errors = [str(unknown)]
        except RequestInvalid as refusal:
            form.received_on.errors = [str(refusal)]
    hints = {
        "code": "For example H-7K2M4P or G-3QX8ZA",
        "asker": "Their name and how to reach them. It is sealed",
        "identity": "For example, passport and a bill seen at the office. Keep no copies here",
        "received_on": "For example, 27 3 2026",
    }
    return short_form(
        form,
        title="Open a request for access",
        back=(url_for("subject_access.index"), "Subject access"),
        lead="The answer is due one month after the request came.",
        hints=hints,
    )


@blueprint.get("/subject-access/<uuid:request_id>")
@may(Verb.ANSWER_SUBJECTS)
def show(request_id: UUID) -> ResponseReturnValue:
    """Show a request, what was gathered, what was decided of each part, and the answer's files."""
    now = utc_now()
    with transaction() as session:
        said = read_request(session, get_request(session, request_id), now=now)
        items, names = read_items(session, said.request, now=now), colleague_names(session)
        files = list_exports(session, said.request, on=now.date())
    waiting = sum(not item.reviewed for item in items)
    return render_template(
        "subject-request.html", said=said, items=items, names=names, files=files, waiting=waiting, today=now.date()
    )


@blueprint.post("/subject-access/<uuid:request_id>/<any(gather, answer, close):what>")
@may(Verb.ANSWER_SUBJECTS)
def go_on(request_id: UUID, what: str) -> ResponseReturnValue:
    """Gather what is held, make the answer, or close the request."""
    with transaction() as session:
        {"gather": gather, "answer": request_export, "close": close_request}[what](
            session, get_request(session, request_id), now=utc_now()
        )
    return redirect(url_for("subject_access.show", request_id=request_id), 303)


@blueprint.route("/subject-access/<uuid:request_id>/extend", methods=["GET", "POST"])
@may(Verb.ANSWER_SUBJECTS)
def extend(request_id: UUID) -> ResponseReturnValue:
    """Put the answer off, once."""
    form = ExtendForm()
    with transaction() as session:
        code = get_request(session, request_id).code
    back = url_for("subject_access.show", request_id=request_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                extend_request(session, get_request(session, request_id), reason=form.reason.data, now=utc_now())
            return redirect(back, 303)
        except RequestInvalid as refusal:
            form.reason.errors = [str(refusal)]
    lead = "A complex request may take two months more. Tell whoever asks within the first month, and why."
    return short_form(form, title="Put the answer off", back=(back, f"Request about {code}"), lead=lead)


@blueprint.route("/subject-access/<uuid:request_id>/parts/<uuid:item_id>", methods=["GET", "POST"])
@may(Verb.ANSWER_SUBJECTS)
def part(request_id: UUID, item_id: UUID) -> ResponseReturnValue:
    """Show one part of what is held, and take what is decided of it."""
    form = DecideForm()
    back = url_for("subject_access.show", request_id=request_id)
    with transaction() as session:
        request = get_request(session, request_id)
        item = get_item(session, request, item_id)
        text = next(said.text for said in read_items(session, request, now=utc_now()) if said.item.id == item.id)
    if form.validate_on_submit() and _decide(form, request_id, item_id):
        return redirect(back, 303)
    return short_form(
        form,
        title=item.title,
        back=(back, f"Request about {request.code}"),
        lead="An adoption record: withheld unless you release it." if item.adoption_record else "",
        hints={"remove": "Each on its own line: names of the other adopter, birth family, workers, other agencies"},
        text=text,
    )


@blueprint.get("/subject-access/<uuid:request_id>/answer.<any(pdf, json):kind>")
@may(Verb.ANSWER_SUBJECTS)
def download(request_id: UUID, kind: str) -> ResponseReturnValue:
    """Download a file of the answer."""
    wanted = FileFormat(kind)
    with transaction() as session:
        content = download_export(session, get_request(session, request_id), wanted, now=utc_now())
    name = f"subject-access-{request_id}.{wanted}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, mimetype=_TYPES[wanted], headers=headers)


def _decide(form: DecideForm, request_id: UUID, item_id: UUID) -> bool:
    try:
        with transaction() as session:
            request = get_request(session, request_id)
            decide_item(
                session,
                request,
                get_item(session, request, item_id),
                decision=Decision(form.decision.data),
                remove=form.remove.data or "",
                reason=form.reason.data,
                now=utc_now(),
            )
    except RedactionInvalid as refusal:
        form.remove.errors = [str(refusal)]
    return not form.errors
