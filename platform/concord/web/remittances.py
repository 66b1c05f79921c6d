"""The pages of banks’ files: hand one in, say once what its columns hold, see what was taken of it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.fee_matching import ReasonForm
from concord.web.fee_table import show_page, whole_asked
from concord.web.form import error_summary
from concord.web.listing import pagination
from concord.web.remittance_tables import file_table, line_table
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.fee.money import pounds
from matching.fee.remittance.bank_file import MOST_BYTES, UnreadableRemittance
from matching.fee.remittance.column_map import ColumnsWrong, Holds
from matching.fee.remittance.line import LineState, LineWords, RemittanceLine, list_lines
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
from matching.fee.remittance.taken_back import count_leaving, count_lines, reason_of, take_file_back
from matching.register import Page
from matching.summary import count_words
from tenants.base import utc_now
from tenants.job import get_job, retry_job
from tenants.permission import Verb

blueprint = Blueprint("remittances", __name__)

LINES_A_PAGE = 100


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
        page = (
            _page(session, remittance) if remittance.state is RemittanceState.TAKEN or remittance.line_count else None
        )
        lines = [line_table(remittance, page.cards)] if page else []
        return show_page(
            "remittance.html",
            *lines,
            remittance=remittance,
            known=request.args.get("known") == "yes",
            job=get_job(session, remittance.job_id),
            counts=count_lines(session, remittance),
            reason=reason_of(session, remittance),
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


@blueprint.route("/fees/remittances/<uuid:remittance_id>/back", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def back(remittance_id: UUID) -> ResponseReturnValue:
    """Take a file back with a reason, and with it all of its lines that nobody settled."""
    form = ReasonForm()
    address = url_for("remittances.show", remittance_id=remittance_id)
    with transaction() as session:
        remittance = get_remittance(session, remittance_id)
        if form.validate_on_submit():
            take_file_back(session, remittance, reason=form.reason.data, now=utc_now())
            return redirect(address, 303)
        leaving, matched = count_leaving(session, remittance), count_lines(session, remittance).get(LineState.MATCHED)
    return short_form(
        form,
        title="Take this file back",
        back=(address, remittance.filename),
        lead=f"{count_words(leaving, 'line', 'lines').capitalize()} that nobody has settled will not wait any more. "
        "Nothing is erased: the file stays in the list with your name and reason, and can be handed in again.",
        warning=f"{count_words(matched, 'line is', 'lines are').capitalize()} matched and stay so. "
        "If that is wrong, take it back first, line by line."
        if matched
        else "",
        hints={"reason": "For example, it is of another account"},
    )


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
    number = Page.within(request.args.get("page", 1, type=int), len(lines), LINES_A_PAGE)
    shown = lines if whole_asked() else lines[(number - 1) * LINES_A_PAGE : number * LINES_A_PAGE]
    cards = tuple((line, line_words(session, line)) for line in shown)
    return Page(cards=cards, total=len(lines), number=number, size=LINES_A_PAGE)


def _show_form(form: RemittanceForm) -> str | Response:
    with transaction() as session:
        listed = file_table(list_remittances(session))
    return show_page(
        "remittances.html",
        listed,
        listed=listed,
        form=form,
        errors=error_summary(form),
        most_megabytes=MOST_BYTES // 2**20,
    )
