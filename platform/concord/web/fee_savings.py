"""The page of evidence: what swaps spared the agency, and what its approved families earned, with the list behind.

A consortium's office sees both over its agencies instead, without what comes of a few, and no list.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.chart import draw
from concord.web.fee_file import hand_out, plain
from concord.web.request import transaction
from matching.fee.remittance.bank_file import pounds
from matching.fee.report.office_saving import YearOverAgencies, list_office_savings
from matching.fee.report.saving import by_year, list_savings
from matching.meeting import is_office
from matching.monitoring.figure import Figure
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_savings", __name__)

TOO_FEW = "Too few to tell"
OVER_AGENCIES = ("Year from April", "Agency", "Spared by swaps", "Earned by its families")
HEADINGS = ("Year from April", "What", "Agreement", "Other agency", "Amount", "By which tariff")


@blueprint.get("/fees/savings")
@may(Verb.READ_SAVINGS)
def index() -> ResponseReturnValue:
    """Show each year's evidence as a chart and a table, and each agreement behind it."""
    with transaction() as session:
        names = {each.id: each.name for each in list_agencies(session)}
        if is_office(session):
            over = [(each.year, _over(each, names)) for each in list_office_savings(session)]
            return render_template("fee-savings-over.html", years=over, too_few=TOO_FEW, pounds=pounds)
        savings = list_savings(session)
    years = by_year(savings)
    rows = tuple((f"{each.year}/{each.year + 1}", each.spared // 100, each.earned // 100) for each in years)
    figure = Figure(
        "savings", "Spared and earned by year", "", ("Year", "Spared", "Earned"), rows, drawn=(1, 2), unit="pounds"
    )
    return render_template(
        "fee-savings.html",
        savings=savings,
        years=years,
        chart=draw(figure),
        names=names,
        reads_fees=scope_may(g.scope, Verb.READ_FEES),
        pounds=pounds,
    )


@blueprint.get("/fees/savings.<any(xlsx, csv):file_format>")
@may(Verb.READ_SAVINGS)
def take(file_format: str) -> ResponseReturnValue:
    """Hand out the list as it is shown."""
    with transaction() as session:
        names = {each.id: each.name for each in list_agencies(session)}
        if is_office(session):
            over = [
                (str(year.year), name, _said(spared), _said(earned))
                for year in list_office_savings(session)
                for name, spared, earned in _over(year, names)
            ]
            return hand_out(f"savings-{utc_now().date()}", OVER_AGENCIES, over, file_format)
        savings = list_savings(session)
    rows = [
        (
            str(each.year),
            each.kind.label,
            each.reference,
            names.get(each.other_agency_id, ""),
            "" if each.pence is None else plain(each.pence),
            each.words,
        )
        for each in savings
    ]
    return hand_out(f"savings-{utc_now().date()}", HEADINGS, rows, file_format)


def _over(year: YearOverAgencies, names: dict[UUID, str]) -> list[tuple[str, int | None, int | None]]:
    """Return each agency by name, and then all of them together."""
    agencies = sorted(
        ((names.get(each.agency_id, ""), each.spared, each.earned) for each in year.agencies), key=lambda row: row[0]
    )
    return [*agencies, ("All together", year.spared, year.earned)]


def _said(pence: int | None) -> str:
    return TOO_FEW if pence is None else plain(pence)
