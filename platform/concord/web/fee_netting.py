"""The pages of netting: what can be netted with whom, what all sides said to it, and one's own part in it."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from wtforms import SubmitField

from concord.web.access import may
from concord.web.fee_netting_tables import claim_table, leg_table, netting_table, offer_table
from concord.web.fee_table import show_page, whole_asked
from concord.web.form import DayField
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.fee.agreement_page import names_of
from matching.fee.invoice.reminder import leg_reminders_of
from matching.fee.netting import (
    RECORD_KIND,
    NettingInvalid,
    NettingStale,
    NettingWaits,
    confirm_netting,
    decline_netting,
    get_netting,
    list_netting_members,
    list_nettings,
    list_to_confirm,
    own_part,
    propose_group_netting,
    propose_netting,
    read_netting_page,
)
from matching.fee.netting_offer import list_offers
from matching.swap.group import get_swap_group
from tenants import audit
from tenants.agency import list_agencies
from tenants.approval import BothSides, require_one_side
from tenants.base import utc_now
from tenants.error import refusal_of
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_netting", __name__)


class UntilForm(FlaskForm):  # type: ignore[misc]
    """The invoices until which day are netted."""

    class Meta:
        """It changes nothing: it is asked by its address."""

        csrf = False

    until = DayField(
        "Invoices until which day?",
        missing="Enter the day, month and year",
        impossible="Enter a real date, for example 31 3 2027",
    )
    submit = SubmitField("Show what can be netted", widget=GovSubmitInput())
    no_day: str | None = None
    """What is wrong with the day that was asked for; the one that is shown instead has taken its place."""


class DayForm(UntilForm):
    """The same where nothing is shown of what can be netted."""

    submit = SubmitField("Choose this day", widget=GovSubmitInput())


class DeclineForm(FlaskForm):  # type: ignore[misc]
    """Why a netting is declined."""

    reason = words_field("Why?", missing="Say why, so that the others know")
    submit = SubmitField("Decline the netting", widget=GovSubmitInput())


@blueprint.get("/fees/netting")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show what can be netted with each agency and swap group, and the nettings."""
    return _show_all()


@blueprint.post("/fees/netting/with/<uuid:other_agency_id>")
@may(Verb.KEEP_FEES)
def propose(other_agency_id: UUID) -> ResponseReturnValue:
    """Draw up a netting with another agency, and agree to it for the agency's own side."""
    try:
        with transaction() as session:
            made = propose_netting(session, other_agency_id, until_on=day_sent(), now=utc_now())
    except (BothSides, NettingInvalid) as refusal:
        return _show_all(problem=str(refusal)), 422
    return redirect(url_for("fee_netting.show", netting_id=made.id), 303)


@blueprint.post("/fees/netting/among/<uuid:swap_group_id>")
@may(Verb.KEEP_FEES)
def propose_among(swap_group_id: UUID) -> ResponseReturnValue:
    """Draw up a netting among a swap group's members, and agree to it for the agency's own side."""
    try:
        with transaction() as session:
            group = get_swap_group(session, swap_group_id)
            made = propose_group_netting(
                session, group, until_on=day_sent(), now=utc_now(), without=request.form.getlist("without", type=UUID)
            )
    except (BothSides, NettingInvalid) as refusal:
        return _show_all(problem=str(refusal)), 422
    return redirect(url_for("fee_netting.show", netting_id=made.id), 303)


@blueprint.get("/fees/netting/<uuid:netting_id>")
@may(Verb.READ_FEES)
def show(netting_id: UUID) -> ResponseReturnValue:
    """Show a netting: who has confirmed, and the agency's own invoices and legs."""
    return _show_one(netting_id)


@blueprint.post("/fees/netting/<uuid:netting_id>/confirm")
@may(Verb.KEEP_FEES)
def confirm(netting_id: UUID) -> ResponseReturnValue:
    """Confirm a netting for the agency; the last one posts it."""
    try:
        with transaction() as session:
            confirm_netting(session, get_netting(session, netting_id), now=utc_now())
    except (BothSides, NettingStale, NettingWaits) as refusal:
        return _show_one(netting_id, problem=str(refusal)), 409
    return redirect(url_for("fee_netting.show", netting_id=netting_id), 303)


@blueprint.route("/fees/netting/<uuid:netting_id>/decline", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def decline(netting_id: UUID) -> ResponseReturnValue:
    """Decline a netting, or take the agency's own back."""
    form, back = DeclineForm(), url_for("fee_netting.show", netting_id=netting_id)
    with transaction() as session:
        netting = get_netting(session, netting_id)
        if form.validate_on_submit():
            decline_netting(session, netting, reason=form.reason.data, now=utc_now())
            return redirect(back, 303)
    return short_form(
        form,
        title="Decline this netting?",
        back=(back, "The netting"),
        lead="It ends for all of its agencies, and nothing is posted. Another can be drawn up at once, without an "
        "agency that would rather not.",
    )


def until_asked(kind: type[UntilForm] = UntilForm) -> tuple[UntilForm, date]:
    """Return the form of the day that the address asks for, and that day; today where it asks for none."""
    today = utc_now().date()
    form = kind(request.args, meta={"csrf": False})
    day = min(form.until.data, today) if "until" in request.args and form.validate() else today
    form.no_day = next(iter(form.until.errors), None)
    form.until.raw_data, form.until.errors = _asked(day)["until"], ()
    return form, day


def day_sent() -> date:
    """Return the day that a form sent with the rest.

    :raises NettingInvalid: when it is none.
    """
    try:
        return date.fromisoformat(request.form.get("until_on", ""))
    except ValueError:
        raise NettingInvalid("Choose the day again.") from None


def _show_all(*, problem: str | None = None) -> str | Response:
    today, own = utc_now().date(), g.scope.agency_id
    form, until_on = until_asked()
    problem = problem or form.no_day
    with transaction() as session:
        offers = list_offers(session, until_on=until_on, on=today)
        found = read_netting_page(session, number=request.args.get("page", 1, type=int))
        nettings = list_nettings(session) if whole_asked() else found.page.cards
        waits, names = list_to_confirm(session, on=today), names_of(list_agencies(session))
        barred = {
            each.agency_ids: refusal_of(partial(require_one_side, session, agencies=each.agency_ids, on=today))
            for each in offers
        }
    offered = offer_table(offers, names)
    listed = netting_table(found, nettings, names, own=own, waits=waits, on=today)
    return show_page(
        "fee-nettings.html",
        offered,
        listed,
        form=form,
        offers=offers,
        barred=barred,
        offered=offered,
        listed=listed,
        page=found.page,
        pagination=pagination(
            found.page,
            lambda other: url_for("fee_netting.index", **_asked(until_on), page=other, _anchor="nettings"),
        ),
        until_on=until_on,
        asked=_asked(until_on),
        names=names,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        problem=problem,
    )


def _show_one(netting_id: UUID, *, problem: str | None = None) -> str | Response:
    today, own = utc_now().date(), g.scope.agency_id
    with transaction() as session:
        netting, names = get_netting(session, netting_id), names_of(list_agencies(session))
        members, part = list_netting_members(session, netting), own_part(session, netting)
        reminders = leg_reminders_of(session, [each.leg.id for each in part.legs])
        barred = refusal_of(partial(require_one_side, session, agencies=netting.agency_ids, on=today))
        audit.record(
            session,
            audit.Act.READ,
            record_kind=RECORD_KIND,
            record_id=netting.id,
            owner_agency_id=netting.agency_id,
            now=utc_now(),
        )
    payments = leg_table(netting, part.legs, names, own=own, on=today)
    claims = claim_table(part.claims, names, own=own)
    return show_page(
        "fee-netting.html",
        payments,
        claims,
        netting=netting,
        members=members,
        part=part,
        payments=payments,
        claims=claims,
        reminders=reminders,
        barred=barred,
        today=today,
        own=own,
        names=names,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        problem=problem,
    )


def _asked(day: date) -> dict[str, Any]:
    return {"until": [str(day.day), str(day.month), str(day.year)]}
