"""The pages of those who are named for a match before panel: what to read, their advice, and the decision."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import HiddenField, RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.documents import UndertakingForm
from concord.web.form import error_summary
from concord.web.link_form import day_field
from concord.web.link_form import words_field as short_words_field
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.link import LinkInvalid
from matching.panel.decision import NotTheDecider, decide
from matching.panel.paper import ADVICE, FINDINGS, Finding, PanelPaper, get_paper, write_advice
from matching.panel.reader import ReaderUnknown, undertake_panel
from matching.panel.reading import Reading, get_reading, list_readings, open_paper, read_papers
from matching.undertaking import report_rules
from tenants.base import utc_now
from tenants.permission import Verb
from workers.document.watermark import watermark

blueprint = Blueprint("panel", __name__, url_prefix="/panel")


class AdviceForm(FlaskForm):  # type: ignore[misc]
    """What an adviser advises, in their own words."""

    words = words_field("What do you advise?", missing="Enter what you advise")
    submit = SubmitField("Give this advice", widget=GovSubmitInput())


class CheckForm(FlaskForm):  # type: ignore[misc]
    """Whether the papers are ready for panel, and what is missing."""

    finding = RadioField(
        "Are the papers ready for panel?",
        widget=GovRadioInput(),
        choices=[SelectChoice(each.value, each.label) for each in (Finding.READY, Finding.MISSING)],
        validators=[InputRequired("Select whether they are ready")],
    )
    words = words_field("What have you checked, and what is missing?", missing="Enter what you have checked")
    submit = SubmitField("Save the check", widget=GovSubmitInput())


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """The decision maker's decision."""

    earlier = HiddenField()
    approved = RadioField(
        "What do you decide?",
        widget=GovRadioInput(),
        choices=[SelectChoice("yes", "I approve the match"), SelectChoice("no", "I do not approve the match")],
        validators=[InputRequired("Select what you decide")],
    )
    decided_on = day_field("On which day did you decide?")
    reason = short_words_field("What are your reasons?", "Enter your reasons")
    submit = SubmitField("Record my decision", widget=GovSubmitInput())

    @property
    def decisions_seen(self) -> int:
        """Return how many decisions the page showed."""
        said = self.earlier.data or ""
        return int(said) if said.isascii() and said.isdigit() and len(said) <= len("999") else 0


@blueprint.get("")
@may(Verb.READ_PANEL)
def index() -> ResponseReturnValue:
    """Show the matches that the person is named for: decisions to take, and papers to read."""
    with transaction() as session:
        readings = list_readings(session, now=utc_now())
    return render_template("panel.html", readings=readings)


@blueprint.get("/<uuid:reader_id>")
@may(Verb.READ_PANEL)
def show(reader_id: UUID) -> ResponseReturnValue:
    """Show the papers of a match, what was advised and decided, and what is the person’s own to do."""
    now = utc_now()
    with transaction() as session:
        reading = get_reading(session, reader_id, now=now)
        if not reading.undertaken:
            return redirect(url_for("panel.confirm", reader_id=reader_id), 303)
        lines = read_papers(session, reading.link, now=now)
    return render_template("panel-papers.html", reading=reading, lines=lines)


@blueprint.route("/<uuid:reader_id>/undertaking", methods=["GET", "POST"])
@may(Verb.READ_PANEL)
def confirm(reader_id: UUID) -> ResponseReturnValue:
    """Show what a reader of panel papers promises, and take the promise."""
    wording = report_rules().present
    reading = _reading(reader_id)
    form = UndertakingForm(wording=str(wording.version))
    if form.validate_on_submit():
        said = form.wording.data if (form.wording.data or "").isdecimal() else "0"
        with transaction() as session:
            now = utc_now()
            found = get_reading(session, reader_id, now=now)
            undertake_panel(session, found.reader, wording=int(said[:9]), now=now)
        return _back(reader_id)
    facts = {"reading": reading, "wording": wording, "errors": error_summary(form)}
    return render_template("panel-undertaking.html", form=form, **facts), 422 if form.errors else 200


@blueprint.get("/<uuid:reader_id>/papers/<uuid:paper_id>/paper.pdf")
@may(Verb.READ_PANEL)
def read(reader_id: UUID, paper_id: UUID) -> ResponseReturnValue:
    """Hand out a paper, marked with who reads it."""
    with transaction() as session:
        reading = get_reading(session, reader_id, now=utc_now())
        return paper_file(session, get_paper(session, reading.link, paper_id), reading.title)


@blueprint.route("/<uuid:reader_id>/advice", methods=["GET", "POST"])
@may(Verb.ADVISE_PANEL)
def advise(reader_id: UUID) -> ResponseReturnValue:
    """Take an adviser’s own advice."""
    reading = _reading(reader_id)
    if not reading.may_advise:
        raise ReaderUnknown("There is no advice for you to give on this match now.")
    kind = ADVICE[reading.reader.role]
    form = CheckForm() if kind in FINDINGS else AdviceForm()
    if form.validate_on_submit():
        with transaction() as session:
            now = utc_now()
            found = get_reading(session, reader_id, now=now)
            finding = Finding(form.finding.data) if "finding" in form else None
            write_advice(session, found.reader, words=form.words.data, finding=finding, now=now)
        return _back(reader_id)
    return short_form(
        form,
        title=f"{kind.label}: {reading.title}",
        back=(url_for("panel.show", reader_id=reader_id), "Panel papers"),
        lead="It is signed with your name, read by those who are named for this match and by the children’s workers, "
        "and not changed later: what you add goes beside it.",
        hints={"words": "In your own words"},
    )


@blueprint.route("/<uuid:reader_id>/decision", methods=["GET", "POST"])
@may(Verb.DECIDE_MATCH)
def decision(reader_id: UUID) -> ResponseReturnValue:
    """Take the decision maker’s decision."""
    reading = _reading(reader_id)
    if not reading.may_decide:
        raise NotTheDecider("The decision maker who is named for the match decides, while it is before panel.")
    form = DecisionForm(earlier=str(len(reading.decisions)))
    if form.validate_on_submit() and _decided(form, reader_id):
        return _back(reader_id)
    last = reading.decisions[-1] if reading.decisions else None
    return short_form(
        form,
        title=f"Decide on the match of {reading.title}",
        back=(url_for("panel.show", reader_id=reader_id), "Panel papers"),
        lead="The decision is yours alone. It is recorded with your name, role and the time, both agencies read it, "
        "and it is not changed later.",
        warning=f"{last.person_name} has decided already. Yours goes beside it and then holds: say why."
        if last
        else "",
        hints={"reason": "In your own words. Both agencies read it, so name no child and no adopter"},
    )


def paper_file(session: Session, paper: PanelPaper, about: str) -> Response:
    """Return a printed paper, marked with who reads it, as a file that no browser keeps."""
    content = open_paper(session, paper, stamp=watermark, now=utc_now())
    name = f"{paper.kind.value.replace('_', '-')}-{about.replace(' ', '-')}.pdf"
    response = send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _decided(form: DecisionForm, reader_id: UUID) -> bool:
    facts = {"approved": form.approved.data == "yes", "decided_on": form.decided_on.data, "reason": form.reason.data}
    try:
        with transaction() as session:
            now = utc_now()
            found = get_reading(session, reader_id, now=now)
            decide(session, found, **facts, earlier=form.decisions_seen, now=now)
    except LinkInvalid as refusal:
        form.decided_on.errors = [str(refusal)]
        return False
    return True


def _reading(reader_id: UUID) -> Reading:
    with transaction() as session:
        return get_reading(session, reader_id, now=utc_now())


def _back(reader_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("panel.show", reader_id=reader_id), 303)
