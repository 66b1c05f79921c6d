"""The pages of banks’ files: hand one in, say once what its columns hold, see what was taken of it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from math import ceil
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.export import MEDIA
from concord.web.form import error_summary
from concord.web.listing import pagination
from concord.web.request import transaction
from matching.fee.remittance.bank_file import MOST_BYTES, UnreadableRemittance, pounds
from matching.fee.remittance.column_map import ColumnsWrong, Holds
from matching.fee.remittance.line import LineWords, RemittanceLine, list_lines
from matching.fee.remittance.line import words_of as line_words
from matching.fee.remittance.mapping import choose_mapping, preview_mapping
from matching.fee.remittance.remittance import (
    Purpose,
    Remittance,
    RemittanceState,
    get_remittance,
    list_remittances,
    read_again,
    record_look,
    request_remittance,
)
from matching.register import Page
from tenants.base import utc_now
from tenants.job import get_job, retry_job
from tenants.permission import Verb
from workers.document.sheet import SheetFormat, write_sheet

blueprint = Blueprint("remittances", __name__)

LINES_A_PAGE = 100
HEADINGS = ("Line", "Date", "Amount", "Who", "Reference", "What it is")


class RemittanceForm(FlaskForm):  # type: ignore[misc]
    """A bank's file, and whose lines it has."""

    purpose = RadioField(
        "What is in the file?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice(Purpose.RECEIPTS.value, "What we were paid: a statement of our bank, or a list of receipts"),
            SelectChoice(Purpose.ADVICE.value, "What we have paid: kept to compare with others, nothing is posted"),
        ],
        default=Purpose.RECEIPTS.value,
        validators=[InputRequired("Select what is in the file")],
    )
    file = FileField("The file", widget=GovFileInput(), validators=[FileRequired("Choose the file of your bank")])
    submit = SubmitField("Hand in", widget=GovSubmitInput())


@blueprint.get("/fees/remittances")
@may(Verb.KEEP_FEES)
def index() -> ResponseReturnValue:
    """Show the form for a file, and the files so far."""
    return _show_form(RemittanceForm())


@blueprint.post("/fees/remittances")
@may(Verb.KEEP_FEES)
def hand_in() -> ResponseReturnValue:
    """Take in a file and ask for it to be read; the same file again leads to the first one."""
    form = RemittanceForm()
    if form.validate_on_submit():
        upload, now = form.file.data, utc_now()
        try:
            with transaction() as session:
                found = request_remittance(
                    session,
                    purpose=Purpose(form.purpose.data),
                    filename=upload.filename or "",
                    content=upload.read(),
                    now=now,
                )
                known = found.state is RemittanceState.TAKEN and found.imported_at != now
                address = url_for("remittances.show", remittance_id=found.id, known="yes" if known else None)
                return redirect(address, 303)
        except UnreadableRemittance as refusal:
            form.file.errors = [str(refusal)]
    return _show_form(form), 422


@blueprint.get("/fees/remittances/<uuid:remittance_id>")
@may(Verb.KEEP_FEES)
def show(remittance_id: UUID) -> ResponseReturnValue:
    """Show how far a file is, then what was taken of it, line by line."""
    with transaction() as session:
        remittance = get_remittance(session, remittance_id)
        page = _page(session, remittance) if remittance.state is RemittanceState.TAKEN else None
        return render_template(
            "remittance.html",
            remittance=remittance,
            known=request.args.get("known") == "yes",
            job=get_job(session, remittance.job_id),
            page=page,
            pagination=pagination(page, lambda number: url_for(".show", remittance_id=remittance_id, page=number))
            if page
            else None,
            pounds=pounds,
        )


@blueprint.post("/fees/remittances/<uuid:remittance_id>/again")
@may(Verb.KEEP_FEES)
def again(remittance_id: UUID) -> ResponseReturnValue:
    """Read a file again whose reading failed."""
    now = utc_now()
    with transaction() as session:
        remittance = get_remittance(session, remittance_id)
        if remittance.state is RemittanceState.READING:
            retry_job(session, get_job(session, remittance.job_id), now=now)
        else:
            read_again(session, remittance, now=now)
    return redirect(url_for("remittances.show", remittance_id=remittance_id), 303)


@blueprint.get("/fees/remittances/<uuid:remittance_id>/lines.<any(xlsx, csv):file_format>")
@may(Verb.KEEP_FEES)
def export(remittance_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out the lines of a file as they are shown."""
    wanted, now = SheetFormat(file_format), utc_now()
    file = BytesIO()
    with transaction() as session:
        remittance = get_remittance(session, remittance_id)
        record_look(session, remittance, now=now)
        write_sheet(file, HEADINGS, _rows(session, remittance), file_format=wanted, title="lines")
    file.seek(0)
    response = send_file(file, mimetype=MEDIA[wanted], as_attachment=True, download_name=f"bank-lines.{wanted}")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/fees/remittances/<uuid:remittance_id>/columns", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def columns(remittance_id: UUID) -> ResponseReturnValue:
    """Ask what the columns of a file hold, show its first lines read so, and remember the answer."""
    sent = request.method == "POST"
    problems: tuple[str, ...] = ()
    with transaction() as session:
        remittance = get_remittance(session, remittance_id)
        if sent and "save" in request.form:
            try:
                choose_mapping(session, remittance, _chosen(), outgoing="outgoing" in request.form, now=utc_now())
                return redirect(url_for("remittances.show", remittance_id=remittance_id), 303)
            except (ColumnsWrong, UnreadableRemittance) as wrong:
                problems = (str(wrong),)
        record_look(session, remittance, now=utc_now())
        preview = preview_mapping(
            session,
            remittance,
            chosen=_chosen() if sent else None,
            outgoing="outgoing" in request.form if sent else None,
        )
    page = render_template(
        "remittance-columns.html",
        remittance=remittance,
        preview=preview,
        problems=problems,
        holds=list(Holds),
        pounds=pounds,
    )
    return page, 422 if problems else 200


def _chosen() -> dict[int, Holds]:
    found: dict[int, Holds] = {}
    for name, value in request.form.items():
        place = name.removeprefix("column-")
        if name.startswith("column-") and place.isdigit() and len(place) < 4 and value in set(Holds):
            found[int(place)] = Holds(value)
    return found


def _page(session: Session, remittance: Remittance) -> Page[tuple[RemittanceLine, LineWords]]:
    record_look(session, remittance, now=utc_now())
    lines = list_lines(session, remittance_id=remittance.id)
    last = max(1, ceil(len(lines) / LINES_A_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), last)
    shown = lines[(number - 1) * LINES_A_PAGE : number * LINES_A_PAGE]
    cards = tuple((line, line_words(session, line)) for line in shown)
    return Page(cards=cards, total=len(lines), number=number, size=LINES_A_PAGE)


def _rows(session: Session, remittance: Remittance) -> Iterator[dict[str, str]]:
    for line in list_lines(session, remittance_id=remittance.id):
        words = line_words(session, line)
        said = (words.place, line.dated_on.isoformat(), f"{line.pence / 100:.2f}", words.payer, words.reference)
        yield dict(zip(HEADINGS, (*said, line.state.label), strict=True))


def _show_form(form: RemittanceForm) -> str:
    with transaction() as session:
        files = list_remittances(session)
    return render_template(
        "remittances.html",
        form=form,
        errors=error_summary(form),
        files=files,
        pounds=pounds,
        most_megabytes=MOST_BYTES // 2**20,
    )
