"""The pages of reports: hand in a PAR or a CPR, promise to keep one confidential, open it, see what one may read."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxInput, GovFileInput, GovRadioInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import BooleanField, HiddenField, RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.listing import pagination
from concord.web.request import current_settings, transaction
from matching.document import (
    Document,
    DocumentOfAnother,
    DocumentVersion,
    ReportKind,
    add_cpr,
    add_par,
    get_document,
    list_documents_of,
    list_versions,
)
from matching.document_check import CheckedPdf, DocumentRefused, check_document
from matching.document_opening import (
    UndertakingNeeded,
    find_leave,
    list_kept,
    list_readable,
    open_document,
    readers_of,
    title_of,
)
from matching.grant import DocumentGrant, get_grant, undertake
from matching.household import Household, get_household
from matching.sibling_group import Child, SiblingGroup, get_group, list_children
from matching.undertaking import report_rules
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may
from workers.document.watermark import check_markable, watermark

blueprint = Blueprint("documents", __name__)

WHOLE_GROUP = "all"


class HandInForm(FlaskForm):  # type: ignore[misc]
    """A report as a PDF, and of a CPR whom it is about."""

    child = RadioField("Which child is it about?", widget=GovRadioInput(), default=WHOLE_GROUP)
    file = FileField("The report, as a PDF", widget=GovFileInput(), validators=[FileRequired("Choose the PDF")])
    submit = SubmitField("Keep this report", widget=GovSubmitInput())


class UndertakingForm(FlaskForm):  # type: ignore[misc]
    """The promise to keep a report confidential."""

    wording = HiddenField()
    promised = BooleanField(
        "I have read this, and I undertake it",
        widget=GovCheckboxInput(),
        validators=[InputRequired("Confirm that you undertake it, or go back")],
    )
    submit = SubmitField("Confirm", widget=GovSubmitInput())


@blueprint.get("/documents")
@may(Verb.READ_REPORTS)
def index() -> ResponseReturnValue:
    """Show the reports that the person may read by leave of other agencies, and until when."""
    with transaction() as session:
        found = list_readable(session, now=utc_now())
    return render_template("documents.html", found=found, may_keep=scope_may(g.scope, Verb.KEEP_REPORTS))


@blueprint.get("/documents/kept")
@may(Verb.KEEP_REPORTS)
def kept() -> ResponseReturnValue:
    """Show the agency’s own reports, each with who of other agencies may read it and until when."""
    with transaction() as session:
        page = list_kept(session, number=request.args.get("page", 1, type=int), on=utc_now().date())
    links = pagination(page, lambda number: url_for("documents.kept", page=number))
    return render_template("documents-kept.html", page=page, pagination=links)


@blueprint.route("/households/<uuid:household_id>/par", methods=["GET", "POST"])
@may(Verb.READ_REPORTS)
def of_household(household_id: UUID) -> ResponseReturnValue:
    """Show the versions of a household’s PAR and who may read it; take a new one."""
    with transaction() as session:
        household = _own(get_household(session, household_id))
    form = HandInForm()
    form.child.choices = [SelectChoice(WHOLE_GROUP, "The household")]
    return _reports(form, household, ReportKind.PAR)


@blueprint.route("/groups/<uuid:group_id>/cpr", methods=["GET", "POST"])
@may(Verb.READ_REPORTS)
def of_group(group_id: UUID) -> ResponseReturnValue:
    """Show the versions of a group’s CPRs and who may read them; take a new one."""
    with transaction() as session:
        group = _own(get_group(session, group_id))
        children = list_children(session, [group.id]).get(group.id, [])
    form = HandInForm()
    named = [SelectChoice(str(child.id), f"Child {child.position + 1}") for child in children]
    form.child.choices = [SelectChoice(WHOLE_GROUP, "All children of the group"), *named]
    return _reports(form, group, ReportKind.CPR)


@blueprint.route("/documents/<uuid:document_id>/undertaking", methods=["GET", "POST"])
@may(Verb.READ_REPORTS)
def confirm(document_id: UUID) -> ResponseReturnValue:
    """Show what a reader of another agency’s report promises, and take the promise."""
    wording, now = report_rules().present, utc_now()
    with transaction() as session:
        document = get_document(session, document_id)
        found, title = find_leave(session, document, now=now), title_of(session, document)
    form = UndertakingForm(wording=str(wording.version))
    if form.validate_on_submit():
        said = form.wording.data if (form.wording.data or "").isdecimal() else "0"
        with transaction() as session:
            undertake(session, get_grant(session, found.id), wording=int(said[:9]), now=utc_now())
        return redirect(url_for("documents.index"), 303)
    facts = {"title": title, "wording": wording, "grant": found}
    page = render_template("document-undertaking.html", form=form, errors=error_summary(form), **facts)
    return page, 422 if form.errors else 200


@blueprint.get("/documents/<uuid:document_id>/report.pdf")
@may(Verb.READ_REPORTS)
def read(document_id: UUID) -> ResponseReturnValue:
    """Hand out a report, marked with who reads it; its name says the record’s code and never who it is about."""
    version = request.args.get("version", type=int)
    try:
        with transaction() as session:
            document = get_document(session, document_id)
            name = title_of(session, document).replace(" of ", "-").replace(" ", "-")
            content = open_document(session, document, stamp=watermark, now=utc_now(), version=version)
    except UndertakingNeeded:
        return redirect(url_for("documents.confirm", document_id=document_id), 303)
    response = send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=f"{name}.pdf")
    response.headers["Cache-Control"] = "no-store"
    return response


def _reports(form: HandInForm, record: Household | SiblingGroup, kind: ReportKind) -> ResponseReturnValue:
    if request.method == "POST" and form.validate_on_submit() and _keep(form, record):
        return redirect(request.path, 303)
    with transaction() as session:
        reports = _listed(session, record, on=utc_now().date())
    page = render_template(
        "reports.html",
        form=form,
        errors=error_summary(form),
        record=record,
        kind=kind,
        reports=reports,
        may_keep=scope_may(g.scope, Verb.KEEP_REPORTS),
        most_megabytes=current_settings().upload_bytes // 2**20,
    )
    return page, 422 if form.errors else 200


def _keep(form: HandInForm, record: Household | SiblingGroup) -> bool:
    try:
        # Before the transaction: a scanner takes its time.
        file = check_document(form.file.data.read(), scan=current_settings().scanner)
        check_markable(file.content)
        with transaction() as session:
            _add(session, record, file, form.child.data)
    except DocumentRefused as refusal:
        form.file.errors = [str(refusal)]
    return not form.errors


def _add(session: Session, record: Household | SiblingGroup, file: CheckedPdf, about: str) -> DocumentVersion:
    if isinstance(record, Household):
        return add_par(session, record, file=file, now=utc_now())
    child = None if about == WHOLE_GROUP else session.get(Child, UUID(about))
    return add_cpr(session, record, file=file, child=child, now=utc_now())


def _listed(
    session: Session, record: Household | SiblingGroup, *, on: date
) -> list[tuple[Document, str, list[DocumentVersion], list[DocumentGrant]]]:
    return [
        (document, title_of(session, document), list_versions(session, document), readers_of(session, document, on=on))
        for document in list_documents_of(session, [record.id])
    ]


def _own(record: Household | SiblingGroup) -> Household | SiblingGroup:
    if record.agency_id != g.scope.agency_id:
        raise DocumentOfAnother("Its own agency keeps its reports. Ask to read them on the page of your link.")
    return record
