"""What a placement would cost: for finance officers and managers, once a family is chosen, and on no other page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.fee_form import DayOfCostForm
from concord.web.fee_table import Cell, Column, Holds, Table, row, show_page
from concord.web.form import error_summary
from concord.web.request import transaction
from matching.fee.cost import ChosenFamily, DayUnfit, cost_of, list_chosen
from tenants.base import utc_now
from tenants.permission import Verb

blueprint = Blueprint("fee_cost", __name__)


@blueprint.get("/fees/cost")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """List the families that are chosen for the agency’s children and have not moved in."""
    with transaction() as session:
        listed = _table(list_chosen(session))
    return show_page("fee-chosen.html", listed, listed=listed)


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


def _table(chosen: Sequence[ChosenFamily]) -> Table:
    columns = (Column("Family of"), Column("Children", Holds.NUMBER), Column("How far"), Column("Since", Holds.DAY))
    rows = []
    for number, each in enumerate(chosen, start=1):
        link = Cell(each.family_agency, url_for("fee_cost.show", link_id=each.link_id), f", number {number}")
        rows.append(row(link, each.children, each.state.label, each.since.date()))
    return Table("chosen-families", "Chosen families of other agencies", columns, rows)
