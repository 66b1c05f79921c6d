"""The pages on which people of a link ask for reports, and their owner lets somebody read, declines or takes back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import RadioField, SelectChoice, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import DayField, error_summary
from concord.web.link_form import words_field
from concord.web.links import role_words
from concord.web.request import transaction
from matching.document import ReportKind
from matching.grant import (
    DocumentGrant,
    GrantInvalid,
    ask,
    decline,
    default_end,
    get_grant,
    grant,
    list_takers,
    offer,
    revoke,
)
from matching.link import get_link
from matching.link_list import LinkRecord, read_link
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("grants", __name__)

_IMPOSSIBLE = "Enter a real date, for example 27 3 2027"


class AskForm(FlaskForm):  # type: ignore[misc]
    """Why somebody needs to read a report."""

    reason = words_field("Why do you need to read it?", "Enter why you need to read it")
    submit = SubmitField("Ask", widget=GovSubmitInput())


class OfferForm(FlaskForm):  # type: ignore[misc]
    """To whom a report is offered, why, and until when."""

    person = RadioField(
        "Who may read it?", widget=GovRadioInput(), validators=[InputRequired("Select who may read it")]
    )
    reason = words_field("Why do you offer it?", "Enter why you offer it")
    ends_on = DayField(
        "What is the last day on which they may read it?", missing="Enter the last day", impossible=_IMPOSSIBLE
    )
    submit = SubmitField("Let them read it", widget=GovSubmitInput())


class DecideForm(FlaskForm):  # type: ignore[misc]
    """Whether a request is granted, until when, or why it is not."""

    decision = RadioField(
        "May they read it?",
        widget=GovRadioInput(),
        choices=[SelectChoice("grant", "Yes"), SelectChoice("decline", "No")],
        validators=[InputRequired("Say whether they may read it")],
    )
    ends_on = DayField(
        "If yes, what is the last day on which they may read it?",
        missing="Enter the last day",
        impossible=_IMPOSSIBLE,
    )
    reason = words_field("If no, why not?", "Enter why not")
    submit = SubmitField("Save the decision", widget=GovSubmitInput())

    def validate(self, extra_validators: object = None) -> bool:  # noqa: ARG002 - as the library calls it
        """Ask for the day of a yes, and for the reason of a no, and not for both."""
        asked = {"grant": self.ends_on, "decline": self.reason}.get(self.decision.data)
        super().validate()
        for field in {self.ends_on, self.reason} - {asked}:
            field.errors = []
        return not any(field.errors for field in self)


class RevokeForm(FlaskForm):  # type: ignore[misc]
    """Why a grant is taken back."""

    reason = words_field("Why do you take it back?", "Enter why you take it back")
    submit = SubmitField("Take it back", widget=GovSubmitInput())


@blueprint.route("/links/<uuid:link_id>/ask/<any(par, cpr):kind>", methods=["GET", "POST"])
@may(Verb.READ_REPORTS)
def request_report(link_id: UUID, kind: str) -> ResponseReturnValue:
    """Take why somebody needs to read the other side’s report."""
    form, wanted, record = AskForm(), ReportKind(kind), _record(link_id)
    if form.validate_on_submit():
        with transaction() as session:
            ask(session, get_link(session, link_id), kind=wanted, reason=form.reason.data, now=utc_now())
        return _back(link_id)
    return _page("grant-ask.html", form, record, kind=wanted)


@blueprint.route("/links/<uuid:link_id>/offer/<any(par, cpr):kind>", methods=["GET", "POST"])
@may(Verb.KEEP_REPORTS)
def offer_report(link_id: UUID, kind: str) -> ResponseReturnValue:
    """Take to whom one’s own agency’s report is offered, and until when."""
    now, wanted, record = utc_now(), ReportKind(kind), _record(link_id)
    form = OfferForm(ends_on=default_end(now))
    with transaction() as session:
        takers = list_takers(session, record.link)
    form.person.choices = [
        SelectChoice(str(each.person_id), f"{each.person_name}, {role_words(each.person_roles)}") for each in takers
    ]
    if form.validate_on_submit():

        def let(session: Session) -> DocumentGrant:
            person_id, words, day = UUID(form.person.data), form.reason.data, form.ends_on.data
            link = get_link(session, link_id)
            return offer(session, link, kind=wanted, person_id=person_id, reason=words, ends_on=day, now=utc_now())

        if _done(form, let):
            return _back(link_id)
    return _page("grant-offer.html", form, record, kind=wanted, takers=takers)


@blueprint.route("/grants/<uuid:grant_id>/decide", methods=["GET", "POST"])
@may(Verb.KEEP_REPORTS)
def decide(grant_id: UUID) -> ResponseReturnValue:
    """Show who asks for a report and why, and take the owner’s decision; of a grant that stands, its last day."""
    with transaction() as session:
        found = get_grant(session, grant_id)
    record, form = _record(found.link_id), DecideForm(ends_on=found.ends_on or default_end(utc_now()))
    if form.validate_on_submit():

        def settle(session: Session) -> DocumentGrant:
            request = get_grant(session, grant_id)
            if form.decision.data == "grant":
                return grant(session, request, ends_on=form.ends_on.data, now=utc_now())
            return decline(session, request, reason=form.reason.data, now=utc_now())

        if _done(form, settle):
            return _back(found.link_id)
    return _page("grant-decide.html", form, record, kind=found.kind, found=found, role_words=role_words)


@blueprint.route("/grants/<uuid:grant_id>/revoke", methods=["GET", "POST"])
@may(Verb.KEEP_REPORTS)
def take_back(grant_id: UUID) -> ResponseReturnValue:
    """Take back, with a reason, what was granted."""
    form = RevokeForm()
    with transaction() as session:
        found = get_grant(session, grant_id)
    record = _record(found.link_id)
    if form.validate_on_submit():
        with transaction() as session:
            revoke(session, get_grant(session, grant_id), reason=form.reason.data, now=utc_now())
        return _back(found.link_id)
    return _page("grant-revoke.html", form, record, kind=found.kind, found=found)


def _done(form: FlaskForm, work: Callable[[Session], DocumentGrant]) -> bool:
    try:
        with transaction() as session:
            work(session)
    except GrantInvalid as refusal:
        form.ends_on.errors = [str(refusal)]
    return not form.errors


def _record(link_id: UUID) -> LinkRecord:
    with transaction() as session:
        return read_link(session, link_id)


def _back(link_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("links.show", link_id=link_id, _anchor="reports"), 303)


def _page(template: str, form: FlaskForm, record: LinkRecord, **facts: object) -> ResponseReturnValue:
    page = render_template(template, form=form, errors=error_summary(form), record=record, **facts)
    return page, 422 if form.errors else 200
