"""The office’s page of nettings among a swap group’s members: who has confirmed, and no sum."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.fee_netting import DayForm, DeclineForm, day_sent, until_asked
from concord.web.fee_netting_tables import state_of
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.fee.agreement_page import names_of
from matching.fee.netting import (
    NettingInvalid,
    decline_netting,
    get_netting,
    list_group_nettings,
    list_netting_members,
    propose_group_netting,
)
from matching.swap.group import get_swap_group, list_members
from tenants.agency import list_agencies
from tenants.approval import BothSides
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("swap_nettings", __name__)


@blueprint.get("/swaps/<uuid:swap_group_id>/nettings")
@may(Verb.KEEP_SWAPS)
def index(swap_group_id: UUID) -> ResponseReturnValue:
    """Show who has confirmed which netting, and offer to draw one up."""
    return _show(swap_group_id)


@blueprint.post("/swaps/<uuid:swap_group_id>/nettings")
@may(Verb.KEEP_SWAPS)
def propose(swap_group_id: UUID) -> ResponseReturnValue:
    """Draw up a netting among the members."""
    try:
        with transaction() as session:
            group = get_swap_group(session, swap_group_id)
            without = request.form.getlist("without", type=UUID)
            propose_group_netting(session, group, until_on=day_sent(), now=utc_now(), without=without)
    except (BothSides, NettingInvalid) as refusal:
        return _show(swap_group_id, problem=str(refusal)), 422
    return redirect(url_for("swap_nettings.index", swap_group_id=swap_group_id), 303)


@blueprint.route("/swaps/<uuid:swap_group_id>/nettings/<uuid:netting_id>/decline", methods=["GET", "POST"])
@may(Verb.KEEP_SWAPS)
def decline(swap_group_id: UUID, netting_id: UUID) -> ResponseReturnValue:
    """Take back a netting that the office asked for."""
    form, back = DeclineForm(), url_for("swap_nettings.index", swap_group_id=swap_group_id)
    with transaction() as session:
        netting = get_netting(session, netting_id)
        if form.validate_on_submit():
            decline_netting(session, netting, reason=form.reason.data, now=utc_now())
            return redirect(back, 303)
    return short_form(
        form, title="Take this netting back?", back=(back, "Nettings"), lead="It ends for all, and nothing is posted."
    )


def _show(swap_group_id: UUID, *, problem: str | None = None) -> str:
    form, until_on = until_asked(DayForm)
    problem = problem or form.no_day
    with transaction() as session:
        group = get_swap_group(session, swap_group_id)
        page = list_group_nettings(session, group, number=request.args.get("page", 1, type=int))
        nettings = [(each, list_netting_members(session, each)) for each in page.cards]
        members = [(member.agency_id, name) for member, name in list_members(session, group) if member.agreed_on]
        names = names_of(list_agencies(session))
    return render_template(
        "swap-nettings.html",
        form=form,
        until_on=until_on,
        group=group,
        members=members,
        nettings=nettings,
        state_of=state_of,
        pagination=pagination(
            page, lambda other: url_for("swap_nettings.index", swap_group_id=swap_group_id, page=other)
        ),
        names=names,
        today=utc_now().date(),
        problem=problem,
    )
