"""The pages of who pays for whom, and up to how much each role signs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.fee_form import LastDayForm, LimitForm, PayerForm
from concord.web.form import place_refusal
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.fee.agreement_page import names_of
from matching.fee.payer import (
    PayerInvalid,
    PayerSettled,
    ask_payer,
    confirm_payer,
    end_payer,
    get_payer,
    list_payers,
    require_confirming,
)
from matching.fee.signing_limit import (
    SIGNERS,
    LimitInvalid,
    decide_limit,
    list_asked,
    list_limits,
    may_agree,
    set_limit,
)
from tenants.agency import Agency, AgencyKind, list_agencies
from tenants.base import utc_now
from tenants.error import refusal_of
from tenants.permission import Verb
from tenants.permission import may as scope_may
from tenants.role import Role

blueprint = Blueprint("fee_payers", __name__)
_SIGNERS = ", ".join(role.value for role in SIGNERS)


@blueprint.get("/fees/payers")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """Show who pays for the agency and for whom it pays, and up to how much its people sign."""
    now = utc_now()
    with transaction() as session:
        payers = list_payers(session)
        agencies = list_agencies(session)
        limits, asked = list_limits(session), list_asked(session)
        unconfirmed = {
            each.id: refusal_of(partial(require_confirming, session, each, on=now.date()))
            for each in payers
            if each.payer_agency_id == g.scope.agency_id and each.confirmed_at is None and each.ends_on is None
        }
    return render_template(
        "fee-payers.html",
        payers=payers,
        names=names_of(agencies),
        limits=limits,
        asked=asked,
        agrees={role: may_agree(g.scope, role, each) for role, each in asked.items()},
        person_id=g.scope.person_id,
        approves=scope_may(g.scope, Verb.APPROVE_FEES),
        sets=Role.MANAGER in g.scope.roles,
        asks=bool(_regional(agencies)),
        settled=any(each.agency_id == g.scope.agency_id and each.ends_on is None for each in payers),
        unconfirmed=unconfirmed,
        today=now.date(),
    )


@blueprint.route("/fees/payers/new", methods=["GET", "POST"])
@may(Verb.APPROVE_FEES)
def new() -> ResponseReturnValue:
    """Take which regional agency is asked to pay."""
    form = PayerForm()
    with transaction() as session:
        form.offer(_regional(list_agencies(session)))
    if form.validate_on_submit():
        try:
            with transaction() as session:
                chosen = UUID(form.payer.data)
                ask_payer(session, payer_agency_id=chosen, begins_on=form.begins_on.data, now=utc_now())
            return redirect(url_for("fee_payers.index"), 303)
        except (PayerInvalid, PayerSettled) as refusal:
            place_refusal(form, refusal, otherwise="payer")
    return short_form(
        form,
        title="Ask a regional agency to pay",
        back=(url_for("fee_payers.index"), "Who pays, and who signs"),
        lead="It pays what placing your agency’s children costs, once somebody there has confirmed it.",
        hints={"begins_on": "For example, 1 4 2027"},
    )


@blueprint.post("/fees/payers/<uuid:payer_id>/confirm")
@may(Verb.APPROVE_FEES)
def confirm(payer_id: UUID) -> ResponseReturnValue:
    """Confirm that the agency pays for another."""
    with transaction() as session:
        confirm_payer(session, get_payer(session, payer_id), now=utc_now())
    return redirect(url_for("fee_payers.index"), 303)


@blueprint.route("/fees/payers/<uuid:payer_id>/end", methods=["GET", "POST"])
@may(Verb.APPROVE_FEES)
def end(payer_id: UUID) -> ResponseReturnValue:
    """Set until when a regional agency pays."""
    form = LastDayForm()
    with transaction() as session:
        get_payer(session, payer_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                end_payer(session, get_payer(session, payer_id), ends_on=form.ends_on.data, now=utc_now())
            return redirect(url_for("fee_payers.index"), 303)
        except PayerInvalid as refusal:
            form.ends_on.errors = [str(refusal)]
    return short_form(
        form,
        title="Until when does it pay?",
        back=(url_for("fee_payers.index"), "Who pays, and who signs"),
        lead="Agreements that were made by then stay as they are.",
        hints={"ends_on": "For example, 31 3 2027"},
    )


@blueprint.route(f"/fees/limits/<any({_SIGNERS}):role>", methods=["GET", "POST"])
@may(Verb.APPROVE_FEES)
def limit(role: str) -> ResponseReturnValue:
    """Set up to how much people of a role sign."""
    form, wanted = LimitForm(), Role(role)
    with transaction() as session:
        present = list_limits(session)[wanted]
    if form.validate_on_submit():
        try:
            with transaction() as session:
                set_limit(session, wanted, pence=form.amount.data, now=utc_now())
            return redirect(url_for("fee_payers.index"), 303)
        except LimitInvalid as refusal:
            form.amount.errors = [str(refusal)]
    elif not form.is_submitted():
        form.amount.data = present
    return short_form(
        form,
        title=f"{wanted.label}: up to how much?",
        back=(url_for("fee_payers.index"), "Who pays, and who signs"),
        lead="It holds for what people sign, and for the waivers, other fees and refunds that they decide on. A lower "
        "one holds at once; a higher one once somebody else whom it doesn’t bind, and who may approve fees, agrees.",
        hints={"amount": "In pounds. Leave it empty for any amount; 0 for none"},
    )


@blueprint.post(f"/fees/limits/<any({_SIGNERS}):role>/asked")
@may(Verb.APPROVE_FEES)
def decide(role: str) -> ResponseReturnValue:
    """Agree to the higher limit that waits, as it was seen, or decline it."""
    seen, approve = request.form.get("pence", type=int), request.form.get("approve") == "yes"
    with transaction() as session:
        decide_limit(session, Role(role), pence=seen, approve=approve, now=utc_now())
    return redirect(url_for("fee_payers.index"), 303)


def _regional(agencies: Iterable[Agency]) -> list[Agency]:
    """Return the regional agencies that can be asked to pay."""
    return [each for each in agencies if each.kind is AgencyKind.REGIONAL_AGENCY and each.id != g.scope.agency_id]
