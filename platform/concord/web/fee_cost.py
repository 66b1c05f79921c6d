"""What a placement would cost: for finance officers and managers, once a family is chosen, and on no other page."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.fee_form import DayOfCostForm
from concord.web.form import error_summary
from concord.web.request import transaction
from matching.fee.cost import DayUnfit, cost_of, list_chosen
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("fee_cost", __name__)


@blueprint.get("/fees/cost")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """List the families that are chosen for the agency’s children and have not moved in."""
    with transaction() as session:
        chosen = list_chosen(session)
    return render_template("fee-chosen.html", chosen=chosen)


@blueprint.get("/fees/cost/<uuid:link_id>")
@may(Verb.READ_FEES)
def show(link_id: UUID) -> ResponseReturnValue:
    """Show what one placement would cost if it began on a day."""
    form, now = DayOfCostForm(request.args), utc_now()
    asked = "day" in request.args
    day = form.day.data if asked and form.validate() else None
    with transaction() as session:
        try:
            cost = cost_of(session, link_id, now=now, on=day)
        except DayUnfit as refusal:
            form.day.errors = [str(refusal)]
            cost = cost_of(session, link_id, now=now)
    if not asked:
        form.day.data = cost.on
    page = render_template("fee-cost.html", cost=cost, form=form, errors=error_summary(form) if form.errors else None)
    return page, 422 if form.errors else 200
