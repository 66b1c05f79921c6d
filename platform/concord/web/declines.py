"""Quiet declines: a worker says once why a family is not right for a group, and what the other agency can use."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from wtforms import HiddenField, SubmitField

from concord.web.access import may
from concord.web.link_form import words_field
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.decline import DeclinedAlready, NotOurs, decline, get_decline, take_back
from matching.household import get_household, get_household_by_reference
from matching.link import LinkInvalid
from matching.sibling_group import get_group, get_group_by_reference
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("declines", __name__, url_prefix="/declines")


class DeclineForm(FlaskForm):  # type: ignore[misc]
    """Why a family is not right for a group."""

    group, household = HiddenField(), HiddenField()
    reason = words_field("Why is this family not right for these children?", "Enter why it is not right")
    feedback = words_field("What can the other agency use?", "", optional=True)
    submit = SubmitField("Decline the suggestion", widget=GovSubmitInput())


class BackForm(FlaskForm):  # type: ignore[misc]
    """That a decline is taken back."""

    submit = SubmitField("Take it back", widget=GovSubmitInput())


@blueprint.route("/new", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def new() -> ResponseReturnValue:
    """Say why a family is not right for a group."""
    form = DeclineForm(group=request.args.get("group", ""), household=request.args.get("household", ""))
    with transaction() as session:
        group = get_group_by_reference(session, form.group.data or "")
        household = get_household_by_reference(session, form.household.data or "")
    if g.scope.agency_id not in (group.agency_id, household.agency_id):
        raise NotOurs("Decline for your own agency’s children or families.")
    if form.validate_on_submit():
        try:
            with transaction() as session:
                ours, theirs = get_group(session, group.id), get_household(session, household.id)
                said = {"reason": form.reason.data, "feedback": form.feedback.data}
                decline(session, group=ours, household=theirs, **said, now=utc_now())
            return redirect(url_for("groups.show", group_id=group.id, _anchor="declined"), 303)
        except (DeclinedAlready, LinkInvalid) as refusal:
            form.reason.errors = [str(refusal)]
    within = group.agency_id == household.agency_id
    return short_form(
        form,
        title=f"Not right: {household.code} for {group.code}",
        back=(url_for("groups.show", group_id=group.id), f"Group {group.code}"),
        lead="The pair is then set apart on your agency’s lists, with your reason beside it. Nobody’s points change.",
        hints={
            "reason": "Only your agency reads it",
            "feedback": "Your agency alone, so leave it empty"
            if within
            else "Optional. The other agency reads it: something kind and of use, without a name",
        },
    )


@blueprint.route("/<uuid:decline_id>/take-back", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def back(decline_id: UUID) -> ResponseReturnValue:
    """Let a pair be suggested again."""
    form = BackForm()
    with transaction() as session:
        found = get_decline(session, decline_id)
        group, household = get_group(session, found.sibling_group_id), get_household(session, found.household_id)
    if form.validate_on_submit():
        with transaction() as session:
            take_back(session, get_decline(session, decline_id), now=utc_now())
        return redirect(url_for("groups.show", group_id=group.id), 303)
    return short_form(
        form,
        title=f"Suggest {household.code} for {group.code} again",
        back=(url_for("groups.show", group_id=group.id), f"Group {group.code}"),
        text=f"Declined because: {found.reason}",
    )
