"""The pages of imports: hand in a sheet, watch it being read, see what became of each row."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileRequired, MultipleFileField
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSubmitInput
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.handed_in import handed_in
from concord.web.request import transaction
from concord.web.return_page import return_page
from matching.intake.column import SHEETS, SheetKind, columns_of
from matching.intake.import_run import (
    VERB_OF,
    ImportNotForAgency,
    ImportRun,
    get_import,
    list_imports,
    read_report,
    request_import,
)
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.real_import import import_for_real, worth_importing
from matching.intake.sheet import MOST_BYTES, UnreadableSheet
from tenants.base import utc_now
from tenants.job import get_job, retry_job
from tenants.permission import Verb, require
from tenants.permission import may as scope_may

blueprint = Blueprint("imports", __name__)

VERBS = VERB_OF
KINDS = {
    SheetKind.HOUSEHOLDS: "Adopter households",
    SheetKind.CHILDREN: "Children and sibling groups",
    SheetKind.SSDA903: "An SSDA903 return",
}
MOST_SHOWN = 500
"""How many refused rows a page shows; a sheet with more than that is wrong throughout."""


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A sheet, what is in it, and whether it is only checked."""

    kind = RadioField(
        "What is in the sheet?", widget=GovRadioInput(), validators=[InputRequired("Select what is in the sheet")]
    )
    file = MultipleFileField(
        "The sheet, or the files of the return",
        widget=GovFileInput(multiple=True),
        validators=[FileRequired("Choose the sheet, or all files of the return")],
    )
    mode = RadioField(
        "What should happen?",
        widget=GovRadioInput(),
        choices=[SelectChoice("check", "Check it first: nothing is saved"), SelectChoice("save", "Import it now")],
        default="check",
        validators=[InputRequired("Select whether to check the sheet or to import it")],
    )
    submit = SubmitField("Continue", widget=GovSubmitInput())


@blueprint.get("/imports")
@may(Verb.IMPORT_HOUSEHOLDS)
def index() -> ResponseReturnValue:
    """Show the form for a sheet, and the agency's imports so far."""
    return _show_form(_form())


@blueprint.post("/imports")
@may(Verb.IMPORT_HOUSEHOLDS)
def hand_in() -> ResponseReturnValue:
    """Take in a sheet and ask for it to be read."""
    form = _form()
    if form.validate_on_submit():
        try:
            return redirect(url_for("imports.show", run_id=_request(form)), 303)
        except UnreadableSheet as refusal:
            form.file.errors = [str(refusal)]
        except ImportNotForAgency as refusal:
            form.kind.errors = [str(refusal)]
    return _show_form(form), 422


@blueprint.get("/imports/headings/<any(households, children):kind>")
@may(Verb.IMPORT_HOUSEHOLDS)
def headings(kind: str) -> ResponseReturnValue:
    """Show the headings that a sheet may have, and what to write below each."""
    wanted = SheetKind(kind)
    require(g.scope, VERBS[wanted])
    return render_template(
        "import-headings.html",
        kind=wanted,
        kind_words=KINDS[wanted],
        columns=columns_of(wanted),
        others=[(other, KINDS[other]) for other in _kinds() if other in SHEETS and other is not wanted],
    )


@blueprint.get("/imports/<uuid:run_id>")
@may(Verb.IMPORT_HOUSEHOLDS)
def show(run_id: UUID) -> ResponseReturnValue:
    """Show how far an import is, then what became of its rows."""
    refused: list[RowOutcome] = []
    with transaction() as session:
        run = get_import(session, run_id)
        require(g.scope, VERBS[run.kind])
        job = get_job(session, run.job_id)
        if run.kind is SheetKind.SSDA903:
            return return_page(session, run, job, kind=KINDS[run.kind])
        if run.finished_at and run.refused:
            refused = read_report(session, run, now=utc_now(), outcomes=frozenset({Outcome.REFUSED}))
    return render_template(
        "import.html",
        run=run,
        job=job,
        kind=KINDS[run.kind],
        refused=refused[:MOST_SHOWN],
        more=len(refused) - MOST_SHOWN,
        worth_importing=worth_importing(run),
    )


@blueprint.post("/imports/<uuid:run_id>/real")
@may(Verb.IMPORT_HOUSEHOLDS)
def save(run_id: UUID) -> ResponseReturnValue:
    """Import for real what a dry run has checked."""
    with transaction() as session:
        run = get_import(session, run_id)
        require(g.scope, VERBS[run.kind])
        saved = import_for_real(session, run, now=utc_now())
    return redirect(url_for("imports.show", run_id=saved.id), 303)


@blueprint.post("/imports/<uuid:run_id>/again")
@may(Verb.IMPORT_HOUSEHOLDS)
def again(run_id: UUID) -> ResponseReturnValue:
    """Set an import that failed to run again."""
    with transaction() as session:
        run = get_import(session, run_id)
        require(g.scope, VERBS[run.kind])
        retry_job(session, get_job(session, run.job_id), now=utc_now())
    return redirect(url_for("imports.show", run_id=run_id), 303)


def _form() -> ImportForm:
    form = ImportForm()
    form.kind.choices = [SelectChoice(kind.value, KINDS[kind]) for kind in _kinds()]
    return form


def _kinds() -> list[SheetKind]:
    return [kind for kind, verb in VERBS.items() if scope_may(g.scope, verb)]


def _request(form: ImportForm) -> UUID:
    kind = SheetKind(form.kind.data)
    filename, content = handed_in(kind, form.file.data)
    with transaction() as session:
        run = request_import(
            session,
            kind=kind,
            filename=filename,
            content=content,
            dry_run=form.mode.data == "check",
            now=utc_now(),
        )
    return run.id


def _show_form(form: ImportForm) -> str:
    kinds = _kinds()
    with transaction() as session:
        runs = [run for run in list_imports(session) if run.kind in kinds]
    return render_template(
        "imports.html",
        form=form,
        errors=error_summary(form),
        runs=[(run, KINDS[run.kind], _result(run)) for run in runs],
        kinds=[(kind, KINDS[kind]) for kind in kinds if kind in SHEETS],
        takes_returns=SheetKind.SSDA903 in kinds,
        most_megabytes=MOST_BYTES // 2**20,
    )


def _result(run: ImportRun) -> str:
    if run.finished_at is None:
        return "Not finished"
    if run.refusal:
        return "The whole file was refused"
    would = "would be " if run.dry_run else ""
    counts = f"{run.added:,} {would}added, {run.changed:,} {would}changed, {run.unchanged:,} unchanged"
    others = f", {run.not_for_adoption:,} not for adoption" if run.kind is SheetKind.SSDA903 else ""
    return f"{counts}{others}, {run.refused:,} refused"
