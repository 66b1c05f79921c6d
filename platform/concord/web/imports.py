"""The pages of imports: hand in a file, watch it being read, see what becomes of each row, take it, take it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileRequired, MultipleFileField
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.handed_in import handed_in
from concord.web.listing import pagination
from concord.web.request import transaction
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
from matching.intake.refusals import list_refusals
from matching.intake.sheet import MOST_BYTES, UnreadableSheet
from matching.intake.undo import UNDOABLE_FOR, request_undo, why_not_undoable
from matching.register import Page
from tenants.base import utc_now
from tenants.job import Job, cancel_job, get_job, retry_job
from tenants.permission import Verb, require
from tenants.permission import may as scope_may
from workers.document.refusals import render_refusals

blueprint = Blueprint("imports", __name__)

KINDS = {
    SheetKind.HOUSEHOLDS: "Adopter households",
    SheetKind.CHILDREN: "Children and sibling groups",
    SheetKind.SSDA903: "SSDA903 return",
}
ROWS_A_PAGE = 100
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS = {
    Outcome.REFUSED: ("refused", "refused"),
    Outcome.CHANGED: ("changed", "would be changed"),
    Outcome.ADDED: ("added", "would be added"),
    Outcome.NOT_FOR_ADOPTION: ("not for adoption", "not for adoption"),
    Outcome.UNCHANGED: ("unchanged", "unchanged"),
}
"""What became of rows, and what would, in the order in which a reader should look."""


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A file, what is in it, and whether it is only checked."""

    kind = RadioField(
        "What is in the file?", widget=GovRadioInput(), validators=[InputRequired("Select what is in the file")]
    )
    file = MultipleFileField(
        "The file",
        widget=GovFileInput(multiple=True),
        validators=[FileRequired("Choose the file: Excel, OpenDocument or CSV, or the files of a return")],
    )
    mode = RadioField(
        "What should happen?",
        widget=GovRadioInput(),
        choices=[SelectChoice("check", "Check it first: nothing is saved"), SelectChoice("save", "Import it now")],
        default="check",
        validators=[InputRequired("Select whether to check the file or to import it")],
    )
    submit = SubmitField("Continue", widget=GovSubmitInput())


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one outcome: how many there are, and whether they are the ones shown."""

    outcome: Outcome
    words: str
    count: int
    shown: bool


@blueprint.get("/imports")
@may(Verb.IMPORT_HOUSEHOLDS)
def index() -> ResponseReturnValue:
    """Show the form for a file, and the agency's imports so far."""
    return _show_form(_form())


@blueprint.post("/imports")
@may(Verb.IMPORT_HOUSEHOLDS)
def hand_in() -> ResponseReturnValue:
    """Take in a file and ask for it to be read."""
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
    require(g.scope, VERB_OF[wanted])
    return render_template(
        "import-headings.html",
        kind=wanted,
        kind_words=KINDS[wanted],
        columns=columns_of(wanted),
        others=[(other, KINDS[other]) for other in _kinds() if other is not wanted and other in SHEETS],
    )


@blueprint.get("/imports/<uuid:run_id>")
@may(Verb.IMPORT_HOUSEHOLDS)
def show(run_id: UUID) -> ResponseReturnValue:
    """Show how far an import is, then what became of its rows."""
    now = utc_now()
    with transaction() as session:
        run = _get(session, run_id)
        parts = _parts(run)
        shown = next((part for part in parts if part.shown), None)
        page = _rows(session, run, shown) if shown else None
        return render_template(
            "import.html",
            run=run,
            job=get_job(session, run.job_id),
            undo=get_job(session, run.undo_job_id) if run.undo_job_id else None,
            may_undo=_taken(run) and run.undo_job_id is None and now - (run.finished_at or now) <= UNDOABLE_FOR,
            kind=KINDS[run.kind],
            parts=parts,
            shown=shown,
            page=page,
            pagination=pagination(page, _link(run, shown)) if page and shown else None,
            taken=_taken(run),
            worth_importing=worth_importing(run),
        )


@blueprint.post("/imports/<uuid:run_id>/real")
@may(Verb.IMPORT_HOUSEHOLDS)
def save(run_id: UUID) -> ResponseReturnValue:
    """Import for real what a check has shown."""
    with transaction() as session:
        saved = import_for_real(session, _get(session, run_id), now=utc_now())
    return redirect(url_for("imports.show", run_id=saved.id), 303)


@blueprint.post("/imports/<uuid:run_id>/again")
@may(Verb.IMPORT_HOUSEHOLDS)
def again(run_id: UUID) -> ResponseReturnValue:
    """Set what failed, the import or its undoing, to run again."""
    with transaction() as session:
        retry_job(session, _last_job(session, _get(session, run_id)), now=utc_now())
    return redirect(url_for("imports.show", run_id=run_id), 303)


@blueprint.post("/imports/<uuid:run_id>/cancel")
@may(Verb.IMPORT_HOUSEHOLDS)
def cancel(run_id: UUID) -> ResponseReturnValue:
    """Stop an import, or its undoing, that has not ended: nothing of it is kept."""
    with transaction() as session:
        cancel_job(session, _last_job(session, _get(session, run_id)), now=utc_now())
    return redirect(url_for("imports.show", run_id=run_id), 303)


@blueprint.get("/imports/<uuid:run_id>/undo")
@may(Verb.IMPORT_HOUSEHOLDS)
def ask_undo(run_id: UUID) -> ResponseReturnValue:
    """Ask whether an import is to be taken back, or say why it cannot be."""
    with transaction() as session:
        run = _get(session, run_id)
        return render_template("import-undo.html", run=run, reasons=why_not_undoable(session, run, now=utc_now()))


@blueprint.post("/imports/<uuid:run_id>/undo")
@may(Verb.IMPORT_HOUSEHOLDS)
def undo(run_id: UUID) -> ResponseReturnValue:
    """Ask for an import to be taken back, whole."""
    with transaction() as session:
        request_undo(session, _get(session, run_id), now=utc_now())
    return redirect(url_for("imports.show", run_id=run_id), 303)


@blueprint.get("/imports/<uuid:run_id>/refusals.xlsx")
@may(Verb.IMPORT_HOUSEHOLDS)
def refusals(run_id: UUID) -> ResponseReturnValue:
    """Send the refused rows as they were handed in, each with what to mend, as a workbook to hand in again."""
    with transaction() as session:
        content = render_refusals(list_refusals(session, _get(session, run_id), now=utc_now()))
    return send_file(BytesIO(content), _WORKBOOK, as_attachment=True, download_name=f"to-mend-{run_id}.xlsx")


def _get(session: Session, run_id: UUID) -> ImportRun:
    run = get_import(session, run_id)
    require(g.scope, VERB_OF[run.kind])
    return run


def _last_job(session: Session, run: ImportRun) -> Job:
    return get_job(session, run.undo_job_id or run.job_id)


def _taken(run: ImportRun) -> bool:
    """Say whether the import has saved anything."""
    return run.finished_at is not None and not run.dry_run and run.refusal is None and run.added + run.changed > 0


def _parts(run: ImportRun) -> list[Part]:
    """Return what became of the rows, part by part; the part asked for is shown, or the first that is not empty."""
    if run.finished_at is None or run.refusal or run.needs_mapping:
        return []
    counts = {outcome: getattr(run, outcome.value) for outcome in _WORDS}
    wanted = request.args.get("rows")
    there = [outcome for outcome, count in counts.items() if count]
    chosen = next((outcome for outcome in there if outcome == wanted), there[0] if there else None)
    return [
        Part(outcome, words[run.dry_run], counts[outcome], outcome is chosen)
        for outcome, words in _WORDS.items()
        if counts[outcome] or outcome is not Outcome.NOT_FOR_ADOPTION or run.kind is SheetKind.SSDA903
    ]


def _rows(session: Session, run: ImportRun, part: Part) -> Page[RowOutcome]:
    last = max(1, ceil(part.count / ROWS_A_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), last)
    rows = read_report(
        session,
        run,
        now=utc_now(),
        outcomes=frozenset({part.outcome}),
        limit=ROWS_A_PAGE,
        offset=(number - 1) * ROWS_A_PAGE,
    )
    return Page(cards=tuple(rows), total=part.count, number=number, size=ROWS_A_PAGE)


def _link(run: ImportRun, part: Part) -> Callable[[int], str]:
    return lambda number: url_for("imports.show", run_id=run.id, rows=part.outcome.value, page=number, _anchor="rows")


def _form() -> ImportForm:
    form = ImportForm()
    form.kind.choices = [SelectChoice(kind.value, KINDS[kind]) for kind in _kinds()]
    return form


def _kinds() -> list[SheetKind]:
    return [kind for kind in KINDS if scope_may(g.scope, VERB_OF[kind])]


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
    if run.needs_mapping:
        return "Waits for somebody to say what its columns hold"
    if run.refusal:
        return "The whole file was refused"
    counts = ", ".join(
        f"{getattr(run, outcome.value):,} {words[run.dry_run]}"
        for outcome, words in _WORDS.items()
        if getattr(run, outcome.value) or outcome is not Outcome.NOT_FOR_ADOPTION
    )
    return f"Taken back: {counts}" if run.undone_at else counts
