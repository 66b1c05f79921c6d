"""``concord fees netting`` and ``concord fees budget``: what the pages show, to read and to take away."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from concord.cli.workplace import agency_session
from concord.settings import Settings
from matching.fee.money import pounds
from matching.fee.netting import RECORD_KIND, Netting, list_netting_members, list_nettings, own_part
from matching.fee.netting_offer import list_offers
from matching.fee.report.budget import compare_budget
from matching.fee.report.year import year_of
from tenants import audit
from tenants.agency import list_agencies
from tenants.base import utc_now

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_BUDGET = ("month", "what", "budget_pence", "actual_pence")


@click.group("netting")
def netting() -> None:
    """See what can be netted, and how nettings stand. People propose and confirm them on the pages."""


@netting.command("offers")
@click.option("--agency", required=True, help="From whose book, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--until", type=_DAY, help="The last day of the invoices, as 2027-03-31; today without it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def offers(settings: Settings, agency: str, consortium: str | None, until: datetime | None, as_json: bool) -> None:
    """Say what could be netted with each agency and swap group."""
    today = utc_now().date()
    with agency_session(settings, agency, consortium, command="fees") as session:
        found = list_offers(session, until_on=until.date() if until else today, on=today)
        slugs = _slugs(session)
        audit.record(session, audit.Act.READ, record_kind=RECORD_KIND, reason=f"{len(found)} offers", now=utc_now())
    told = [
        {
            "with": each.swap_group.name if each.swap_group else slugs[each.agency_ids[0]],
            "to_us_pence": each.to_us,
            "by_us_pence": each.by_us,
        }
        for each in found
    ]
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for each in found:
        name = each.swap_group.name if each.swap_group else slugs[each.agency_ids[0]]
        click.echo(f"{name}: {pounds(each.to_us)} owed to us, {pounds(each.by_us)} by us")


@netting.command("list")
@click.option("--agency", required=True, help="Whose nettings, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def list_(settings: Settings, agency: str, consortium: str | None, as_json: bool) -> None:
    """List an agency's nettings: who has confirmed, its own invoices and what is left to pay."""
    with agency_session(settings, agency, consortium, command="fees") as session:
        slugs = _slugs(session)
        told = [_netting(session, each, slugs) for each in list_nettings(session)]
        audit.record(session, audit.Act.READ, record_kind=RECORD_KIND, reason=f"{len(told)} nettings", now=utc_now())
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for each in told:
        click.echo(f"{each['id']} until {each['until']}: {each['state']}")
        for member in each["agencies"]:
            click.echo(f"  {member['agency']}: {'confirmed' if member['confirmed'] else 'not yet'}")
        for leg in each["legs"]:
            click.echo(f"  {leg['payer']} pays {leg['payee']} {pounds(leg['pence'])} as {leg['reference']}")


@click.group("budget")
def budget() -> None:
    """Take a year's budget of fees away. A finance officer enters it on the page."""


@budget.command("export")
@click.option("--agency", required=True, help="Whose budget, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--year", type=click.IntRange(2000, 2999), help="In which its April is; this financial year without it.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export(settings: Settings, agency: str, consortium: str | None, year: int | None, file: Path) -> None:
    """Write a financial year's budget, and what the book says, to FILE as CSV: amounts in pence."""
    with agency_session(settings, agency, consortium, command="fees") as session:
        found = compare_budget(session, year or year_of(utc_now().date()))
        audit.record(session, audit.Act.EXPORT, record_kind="fee_sheet", reason="budget", now=utc_now())
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(_BUDGET)
        for way, months in found.items():
            for each in months:
                planned = "" if each.planned is None else each.planned
                writer.writerow((f"{each.begins_on:%Y-%m}", way.value, planned, each.actual))
    click.echo(f"{sum(map(len, found.values()))} rows")


def _netting(session: Session, netting: Netting, slugs: dict[UUID, str]) -> dict[str, Any]:
    part = own_part(session, netting)
    today = utc_now().date()
    ended = "declined" if netting.declined_at else "posted" if netting.posted_at else ""
    stands = "waits" if netting.is_open(today) else "over" if netting.is_over(today) else "lapsed"
    return {
        "id": str(netting.id),
        "until": netting.until_on.isoformat(),
        "lapses": netting.lapses_on.isoformat(),
        "state": ended or stands,
        "agencies": [
            {"agency": slugs[each.agency_id], "confirmed": each.confirmed_at is not None}
            for each in list_netting_members(session, netting)
        ],
        "invoices": [
            {"number": each.number, "payer": slugs[each.payer_agency_id], "payee": slugs[each.payee_agency_id],
             "pence": each.pence}
            for each in part.claims
        ],
        "legs": [
            {"payer": slugs[each.leg.payer_agency_id], "payee": slugs[each.leg.payee_agency_id],
             "reference": each.leg.reference, "pence": each.leg.pence, "paid_pence": each.paid,
             "due": each.leg.due_on.isoformat() if each.leg.due_on else None}
            for each in part.legs
        ],
    }  # fmt: skip


def _slugs(session: Session) -> dict[UUID, str]:
    return {each.id: each.slug for each in list_agencies(session)}
