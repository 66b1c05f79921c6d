"""The pages on which a match’s workers put papers before panel, and say who reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSubmitInput
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.panel import paper_file
from concord.web.request import current_settings, transaction
from concord.web.short_form import short_form, words_field
from matching.document import list_documents_of
from matching.document_check import DocumentRefused, check_document
from matching.document_opening import title_of
from matching.link import Link, decisions_of, get_link
from matching.panel.paper import (
    ADVICE,
    FINDINGS,
    Finding,
    PaperKind,
    add_minutes,
    add_placement_report,
    get_paper,
    put_reports,
    withdraw_paper,
    write_minutes,
)
from matching.panel.reader import (
    PREPARED,
    PanelRole,
    ReaderNamed,
    end_reader,
    get_reader,
    list_candidates,
    list_readers,
    name_reader,
)
from matching.panel.reading import PaperLine, read_papers, title_of_link
from tenants.base import utc_now
from tenants.permission import Verb
from workers.document.watermark import check_markable

blueprint = Blueprint("link_panel", __name__, url_prefix="/links/<uuid:link_id>/panel")


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """That something is to be done."""

    submit = SubmitField("Confirm", widget=GovSubmitInput())


class FileForm(FlaskForm):  # type: ignore[misc]
    """The adoption placement report, as a PDF."""

    file = FileField("The report, as a PDF", widget=GovFileInput(), validators=[FileRequired("Choose the PDF")])
    submit = SubmitField("Put it before panel", widget=GovSubmitInput())


class MinutesForm(FlaskForm):  # type: ignore[misc]
    """What the panel recommends, and why."""

    finding = RadioField(
        "What does the panel recommend?",
        widget=GovRadioInput(),
        choices=[SelectChoice(each.value, each.label) for each in FINDINGS[PaperKind.MINUTES]],
        validators=[InputRequired("Select what the panel recommends")],
    )
    words = words_field("What do the minutes say, with the reasons?", missing="", optional=True)
    file = FileField("The minutes, as a PDF", widget=GovFileInput())
    submit = SubmitField("Keep the minutes", widget=GovSubmitInput())


class ReaderForm(FlaskForm):  # type: ignore[misc]
    """Who is to read the papers, as what."""

    person = RadioField(
        "Who reads the papers?", widget=GovRadioInput(), validators=[InputRequired("Select who reads the papers")]
    )
    submit = SubmitField("Name this person", widget=GovSubmitInput())


class BackForm(FlaskForm):  # type: ignore[misc]
    """Why a paper is taken back."""

    words = words_field("Why do you take it back?", missing="Enter why you take it back")
    submit = SubmitField("Take it back", widget=GovSubmitInput())


@blueprint.get("")
@may(Verb.KEEP_PANEL)
def show(link_id: UUID) -> ResponseReturnValue:
    """Show a match’s papers, who reads them, and what was decided."""
    with transaction() as session:
        link = get_link(session, link_id)
        facts: dict[str, Any] = {
            "title": f"Panel papers: {title_of_link(session, link)}",
            "lines": read_papers(session, link, now=utc_now()),
            "readers": list_readers(session, link),
            "decisions": decisions_of(session, [link]).get(link.id, []),
        }
    ours = link.group_agency_id == g.scope.agency_id
    facts |= {"ours": ours, "prepared": link.state in PREPARED, "opens": _opens, "own": _own_of(link)}
    return render_template("link-panel.html", link=link, **facts)


@blueprint.get("/papers/<uuid:paper_id>/paper.pdf")
@may(Verb.READ_REPORTS)
def read(link_id: UUID, paper_id: UUID) -> ResponseReturnValue:
    """Hand out a paper to a worker of its agency, marked with who reads it."""
    with transaction() as session:
        link = get_link(session, link_id)
        return paper_file(session, get_paper(session, link, paper_id), title_of_link(session, link))


@blueprint.route("/reports", methods=["GET", "POST"])
@may(Verb.KEEP_REPORTS)
def reports(link_id: UUID) -> ResponseReturnValue:
    """Put the agency’s own reports before panel, as they are now."""
    form, title = ConfirmForm(), _title(link_id)
    with transaction() as session:
        link = get_link(session, link_id)
        found = list_documents_of(session, [link.household_id, link.sibling_group_id])
        named = [
            f"{title_of(session, each)}, version {each.version}"
            for each in found
            if each.agency_id == g.scope.agency_id
        ]
    form.submit.label.text = "Put them before panel"
    if form.validate_on_submit():
        with transaction() as session:
            put_reports(session, get_link(session, link_id), now=utc_now())
        return _back(link_id)
    return _page(
        form,
        link_id,
        f"Put your reports before panel: {title}",
        lead="The panel’s advisers and the decision maker whom the children’s agency names for this match may then "
        "read these versions, until four weeks after the decision.",
        text="\n".join(named) or "There is no report of your agency’s yet. Hand one in on the record’s page first.",
    )


@blueprint.route("/placement-report", methods=["GET", "POST"])
@may(Verb.KEEP_PANEL)
def placement_report(link_id: UUID) -> ResponseReturnValue:
    """Take the adoption placement report."""
    form, title = FileForm(), _title(link_id)
    if form.validate_on_submit():
        try:
            file = check_document(form.file.data.read(), scan=current_settings().scanner)
            check_markable(file.content)
            with transaction() as session:
                add_placement_report(session, get_link(session, link_id), file=file, now=utc_now())
            return _back(link_id)
        except DocumentRefused as refusal:
            form.file.errors = [str(refusal)]
    most = current_settings().upload_bytes // 2**20
    page = render_template(
        "link-panel-file.html", form=form, errors=error_summary(form), about=title, link_id=link_id, most_megabytes=most
    )
    return page, 422 if form.errors else 200


@blueprint.route("/minutes", methods=["GET", "POST"])
@may(Verb.KEEP_PANEL)
def minutes(link_id: UUID) -> ResponseReturnValue:
    """Take what the panel recommends and why, in words or as a file."""
    form, title = MinutesForm(), _title(link_id)
    if form.validate_on_submit() and _minuted(form, link_id):
        return _back(link_id)
    most = current_settings().upload_bytes // 2**20
    facts = {"form": form, "errors": error_summary(form), "about": title, "link_id": link_id, "most_megabytes": most}
    return render_template("link-panel-minutes.html", **facts), 422 if form.errors else 200


def _minuted(form: MinutesForm, link_id: UUID) -> bool:
    words, content = (form.words.data or "").strip(), form.file.data.read() if form.file.data else b""
    if not (words or content):
        form.words.errors = ["Enter what the minutes say, or choose the PDF"]
        return False
    finding, now = Finding(form.finding.data), utc_now()
    try:
        file = check_document(content, scan=current_settings().scanner) if content else None
        if file:
            check_markable(file.content)
    except DocumentRefused as refusal:
        form.file.errors = [str(refusal)]
        return False
    with transaction() as session:
        link = get_link(session, link_id)
        if words:
            write_minutes(session, link, finding=finding, words=words, now=now)
        if file:
            add_minutes(session, link, finding=finding, file=file, now=now)
    return True


@blueprint.route("/readers/new", methods=["GET", "POST"])
@may(Verb.KEEP_PANEL)
def name(link_id: UUID) -> ResponseReturnValue:
    """Name somebody who reads the papers."""
    form, title = ReaderForm(), _title(link_id)
    with transaction() as session:
        found = list_candidates(session, get_link(session, link_id), now=utc_now())
    form.person.choices = [
        SelectChoice(f"{person.id} {role.value}", f"{person.name}, {role.label.lower()}") for person, role in found
    ]
    if form.validate_on_submit():
        person_id, role = form.person.data.split(" ")
        try:
            with transaction() as session:
                link, named_as = get_link(session, link_id), PanelRole(role)
                name_reader(session, link, person_id=UUID(person_id), role=named_as, now=utc_now())
            return _back(link_id)
        except ReaderNamed as refusal:
            form.person.errors = [str(refusal)]
    return _page(
        form,
        link_id,
        f"Name a reader: {title}",
        lead="They may then read the papers of this match and nothing else of the records, once they have undertaken "
        "to keep them confidential, until four weeks after the decision.",
        warning=""
        if found
        else "Nobody of your agency is appointed as an adviser or decision maker. Ask its administrator.",
    )


@blueprint.route("/readers/<uuid:reader_id>/end", methods=["GET", "POST"])
@may(Verb.KEEP_PANEL)
def end(link_id: UUID, reader_id: UUID) -> ResponseReturnValue:
    """Take a name back."""
    form, title = ConfirmForm(), _title(link_id)
    with transaction() as session:
        reader = get_reader(session, get_link(session, link_id), reader_id)
    if form.validate_on_submit():
        with transaction() as session:
            end_reader(session, get_reader(session, get_link(session, link_id), reader_id), now=utc_now())
        return _back(link_id)
    form.submit.label.text = "Take the name back"
    lead = "They read nothing more of this match. What they have written stays, and so does that they were named."
    return _page(form, link_id, f"{reader.person_name} no longer reads the papers of {title}", lead=lead)


@blueprint.route("/papers/<uuid:paper_id>/take-back", methods=["GET", "POST"])
@may(Verb.KEEP_REPORTS)
def take_back(link_id: UUID, paper_id: UUID) -> ResponseReturnValue:
    """Take a paper back."""
    form, title = BackForm(), _title(link_id)
    with transaction() as session:
        paper = get_paper(session, get_link(session, link_id), paper_id)
    if form.validate_on_submit():
        with transaction() as session:
            found = get_paper(session, get_link(session, link_id), paper_id)
            withdraw_paper(session, found, reason=form.words.data, now=utc_now())
        return _back(link_id)
    lead = "Nobody who was named reads it from then on. That it lay before panel stays on record."
    return _page(form, link_id, f"Take back: {paper.kind.label}, {title}", lead=lead)


def _opens(line: PaperLine) -> str | None:
    if line.paper.kind is PaperKind.PAR and line.paper.agency_id != g.scope.agency_id:
        return None
    return url_for("link_panel.read", link_id=line.paper.link_id, paper_id=line.paper.id)


def _own_of(link: Link) -> Callable[[PaperLine], str | None]:
    def own(line: PaperLine) -> str | None:
        theirs = line.paper.agency_id != g.scope.agency_id or line.paper.kind in ADVICE.values()
        return None if theirs else url_for("link_panel.take_back", link_id=link.id, paper_id=line.paper.id)

    return own


def _title(link_id: UUID) -> str:
    with transaction() as session:
        return title_of_link(session, get_link(session, link_id))


def _page(
    form: FlaskForm, link_id: UUID, title: str, *, lead: str, text: str = "", warning: str = ""
) -> tuple[str, int]:
    back = (url_for("link_panel.show", link_id=link_id), "Panel papers")
    return short_form(form, title=title, back=back, lead=lead, text=text, warning=warning)


def _back(link_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("link_panel.show", link_id=link_id), 303)
