"""The pages on which an agency takes everything it has out of Concord, and signs that it has it."""

from __future__ import annotations

from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextInput
from wtforms import StringField, SubmitField
from wtforms.validators import DataRequired

from concord.web.access import may
from concord.web.form import error_summary, one_line
from concord.web.request import transaction
from tenants.agency_archive import CheckWordWrong, get_archive, list_archives, sign_for_archive
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may
from tenants.person import names_of
from workers.agency_archive import write_archive

blueprint = Blueprint("agency_archive", __name__)


class ReceiptForm(FlaskForm):  # type: ignore[misc]
    """The word that shows that an archive was opened."""

    word = StringField(
        "Check word",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter the check word from README.txt in the archive")],
    )
    submit = SubmitField("Received, counts agree", widget=GovSubmitInput())


@blueprint.get("/agency/records")
@may(Verb.DECIDE_LIFE)
def index() -> ResponseReturnValue:
    """Show what was taken out, by whom, and who signed for it."""
    with transaction() as session:
        archives = list_archives(session)
        names = names_of(session, [person for each in archives for person in (each.taken_by, each.received_by)])
    may_take = scope_may(g.scope, Verb.EXPORT_RECORDS)
    return render_template("agency-records.html", archives=archives, names=names, may_take=may_take)


@blueprint.post("/agency/records")
@may(Verb.DECIDE_LIFE)
def take() -> ResponseReturnValue:
    """Hand out everything; it is on record before the first byte leaves."""
    now = utc_now()
    with ExitStack() as until_sent:
        file = until_sent.enter_context(TemporaryFile())
        with transaction() as session:
            write_archive(session, cast(BinaryIO, file), now=now)
        file.seek(0)
        name = f"concord-records-{now.date().isoformat()}.zip"
        response = send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)
        response.call_on_close(until_sent.pop_all().close)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/agency/records/<uuid:archive_id>", methods=["GET", "POST"])
@may(Verb.DECIDE_LIFE)
def receipt(archive_id: UUID) -> ResponseReturnValue:
    """Show what is in an archive, and take the word of whoever received it."""
    form = ReceiptForm()
    if form.validate_on_submit() and _sign(form, archive_id):
        return redirect(url_for("agency_archive.receipt", archive_id=archive_id), 303)
    with transaction() as session:
        archive = get_archive(session, archive_id)
        names = names_of(session, [archive.taken_by, archive.received_by])
    return render_template(
        "agency-receipt.html", form=form, errors=error_summary(form), archive=archive, names=names, me=g.scope.person_id
    ), 422 if form.errors else 200


def _sign(form: ReceiptForm, archive_id: UUID) -> bool:
    try:
        with transaction() as session:
            sign_for_archive(session, get_archive(session, archive_id), word=form.word.data, now=utc_now())
    except CheckWordWrong as refusal:
        form.word.errors = [str(refusal)]
    return not form.errors
