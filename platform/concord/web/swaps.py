"""The pages of swap groups: who swaps, by which rule, what is between members, and what could be balanced."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.request import transaction
from concord.web.short_form import short_form
from concord.web.swap_form import AnswerForm, EndForm, SwapGroupForm
from matching.household import get_household
from matching.meeting import is_office, require_office
from matching.sibling_group import get_group
from matching.swap.account import read_account
from matching.swap.agency_ring import TooManyAgencies
from matching.swap.balance import LegState
from matching.swap.group import (
    SwapGroupInvalid,
    SwapGroupNameTaken,
    agree,
    end_swap_group,
    get_swap_group,
    list_members,
    list_swap_groups,
    make_swap_group,
)
from matching.swap.opportunity import find_opportunities, say_unproven
from matching.swap.ring import LENGTHS
from matching.swap.rule import Follow, years
from matching.swap_answer import answer_leg
from tenants.agency import AgencyKind, list_agencies
from tenants.base import utc_now
from tenants.error import Conflict, Invalid
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("swaps", __name__)

STATES = {
    LegState.BALANCED: ("Balanced", "govuk-tag--green"),
    LegState.OPEN: ("Open", "govuk-tag--blue"),
    LegState.CARRIED: ("Carried forward", "govuk-tag--yellow"),
    LegState.FEE_DUE: ("Standard fee", "govuk-tag--orange"),
}


@blueprint.get("/swaps")
@may(Verb.READ_SWAPS)
def index() -> ResponseReturnValue:
    """List the swap groups that the agency made or is asked into."""
    with transaction() as session:
        groups = [(each, list_members(session, each)) for each in list_swap_groups(session)]
        keeps = scope_may(g.scope, Verb.KEEP_SWAPS) and is_office(session)
    return render_template("swaps.html", groups=groups, keeps=keeps, own=g.scope.agency_id, today=utc_now().date())


@blueprint.route("/swaps/new", methods=["GET", "POST"])
@may(Verb.KEEP_SWAPS)
def new() -> ResponseReturnValue:
    """Take the terms of a swap group and ask its members in."""
    form = SwapGroupForm()
    with transaction() as session:
        require_office(session)
        agencies = [each for each in list_agencies(session) if each.kind is not AgencyKind.CONSORTIUM_OFFICE]
        earlier = [each for each in list_swap_groups(session) if each.follow is Follow.CARRY_FORWARD and each.ends_on]
    form.offer(agencies, earlier)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                asked = [UUID(each) for each in form.agencies.data]
                made = make_swap_group(session, form.terms(), agency_ids=asked, now=utc_now())
                return redirect(url_for("swaps.show", swap_group_id=made.id), 303)
        except (SwapGroupInvalid, SwapGroupNameTaken) as refusal:
            form.name.errors = [str(refusal)]
    return short_form(
        form,
        title="Make a swap group",
        back=(url_for("swaps.index"), "Swaps"),
        lead="Each member’s manager agrees for their own agency; its placements count from that day.",
        hints=SwapGroupForm.HINTS,
    )


@blueprint.get("/swaps/<uuid:swap_group_id>")
@may(Verb.READ_SWAPS)
def show(swap_group_id: UUID) -> ResponseReturnValue:
    """Show a swap group’s terms, members and balances, with the placements behind each number."""
    now = utc_now()
    with transaction() as session:
        group = get_swap_group(session, swap_group_id)
        members = list_members(session, group)
        account = read_account(session, group, now=now)
    return render_template(
        "swap.html",
        group=group,
        members=members,
        account=account,
        states=STATES,
        under=years(group.under_years),
        own=g.scope.agency_id,
        agrees=scope_may(g.scope, Verb.AGREE_SWAPS),
        keeps=scope_may(g.scope, Verb.KEEP_SWAPS) and account.whole,
        plans=scope_may(g.scope, Verb.READ_OPPORTUNITIES),
        today=now.date(),
    )


@blueprint.post("/swaps/<uuid:swap_group_id>/agree")
@may(Verb.AGREE_SWAPS)
def give_word(swap_group_id: UUID) -> ResponseReturnValue:
    """Take the agency into the swap group."""
    with transaction() as session:
        agree(session, get_swap_group(session, swap_group_id), now=utc_now())
    return redirect(url_for("swaps.show", swap_group_id=swap_group_id), 303)


@blueprint.route("/swaps/<uuid:swap_group_id>/end", methods=["GET", "POST"])
@may(Verb.KEEP_SWAPS)
def end(swap_group_id: UUID) -> ResponseReturnValue:
    """Set the last day of a swap group’s period."""
    form = EndForm()
    with transaction() as session:
        group = get_swap_group(session, swap_group_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                found = get_swap_group(session, swap_group_id)
                end_swap_group(session, found, ends_on=form.ends_on.data, now=utc_now())
            return redirect(url_for("swaps.show", swap_group_id=swap_group_id), 303)
        except SwapGroupInvalid as refusal:
            form.ends_on.errors = [str(refusal)]
    return short_form(
        form,
        title="When does the period end?",
        back=(url_for("swaps.show", swap_group_id=swap_group_id), group.name),
        lead=f"What is open then follows the rule: {group.follow.label.lower()}.",
        hints={"ends_on": "For example, 31 3 2027"},
    )


@blueprint.get("/swaps/<uuid:swap_group_id>/opportunities")
@may(Verb.READ_OPPORTUNITIES)
def opportunities(swap_group_id: UUID) -> ResponseReturnValue:
    """Show what could be balanced, by the plan or by rings of a length."""
    asked = request.args.get("longest", default=0, type=int)
    longest = asked if asked in LENGTHS else None
    found, refusal = None, None
    with transaction() as session:
        group = get_swap_group(session, swap_group_id)
        try:
            found = find_opportunities(session, group, longest=longest, now=utc_now())
        except TooManyAgencies as error:
            refusal = str(error)
    return render_template(
        "swap-opportunities.html",
        group=group,
        found=found,
        refusal=refusal,
        unproven=say_unproven,
        longest=longest,
        lengths=LENGTHS,
        whole=g.scope.agency_id == group.office_id,
    )


@blueprint.route(
    "/swaps/<uuid:swap_group_id>/opportunities/<uuid:group_id>/<uuid:household_id>", methods=["GET", "POST"]
)
@may(Verb.READ_OPPORTUNITIES)
def answer(swap_group_id: UUID, group_id: UUID, household_id: UUID) -> ResponseReturnValue:
    """Take an agency’s word on one leg of its own."""
    form = AnswerForm()
    back = url_for("swaps.opportunities", swap_group_id=swap_group_id)
    with transaction() as session:
        get_swap_group(session, swap_group_id)
        children, family = get_group(session, group_id), get_household(session, household_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                answer_leg(
                    session,
                    get_swap_group(session, swap_group_id),
                    sibling_group_id=group_id,
                    household_id=household_id,
                    confirm=form.answer.data == "confirm",
                    reason=form.reason.data,
                    now=utc_now(),
                )
            return redirect(back, 303)
        except (Invalid, Conflict) as refusal:
            form.answer.errors = [str(refusal)]
    return short_form(
        form,
        title=f"{children.code} and {family.code}",
        back=(back, "Opportunities"),
        lead="Answer for your own agency, and for these children alone: no other placement waits for this one, and "
        "none is undone by it.",
    )
