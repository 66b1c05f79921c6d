"""The pages of a placement: its plan, introductions, reviews, order or disruption, and the adopters' record."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, g, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from concord.web.access import may
from concord.web.placement_form import (
    DisruptionForm,
    DisruptionReviewForm,
    IntroductionForm,
    NoteForm,
    OrderForm,
    PlanForm,
    ReviewForm,
    VersionedForm,
)
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.fee.agreement_page import say_agreement
from matching.link import NotYet, StepName, get_link
from matching.link_list import LinkRecord, read_link
from matching.placement.adopters_copy import find_copy, give_copy, read_copy, read_par_copy
from matching.placement.disruption import hold_disruption_review, plan_disruption_review, review_window
from matching.placement.effect import COURT, ENDED_BY
from matching.placement.introduction import list_meetings, plan_meeting, take_out_meeting, weeks_of
from matching.placement.note import add_note, list_notes
from matching.placement.placement import Placement, get_placement
from matching.placement.plan import Plan, plan_of, set_plan
from matching.placement.review import list_reviews, record_review
from matching.transition import StepFacts, take
from tenants.base import utc_now
from tenants.error import Invalid
from tenants.permission import Verb
from tenants.permission import may as scope_may
from workers.document.watermark import watermark

blueprint = Blueprint("placements", __name__, url_prefix="/links/<uuid:link_id>/placement")


@blueprint.get("")
@may(Verb.READ_LINKS)
def show(link_id: UUID) -> ResponseReturnValue:
    """Show a placement: its dates, meetings, reviews and notes, and what is to be done."""
    with transaction() as session:
        record, placement = read_link(session, link_id), get_placement(session, link_id)
        facts = {
            "meetings": list_meetings(session, placement),
            "reviews": list_reviews(session, placement),
            "notes": list_notes(session, placement),
            "copy": find_copy(session, placement),
            "fee": say_agreement(session, link_id),
        }
    return render_template(
        "placement.html",
        record=record,
        placement=placement,
        today=utc_now().date(),
        window=review_window(placement.disrupted_on) if placement.disrupted_on else None,
        ours=_ours(placement),
        may_keep=_ours(placement) and scope_may(g.scope, Verb.KEEP_LINKS),
        may_give=_may_give(placement),
        may_seal=_ours(placement) and scope_may(g.scope, Verb.SEAL_ADOPTIONS),
        may_open=_ours(placement) and scope_may(g.scope, Verb.READ_REPORTS),
        **facts,
    )


@blueprint.get("/introductions")
@may(Verb.READ_LINKS)
def introductions(link_id: UUID) -> ResponseReturnValue:
    """Show the introductions as weeks and as a list, to look at and to print."""
    with transaction() as session:
        record, placement = read_link(session, link_id), get_placement(session, link_id)
        meetings = list_meetings(session, placement)
    return render_template(
        "placement-introductions.html",
        record=record,
        weeks=weeks_of(meetings),
        meetings=meetings,
        may_keep=_ours(placement) and scope_may(g.scope, Verb.KEEP_LINKS) and not placement.over,
    )


@blueprint.route("/plan", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def plan(link_id: UUID) -> ResponseReturnValue:
    """Take the days of the plan."""
    record, placement = _read(link_id)
    form = PlanForm(obj=plan_of(placement), version=placement.version)

    def save(session: Session, found: Placement) -> None:
        days = Plan(**{name: form[name].data for name in Plan.__slots__})
        set_plan(session, found, days, version=form.version_seen, now=utc_now())

    if _saved(form, link_id, save, at=form.plan_meeting_on):
        return _back(link_id)
    return _form(form, record, "Placement plan", lead="Leave a day empty until it is known.")


@blueprint.route("/introductions/new", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def add_introduction(link_id: UUID) -> ResponseReturnValue:
    """Take a meeting of the introductions."""
    record, _ = _read(link_id)
    form = IntroductionForm()

    def save(session: Session, found: Placement) -> None:
        when = {"day": form.day.data, "starts_at": form.starts_at.time, "ends_at": form.ends_at.time}
        plan_meeting(session, found, **when, words=form.words.data, now=utc_now())

    if _saved(form, link_id, save, at=form.day):
        return redirect(url_for("placements.introductions", link_id=link_id), 303)
    return _form(form, record, "Add a meeting", hints={"starts_at": "For example 9:30", "words": _BOTH_READ})


@blueprint.post("/introductions/<uuid:meeting_id>/remove")
@may(Verb.KEEP_LINKS)
def remove_introduction(link_id: UUID, meeting_id: UUID) -> ResponseReturnValue:
    """Take a meeting out of the introductions."""
    with transaction() as session:
        take_out_meeting(session, get_placement(session, link_id), meeting_id, now=utc_now())
    return redirect(url_for("placements.introductions", link_id=link_id), 303)


@blueprint.route("/reviews/<which>", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def review(link_id: UUID, which: str) -> ResponseReturnValue:
    """Take what came of a review."""
    number = int(which) if which.isascii() and which.isdigit() and len(which) < 5 else 0
    with transaction() as session:
        record, placement = read_link(session, link_id), get_placement(session, link_id)
        due = next((each.due_on for each in list_reviews(session, placement) if each.number == number), None)
    if due is None:
        abort(404)
    form = ReviewForm()

    def save(session: Session, found: Placement) -> None:
        held_on = form.held_on.data if form.held.data == "yes" else None
        record_review(session, found, number=number, held_on=held_on, why=form.why.data or "", now=utc_now())

    if _saved(form, link_id, save, at=form.held):
        return _back(link_id)
    return _form(form, record, f"Review {number}", lead=f"It is due by {due.day} {due:%B %Y}.", hints=_REVIEW_HINTS)


@blueprint.route("/order", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def order(link_id: UUID) -> ResponseReturnValue:
    """Take the day of the adoption order, and the court."""
    record, _ = _read(link_id)
    form = OrderForm(version=record.link.version)
    if _taken(form, link_id, StepName.ORDER, lambda: {COURT: form.court.data}):
        return _back(link_id)
    warning = "The link is final once the order is recorded. Check the day against the order itself."
    return _form(form, record, "Record the adoption order", warning=warning, hints={"reason": _NAMES_NOBODY})


@blueprint.route("/disruption", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def disruption(link_id: UUID) -> ResponseReturnValue:
    """Take the day on which the placement disrupted, and who ended it."""
    record, _ = _read(link_id)
    form = DisruptionForm(version=record.link.version)
    if _taken(form, link_id, StepName.DISRUPT, lambda: {ENDED_BY: form.ended_by.data}):
        return _back(link_id)
    lead = (
        "Whether a new family is looked for is decided apart: say so on the page of their plan. Until then the "
        "children and the family are on hold."
    )
    return _form(form, record, "Record a disruption", lead=lead, hints={"reason": _NAMES_NOBODY})


@blueprint.route("/disruption/review", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def disruption_review(link_id: UUID) -> ResponseReturnValue:
    """Take when the review of a disruption is planned, or was held."""
    record, placement = _read(link_id)
    if placement.disrupted_on is None:
        abort(404)
    form, window = DisruptionReviewForm(version=placement.version), review_window(placement.disrupted_on)

    def save(session: Session, found: Placement) -> None:
        facts: dict[str, Any] = {"day": form.day.data, "version": form.version_seen, "now": utc_now()}
        if form.what.data == "held":
            hold_disruption_review(session, found, why=form.why.data or "", **facts)
        else:
            plan_disruption_review(session, found, **facts)

    if _saved(form, link_id, save, at=form.day):
        return _back(link_id)
    days = f"It is held between {window.first.day} {window.first:%B %Y} and {window.last.day} {window.last:%B %Y}."
    return _form(form, record, "Review of the disruption", lead=days)


@blueprint.route("/notes", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def note(link_id: UUID) -> ResponseReturnValue:
    """Add a note of the children's agency's own."""
    record, _ = _read(link_id)
    form = NoteForm()
    if _saved(form, link_id, lambda session, found: add_note(session, found, words=form.words.data, now=utc_now())):
        return _back(link_id)
    return _form(form, record, "Note on the placement", lead="Your agency alone reads it.")


@blueprint.post("/adopters")
@may(Verb.KEEP_REPORTS)
def give(link_id: UUID) -> ResponseReturnValue:
    """Give the children's agency its copy of the adopters' record."""
    with transaction() as session:
        give_copy(session, get_placement(session, link_id), now=utc_now())
    return _back(link_id)


@blueprint.get("/adopters")
@may(Verb.READ_REPORTS)
def adopters(link_id: UUID) -> ResponseReturnValue:
    """Show the children's agency its copy of the adopters' record."""
    with transaction() as session:
        record, placement = read_link(session, link_id), get_placement(session, link_id)
        said, facts = read_copy(session, placement, now=utc_now()), find_copy(session, placement)
    return render_template("placement-adopters.html", record=record, said=said, copy=facts)


@blueprint.get("/adopters/report.pdf")
@may(Verb.READ_REPORTS)
def adopters_report(link_id: UUID) -> ResponseReturnValue:
    """Hand out the report of the children's agency's copy, marked with who reads it."""
    with transaction() as session:
        content = read_par_copy(session, get_placement(session, link_id), stamp=watermark, now=utc_now())
    response = send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name="adopters-report.pdf")
    response.headers["Cache-Control"] = "no-store"
    return response


_BOTH_READ = "Both agencies read it. It is sealed"
_NAMES_NOBODY = "Both agencies read it, so name no child and no adopter"
_REVIEW_HINTS = {
    "held_on": "Leave it empty if the review was missed",
    "why": "Needed if it was late or was not held. Both agencies read it",
}


def _ours(placement: Placement) -> bool:
    return bool(placement.group_agency_id == g.scope.agency_id)


def _may_give(placement: Placement) -> bool:
    theirs = placement.household_agency_id == g.scope.agency_id and not _ours(placement)
    return theirs and scope_may(g.scope, Verb.KEEP_REPORTS) and not placement.over and placement.matched_on is not None


def _read(link_id: UUID) -> tuple[LinkRecord, Placement]:
    with transaction() as session:
        return read_link(session, link_id), get_placement(session, link_id)


def _saved(
    form: FlaskForm,
    link_id: UUID,
    save: Callable[[Session, Placement], None],
    *,
    at: Any = None,  # noqa: ANN401
) -> bool:
    """Do what a sound form asks for; a refusal of what was entered is shown at a field."""
    if not form.validate_on_submit():
        return False
    try:
        with transaction() as session:
            save(session, get_placement(session, link_id))
    except Invalid as refusal:
        (at or next(iter(form))).errors = [str(refusal)]
        return False
    return True


def _taken(form: VersionedForm, link_id: UUID, step: StepName, more: Callable[[], dict[str, str]]) -> bool:
    """Take a step of the link on its day; what keeps it from being taken is shown at the day."""
    if not form.validate_on_submit():
        return False
    try:
        with transaction() as session:
            facts = StepFacts(form.reason.data, day=form.day.data, more=more())
            take(session, get_link(session, link_id), step, version=form.version_seen, facts=facts, now=utc_now())
    except (Invalid, NotYet) as refusal:
        form.day.errors = [str(refusal)]
        return False
    return True


def _back(link_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("placements.show", link_id=link_id), 303)


def _form(form: FlaskForm, record: LinkRecord, title: str, **words: Any) -> ResponseReturnValue:  # noqa: ANN401
    back = (url_for("placements.show", link_id=record.link.id), "Placement")
    return short_form(form, title=title, back=back, **words)
