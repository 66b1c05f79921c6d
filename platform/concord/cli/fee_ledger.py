"""``concord fees run``, ``ledger`` and ``close``: settle what is due, see the book, close its months."""

from __future__ import annotations

import json
from datetime import date

import click

from concord.cli.month import MONTH
from concord.cli.workplace import agency_scope, agency_session, workplace
from concord.settings import Settings
from matching.fee.agreement_page import names_of
from matching.fee.ledger import close_month, kept_totals
from matching.fee.ledger.listing import Wanted, as_rows, list_lines, sum_accounts
from matching.fee.money import say_pounds
from tenants import audit
from tenants.agency import list_agencies
from tenants.base import utc_now
from workers.fee_run import run_fees


@click.command("run")
@click.option("--agency", required=True, help="The agency that is paid, by its short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.pass_obj
def run(settings: Settings, agency: str, consortium: str | None) -> None:
    """Post what is due to an agency and not posted; again, it posts nothing. The schedule does it every day."""
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        posted = run_fees(place.database, scope, now=utc_now())
    click.echo(f"{posted} transaction{'' if posted == 1 else 's'} posted.")


@click.command("ledger")
@click.option("--agency", required=True, help="Whose book, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--month", type=MONTH, help="Only the postings that count in this month, such as 2026-11.")
@click.option("--reference", help="Only those about one agreement.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.pass_obj
def ledger(
    settings: Settings,
    agency: str,
    consortium: str | None,
    month: date | None,
    reference: str | None,
    as_json: bool,
) -> None:
    """Show an agency's book: what its accounts add up to, and its postings."""
    wanted = Wanted(month=month, reference=reference)
    with agency_session(settings, agency, consortium, command="fees") as session:
        sums, lines = sum_accounts(session, wanted), list_lines(session, wanted, limit=None)
        rows = list(as_rows(lines, names_of(list_agencies(session))))
        audit.record(session, audit.Act.EXPORT, record_kind="ledger", reason=f"{len(rows)} rows", now=utc_now())
    if as_json:
        accounts = {each.account.value: each.pence for each in sums}
        postings = [
            dict(row, account=line.posting.account.value, pence=line.posting.pence)
            for row, line in zip(rows, lines, strict=True)
        ]
        click.echo(json.dumps({"accounts": accounts, "postings": postings}, indent=2, ensure_ascii=False))
        return
    if not lines:
        click.echo("The book has no such posting.")
    for each in sums:
        click.echo(f"{each.account.label:<40} {say_pounds(each.pence):>16}")
    for row in rows:
        debit, credit = row["Debit, £"], row["Credit, £"]
        click.echo(f"{row['Day']}  {row['Account']:<34} {debit:>12} {credit:>12}  {row['Words']}")


@click.command("close")
@click.option("--agency", required=True, help="Whose book, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--month", type=MONTH, required=True, help="The month to close, such as 2026-10.")
@click.pass_obj
def close(settings: Settings, agency: str, consortium: str | None, month: date) -> None:
    """Close a month of an agency's book; two people open it again, on the page."""
    with agency_session(settings, agency, consortium, command="fees") as session:
        period = close_month(session, month, now=utc_now())
    click.echo(f"{period.month:%B %Y} is closed.")
    for each in kept_totals(period):
        click.echo(f"{each.account.label:<40} {say_pounds(each.carried):>16}")
