"""The pages on which an agency keeps its retention schedule, and sees and agrees what is destroyed under it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, StringField, SubmitField
from wtforms.validators import InputRequired

from concord.web.access import may
from concord.web.form import error_summary, one_line
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.colleague import colleague_names
from matching.retention.record_class import CLOCKS_OF, Clock, Ends, RecordClass, fixed_classes, title_of
from matching.retention.rule import RuleInvalid, schedule_of, set_rule
from matching.retention.run import (
    ApproverShutOut,
    NothingChosen,
    RunDecided,
    ask_for_destruction,
    decide,
    get_run,
    list_runs,
    read_certificate,
    see_preview,
)
from tenants.approval import SamePerson
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("retention", __name__)

_CLASSES = ", ".join(RecordClass)


class RuleForm(FlaskForm):  # type: ignore[misc]
    """How long a class of record is kept, from when, what happens then, and on what ground."""

    months = StringField("For how many months are they kept?", widget=GovTextInput(), filters=[one_line])
    clock = RadioField("From when?", widget=GovRadioInput(), validators=[InputRequired("Say from when")])
    ends = RadioField(
        "What happens then?",
        widget=GovRadioInput(),
        choices=[SelectChoice(ends.value, ends.label) for ends in Ends],
        validators=[InputRequired("Say what happens then")],
    )
    basis = words_field("On what ground?", missing="Enter the ground, for example a page of your records manual")
    submit = SubmitField("Set the period", widget=GovSubmitInput())


class AskForm(FlaskForm):  # type: ignore[misc]
    """Why the records that are picked are to be destroyed."""

    reason = words_field("Why are they to be destroyed?", missing="Enter why they are to be destroyed")
    submit = SubmitField("Ask a second person", widget=GovSubmitInput())


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """Whether what a colleague asked to destroy is destroyed, and why."""

    decision = RadioField(
        "What do you decide?",
        widget=GovRadioInput(),
        choices=[SelectChoice("approve", "Destroy them"), SelectChoice("refuse", "Keep them all")],
        validators=[InputRequired("Say what you decide")],
    )
    reason = words_field("Why?", missing="Enter why you decide so")
    submit = SubmitField("Decide", widget=GovSubmitInput())


@blueprint.get("/retention")
@may(Verb.READ_RETENTION)
def index() -> ResponseReturnValue:
    """Show the schedule, and what was asked for under it."""
    with transaction() as session:
        schedule, runs, names = schedule_of(session), list_runs(session), colleague_names(session)
    return render_template(
        "retention.html",
        schedule=schedule.values(),
        fixed=fixed_classes(),
        runs=runs,
        names=names,
        keeps=scope_may(g.scope, Verb.KEEP_RETENTION),
    )


@blueprint.route(f"/retention/rules/<any({_CLASSES}):record_class>", methods=["GET", "POST"])
@may(Verb.KEEP_RETENTION)
def rule(record_class: str) -> ResponseReturnValue:
    """Take the agency's own period for a class of record."""
    wanted = RecordClass(record_class)
    with transaction() as session:
        said = schedule_of(session)[wanted]
    form = RuleForm(months=str(said.months), clock=said.clock.value, ends=said.ends.value, basis=said.basis)
    form.clock.choices = [SelectChoice(clock.value, clock.label.capitalize()) for clock in CLOCKS_OF[wanted]]
    if form.validate_on_submit() and _set_rule(form, wanted):
        return redirect(url_for("retention.index", _anchor=wanted.value), 303)
    lead = f"{said.what} Now: {said.period}."
    hints = {"months": "Count in months: 84 for seven years, 1,200 for a hundred"}
    return short_form(
        form, title=title_of(wanted), back=(url_for("retention.index"), "Retention"), lead=lead, hints=hints
    )


@blueprint.get("/retention/due")
@may(Verb.READ_RETENTION)
def due() -> ResponseReturnValue:
    """Show what is due today, what is held, and what has no start to count from."""
    return _due_page(AskForm())


@blueprint.post("/retention/due")
@may(Verb.KEEP_RETENTION)
def ask() -> ResponseReturnValue:
    """Ask a second person to let the picked records be destroyed."""
    form = AskForm()
    chosen = request.form.getlist("record", type=UUID)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                run = ask_for_destruction(session, set(chosen), reason=form.reason.data, now=utc_now())
            return redirect(url_for("retention.show", run_id=run.id), 303)
        except NothingChosen as refusal:
            form.reason.errors = [str(refusal)]
    return _due_page(form, chosen=frozenset(chosen)), 422


@blueprint.get("/retention/runs/<uuid:run_id>")
@may(Verb.READ_RETENTION)
def show(run_id: UUID) -> ResponseReturnValue:
    """Show what one person asked to destroy, what another decided, and what became of each record."""
    return _run_page(run_id, DecisionForm())


@blueprint.post("/retention/runs/<uuid:run_id>")
@may(Verb.APPROVE_DESTRUCTION)
def settle(run_id: UUID) -> ResponseReturnValue:
    """Take the second person's decision."""
    form = DecisionForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                approve = form.decision.data == "approve"
                decide(session, get_run(session, run_id), approve=approve, reason=form.reason.data, now=utc_now())
            return redirect(url_for("retention.show", run_id=run_id), 303)
        except (SamePerson, ApproverShutOut, RunDecided) as refusal:
            form.decision.errors = [str(refusal)]
    return _run_page(run_id, form), 422


def _set_rule(form: RuleForm, record_class: RecordClass) -> bool:
    typed = (form.months.data or "").replace(",", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 4):
        form.months.errors = ["Enter a number of months, for example 84"]
        return False
    try:
        with transaction() as session:
            set_rule(
                session,
                record_class,
                clock=Clock(form.clock.data),
                months=int(typed),
                ends=Ends(form.ends.data),
                basis=form.basis.data,
                now=utc_now(),
            )
    except RuleInvalid as refusal:
        form.months.errors = [str(refusal)]
    return not form.errors


def _due_page(form: AskForm, *, chosen: frozenset[UUID] | None = None) -> str:
    now = utc_now()
    with transaction() as session:
        found, asked = see_preview(session, on=_day(now.date()), now=now)
    if chosen is None:
        chosen = frozenset(kept.record_id for kept in found.due if not kept.to_review)
    return render_template(
        "retention-due.html",
        found=found,
        asked=asked,
        chosen=chosen,
        may_ask=found.on == now.date() and scope_may(g.scope, Verb.KEEP_RETENTION),
        form=form,
        errors=error_summary(form),
    )


def _day(today: date) -> date:
    """Return the day that the address asks about; a day that is yet to come shows what will be due."""
    try:
        return max(today, date.fromisoformat(request.args.get("on", "")))
    except ValueError:
        return today


def _run_page(run_id: UUID, form: DecisionForm) -> str:
    with transaction() as session:
        said = read_certificate(session, get_run(session, run_id), now=utc_now())
        names = colleague_names(session)
    return render_template(
        "retention-run.html", said=said, run=said.run, names=names, form=form, errors=error_summary(form)
    )
