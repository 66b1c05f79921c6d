"""The pages of links: a group and a household looked at together by their two agencies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextInput
from wtforms import StringField, SubmitField
from wtforms.validators import DataRequired, Length

from concord.web.access import may
from concord.web.form import error_summary, one_line
from concord.web.link_form import EndForm, words_field
from concord.web.listing import pagination
from concord.web.request import transaction
from matching.clock.reading import Reading
from matching.clock.rule import Subject
from matching.document import ReportKind
from matching.grant import GrantState, list_takers
from matching.household import HouseholdUnknown, get_household_by_reference
from matching.link import CapReached, LinkInvalid, LinkOutcome, LinkState, StepName, get_link
from matching.link_course import read_course
from matching.link_list import LinkRecord, list_links, read_link
from matching.panel.reader import READ as PANEL_STATES
from matching.report_stage import opens_at
from matching.sibling_group import GroupUnknown, get_group_by_reference
from matching.transition import end_link, start_link
from tenants.base import utc_now
from tenants.consortium import list_consortia
from tenants.error import Forbidden
from tenants.permission import Verb
from tenants.permission import may as scope_may
from tenants.role import Role

blueprint = Blueprint("links", __name__)

_PAGES = {StepName.END: "links.end", StepName.ORDER: "placements.order", StepName.DISRUPT: "placements.disruption"}
"""Steps that have a page of their own kind."""
SIDES = {"all": "All", "children": "Our children", "families": "Our families"}


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
    override = words_field("Why may the cap be passed?", "", optional=True)
    submit = SubmitField("Start the link", widget=GovSubmitInput())


@blueprint.get("/links")
@may(Verb.READ_LINKS)
def index() -> ResponseReturnValue:
    """Show the agency's links that are open, or those that have ended."""
    side, ended = request.args.get("side", "all"), request.args.get("show") == "ended"
    side, state = side if side in SIDES else "all", _state(request.args.get("state"))
    consortium_id, number = request.args.get("consortium", type=UUID), request.args.get("page", 1, type=int)
    with transaction() as session:
        page = list_links(
            session,
            ended=ended,
            side=side,
            number=number,
            on=utc_now().date(),
            state=state,
            consortium_id=consortium_id,
        )
        consortia = list_consortia(session)
    asked: dict[str, Any] = {"side": side, "show": "ended" if ended else None, "consortium": consortium_id}
    return render_template(
        "links.html",
        page=page,
        ended=ended,
        side=side,
        sides=SIDES,
        state=state,
        states=list(LinkState),
        consortia=consortia,
        consortium_id=consortium_id,
        asked=asked,
        may_keep=scope_may(g.scope, Verb.KEEP_LINKS),
        pagination=pagination(page, lambda number: url_for("links.index", **asked, state=state, page=number)),
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
        course = read_course(session, record.link, steps=record.steps, now=now)
    return render_template(
        "link.html",
        record=record,
        course=course,
        today=now.date(),
        kinds=list(ReportKind),
        mine=_mine(record),
        takers=takers,
        role_words=role_words,
        opens_at=opens_at,
        step_page=lambda step: _step_page(link_id, step),
        clock_page=_clock_page,
        may_keep=scope_may(g.scope, Verb.KEEP_LINKS),
        may_read=scope_may(g.scope, Verb.READ_REPORTS),
        may_panel=record.link.state in PANEL_STATES and scope_may(g.scope, Verb.KEEP_PANEL),
        may_grant=scope_may(g.scope, Verb.KEEP_REPORTS),
    )


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
                version=form.version_seen,
                reason=form.reason.data,
                now=utc_now(),
            )
        return redirect(url_for("links.show", link_id=link_id), 303)
    page = render_template("link-end.html", form=form, errors=error_summary(form), record=record)
    return page, 422 if form.errors else 200


def _state(said: str | None) -> LinkState | None:
    return next((state for state in LinkState if state.value == said), None)


def _step_page(link_id: UUID, step: StepName) -> str:
    """Return where a step is taken: most on a page of their own kind, some with more to say."""
    if step in _PAGES:
        return url_for(_PAGES[step], link_id=link_id)
    return url_for("link_steps.step", link_id=link_id, name=step.value)


def _clock_page(reading: Reading) -> str:
    """Return where it is said why a time was missed."""
    if reading.clock.about is Subject.LINK:
        return url_for("link_steps.explain", link_id=reading.subject_id, name=reading.clock.name.value)
    return url_for("group_course.explain", group_id=reading.subject_id, name=reading.clock.name.value)


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


def _start(form: StartForm) -> UUID | None:
    try:
        with transaction() as session:
            group = get_group_by_reference(session, form.group.data)
            household = get_household_by_reference(session, form.household.data)
            facts = {"reason": form.reason.data, "override": form.override.data}
            return start_link(session, group=group, household=household, **facts, now=utc_now()).id
    except GroupUnknown as unknown:
        form.group.errors = [str(unknown)]
    except HouseholdUnknown as unknown:
        form.household.errors = [str(unknown)]
    except CapReached as refusal:
        form.override.errors = [str(refusal)]
    except (Forbidden, LinkInvalid) as refusal:
        form.group.errors = [str(refusal)]
    return None
