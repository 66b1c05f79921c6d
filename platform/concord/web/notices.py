"""The pages of notices: what a person was told of, how they are told by e-mail, and their calendar’s address."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary
from concord.web.listing import pagination
from concord.web.request import current_settings, transaction
from matching.calendar_feed import find_feed
from matching.notice import NoticeWay, choose_way, find_way, list_notices
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


class WayForm(FlaskForm):  # type: ignore[misc]
    """How a person is told by e-mail."""

    way = RadioField(
        "How are you told by e-mail?",
        widget=GovRadioInput(),
        choices=[SelectChoice(way.value, way.label) for way in NoticeWay],
        validators=[InputRequired("Select how you are told")],
    )
    submit = SubmitField("Save", widget=GovSubmitInput())


@blueprint.route("", methods=["GET", "POST"])
@may(Verb.READ_LINKS)
def index() -> ResponseReturnValue:
    """Show what the person was told of, and take how they want to be told by e-mail."""
    with transaction() as session:
        page = list_notices(session, number=request.args.get("page", 1, type=int))
        form, feed = WayForm(way=find_way(session).value), find_feed(session)
    if form.validate_on_submit():
        with transaction() as session:
            choose_way(session, NoticeWay(form.way.data), now=utc_now())
        return redirect(url_for("notices.index"), 303)
    shown = render_template(
        "notices.html",
        page=page,
        form=form,
        feed=feed,
        mails=current_settings().mails,
        errors=error_summary(form),
        pagination=pagination(page, lambda number: url_for("notices.index", page=number)),
    )
    return shown, 422 if form.errors else 200
