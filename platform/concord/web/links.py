"""The pages of links: a group and a household looked at together by their two agencies."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextArea, GovTextInput
from wtforms import HiddenField, RadioField, SelectChoice, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.access import may
from concord.web.form import error_summary, lines, one_line
from concord.web.listing import pagination
from concord.web.request import transaction
from matching.document import ReportKind
from matching.grant import GrantState, list_takers, opens_at
from matching.household import HouseholdUnknown, get_household_by_reference
from matching.link import MOST_CHARACTERS, LinkInvalid, LinkOutcome, get_link
from matching.link_list import LinkRecord, list_links, read_link
from matching.sibling_group import GroupUnknown, get_group_by_reference
from matching.transition import consider, end_link, start_link
from tenants.base import utc_now
from tenants.error import Forbidden
from tenants.permission import Verb
from tenants.permission import may as scope_may
from tenants.role import Role

blueprint = Blueprint("links", __name__)

SIDES = {"all": "All", "children": "Our children", "families": "Our families"}
LENGTH = Length(max=MOST_CHARACTERS, message=f"Write at most {MOST_CHARACTERS:,} characters")


def words_field(label: str, missing: str) -> TextAreaField:
    """Return a box for a person's own words, which may not be left empty."""
    return TextAreaField(label, widget=GovTextArea(), filters=[lines], validators=[DataRequired(missing), LENGTH])


class StartForm(FlaskForm):  # type: ignore[misc]
    """Who is to be looked at together, and why."""

    group = StringField(
        "Sibling group’s code",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter the group’s code, for example G-3QX8ZA"), Length(max=60)],
    )
    household = StringField(
        "Household’s code",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter the household’s code, for example H-7K2M4P"), Length(max=60)],
    )
    reason = words_field("Why may they be right for each other?", "Enter why they may be right for each other")
    submit = SubmitField("Start the link", widget=GovSubmitInput())


class ConsiderForm(FlaskForm):  # type: ignore[misc]
    """Why the interest is taken up; which step the page showed last."""

    version = HiddenField()
    reason = words_field("Why do you consider it?", "Enter why you consider it")
    submit = SubmitField("Consider this link", widget=GovSubmitInput())


class EndForm(FlaskForm):  # type: ignore[misc]
    """What a link came to, why, and what the other agency can use."""

    version = HiddenField()
    outcome = RadioField(
        "What did it come to?",
        widget=GovRadioInput(),
        choices=[SelectChoice(outcome.value, outcome.label) for outcome in LinkOutcome],
        validators=[InputRequired("Select what it came to")],
    )
    reason = words_field("Why?", "Enter why the link ends")
    feedback = words_field("What can the other agency use?", "Enter what the other agency can use")
    submit = SubmitField("End the link", widget=GovSubmitInput())


@blueprint.get("/links")
@may(Verb.READ_LINKS)
def index() -> ResponseReturnValue:
    """Show the agency's links that are open, or those that have ended."""
    side, ended = request.args.get("side", "all"), request.args.get("show") == "ended"
    side = side if side in SIDES else "all"
    number = request.args.get("page", 1, type=int)
    with transaction() as session:
        page = list_links(session, ended=ended, side=side, number=number, on=utc_now().date())
    show = "ended" if ended else None
    return render_template(
        "links.html",
        page=page,
        ended=ended,
        side=side,
        sides=SIDES,
        may_keep=scope_may(g.scope, Verb.KEEP_LINKS),
        pagination=pagination(page, lambda number: url_for("links.index", side=side, show=show, page=number)),
    )


@blueprint.route("/links/new", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def start() -> ResponseReturnValue:
    """Take which group and household are to be looked at together, and start their link."""
    form = StartForm(group=request.args.get("group", ""), household=request.args.get("household", ""))
    if form.validate_on_submit():
        link_id = _start(form)
        if link_id:
            return redirect(url_for("links.show", link_id=link_id), 303)
    return render_template("link-new.html", form=form, errors=error_summary(form)), 422 if form.errors else 200


@blueprint.get("/links/<uuid:link_id>")
@may(Verb.READ_LINKS)
def show(link_id: UUID) -> ResponseReturnValue:
    """Show a link: how far it is, its history, and who may read whose reports."""
    now = utc_now()
    with transaction() as session:
        record = read_link(session, link_id)
        takers = list_takers(session, record.link)
    return render_template(
        "link.html",
        record=record,
        today=now.date(),
        kinds=list(ReportKind),
        mine=_mine(record),
        takers=takers,
        role_words=role_words,
        opens_at=opens_at,
        may_keep=scope_may(g.scope, Verb.KEEP_LINKS),
        may_read=scope_may(g.scope, Verb.READ_REPORTS),
        may_grant=scope_may(g.scope, Verb.KEEP_REPORTS),
    )


@blueprint.route("/links/<uuid:link_id>/consider", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def take_up(link_id: UUID) -> ResponseReturnValue:
    """Take up the other side's interest."""
    with transaction() as session:
        record = read_link(session, link_id)
    form = ConsiderForm(version=record.link.version)
    if form.validate_on_submit():
        with transaction() as session:
            link = get_link(session, link_id)
            consider(session, link, version=_version(form), reason=form.reason.data, now=utc_now())
        return redirect(url_for("links.show", link_id=link_id), 303)
    page = render_template("link-consider.html", form=form, errors=error_summary(form), record=record)
    return page, 422 if form.errors else 200


@blueprint.route("/links/<uuid:link_id>/end", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def end(link_id: UUID) -> ResponseReturnValue:
    """Take what a link came to, and end it with every grant of it."""
    with transaction() as session:
        record = read_link(session, link_id)
    form = EndForm(version=record.link.version)
    if form.validate_on_submit():
        with transaction() as session:
            end_link(
                session,
                get_link(session, link_id),
                outcome=LinkOutcome(form.outcome.data),
                feedback=form.feedback.data,
                version=_version(form),
                reason=form.reason.data,
                now=utc_now(),
            )
        return redirect(url_for("links.show", link_id=link_id), 303)
    page = render_template("link-end.html", form=form, errors=error_summary(form), record=record)
    return page, 422 if form.errors else 200


def role_words(roles: list[str]) -> str:
    """Return roles as a person reads them."""
    known = {role.value: role.label.lower() for role in Role}
    return " and ".join(known.get(role, role) for role in roles) or "no role"


def _mine(record: LinkRecord) -> dict[ReportKind, bool]:
    """Say, for each kind of report, whether the person has asked for it and waits, or may read it."""
    today = utc_now().date()
    return {
        kind: any(
            each.person_id == g.scope.person_id and each.state(today) in {GrantState.ASKED, GrantState.GRANTED}
            for each in record.grants_of(kind)
        )
        for kind in ReportKind
    }


def _version(form: FlaskForm) -> int:
    said = form.version.data or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0


def _start(form: StartForm) -> UUID | None:
    try:
        with transaction() as session:
            group = get_group_by_reference(session, form.group.data)
            household = get_household_by_reference(session, form.household.data)
            link = start_link(session, group=group, household=household, reason=form.reason.data, now=utc_now())
            return link.id
    except GroupUnknown as unknown:
        form.group.errors = [str(unknown)]
    except HouseholdUnknown as unknown:
        form.household.errors = [str(unknown)]
    except (Forbidden, LinkInvalid) as refusal:
        form.group.errors = [str(refusal)]
    return None
