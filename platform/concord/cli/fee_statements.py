"""``concord fees statement`` and ``concord fees journal``: what is between two agencies, and a month for the ledger."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import click

from concord.cli.month import MONTH
from concord.cli.workplace import agency_session
from concord.settings import Settings
from matching.fee.journal.journal import ControlTotals, write_journal
from matching.fee.journal.mapping import get_mapping
from matching.fee.money import pounds
from matching.fee.statement.statement import RECORD_KIND, Drawn, draw_statement
from tenants import audit
from tenants.agency import get_agency_by_slug
from tenants.base import utc_now

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("statement")
@click.option("--agency", required=True, help="From whose book, by the agency's short name.")
@click.option("--with", "other", required=True, help="The other agency, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--until", type=_DAY, help="The last day, as 2027-03-31; today without it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def statement(
    settings: Settings, agency: str, other: str, consortium: str | None, until: datetime | None, as_json: bool
) -> None:
    """Say what is between two agencies: opening, what moved, closing. People draw statements up on the pages."""
    now = utc_now()
    with agency_session(settings, agency, consortium, command="fees") as session:
        other_id = get_agency_by_slug(session, other).id
        drawn = draw_statement(session, other_id, until_on=until.date() if until else now.date(), now=now)
        reason = f"until {drawn.until_on.isoformat()}"
        audit.record(session, audit.Act.READ, record_kind=RECORD_KIND, reason=reason, now=now)
    names: dict[object, str] = {other_id: other}
    if as_json:
        click.echo(json.dumps(_data(drawn, names, agency), indent=2, ensure_ascii=False))
        return
    for side in drawn.sides:
        payer, payee = names.get(side.payer_agency_id, agency), names.get(side.payee_agency_id, agency)
        click.echo(f"{payer} pays {payee}, until {drawn.until_on}")
        click.echo(f"  opening: {pounds(side.opening.to_pay)} to pay")
        for each in side.movements:
            click.echo(f"  {each.kind.label}: {each.count} of {pounds(each.pence)}")
        click.echo(f"  closing: {pounds(side.closing.to_pay)} to pay, {pounds(side.closing.to_invoice)} to invoice")


@click.command("journal")
@click.option("--agency", required=True, help="Whose book, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--month", type=MONTH, required=True, help="As 2027-03.")
@click.option("--layout", required=True, help="The name of the layout that the agency keeps.")
@click.option("--provisional", is_flag=True, help="Take a month that is not closed; each row says so.")
@click.option(
    "--json", "as_json", is_flag=True, help="Say the control totals as JSON; docs/cli.md documents the shape."
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def journal(
    settings: Settings,
    agency: str,
    consortium: str | None,
    month: date,
    layout: str,
    provisional: bool,
    as_json: bool,
    file: Path,
) -> None:
    """Write a month's journal to FILE as CSV and say its control totals. A closed month is the same file each time."""
    part = file.with_name(f"{file.name}.part")
    try:
        with agency_session(settings, agency, consortium, command="fees") as session, part.open("wb") as out:
            mapping = get_mapping(session, layout)
            totals = write_journal(session, out, mapping, month=month, provisional=provisional, now=utc_now())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    _say(totals, as_json=as_json)


def _say(totals: ControlTotals, *, as_json: bool) -> None:
    if as_json:
        said = {
            "month": f"{totals.month:%Y-%m}",
            "provisional": totals.provisional,
            "rows": totals.count,
            "debit_pence": totals.debit_pence,
            "credit_pence": totals.credit_pence,
            "sha256": totals.sha256,
        }
        click.echo(json.dumps(said, indent=2))
        return
    click.echo(f"{totals.month:%B %Y}{', provisional' if totals.provisional else ''}: {totals.count:,} rows")
    click.echo(f"Debits {pounds(totals.debit_pence)}, credits {pounds(totals.credit_pence)}")
    click.echo(f"SHA-256 {totals.sha256}")


def _data(drawn: Drawn, names: dict[object, str], agency: str) -> dict[str, object]:
    return {
        "until": drawn.until_on.isoformat(),
        "sides": [
            {
                "payer": names.get(side.payer_agency_id, agency),
                "payee": names.get(side.payee_agency_id, agency),
                "opening": side.opening.as_data(),
                "movements": [
                    {"kind": each.kind.value, "count": each.count, "pence": each.pence, **each.amounts.as_data()}
                    for each in side.movements
                ],
                "closing": side.closing.as_data(),
            }
            for side in drawn.sides
        ],
    }
