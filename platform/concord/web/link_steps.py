"""The pages on which a link’s steps are taken, its days are said, and missed times are explained."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectChoice

from concord.web.access import may
from concord.web.link_form import DayForm, ReasonForm, StepForm, step_form
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.clock.reading import clocks_of_links, find_reading
from matching.clock.reason import explain_miss
from matching.clock.rule import ClockName
from matching.link import DayKind, LinkInvalid, NotYet, Passable, StepName, get_link
from matching.link_course import read_course
from matching.link_list import read_link
from matching.transition import StepFacts, day_of, find_allowed, note_day, sayable_days, take
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("link_steps", __name__, url_prefix="/links/<uuid:link_id>")

_HINT = "In your own words. Both agencies read it, so name no child and no adopter"
_LEADS = {
    StepName.CONSIDER: "From then on people of either agency may ask to read the adopters’ report. Nothing is opened "
    "by that alone: each is granted by name.",
    StepName.MEET: "From then on the children’s report may be asked for and granted too, by name and under an "
    "undertaking.",
    StepName.GO_TO_PANEL: "Only one family goes to panel for a group of children.",
    StepName.MATCH: "The agency decision maker has decided; this step takes the link on.",
    StepName.FOSTER: "Early permanence: the children live with the family as fostered before it is decided that they "
    "should be placed for adoption, and before a match.",
    StepName.NAME_CARER: "The family fosters these children already, and would adopt them: visits and introductions "
    "fall away.",
    StepName.STEP_BACK: "For a step that was taken by mistake, while nothing has come of it. A day that was said with "
    "it is taken back too; that it was taken stays in the link’s history.",
}


@blueprint.route(
    "/steps/<any(consider, shortlist, visit, meet, go_to_panel, match, introduce, place, foster, name_carer, "
    "step_back):name>",
    methods=["GET", "POST"],
)
@may(Verb.KEEP_LINKS)
def step(link_id: UUID, name: str) -> ResponseReturnValue:
    """Take a step of a link."""
    wanted, now = StepName(name), utc_now()
    with transaction() as session:
        record = read_link(session, link_id)
        if request.method == "GET":
            find_allowed(session, record.link, wanted)
        course = read_course(session, record.link, steps=record.steps, now=now)
    next_step = next((each for each in course.steps if each.step is wanted), None)
    capped = next_step.capped if next_step else None
    form = step_form(day=day_of(wanted), capped=capped is not None, version=record.link.version)
    form.submit.label.text = wanted.label
    if form.validate_on_submit() and _taken(form, link_id, wanted):
        return redirect(url_for("links.show", link_id=link_id), 303)
    return short_form(
        form,
        title=f"{wanted.label}: {record.title}",
        back=_back(link_id),
        lead=_LEADS.get(wanted, ""),
        warning=capped or "",
        text="\n".join(f"Missing: {each}" for each in next_step.missing) if next_step else "",
        hints={"reason": _HINT, "override": "It is kept with the step, and both agencies read it"},
    )


@blueprint.route("/days/new", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def add_day(link_id: UUID) -> ResponseReturnValue:
    """Say a day of a link, or another than was said before."""
    with transaction() as session:
        record = read_link(session, link_id)
    form = DayForm()
    form.kind.choices = [SelectChoice(kind.value, kind.label) for kind in sayable_days(record.link)]
    if form.validate_on_submit():
        try:
            with transaction() as session:
                kind, day = DayKind(form.kind.data), form.day.data
                note_day(session, get_link(session, link_id), kind=kind, day=day, now=utc_now())
            return redirect(url_for("links.show", link_id=link_id, _anchor="days"), 303)
        except (LinkInvalid, NotYet) as refusal:
            form.day.errors = [str(refusal)]
    return short_form(
        form,
        title=f"Say a day of the link of {record.title}",
        back=_back(link_id),
        lead="Both agencies see it. A day said before stays in the record, and the last one holds.",
    )


@blueprint.route(
    "/clocks/<any(decision, told_orally, told_in_writing, report_before_panel):name>", methods=["GET", "POST"]
)
@may(Verb.KEEP_LINKS)
def explain(link_id: UUID, name: str) -> ResponseReturnValue:
    """Say why a time of a link was missed."""
    form, clock = ReasonForm(), ClockName(name)
    with transaction() as session:
        record = read_link(session, link_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                link, now = get_link(session, link_id), utc_now()
                found = clocks_of_links(session, [link], on=now.date())[link_id]
                reading = find_reading(found, clock)
                explain_miss(session, reading, reason=form.reason.data, now=now)
            return redirect(url_for("links.show", link_id=link_id, _anchor="clocks"), 303)
        except (LinkInvalid, NotYet) as refusal:
            form.reason.errors = [str(refusal)]
    return explain_page(form, clock, back=_back(link_id), about=record.title)


def explain_page(form: FlaskForm, clock: ClockName, *, back: tuple[str, str], about: str) -> tuple[str, int]:
    """Return the page that asks why a time was missed."""
    lead = "Only your agency reads it. It is kept with the day on which it was due."
    return short_form(form, title=f"Why was it missed? {clock.label}: {about}", back=back, lead=lead)


def _taken(form: StepForm, link_id: UUID, name: StepName) -> bool:
    """Take the step; what keeps it from being taken is shown where it is mended."""
    day, override = (form[each].data if each in form else None for each in ("day", "override"))
    facts = StepFacts(form.reason.data, day=day, override=override)
    try:
        with transaction() as session:
            take(session, get_link(session, link_id), name, version=form.version_seen, facts=facts, now=utc_now())
    except Passable as refusal:
        form[("override" if "override" in form else "reason")].errors = [str(refusal)]
        return False
    except (LinkInvalid, NotYet) as refusal:
        form["day" if "day" in form else "reason"].errors = [str(refusal)]
        return False
    return True


def _back(link_id: UUID) -> tuple[str, str]:
    return url_for("links.show", link_id=link_id), "Link"
