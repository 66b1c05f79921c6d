"""The pages of what is said on a link: the thread that both sides read, its files, and one side’s own notes."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovFileInput, GovSubmitInput
from wtforms import SelectChoice, SelectMultipleField, SubmitField

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.request import current_settings, transaction
from concord.web.short_form import words_field
from matching.document_check import DocumentRefused
from matching.link import LinkInvalid, get_link
from matching.link_file import MOST_BYTES, check_file
from matching.link_list import read_link
from matching.link_message import Reader, list_readers, open_file, read_messages, send_message
from matching.link_note import add_note, read_notes
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("threads", __name__, url_prefix="/links/<uuid:link_id>")


class MessageForm(FlaskForm):  # type: ignore[misc]
    """A message to both sides, whom it names, and a file."""

    words = words_field("Your message", missing="Write your message")
    named = SelectMultipleField("Tell somebody by name", widget=GovCheckboxesInput())
    file = FileField("A file", widget=GovFileInput())
    submit = SubmitField("Send to both agencies", widget=GovSubmitInput())


class NoteForm(FlaskForm):  # type: ignore[misc]
    """A note of one’s own side."""

    words = words_field("Your note", missing="Write your note")
    submit = SubmitField("Add this note", widget=GovSubmitInput())


@blueprint.route("/thread", methods=["GET", "POST"])
@may(Verb.READ_LINKS)
def thread(link_id: UUID) -> ResponseReturnValue:
    """Show what both sides say on a link, and take a message."""
    with transaction() as session:
        record = read_link(session, link_id)
        readers = [each for each in list_readers(session, record.link) if each.person_id != g.scope.person_id]
    form, may_keep = MessageForm(), scope_may(g.scope, Verb.KEEP_LINKS)
    form.named.choices = _choices(readers, record.names)
    if form.validate_on_submit() and _sent(form, link_id):
        return redirect(url_for("threads.thread", link_id=link_id, _anchor="last"), 303)
    with transaction() as session:
        messages = read_messages(session, get_link(session, link_id), now=utc_now())
    page = render_template(
        "link-thread.html",
        record=record,
        messages=messages,
        form=form,
        may_keep=may_keep,
        most_megabytes=MOST_BYTES // 2**20,
        errors=error_summary(form),
    )
    return page, 422 if form.errors else 200


@blueprint.get("/thread/files/<uuid:file_id>")
@may(Verb.READ_LINKS)
def file(link_id: UUID, file_id: UUID) -> ResponseReturnValue:
    """Hand out the file of a message."""
    with transaction() as session:
        name, kind, content = open_file(session, link_id, file_id, now=utc_now())
    response = send_file(BytesIO(content), kind.media_type, as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/notes", methods=["GET", "POST"])
@may(Verb.READ_LINKS)
def notes(link_id: UUID) -> ResponseReturnValue:
    """Show one’s own side’s notes on a link, and take another."""
    form = NoteForm()
    if form.validate_on_submit():
        with transaction() as session:
            add_note(session, get_link(session, link_id), words=form.words.data, now=utc_now())
        return redirect(url_for("threads.notes", link_id=link_id), 303)
    with transaction() as session:
        record = read_link(session, link_id)
        found = read_notes(session, record.link, now=utc_now())
    may_keep = scope_may(g.scope, Verb.KEEP_LINKS)
    facts = {"record": record, "notes": found, "may_keep": may_keep, "errors": error_summary(form)}
    return render_template("link-notes.html", form=form, **facts), 422 if form.errors else 200


def _choices(readers: list[Reader], names: dict[UUID, str]) -> list[SelectChoice]:
    """Return whom a message may name: each person once, though they may work for both sides."""
    once = {str(each.person_id): each for each in readers}
    outside = "an agency outside the consortium"
    return [SelectChoice(value, f"{each.name}, {names.get(each.agency_id, outside)}") for value, each in once.items()]


def _sent(form: MessageForm, link_id: UUID) -> bool:
    sent = form.file.data
    try:
        # Before the transaction: a scanner takes its time.
        checked = check_file(sent.read(), scan=current_settings().scanner) if sent else None
        with transaction() as session:
            send_message(
                session,
                get_link(session, link_id),
                words=form.words.data,
                named=[UUID(each) for each in form.named.data or []],
                file=checked,
                file_name=(sent.filename or "") if sent else "",
                now=utc_now(),
            )
    except DocumentRefused as refusal:
        form.file.errors = [str(refusal)]
    except LinkInvalid as refusal:
        form.named.errors = [str(refusal)]
    return not form.errors
