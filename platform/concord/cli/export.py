"""``concord export``: write an agency's own records as the documented sheets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from concord.cli.workplace import agency_scope, workplace
from concord.settings import Settings
from matching.export import export_headings, export_records
from matching.intake.column import SHEETS, SheetKind
from tenants.base import utc_now
from workers.document.sheet import SheetFormat, write_sheet


@click.group("export")
def command() -> None:
    """Export an agency's own records, in sheets that import back unchanged; docs/data.md says what is in them."""


def _command(kind: SheetKind) -> click.Command:
    @command.command(kind.value, help=f"Export the agency's own {kind.value}, identities and all, to FILE.")
    @click.option("--agency", required=True, help="Whose they are, by the agency's short name.")
    @click.option("--consortium", help="Which consortium, where the agency belongs to several.")
    @click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file.")
    @click.option(
        "--format",
        "file_format",
        type=click.Choice([each.value for each in SheetFormat]),
        help="What to write.  [default: as the file's name ends, else xlsx]",
    )
    @click.pass_obj
    def run(settings: Settings, agency: str, consortium: str | None, output: Path, file_format: str | None) -> None:
        wanted = SheetFormat(file_format) if file_format else _format_of(output)
        with workplace(settings) as place:
            scope = agency_scope(place.database, agency, consortium=consortium)
            # Left in this order: nothing is there to read before it is on record who took it.
            with own_file(output) as file, place.database.transaction(scope) as session:
                session.info["request_id"] = "cli:export"
                rows = export_records(session, kind, now=utc_now())
                count = write_sheet(file, export_headings(kind), rows, file_format=wanted, title=kind.value)
        click.echo(f"{output}: {'1 row' if count == 1 else f'{count} rows'}.")

    return run


@contextmanager
def own_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that only its owner may read, for it says who people are; it is there whole or not at all."""
    half = path.with_name(f".{path.name}.half")
    half.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _format_of(output: Path) -> SheetFormat:
    return SheetFormat.CSV if output.suffix.casefold() == ".csv" else SheetFormat.XLSX


for _kind in SHEETS:
    _command(_kind)
