"""The pages of fee agreements: what waits to be signed, one agreement with its addenda, and its paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select
from sqlalchemy.orm import Session

from concord.web.access import may
from concord.web.fee_form import AddendumForm, StateFeeForm
from concord.web.fee_table import Cell, Column, Holds, Row, Table, money, row, show_page, whole_asked
from concord.web.form import place_refusal
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.code import read_code
from matching.fee.addendum import AddendumOpen, draft_addendum, withdraw_addendum
from matching.fee.agreement import (
    AgreementInvalid,
    AgreementMoved,
    AgreementPage,
    AgreementState,
    FeeAgreement,
    Wanted,
    get_agreement,
    read_agreement_page,
    select_agreements,
    side_of,
)
from matching.fee.agreement_page import names_of, read_agreement, view_agreement
from matching.fee.agreement_paper import record_download, signed_places, write_agreement_paper
from matching.fee.drafting import draft_missing, price_again, state_fee
from matching.fee.exception import select_to_decide
from matching.fee.signing import sign_addendum, sign_agreement
from matching.fee.terms import list_plans
from matching.fee.waiting import list_missing, select_to_sign, select_unsettled
from matching.placement.placement import get_placement
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.consortium import get_consortium
from tenants.permission import Verb
from tenants.permission import may as scope_may
from workers.document.paper import render_signed

blueprint = Blueprint("fee_agreements", __name__)

STATES = {
    AgreementState.DRAFTED: "govuk-tag--yellow",
    AgreementState.SIGNED: "govuk-tag--blue",
    AgreementState.IN_FORCE: "govuk-tag--green",
    AgreementState.ENDED: "govuk-tag--grey",
    AgreementState.WITHDRAWN: "govuk-tag--grey",
}
WAITING = {"sign": select_to_sign, "decide": select_to_decide, "settling": select_unsettled}
"""The lists of what waits for somebody, by their name in an address."""


@blueprint.get("/fees/agreements")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """List the agency’s agreements as asked for, a page at a time, and its placements that have none."""
    wanted, waiting, asked = _wanted(), _waiting(), _asked()
    with transaction() as session:
        found = read_agreement_page(session, _select(session), number=request.args.get("page", 1, type=int))
        agreements = list(session.scalars(_select(session))) if whole_asked() else found.page.cards
        names = names_of(list_agencies(session))
        missing = [] if waiting or wanted.state or wanted.reference else list_missing(session)
    listed = _table(found, agreements, names)
    return show_page(
        "fee-agreements.html",
        listed,
        listed=listed,
        page=found.page,
        pagination=pagination(found.page, lambda number: url_for("fee_agreements.index", **asked, page=number)),
        names=names,
        missing=missing,
        wanted=wanted,
        waiting=waiting,
        states=list(AgreementState),
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
    )


@blueprint.post("/fees/agreements/draft/<uuid:link_id>")
@may(Verb.KEEP_FEES)
def draft(link_id: UUID) -> ResponseReturnValue:
    """Draft the agreement of a placement that has none."""
    with transaction() as session:
        drafted = draft_missing(session, get_placement(session, link_id), now=utc_now())
        return redirect(url_for("fee_agreements.show", agreement_id=drafted.id), 303)


@blueprint.get("/fees/agreements/<uuid:agreement_id>")
@may(Verb.READ_FEES)
def show(agreement_id: UUID) -> ResponseReturnValue:
    """Show an agreement, who has signed it, and its addenda."""
    with transaction() as session:
        view = read_agreement(session, agreement_id, now=utc_now())
    keeps = scope_may(g.scope, Verb.KEEP_FEES)
    return render_template("fee-agreement.html", view=view, agreement=view.agreement, tags=STATES, keeps=keeps)


@blueprint.get("/fees/agreements/<uuid:agreement_id>/agreement.pdf")
@may(Verb.READ_FEES)
def paper(agreement_id: UUID) -> ResponseReturnValue:
    """Hand out an agreement as a PDF, with its addenda and who has signed."""
    now = utc_now()
    with transaction() as session:
        view = view_agreement(session, get_agreement(session, agreement_id), on=now.date())
        consortium = get_consortium(session, view.agreement.consortium_id).name
        record_download(session, view, now=now)
    content = write_agreement_paper(view, consortium=consortium)
    state = f"{view.agreement.reference}, {view.agreement.state.label.lower()}, {now:%d/%m/%Y}"
    made = render_signed(content, state=state, places=signed_places(view), made_at=now)
    name = f"fee-agreement-{view.agreement.reference}.pdf"
    response = send_file(BytesIO(made), "application/pdf", as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/fees/agreements/<uuid:agreement_id>/sign")
@may(Verb.SIGN_FEES)
def put_name(agreement_id: UUID) -> ResponseReturnValue:
    """Sign an agreement in the person’s own name."""
    with transaction() as session:
        sign_agreement(session, get_agreement(session, agreement_id), version=_version(), now=utc_now())
    return redirect(url_for("fee_agreements.show", agreement_id=agreement_id, _anchor="signatures"), 303)


@blueprint.post("/fees/agreements/<uuid:agreement_id>/price")
@may(Verb.KEEP_FEES)
def price(agreement_id: UUID) -> ResponseReturnValue:
    """Price an agreement again by the tariffs as they are now."""
    with transaction() as session:
        price_again(session, get_agreement(session, agreement_id), version=_version(), now=utc_now())
    return redirect(url_for("fee_agreements.show", agreement_id=agreement_id), 303)


@blueprint.route("/fees/agreements/<uuid:agreement_id>/fee", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def state(agreement_id: UUID) -> ResponseReturnValue:
    """Take the fee that the two agencies have settled between themselves."""
    form = StateFeeForm()
    with transaction() as session:
        found = get_agreement(session, agreement_id)
        side_of(session, found)
        form.offer(list_plans(session, found, today=utc_now().date()))
    if form.validate_on_submit():
        try:
            with transaction() as session:
                state_fee(
                    session,
                    get_agreement(session, agreement_id),
                    pence=form.amount.pence,
                    reason=form.reason.data,
                    version=_version(),
                    as_tariff_id=form.tariff_id,
                    now=utc_now(),
                )
            return redirect(url_for("fee_agreements.show", agreement_id=agreement_id), 303)
        except (AgreementInvalid, AgreementMoved) as refusal:
            place_refusal(form, refusal, otherwise="amount")
    elif not form.is_submitted():
        form.version.data = found.version
    return short_form(
        form,
        title="State the fee",
        back=(url_for("fee_agreements.show", agreement_id=agreement_id), found.reference),
        lead="Where no tariff has a figure, or the two agencies settled on another. It holds once both have signed it.",
        hints={
            "amount": "In pounds, for example 27,000",
            "plan": "As a tariff has it: one that holds for the payee on that day. Where none does, in full",
            "reason": "Such as the board’s minute. Name no child",
        },
    )


@blueprint.route("/fees/agreements/<uuid:agreement_id>/addenda/new", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def amend(agreement_id: UUID) -> ResponseReturnValue:
    """Take an addendum to be signed by both."""
    form = AddendumForm()
    with transaction() as session:
        found = get_agreement(session, agreement_id)
        side_of(session, found)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                draft_addendum(
                    session,
                    get_agreement(session, agreement_id),
                    pence=form.amount.pence,
                    children=form.children.data,
                    reason=form.reason.data,
                    version=_version(),
                    now=utc_now(),
                )
            return redirect(url_for("fee_agreements.show", agreement_id=agreement_id, _anchor="addenda"), 303)
        except (AgreementInvalid, AgreementMoved, AddendumOpen) as refusal:
            form.amount.errors = [str(refusal)]
    elif not form.is_submitted():
        form.version.data, form.amount.data, form.children.data = found.version, found.amount_pence, found.children
    return short_form(
        form,
        title="Draft an addendum",
        back=(url_for("fee_agreements.show", agreement_id=agreement_id), found.reference),
        lead="It holds once both sides have signed it. The parts keep their shares and days.",
        hints={"amount": "In pounds, for example 27,000", "reason": "Name no child"},
    )


@blueprint.post("/fees/agreements/<uuid:agreement_id>/addenda/<int:position>/<any(sign, withdraw):act>")
@may(Verb.SIGN_FEES)
def answer(agreement_id: UUID, position: int, act: str) -> ResponseReturnValue:
    """Sign an addendum in the person’s own name, or withdraw it."""
    verb = sign_addendum if act == "sign" else withdraw_addendum
    with transaction() as session:
        verb(session, get_agreement(session, agreement_id), position, version=_version(), now=utc_now())
    return redirect(url_for("fee_agreements.show", agreement_id=agreement_id, _anchor="addenda"), 303)


def _waiting() -> str | None:
    said = request.args.get("waiting")
    return said if said in WAITING else None


def _wanted() -> Wanted:
    asked, reference = request.args.get("state", ""), (request.args.get("reference") or "").strip()
    return Wanted(
        state=AgreementState(asked) if asked in set(AgreementState) else None,
        reference=read_code(reference)[:20] or None,
    )


def _select(session: Session) -> Select[FeeAgreement]:
    waiting = _waiting()
    return WAITING[waiting](session) if waiting else select_agreements(session, _wanted())


def _asked() -> dict[str, Any]:
    """Return what of the address says which agreements are listed."""
    wanted = _wanted()
    return {"state": wanted.state, "reference": wanted.reference, "waiting": _waiting()}


def _version() -> int:
    typed = request.form.get("version", "")
    # What is none is older than any.
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0


def _table(found: AgreementPage, agreements: Iterable[FeeAgreement], names: Mapping[UUID, str]) -> Table:
    """Return agreements, with what the agency pays and is paid by the whole list."""
    columns = (
        Column("Reference"),
        Column("Children", Holds.NUMBER, below=True, named=True),
        Column("Who pays"),
        Column("Who is paid", below=True, named=True),
        Column("For", below=True, named=True),
        Column("State"),
        *(Column(each, Holds.DAY, below=True, named=True) for each in ("Matched", "Began", "Order", "Disrupted")),
        Column("To sign", below=True, named=True),
        *money("Fee"),
    )
    between = (None,) * (len(columns) - 2)
    totals = [
        row("Your agency pays, without what was withdrawn or is a swap", *between, found.to_pay),
        row("Your agency is paid", *between, found.to_be_paid),
    ]
    rows = [_row(each, names) for each in agreements]
    return Table("fee-agreements", "Fee agreements", columns, rows, totals)


def _row(each: FeeAgreement, names: Mapping[UUID, str]) -> Row:
    payer, payee = names[each.payer_agency_id], names[each.payee_agency_id]
    signs = ((payer, each.payer_signed_by), (payee, each.payee_signed_by))
    priced = each.state is AgreementState.DRAFTED and (each.amount_pence or each.waived)
    fee: int | str = each.amount_pence or "Not priced"
    if each.waived:
        fee = "None: a swap"
    elif each.state is AgreementState.WITHDRAWN:
        fee = "None: withdrawn"
    return row(
        Cell(each.reference, url_for("fee_agreements.show", agreement_id=each.id)),
        each.children,
        payer,
        payee,
        names[each.authority_agency_id] if each.authority_agency_id != each.payer_agency_id else None,
        Cell(each.state.label, tag=STATES[each.state]),
        *(each.matched_on, each.placed_on, each.ordered_on, each.disrupted_on),
        ", ".join(name for name, signed in signs if not signed) if priced else None,
        fee,
    )
