"""The pages of the papers of privacy: what they need to be told, what they say, their versions and signatures."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import AnyOf

from concord.web.access import may
from concord.web.form import DayField, one_line
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.papers.answer import AnswerInvalid, answer, get_question, own_answers, questions_of
from matching.papers.facts import facts_of
from matching.papers.paper import (
    PaperKind,
    changes_since,
    draw_up,
    get_version,
    kinds_of,
    list_versions,
    may_draw,
    record_download,
    write_paper,
)
from matching.papers.question import Form, Question
from matching.papers.signature import list_signatures, places_of, sign
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may
from workers.document.paper import render_paper

blueprint = Blueprint("papers", __name__)

_KINDS = ", ".join(PaperKind)
_OPEN = "Not known yet: leave it to be completed"


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """An answer in words; nothing leaves the question to be completed."""

    said = words_field("Answer", missing="", optional=True)
    submit = SubmitField("Save", widget=GovSubmitInput())


class LineForm(FlaskForm):  # type: ignore[misc]
    """An answer in one line."""

    said = StringField("Answer", widget=GovTextInput(), filters=[one_line])
    submit = SubmitField("Save", widget=GovSubmitInput())


class ChoiceForm(FlaskForm):  # type: ignore[misc]
    """One of the answers that a question offers."""

    said = RadioField("Answer", widget=GovRadioInput(), validate_choice=False)
    submit = SubmitField("Save", widget=GovSubmitInput())


class DayForm(FlaskForm):  # type: ignore[misc]
    """A day."""

    said = DayField(
        "Answer", missing="Enter the day, month and year", impossible="Enter a real date, for example 27 3 2027"
    )
    submit = SubmitField("Save", widget=GovSubmitInput())


@blueprint.get("/papers")
@may(Verb.READ_PAPERS)
def index() -> ResponseReturnValue:
    """Show the agency’s papers, how each stands, and what is still to be said."""
    now = utc_now()
    with transaction() as session:
        facts = facts_of(session, on=now.date())
        papers = []
        for kind in kinds_of(facts):
            last = next(iter(list_versions(session, kind)), None)
            content = write_paper(session, kind, on=now.date())
            changed = bool(last and changes_since(session, last, on=now.date()))
            places = places_of(facts, last, list_signatures(session, last)) if last else []
            papers.append((kind, last, content, changed, places))
        asked, answers = questions_of(session), own_answers(session)
    return render_template("papers.html", papers=papers, asked=asked, answers=answers, keeps=_keeps())


@blueprint.get("/papers/answers")
@may(Verb.READ_PAPERS)
def answers() -> ResponseReturnValue:
    """Show what the agency has said for its papers, or the office for the consortium’s."""
    with transaction() as session:
        asked, said = questions_of(session), own_answers(session)
    return render_template("paper-answers.html", asked=asked, said=said, keeps=_keeps())


@blueprint.route("/papers/answers/<code>", methods=["GET", "POST"])
@may(Verb.KEEP_PAPERS)
def change(code: str) -> ResponseReturnValue:
    """Take what the agency says to one question."""
    with transaction() as session:
        question, said = get_question(session, code), own_answers(session).get(code, "")
    form = _form(question, said)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                answer(session, question, str(form.said.data or ""), now=utc_now())
            return redirect(url_for("papers.answers", _anchor=code), 303)
        except AnswerInvalid as refusal:
            form.said.errors = [str(refusal)]
    whose = "The other members read this too." if question.shared else "Your agency’s own papers name it."
    return short_form(
        form,
        title=question.title,
        back=(url_for("papers.answers"), "What the papers need"),
        lead=f"{question.hint} {whose} Name no child or adopter here.",
    )


@blueprint.get(f"/papers/<any({_KINDS}):kind>")
@may(Verb.READ_PAPERS)
def show(kind: str) -> ResponseReturnValue:
    """Show a paper as the configuration stands, its versions, and what has changed since the last."""
    wanted, now = PaperKind(kind), utc_now()
    with transaction() as session:
        content = write_paper(session, wanted, on=now.date())
        versions = list_versions(session, wanted)
        changes = changes_since(session, versions[0], on=now.date()) if versions else None
        draws = _keeps() and may_draw(session, wanted, on=now.date())
        places = {each.id: list_signatures(session, each) for each in versions}
    facts = {"versions": versions, "changes": changes, "draws": draws, "signatures": places}
    return render_template("paper.html", kind=wanted, content=content, **facts)


@blueprint.post(f"/papers/<any({_KINDS}):kind>/versions")
@may(Verb.KEEP_PAPERS)
def draw(kind: str) -> ResponseReturnValue:
    """Draw a paper up as its next version."""
    with transaction() as session:
        paper = draw_up(session, PaperKind(kind), now=utc_now())
        return redirect(url_for("papers.version", paper_id=paper.id), 303)


@blueprint.get("/papers/versions/<uuid:paper_id>")
@may(Verb.READ_PAPERS)
def version(paper_id: UUID) -> ResponseReturnValue:
    """Show one version, who signed it, and what has changed since it was drawn up."""
    now = utc_now()
    with transaction() as session:
        paper = get_version(session, paper_id)
        signatures = list_signatures(session, paper)
        facts = facts_of(session, on=now.date())
        changes = changes_since(session, paper, on=now.date())
        newest = list_versions(session, paper.kind)[0].id == paper.id
    done = any(each.signed_by == g.scope.person_id for each in signatures)
    signs = paper.kind.signed and newest and not done and scope_may(g.scope, Verb.SIGN_PAPERS) and not facts.is_office
    places = places_of(facts, paper, signatures)
    return render_template("paper-version.html", paper=paper, places=places, changes=changes, signs=signs)


@blueprint.post("/papers/versions/<uuid:paper_id>/sign")
@may(Verb.SIGN_PAPERS)
def put_name(paper_id: UUID) -> ResponseReturnValue:
    """Sign a version in the person’s own name."""
    with transaction() as session:
        sign(session, get_version(session, paper_id), now=utc_now())
    return redirect(url_for("papers.version", paper_id=paper_id), 303)


@blueprint.get("/papers/versions/<uuid:paper_id>/paper.pdf")
@may(Verb.READ_PAPERS)
def version_file(paper_id: UUID) -> ResponseReturnValue:
    """Hand out one version as a PDF, with who has signed it."""
    now = utc_now()
    with transaction() as session:
        paper = get_version(session, paper_id)
        places = places_of(facts_of(session, on=now.date()), paper, list_signatures(session, paper))
        record_download(session, paper, now=now)
    state = f"Version {paper.number} of {paper.drawn_at:%d/%m/%Y}, {paper.digest.hex()[:16]}"
    made = render_paper(paper.content, state=state, places=places, made_at=now)
    name = f"{paper.kind.value}-{paper.number}.pdf"
    response = send_file(BytesIO(made), "application/pdf", as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _keeps() -> bool:
    return scope_may(g.scope, Verb.KEEP_PAPERS)


def _form(question: Question, said: str) -> FlaskForm:
    if question.form is Form.WORDS:
        return AnswerForm(said=said)
    if question.form is Form.LINE:
        return LineForm(said=said)
    if question.form is Form.DAY:
        return DayForm(said=datetime.strptime(said, "%d %B %Y").date() if said else None)  # noqa: DTZ007 - a day
    form = ChoiceForm(said=said)
    options = [*question.options, ""]
    form.said.choices = [SelectChoice(option, option or _OPEN) for option in options]
    form.said.validators = [AnyOf(options, message="Choose one of the answers")]
    return form
