"""What may happen to a whole group: times to keep, legal holds, a birth, together or apart, a change of plan."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import SelectChoice

from concord.web.access import may
from concord.web.group_course_form import (
    BirthForm,
    HoldForm,
    JoinForm,
    LiftForm,
    MarkForm,
    PlanForm,
    SplitForm,
    WaitForm,
)
from concord.web.link_form import ReasonForm
from concord.web.link_steps import explain_page
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.birth import record_birth
from matching.clock.mark import MarkKind, mark, marks_of
from matching.clock.reading import clocks_of_groups, find_reading
from matching.clock.reason import explain_miss
from matching.clock.rule import ClockName
from matching.legal_hold import HoldKind, get_legal_hold, list_legal_holds
from matching.link import LinkInvalid, NotYet, NotYourStep
from matching.link_course import clock_lines
from matching.ranking.facts import Sex
from matching.sibling_decision import Decided, join_groups, list_decisions_of, split_group
from matching.sibling_group import GroupUnknown, SiblingGroup, get_group, get_group_by_reference, list_children
from matching.transition import change_plan, lift_legal_hold, look_for_family, set_legal_hold
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("group_course", __name__, url_prefix="/groups/<uuid:group_id>")

Act = Callable[[Session, SiblingGroup], object]
_GROUP_CLOCKS = "any(match, match_relinquished, refer_child):name"


@blueprint.get("/plan")
@may(Verb.READ_LINKS)
def show(group_id: UUID) -> ResponseReturnValue:
    """Show the times that run for an own group, its legal holds and what was decided of it."""
    now = utc_now()
    with transaction() as session:
        group = _own(session, group_id)
        readings = clocks_of_groups(session, [group], on=now.date()).get(group_id, [])
        clocks, marks = clock_lines(session, readings), marks_of(session, [group_id]).get(group_id, {})
        holds, decisions = list_legal_holds(session, group_id), list_decisions_of(session, group)
        children = list_children(session, [group_id])[group_id]
    return render_template(
        "group-plan.html",
        group=group,
        clocks=clocks,
        clock_page=lambda reading: url_for("group_course.explain", group_id=group_id, name=reading.clock.name.value),
        marks=marks,
        holds=holds,
        decisions=decisions,
        children=children,
        may_hold=scope_may(g.scope, Verb.KEEP_LEGAL_HOLDS),
        may_change=scope_may(g.scope, Verb.CHANGE_PLAN),
        may_keep=scope_may(g.scope, Verb.KEEP_LINKS),
    )


@blueprint.route("/legal-holds/new", methods=["GET", "POST"])
@may(Verb.KEEP_LEGAL_HOLDS)
def hold(group_id: UUID) -> ResponseReturnValue:
    """Set a legal hold."""
    form = HoldForm()

    def act(session: Session, group: SiblingGroup) -> object:
        facts = {"kind": HoldKind(form.kind.data), "from_on": form.day.data, "reason": form.reason.data}
        return set_legal_hold(session, group, **facts, now=utc_now())

    return _page(
        form,
        group_id,
        act,
        title="Set a legal hold",
        lead="While it stands the children cannot be placed. The other agency of each link is told that there is one, "
        "not what it is about.",
    )


@blueprint.route("/legal-holds/<uuid:hold_id>/lift", methods=["GET", "POST"])
@may(Verb.KEEP_LEGAL_HOLDS)
def lift(group_id: UUID, hold_id: UUID) -> ResponseReturnValue:
    """Lift a legal hold."""
    form = LiftForm()
    with transaction() as session:
        get_legal_hold(session, hold_id)

    def act(session: Session, group: SiblingGroup) -> object:  # noqa: ARG001 - as for the others
        return lift_legal_hold(session, get_legal_hold(session, hold_id), reason=form.reason.data, now=utc_now())

    return _page(form, group_id, act, title="Lift a legal hold", lead="Your name and the reason are kept with it.")


@blueprint.route("/plan/change", methods=["GET", "POST"])
@may(Verb.CHANGE_PLAN)
def change(group_id: UUID) -> ResponseReturnValue:
    """Take a group out of family finding, and end all its open links."""
    form = PlanForm()

    def act(session: Session, group: SiblingGroup) -> object:
        return change_plan(session, group, reason=form.reason.data, feedback=form.feedback.data, now=utc_now())

    return _page(
        form,
        group_id,
        act,
        title="The plan has changed",
        warning="All open links of these children end at once, and with them who may read their reports.",
    )


@blueprint.route("/plan/wait", methods=["GET", "POST"])
@may(Verb.CHANGE_PLAN)
def wait(group_id: UUID) -> ResponseReturnValue:
    """Let a group that is on hold wait for a family again."""

    def act(session: Session, group: SiblingGroup) -> object:
        return look_for_family(session, group, now=utc_now())

    lead = "The children are on every list of those who wait from then on, as far as they are shared."
    return _page(WaitForm(), group_id, act, title="Look for a family again", lead=lead)


@blueprint.route("/split", methods=["GET", "POST"])
@may(Verb.CHANGE_PLAN)
def split(group_id: UUID) -> ResponseReturnValue:
    """Put some of the children in a group of their own."""
    form = SplitForm()
    with transaction() as session:
        children = list_children(session, [_own(session, group_id).id])[group_id]
    form.children.choices = [(str(each.id), f"Child {number}") for number, each in enumerate(children, start=1)]

    def act(session: Session, group: SiblingGroup) -> object:
        ids = [UUID(each) for each in form.children.data]
        return split_group(
            session, group, child_ids=ids, reference=form.reference.data, decided=_decided(form), now=utc_now()
        )

    return _page(
        form,
        group_id,
        act,
        title="Place brothers and sisters apart",
        lead="The children you choose get a group of their own, which starts in-house and without a profile.",
        warning="All open links of these children end at once.",
    )


@blueprint.route("/join", methods=["GET", "POST"])
@may(Verb.CHANGE_PLAN)
def join(group_id: UUID) -> ResponseReturnValue:
    """Put the children of another group into this one."""
    form = JoinForm()

    def act(session: Session, group: SiblingGroup) -> None:
        other = get_group_by_reference(session, form.other.data)
        join_groups(session, group, other, decided=_decided(form), now=utc_now())

    return _page(
        form,
        group_id,
        act,
        title="Place brothers and sisters together",
        lead="The other group’s children come into this one, and the other group is withdrawn.",
        warning="All open links of both groups end at once.",
        hints={"other": "Its code, for example G-3QX8ZA, or your own reference"},
    )


@blueprint.route("/children/<uuid:child_id>/birth", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def birth(group_id: UUID, child_id: UUID) -> ResponseReturnValue:
    """Record that an expected child was born."""
    form = BirthForm()

    def act(session: Session, group: SiblingGroup) -> object:
        return record_birth(session, group, child_id, born_on=form.day.data, sex=Sex(form.sex.data), now=utc_now())

    return _page(form, group_id, act, title="Record a birth", lead="Who the child is stays with your agency.")


@blueprint.route("/marks/new", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def add_mark(group_id: UUID) -> ResponseReturnValue:
    """Say what a clock needs to know of the group."""
    form = MarkForm()
    form.kind.choices = [SelectChoice(kind.value, kind.label) for kind in MarkKind]

    def act(session: Session, group: SiblingGroup) -> object:
        return mark(session, group, kind=MarkKind(form.kind.data), day=form.day.data, now=utc_now())

    return _page(form, group_id, act, title="Say what changes a time to keep")


@blueprint.route(f"/clocks/<{_GROUP_CLOCKS}>", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def explain(group_id: UUID, name: str) -> ResponseReturnValue:
    """Say why a time of the group was missed."""
    form, clock = ReasonForm(), ClockName(name)
    with transaction() as session:
        group = _own(session, group_id)

    def act(session: Session, group: SiblingGroup) -> object:
        now = utc_now()
        found = clocks_of_groups(session, [group], on=now.date()).get(group.id, [])
        return explain_miss(session, find_reading(found, clock), reason=form.reason.data, now=now)

    if _done(form, group_id, act):
        return redirect(url_for("group_course.show", group_id=group_id), 303)
    return explain_page(form, clock, back=_back(group_id), about=group.code)


def _own(session: Session, group_id: UUID) -> SiblingGroup:
    group = get_group(session, group_id)
    if group.agency_id != g.scope.agency_id:
        raise NotYourStep("The plan of these children is their own agency’s.")
    return group


def _decided(form: SplitForm | JoinForm) -> Decided:
    return Decided(form.decided_by.data, form.day.data, form.reason.data, form.feedback.data)


def _done(form: FlaskForm, group_id: UUID, act: Act) -> bool:
    """Do what a sound form asks for; what keeps it from being done is shown at its first field."""
    if not form.validate_on_submit():
        return False
    try:
        with transaction() as session:
            act(session, _own(session, group_id))
    except (GroupUnknown, LinkInvalid, NotYet) as refusal:
        next(iter(form)).errors = [str(refusal)]
        return False
    return True


def _page(
    form: FlaskForm,
    group_id: UUID,
    act: Act,
    *,
    title: str,
    lead: str = "",
    warning: str = "",
    hints: dict[str, str] | None = None,
) -> ResponseReturnValue:
    with transaction() as session:
        group = _own(session, group_id)
    if _done(form, group_id, act):
        return redirect(url_for("group_course.show", group_id=group_id), 303)
    title, back = f"{title}: {group.code}", _back(group_id)
    return short_form(form, title=title, back=back, lead=lead, warning=warning, hints=hints)


def _back(group_id: UUID) -> tuple[str, str]:
    return url_for("group_course.show", group_id=group_id), "Plan and times"
