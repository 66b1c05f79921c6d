"""The pages of netting: what can be set off with each agency, and what both sides said to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from sqlalchemy.orm import Session
from wtforms import SubmitField

from concord.web.access import may
from concord.web.fee_file import hand_out, plain
from concord.web.form import DayField
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.fee.netting import (
    RECORD_KIND,
    Claim,
    NettingInvalid,
    NettingStale,
    NettingWaits,
    confirm_netting,
    decline_netting,
    get_netting,
    list_nettings,
    list_set_offs,
    propose_netting,
)
from matching.fee.remittance.bank_file import pounds
from tenants import audit
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_netting", __name__)

HEADINGS = ("Agency", "Owed to us", "Owed by us", "Set off", "Left: more than nothing is owed to us")
LEG_HEADINGS = ("Invoice", "Payer", "Set off")


class UntilForm(FlaskForm):  # type: ignore[misc]
    """The invoices until which day are set off."""

    class Meta:
        """It changes nothing: it is asked by its address."""

        csrf = False

    until = DayField(
        "Invoices until which day?",
        missing="Enter the day, month and year",
        impossible="Enter a real date, for example 31 3 2027",
    )
    submit = SubmitField("Show what can be set off", widget=GovSubmitInput())


class DeclineForm(FlaskForm):  # type: ignore[misc]
    """Why a netting is declined."""

    reason = words_field("Why?", missing="Say why, so that the other agency knows")
    submit = SubmitField("Decline the netting", widget=GovSubmitInput())


@blueprint.get("/fees/netting")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show what can be set off with each agency, and the nettings."""
    return _show_all()


@blueprint.get("/fees/netting.<any(xlsx, csv):file_format>")
@may(Verb.READ_FEES)
def take(file_format: str) -> ResponseReturnValue:
    """Hand out what can be set off, as it is shown."""
    today, until_on = utc_now().date(), _until()[1]
    with transaction() as session:
        found, names = list_set_offs(session, until_on=until_on, on=today), _names(session)
    rows = [
        (names.get(each.other_agency_id, ""), *map(plain, (each.to_us, each.by_us, each.pence, each.left)))
        for each in found
    ]
    return hand_out(f"netting-{until_on}", HEADINGS, rows, file_format)


@blueprint.post("/fees/netting/with/<uuid:other_agency_id>")
@may(Verb.KEEP_FEES)
def propose(other_agency_id: UUID) -> ResponseReturnValue:
    """Propose a netting with another agency, and agree to it for the agency's own side."""
    try:
        until_on = date.fromisoformat(request.form.get("until_on", ""))
        with transaction() as session:
            made = propose_netting(session, other_agency_id, until_on=until_on, now=utc_now())
    except (NettingInvalid, NettingWaits) as refusal:
        return _show_all(problem=str(refusal)), 422
    except ValueError:
        return _show_all(problem="Choose the day again."), 422
    return redirect(url_for("fee_netting.show", netting_id=made.id), 303)


@blueprint.get("/fees/netting/<uuid:netting_id>")
@may(Verb.READ_FEES)
def show(netting_id: UUID) -> ResponseReturnValue:
    """Show a netting, invoice by invoice."""
    return _show_one(netting_id)


@blueprint.get("/fees/netting/<uuid:netting_id>/invoices.<any(xlsx, csv):file_format>")
@may(Verb.READ_FEES)
def take_one(netting_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out a netting's invoices."""
    with transaction() as session:
        netting, names = get_netting(session, netting_id), _names(session)
        rows = list(_rows(netting.claims, names))
    return hand_out(f"netting-{netting.until_on}", LEG_HEADINGS, rows, file_format)


@blueprint.post("/fees/netting/<uuid:netting_id>/confirm")
@may(Verb.KEEP_FEES)
def confirm(netting_id: UUID) -> ResponseReturnValue:
    """Confirm a netting for the side that was asked, which posts it."""
    try:
        with transaction() as session:
            confirm_netting(session, get_netting(session, netting_id), now=utc_now())
    except (NettingStale, NettingWaits) as refusal:
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
        lead="Nothing is posted. Another can be proposed afterwards.",
    )


def _show_all(*, problem: str | None = None) -> str:
    today = utc_now().date()
    form, until_on = _until()
    with transaction() as session:
        found, nettings = list_set_offs(session, until_on=until_on, on=today), list_nettings(session)
        names = _names(session)
    return render_template(
        "fee-nettings.html",
        form=form,
        found=found,
        nettings=nettings,
        waiting={each for net in nettings if net.is_open for each in (net.agency_id, net.other_agency_id)},
        until_on=until_on,
        asked=_asked(until_on),
        own=g.scope.agency_id,
        names=names,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        pounds=pounds,
        problem=problem,
    )


def _show_one(netting_id: UUID, *, problem: str | None = None) -> str:
    with transaction() as session:
        netting, names = get_netting(session, netting_id), _names(session)
        audit.record(
            session,
            audit.Act.READ,
            record_kind=RECORD_KIND,
            record_id=netting.id,
            owner_agency_id=netting.agency_id,
            now=utc_now(),
        )
    return render_template(
        "fee-netting.html",
        netting=netting,
        own=g.scope.agency_id,
        names=names,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        pounds=pounds,
        problem=problem,
    )


def _until() -> tuple[UntilForm, date]:
    """Return the form of the day that the address asks for, and that day; today where it asks for none."""
    today = utc_now().date()
    form = UntilForm(request.args, meta={"csrf": False})
    day = min(form.until.data, today) if "until" in request.args and form.validate() else today
    form.until.raw_data, form.until.errors = _asked(day)["until"], ()
    return form, day


def _asked(day: date) -> dict[str, list[str]]:
    return {"until": [str(day.day), str(day.month), str(day.year)]}


def _names(session: Session) -> dict[UUID, str]:
    return {each.id: each.name for each in list_agencies(session)}


def _rows(claims: Iterable[Claim], names: dict[UUID, str]) -> Iterator[tuple[str, ...]]:
    for each in claims:
        yield each.number, names.get(each.payer_agency_id, ""), plain(each.pence)
