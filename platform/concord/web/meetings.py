"""The pages of matching meetings and their packs."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextArea, GovTextInput
from wtforms import StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, Length

from concord.web.access import may
from concord.web.form import DayField, error_summary, lines, one_line
from concord.web.request import transaction
from matching.meeting import (
    DEFAULT_AGENDA,
    Meeting,
    MeetingInvalid,
    arrange_meeting,
    get_meeting,
    is_office,
    list_meetings,
    require_office,
)
from matching.meeting_action import list_actions, list_carried_actions
from matching.pack import PackFormat, download, get_pack
from matching.pack_progress import ask_for_packs, make_again, packs_of
from matching.register import agency_names
from matching.worklist import earlier_packs
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("meetings", __name__)

MEDIA = {
    PackFormat.PDF: "application/pdf",
    PackFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class MeetingForm(FlaskForm):  # type: ignore[misc]
    """What makes a meeting: a title, a day, a place, and what is to be talked about."""

    title = StringField(
        "Title",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter a title"), Length(max=200, message="A title has at most 200 characters")],
    )
    held_on = DayField(
        "When is it?",
        missing="Enter the day, month and year of the meeting",
        impossible="Enter a real date, for example 27 3 2027",
    )
    place = StringField(
        "Where is it?",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[
            DataRequired("Enter a place, or the address of a video call"),
            Length(max=500, message="A place has at most 500 characters"),
        ],
    )
    agenda = TextAreaField(
        "Agenda",
        widget=GovTextArea(),
        filters=[lines],
        default="\n".join(DEFAULT_AGENDA),
        validators=[
            DataRequired("Enter at least one point for the agenda"),
            Length(max=10_000, message="An agenda has at most 10,000 characters"),
        ],
    )
    submit = SubmitField("Arrange the meeting", widget=GovSubmitInput())


@blueprint.get("/meetings")
@may(Verb.READ_MEETINGS)
def index() -> ResponseReturnValue:
    """Show the consortium's meetings, those to come first."""
    today = utc_now().date()
    with transaction() as session:
        meetings = list_meetings(session)
        office = is_office(session)
    return render_template(
        "meetings.html",
        to_come=[meeting for meeting in reversed(meetings) if meeting.held_on >= today],
        past=[meeting for meeting in meetings if meeting.held_on < today],
        may_arrange=office and scope_may(g.scope, Verb.ARRANGE_MEETINGS),
    )


@blueprint.route("/meetings/new", methods=["GET", "POST"])
@may(Verb.ARRANGE_MEETINGS)
def arrange() -> ResponseReturnValue:
    """Take what makes a meeting, and arrange it."""
    form = MeetingForm()
    with transaction() as session:
        require_office(session)
    if form.validate_on_submit():
        try:
            return redirect(url_for("meetings.show", meeting_id=_arrange(form).id), 303)
        except MeetingInvalid as refusal:
            form.held_on.errors = [str(refusal)]
    return render_template("meeting-new.html", form=form, errors=error_summary(form)), 422 if form.errors else 200


@blueprint.get("/meetings/<uuid:meeting_id>")
@may(Verb.READ_MEETINGS)
def show(meeting_id: UUID) -> ResponseReturnValue:
    """Show a meeting, and how far its packs are."""
    with transaction() as session:
        meeting = get_meeting(session, meeting_id)
        packs, earlier = packs_of(session, meeting), earlier_packs(session, meeting)
        actions, carried, names = (
            list_actions(session, meeting),
            list_carried_actions(session, meeting),
            agency_names(session),
        )
    return render_template(
        "meeting.html",
        meeting=meeting,
        packs=packs,
        earlier=earlier,
        actions=actions,
        carried=carried,
        names=names,
        today=utc_now().date(),
        may_keep=scope_may(g.scope, Verb.KEEP_ACTIONS),
        may_confirm=scope_may(g.scope, Verb.CONFIRM_AVAILABILITY),
        office=g.scope.agency_id == meeting.agency_id,
        may_build=scope_may(g.scope, Verb.BUILD_PACK),
        may_read=scope_may(g.scope, Verb.READ_PACK),
        formats=list(PackFormat),
    )


@blueprint.post("/meetings/<uuid:meeting_id>/packs")
@may(Verb.BUILD_PACK)
def build(meeting_id: UUID) -> ResponseReturnValue:
    """Ask for the packs: the office for everyone's, an agency for its own."""
    with transaction() as session:
        ask_for_packs(session, get_meeting(session, meeting_id), now=utc_now())
    return redirect(url_for("meetings.show", meeting_id=meeting_id, _anchor="packs"), 303)


@blueprint.post("/meetings/<uuid:meeting_id>/jobs/<uuid:job_id>/again")
@may(Verb.BUILD_PACK)
def again(meeting_id: UUID, job_id: UUID) -> ResponseReturnValue:
    """Set the making of a pack that failed to run again."""
    with transaction() as session:
        make_again(session, get_meeting(session, meeting_id), job_id, now=utc_now())
    return redirect(url_for("meetings.show", meeting_id=meeting_id, _anchor="packs"), 303)


@blueprint.get("/packs/<uuid:pack_id>/<any(pdf, xlsx):kind>")
@may(Verb.READ_PACK)
def fetch(pack_id: UUID, kind: str) -> ResponseReturnValue:
    """Hand out a file of the agency's own pack; its name says which meeting, never who is in it."""
    wanted = PackFormat(kind)
    with transaction() as session:
        pack = get_pack(session, pack_id)
        content = download(session, pack, kind=wanted, now=utc_now())
        held_on = get_meeting(session, pack.meeting_id).held_on
    name = f"matching-meeting-{held_on:%Y-%m-%d}-pack-{pack.version}.{kind}"
    response = send_file(BytesIO(content), mimetype=MEDIA[wanted], as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response


def _arrange(form: MeetingForm) -> Meeting:
    with transaction() as session:
        return arrange_meeting(
            session,
            title=form.title.data,
            held_on=form.held_on.data,
            place=form.place.data,
            agenda=form.agenda.data.splitlines(),
            now=utc_now(),
        )
