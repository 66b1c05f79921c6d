"""Breaking glass: who a record of one's own agency is about, for some hours and with a reason; and who is told."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextArea, GovTextInput
from sqlalchemy.orm import Session
from wtforms import RadioField, SelectChoice, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.access import may
from concord.web.form import error_summary, lines, one_line
from concord.web.record_kind import KIND, get_record
from concord.web.request import transaction
from matching import household as households
from matching import sibling_group as groups
from matching.glass import break_glass, get_glass, judge_glass, list_glass, require_broken
from matching.household import Household
from matching.record_audit import find_audited
from matching.sharing import MOST_CHARACTERS
from tenants.agency import get_agency
from tenants.base import utc_now
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.permission import Verb

blueprint = Blueprint("glass", __name__)
_MOST = Length(max=MOST_CHARACTERS, message=f"Write at most {MOST_CHARACTERS:,} characters")


class GlassForm(FlaskForm):  # type: ignore[misc]
    """Which record, and why its people must be known now."""

    code = StringField(
        "Code, or your agency’s reference",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter a code, for example H-7K2M4P"), Length(max=60)],
    )
    reason = TextAreaField(
        "Why do you need to know who it is about, now?",
        widget=GovTextArea(),
        filters=[lines],
        validators=[DataRequired("Enter why you need to know"), _MOST],
    )
    submit = SubmitField("Break glass", widget=GovSubmitInput())


class JudgeForm(FlaskForm):  # type: ignore[misc]
    """Whether it was justified, and why."""

    justified = RadioField(
        "Was it justified?",
        widget=GovRadioInput(),
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No")],
        validators=[InputRequired("Say whether it was justified")],
    )
    reason = TextAreaField("Why?", widget=GovTextArea(), filters=[lines], validators=[DataRequired("Enter why"), _MOST])
    submit = SubmitField("Mark as read", widget=GovSubmitInput())


@blueprint.route("/glass", methods=["GET", "POST"])
@may(Verb.BREAK_GLASS)
def break_it() -> ResponseReturnValue:
    """Take which record, and why, and open it."""
    form = GlassForm()
    with transaction() as session:
        hours = get_agency(session, scope_of(session).agency_id).glass_hours  # type: ignore[arg-type]
        if form.validate_on_submit():
            found = _break(session, form)
            if found:
                return redirect(url_for("glass.identity", kind=found[0], record_id=found[1]), 303)
    page = render_template("glass.html", form=form, errors=error_summary(form), hours=hours)
    return page, 422 if form.errors else 200


@blueprint.get(f"/{KIND}/<uuid:record_id>/glass")
@may(Verb.BREAK_GLASS)
def identity(kind: str, record_id: UUID) -> ResponseReturnValue:
    """Show who a record is about to somebody who has broken glass on it, while its hours last."""
    now = utc_now()
    with transaction() as session:
        record = get_record(session, kind, record_id)
        until = require_broken(session, record, now=now).ends_at
        if isinstance(record, Household):
            reference, person = households.read_identity(session, record, now=now)
            shown = {"household": record, "identity": person}
        else:
            reference, children = groups.read_identity(session, record, now=now)
            shown = {"group": record, "children": children}
    template = "household-identity.html" if kind == "households" else "group-identity.html"
    return render_template(template, reference=reference, glass_until=until, **shown)


@blueprint.get("/glass/all")
@may(Verb.READ_GLASS)
def index() -> ResponseReturnValue:
    """Show each time that glass was broken in the agency, and what was made of it."""
    with transaction() as session:
        broken = list_glass(session)
    return render_template("glass-list.html", broken=broken)


@blueprint.route("/glass/<uuid:glass_id>", methods=["GET", "POST"])
@may(Verb.JUDGE_GLASS)
def judge(glass_id: UUID) -> ResponseReturnValue:
    """Show one breaking of glass to somebody who is told of it, and take what they make of it."""
    form = JudgeForm()
    with transaction() as session:
        broken = get_glass(session, glass_id)
        if form.validate_on_submit():
            judged = form.justified.data == "yes"
            judge_glass(session, glass_id, justified=judged, reason=form.reason.data, now=utc_now())
            return redirect(url_for("home.page"), 303)
    page = render_template("glass-judge.html", form=form, errors=error_summary(form), broken=broken)
    return page, 422 if form.errors else 200


def _break(session: Session, form: GlassForm) -> tuple[str, UUID] | None:
    try:
        kind, record_id = find_audited(session, form.code.data)
    except NotFound as unknown:
        form.code.errors = [str(unknown)]
        return None
    break_glass(session, get_record(session, f"{kind}s", record_id), reason=form.reason.data, now=utc_now())
    return f"{kind}s", record_id
