"""Who can see a record: said to everyone who sees it, and set by the people of its own agency."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import (
    GovCheckboxInput,
    GovRadioInput,
    GovSubmitInput,
    GovTextArea,
    GovTextInput,
)
from wtforms import BooleanField, RadioField, SelectChoice, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.access import may
from concord.web.form import error_summary, lines, one_line
from concord.web.record_kind import KIND, get_record, name_of
from concord.web.request import transaction
from matching.profile_check import ProfileTelling, check_profile, require_looked
from matching.sharing import MOST_CHARACTERS, set_sharing
from matching.timing import Timing, TimingInvalid, agency_timing, consortium_timing, set_agency_timing
from matching.visibility import WISHES, Visibility, read_visibility
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("sharing", __name__)

_DAYS = {
    "household_in_house_days": "Days that a new household stays in-house",
    "group_in_house_days": "Days that a sibling group stays in-house",
    "household_national_days": "Days that a household stays in the consortium before it is shared nationally",
    "group_national_days": "Days that a sibling group stays in the consortium before it is shared nationally",
}


class SharingForm(FlaskForm):  # type: ignore[misc]
    """How far a record is to be shared, and why."""

    wish = RadioField(
        "How far is it to be shared?",
        widget=GovRadioInput(),
        choices=[SelectChoice(name, wish.words) for name, wish in WISHES.items()],
        validators=[InputRequired("Select how far it is to be shared")],
    )
    reason = TextAreaField(
        "Why?",
        widget=GovTextArea(),
        filters=[lines],
        validators=[
            DataRequired("Enter why"),
            Length(max=MOST_CHARACTERS, message=f"Write at most {MOST_CHARACTERS:,} characters"),
        ],
    )
    looked = BooleanField(
        "I have looked at the profile, and it may be shared as it is",
        widget=GovCheckboxInput(),
    )
    submit = SubmitField("Save", widget=GovSubmitInput())


class TimingForm(FlaskForm):  # type: ignore[misc]
    """An agency's own days; blank goes by the consortium's."""

    household_in_house_days = StringField(widget=GovTextInput(), filters=[one_line])
    group_in_house_days = StringField(widget=GovTextInput(), filters=[one_line])
    household_national_days = StringField(widget=GovTextInput(), filters=[one_line])
    group_national_days = StringField(widget=GovTextInput(), filters=[one_line])
    submit = SubmitField("Save", widget=GovSubmitInput())


@blueprint.get(f"/{KIND}/<uuid:record_id>/sharing")
@may(Verb.READ_GROUPS)
def show(kind: str, record_id: UUID) -> ResponseReturnValue:
    """Say who sees a record, and why."""
    return _page(SharingForm(), kind, record_id)


@blueprint.post(f"/{KIND}/<uuid:record_id>/sharing")
@may(Verb.SHARE_RECORDS)
def share(kind: str, record_id: UUID) -> ResponseReturnValue:
    """Share one's own agency's record as a person says."""
    form = SharingForm()
    if not form.validate_on_submit():
        return _page(form, kind, record_id), 422
    try:
        _share(form, kind, record_id)
    except ProfileTelling as telling:
        form.looked.errors = [str(telling)]
        return _page(form, kind, record_id), 422
    return redirect(url_for("sharing.show", kind=kind, record_id=record_id), 303)


@blueprint.route("/timing", methods=["GET", "POST"])
@may(Verb.SET_TIMING)
def timing() -> ResponseReturnValue:
    """Show and set when the agency's records are shared by themselves."""
    with transaction() as session:
        theirs, ours = consortium_timing(session), agency_timing(session)
    form = TimingForm(data={name: _said(getattr(ours, name)) for name in _DAYS})
    if form.validate_on_submit() and _set(form):
        return redirect(url_for("sharing.timing"), 303)
    page = render_template("timing.html", form=form, errors=error_summary(form), days=_DAYS, theirs=theirs)
    return page, 422 if form.errors else 200


def _share(form: SharingForm, kind: str, record_id: UUID) -> None:
    with transaction() as session:
        record, wish = get_record(session, kind, record_id), WISHES[form.wish.data]
        stage = wish.stage or read_visibility(session, record, on=utc_now().date()).stage
        require_looked(session, record, stage=stage, held=wish.held, looked=form.looked.data)
        set_sharing(
            session,
            record,
            stage=stage,
            held=wish.held,
            kept=wish.kept,
            reason=form.reason.data,
            now=utc_now(),
        )


def _page(form: SharingForm, kind: str, record_id: UUID) -> str:
    with transaction() as session:
        record = get_record(session, kind, record_id)
        seen: Visibility = read_visibility(session, record, on=utc_now().date())
        may_share = seen.own and scope_may(g.scope, Verb.SHARE_RECORDS)
        telling = sum(each.sure for each in check_profile(session, record)) if may_share else 0
    return render_template(
        "sharing.html",
        form=form,
        errors=error_summary(form),
        kind=kind,
        record=record,
        name=name_of(record),
        seen=seen,
        may_share=may_share,
        telling=telling,
        may_bar=seen.own and scope_may(g.scope, Verb.SET_BARS),
    )


def _set(form: TimingForm) -> bool:
    days: dict[str, int | None] = {}
    for name in _DAYS:
        text = form[name].data or ""
        if text and not (text.isascii() and text.isdigit() and len(text) < 6):
            form[name].errors = ["Enter days as a whole number, or leave it empty to go by the consortium’s"]
        days[name] = int(text) if text and not form[name].errors else None
    if form.errors:
        return False
    try:
        with transaction() as session:
            set_agency_timing(session, Timing(**days), now=utc_now())
    except TimingInvalid as refusal:
        form.household_in_house_days.errors = [str(refusal)]
    return not form.errors


def _said(days: int | None) -> str:
    return "" if days is None else str(days)
