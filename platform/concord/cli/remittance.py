"""``concord remittance``: hand in a bank's file for an agency and say what became of its lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from concord.cli.import_run import transaction, wait_or_cancel
from concord.cli.workplace import Workplace, agency_scope, agency_session, workplace
from concord.settings import Settings
from matching.fee.money import pounds
from matching.fee.remittance.bank_file import MOST_BYTES, UnreadableRemittance
from matching.fee.remittance.column_map import guess
from matching.fee.remittance.mapping import choose_mapping, preview_mapping
from matching.fee.remittance.remittance import (
    Purpose,
    Remittance,
    RemittanceState,
    get_remittance,
    request_remittance,
)
from matching.fee.remittance.taken_back import count_lines, take_file_back
from tenants.base import utc_now
from tenants.scope import Scope

FILE_REFUSED = 1
COLUMNS_UNSURE = 4
"""Exit codes, as those of ``concord import``. 0 when the file was taken."""


@click.group("remittance")
def command() -> None:
    """Take in what banks say was paid: CSV, MT940, CAMT.053 and OFX."""


@command.command("import")
@click.option("--agency", required=True, help="Whose bank's it is, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--advice", is_flag=True, help="It says what the agency has paid: compared with others, never posted.")
@click.option("--accept", is_flag=True, help="Take a CSV file's columns for what their headings say.")
@click.option("--json", "as_json", is_flag=True, help="As JSON; docs/cli.md documents the shape.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_file(
    settings: Settings, agency: str, consortium: str | None, advice: bool, accept: bool, as_json: bool, file: Path
) -> None:
    """Take in the lines of FILE; the same file again changes nothing. People match them, on the pages.

    Exits with 0 when the file was taken, 4 when somebody is to say what its columns hold, 1 when it was refused.
    """
    if file.stat().st_size > MOST_BYTES:
        raise UnreadableRemittance(f"{file.name} is larger than {MOST_BYTES // 2**20} MB. Export shorter periods.")
    purpose = Purpose.ADVICE if advice else Purpose.RECEIPTS
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        now = utc_now()
        with transaction(place, scope) as session:
            asked = request_remittance(session, purpose=purpose, filename=file.name, content=file.read_bytes(), now=now)
            known = asked.state is RemittanceState.TAKEN and asked.imported_at != now
        done = _waited(place, scope, asked)
        if accept and done.state is RemittanceState.ASKING:
            with transaction(place, scope) as session:
                remittance = get_remittance(session, done.id)
                chosen = guess(preview_mapping(session, remittance).table.headings)
                choose_mapping(session, remittance, chosen, outgoing=advice, now=utc_now())
            done = _waited(place, scope, done)
    if known and not as_json:
        click.echo(f"Your agency handed in this very file on {done.imported_at:%d/%m/%Y}. Nothing was taken again.")
    _say(done, as_json=as_json)
    sys.exit({RemittanceState.REFUSED: FILE_REFUSED, RemittanceState.ASKING: COLUMNS_UNSURE}.get(done.state, 0))


@command.command("take-back")
@click.option("--agency", required=True, help="Whose file it is, by the agency's short name.")
@click.option("--consortium", help="Which consortium, where the agency belongs to several.")
@click.option("--reason", required=True, help="Why; name no child and no family.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, in the shape of import.")
@click.argument("remittance_id", metavar="ID", type=click.UUID)
@click.pass_obj
def take_back(
    settings: Settings, agency: str, consortium: str | None, reason: str, as_json: bool, remittance_id: UUID
) -> None:
    """Take the file of an ID back: its lines that nobody settled wait no more. Matches stay, and nothing is erased."""
    with agency_session(settings, agency, consortium, command="remittance take-back") as session:
        found = get_remittance(session, remittance_id)
        take_file_back(session, found, reason=reason, now=utc_now())
        if as_json:
            click.echo(json.dumps(told(found), indent=2, ensure_ascii=False))
            return
        counts = count_lines(session, found)
        states = "; ".join(f"{state.label.lower()}: {number}" for state, number in counts.items())
        click.echo(f"{found.filename} is taken back. {f'Its lines: {states}.' if states else 'It had no lines.'}")


def _waited(place: Workplace, scope: Scope, asked: Remittance) -> Remittance:
    with transaction(place, scope) as session:
        found = get_remittance(session, asked.id)
    if found.state is RemittanceState.READING:
        wait_or_cancel(place, scope, found.job_id, words=f"Reading {found.filename}")
    with transaction(place, scope) as session:
        return get_remittance(session, asked.id)


def _say(done: Remittance, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(told(done), indent=2, ensure_ascii=False))
    elif done.state is RemittanceState.REFUSED:
        click.echo(f"{done.filename} was not taken. {done.refusal}", err=True)
    elif done.state is RemittanceState.ASKING:
        click.echo("Somebody is to say what its columns hold: on its page, or with --accept as its headings say.")
    else:
        for note in done.notes:
            click.echo(f"Note: {note}")
        click.echo(
            f"Lines: {done.line_count}; {done.credit_count} came in ({pounds(done.credit_pence)}), {done.debit_count} "
            f"went out ({pounds(done.debit_pence)}), {done.known_count} were in an earlier file."
        )


def told(done: Remittance) -> dict[str, Any]:
    """Return a file as ``--json`` says it; amounts are pence."""
    return {
        "id": str(done.id),
        "filename": done.filename,
        "purpose": done.purpose.value,
        "format": done.format.value if done.format else None,
        "state": done.state.value,
        "refusal": done.refusal,
        "notes": done.notes,
        "lines": done.line_count,
        "known": done.known_count,
        "credits": done.credit_count,
        "credit_pence": done.credit_pence,
        "debits": done.debit_count,
        "debit_pence": done.debit_pence,
    }
