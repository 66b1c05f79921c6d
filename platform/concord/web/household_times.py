"""The times that run for a household: a referral to a national register, where the agency's nation has that duty."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import SelectChoice

from concord.web.access import may
from concord.web.group_course_form import MarkForm
from concord.web.link_form import ReasonForm
from concord.web.link_steps import explain_page
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.clock.mark import MarkKind, mark, marks_of
from matching.clock.reading import Reading, clocks_of_household, find_reading
from matching.clock.reason import explain_miss
from matching.clock.rule import ClockName
from matching.household import Household, get_household
from matching.link import LinkInvalid, NotYet, NotYourStep
from matching.link_course import clock_lines
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("household_times", __name__, url_prefix="/households/<uuid:household_id>/times")


@blueprint.get("")
@may(Verb.READ_LINKS)
def show(household_id: UUID) -> ResponseReturnValue:
    """Show the times that run for an own household."""
    with transaction() as session:
        household = _own(session, household_id)
        clocks = clock_lines(session, clocks_of_household(session, household, on=utc_now().date()))
        marks = marks_of(session, [household_id]).get(household_id, {})
    may_keep = scope_may(g.scope, Verb.KEEP_LINKS)
    return render_template(
        "household-times.html", household=household, clocks=clocks, marks=marks, may_keep=may_keep, clock_page=_clock
    )


@blueprint.route("/referred", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def refer(household_id: UUID) -> ResponseReturnValue:
    """Say when a household was referred to the national register."""
    form = MarkForm()
    form.kind.choices = [SelectChoice(MarkKind.REFERRED.value, MarkKind.REFERRED.label)]
    with transaction() as session:
        household = _own(session, household_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                home, kind = _own(session, household_id), MarkKind(form.kind.data)
                mark(session, home, kind=kind, day=form.day.data, now=utc_now())
            return redirect(url_for("household_times.show", household_id=household_id), 303)
        except LinkInvalid as refusal:
            form.day.errors = [str(refusal)]
    return short_form(form, title=f"Say when {household.code} was referred", back=_back(household_id))


@blueprint.route("/why", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def explain(household_id: UUID) -> ResponseReturnValue:
    """Say why the time to refer a household was missed."""
    form, clock = ReasonForm(), ClockName.REFER_ADOPTERS
    with transaction() as session:
        household = _own(session, household_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                now = utc_now()
                found = clocks_of_household(session, _own(session, household_id), on=now.date())
                explain_miss(session, find_reading(found, clock), reason=form.reason.data, now=now)
            return redirect(url_for("household_times.show", household_id=household_id), 303)
        except (LinkInvalid, NotYet) as refusal:
            form.reason.errors = [str(refusal)]
    return explain_page(form, clock, back=_back(household_id), about=household.code)


def _own(session: Session, household_id: UUID) -> Household:
    household = get_household(session, household_id)
    if household.agency_id != g.scope.agency_id:
        raise NotYourStep("The times of this household are its own agency’s to keep.")
    return household


def _clock(reading: Reading) -> str:
    return url_for("household_times.explain", household_id=reading.subject_id)


def _back(household_id: UUID) -> tuple[str, str]:
    return url_for("household_times.show", household_id=household_id), "Times to keep"
