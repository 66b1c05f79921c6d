"""The page of evidence: what swaps spared the agency, and what its approved families earned, with the list behind.

A consortium's office sees both over its agencies instead, without what comes of a few, and no list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, g, url_for
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.chart import draw
from concord.web.fee_table import Cell, Column, Holds, Table, money, row, show_page
from concord.web.request import transaction
from matching.fee.agreement_page import names_of
from matching.fee.report.office_saving import YearOverAgencies, list_office_savings
from matching.fee.report.saving import Saving, YearOfSavings, by_year, list_savings
from matching.meeting import is_office
from matching.monitoring.figure import Figure
from tenants.agency import list_agencies
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("fee_savings", __name__)

TOO_FEW = "Too few to tell"


@blueprint.get("/fees/savings")
@may(Verb.READ_SAVINGS)
def index() -> ResponseReturnValue:
    """Show each year's evidence as a chart and a table, and each agreement behind it."""
    with transaction() as session:
        names = names_of(list_agencies(session))
        if is_office(session):
            return show_page("fee-savings-over.html", _over_table(list_office_savings(session), names))
        savings = list_savings(session)
    years = by_year(savings)
    rows = tuple((_said(each.year), each.spared // 100, each.earned // 100) for each in years)
    figure = Figure(
        "savings", "Spared and earned by year", "", ("Year", "Spared", "Earned"), rows, drawn=(1, 2), unit="pounds"
    )
    links = scope_may(g.scope, Verb.READ_FEES)
    return show_page(
        "fee-savings.html", _year_table(years), _agreement_table(savings, names, links=links), chart=draw(figure)
    )


def _year_table(years: Sequence[YearOfSavings]) -> Table:
    columns = (
        Column("Year from April"),
        *money("Spared us by swaps", "Not charged by us, for swaps", "Earned by our families"),
        Column("Agreements without a figure", Holds.NUMBER),
    )
    rows = [
        row(Cell(_said(each.year), "#agreements"), each.spared, each.forgone, each.earned, each.unpriced)
        for each in years
    ]
    return Table("savings", "Spared, not charged and earned, by year", columns, rows).added_up("Together")


def _agreement_table(savings: Sequence[Saving], names: Mapping[UUID, str], *, links: bool) -> Table:
    columns = (
        Column("Agreement"),
        Column("Other agency", below=True),
        Column("Year from April", below=True),
        Column("What"),
        *money("Amount"),
        Column("By which tariff"),
    )
    rows = []
    for each in savings:
        href = url_for("fee_agreements.show", agreement_id=each.agreement_id) if links else None
        link = Cell(each.reference, href, f": {each.kind.label}, {each.year}")
        amount = "No figure" if each.pence is None else each.pence
        rows.append(row(link, names[each.other_agency_id], _said(each.year), each.kind.label, amount, each.words))
    return Table("savings-by-agreement", "Each agreement, the latest year first", columns, rows)


def _over_table(years: Sequence[YearOverAgencies], names: Mapping[UUID, str]) -> Table:
    """Return what each year came to by agency, and all together: a sum that few make is told by neither."""
    columns = (Column("Year from April"), Column("Agency"), *money("Spared by swaps", "Earned by its families"))
    rows, totals = [], []
    for year in years:
        found = sorted(year.agencies, key=lambda each: names[each.agency_id])
        for each in found:
            rows.append(row(_said(year.year), names[each.agency_id], _told(each.spared), _told(each.earned)))
        totals.append(row(_said(year.year), "All together", _told(year.spared), _told(year.earned)))
    return Table("savings-over", "Spared and earned, by year and agency", columns, rows, totals)


def _told(pence: int | None) -> int | str:
    return TOO_FEW if pence is None else pence


def _said(year: int) -> str:
    return f"{year}/{year + 1}"
