"""``concord fees invoice``: list what was issued and received, issue what is due, and write invoices to files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from concord.cli.workplace import agency_session
from concord.settings import Settings
from matching.fee.invoice.content import InvoiceContent
from matching.fee.invoice.invoice import (
    RECORD_KIND,
    InvoiceRow,
    Wanted,
    find_invoice,
    list_invoices,
    read_content,
    record_look,
)
from matching.fee.invoice.issuing import issue_invoice, list_due
from matching.fee.money import pounds
from tenants import audit
from tenants.agency import get_agency_by_slug
from tenants.base import utc_now
from workers.document.invoice import render_invoice
from workers.document.ubl import write_ubl

_agency = click.option("--agency", required=True, help="The agency for which to ask, by its short name.")
_consortium = click.option("--consortium", help="Which consortium, where the agency belongs to several.")
_json = click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
_number = click.option("--number", required=True, help="The invoice's or the credit note's number.")
_file = click.argument("path", type=click.Path(dir_okay=False, path_type=Path))


@click.group("invoice")
def invoice() -> None:
    """List, issue and write invoices and credit notes."""


@invoice.command("list")
@_agency
@_consortium
@click.option("--received", is_flag=True, help="Those received instead of those issued.")
@_json
@click.pass_obj
def list_command(settings: Settings, agency: str, consortium: str | None, *, received: bool, as_json: bool) -> None:
    """List the invoices and credit notes that the agency issued, the latest first."""
    now = utc_now()
    with agency_session(settings, agency, consortium, command="fees") as session:
        rows = list_invoices(session, Wanted(received=received), on=now.date())
        audit.record(session, audit.Act.READ, record_kind=RECORD_KIND, reason=f"{len(rows)} invoices", now=now)
    if as_json:
        click.echo(json.dumps({"invoices": [_data(row) for row in rows]}, indent=2, ensure_ascii=False))
        return
    for row in rows:
        each = row.invoice
        click.echo(f"{each.number}  {each.issued_on}  {pounds(row.signed_gross)}  {row.state.label}")


@invoice.command("issue")
@_agency
@_consortium
@click.option("--payer", required=True, help="Who is invoiced for all that is due, by its short name.")
@click.option("--number", default="", help="The finance system's number, where invoices carry its numbers.")
@_json
@click.pass_obj
def issue_command(
    settings: Settings, agency: str, consortium: str | None, payer: str, number: str, *, as_json: bool
) -> None:
    """Issue one invoice of all that is due from a payer."""
    with agency_session(settings, agency, consortium, command="fees") as session:
        payer_id = get_agency_by_slug(session, payer).id
        marks = [each.mark for each in list_due(session, payer_id) if each.pence > 0]
        made = issue_invoice(session, payer_id, marks, number=number, now=utc_now())
        said = {"number": made.number, "gross_pence": made.gross_pence, "due_on": made.due_on.isoformat()}
    click.echo(json.dumps(said) if as_json else f"Issued {made.number}: {pounds(made.gross_pence)}.")


@invoice.command("pdf")
@_agency
@_consortium
@_number
@_file
@click.pass_obj
def pdf_command(settings: Settings, agency: str, consortium: str | None, number: str, path: Path) -> None:
    """Write an invoice as a PDF (PDF/UA-1)."""
    _write(settings, agency, consortium, number, path, render_invoice)


@invoice.command("ubl")
@_agency
@_consortium
@_number
@_file
@click.pass_obj
def ubl_command(settings: Settings, agency: str, consortium: str | None, number: str, path: Path) -> None:
    """Write an invoice as UBL 2.1 XML (EN 16931)."""
    _write(settings, agency, consortium, number, path, write_ubl)


def _write(
    settings: Settings,
    agency: str,
    consortium: str | None,
    number: str,
    path: Path,
    write: Callable[[InvoiceContent], bytes],
) -> None:
    now: datetime = utc_now()
    with agency_session(settings, agency, consortium, command="fees") as session:
        found = find_invoice(session, number)
        content = read_content(session, found)
        record_look(session, found, audit.Act.DOWNLOAD, path.suffix.removeprefix("."), now=now)
    path.write_bytes(write(content))
    click.echo(f"Wrote {path}.")


def _data(row: InvoiceRow) -> dict[str, Any]:
    each = row.invoice
    return {
        "number": each.number,
        "kind": each.kind.value,
        "issued_on": each.issued_on.isoformat(),
        "due_on": each.due_on.isoformat(),
        "net_pence": each.net_pence,
        "vat_pence": each.vat_pence,
        "gross_pence": each.gross_pence,
        "outstanding_pence": row.outstanding,
        "state": row.state.value,
    }
