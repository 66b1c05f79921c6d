"""Take everything that an agency has out of Concord, in files that can be read without it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from matching.export import export_headings, export_records
from matching.intake.column import SHEETS
from tenants.agency import get_agency
from tenants.agency_archive import CHECK_WORD_LETTERS, keep_archive
from tenants.custody import REGISTER, fingerprint, going_out, open_rows
from tenants.database import scope_of
from tenants.holding import Holding
from tenants.permission import Verb, require
from workers.document.archive import Archive
from workers.document.sheet import SheetFormat, write_sheet

FORMAT = "concord-archive/1"
_IN_MEMORY = 8_000_000
_PIECE = 1_000_000
_LETTERS = "bcdfghjkmnpqrstvwxz"

README = """\
{agency}: everything that Concord held for this agency on {day}.

Check word: {word}
Whoever signs for this archive enters the check word on the page “Your agency’s records”.

manifest.json       every other file with its number of rows, its size in bytes and its SHA-256
sheets/*.csv        households and children as a spreadsheet shows them (UTF-8, one heading row)
records/*.jsonl     every table: one line of JSON for each row (UTF-8), its columns by name
files/<table>/...   files that belonged to a row; the row's column names its file

In records, days are YYYY-MM-DD, times are ISO 8601, bytes are hexadecimal digits after \\x, ids are UUIDs: a column
household_id names the row of household.jsonl that has that id. What was sealed is opened. Nothing here needs Concord.

To check a file: sha256sum records/household.jsonl
"""


def write_archive(session: Session, out: BinaryIO, *, now: datetime) -> UUID:
    """Write the archive of the scope's own agency into an open binary file, keep its manifest, and return its id.

    Each household and group that leaves is on record, and the archive itself.

    :raises NotAllowed: when the scope's roles do not let it take everything out.
    :raises ArchiveOutdated: when somebody has changed a record meanwhile.
    """
    require(scope_of(session), Verb.DECIDE_LIFE)
    require(scope_of(session), Verb.EXPORT_RECORDS)
    state = fingerprint(session)
    archive_id, word = uuid4(), "".join(secrets.choice(_LETTERS) for _ in range(CHECK_WORD_LETTERS))
    with Archive(out) as archive:
        for kind in SHEETS:
            with _spooled() as sheet:
                rows = export_records(session, kind, now=now)
                count = write_sheet(sheet, export_headings(kind), rows, file_format=SheetFormat.CSV, title=kind.value)
                archive.add(f"sheets/{kind.value}.csv", _pieces(sheet), rows=count)
        for holding in going_out():
            _add_table(session, archive, holding)
        manifest = _manifest(session, archive, archive_id, now=now)
        keep_archive(session, archive_id, manifest=manifest, word=word, state=state, now=now)
        readme = README.format(agency=manifest["agency"]["name"], day=f"{now:%d/%m/%Y}", word=word)
        archive.close(readme=readme, manifest=manifest)
    return archive_id


def _add_table(session: Session, archive: Archive, holding: Holding) -> None:
    count = 0
    with _spooled() as lines:
        for count, row in enumerate(open_rows(session, holding), start=1):  # noqa: B007 - the last number is the count
            for name, content in row.files.items():
                archive.add(name, [content])
            lines.write(json.dumps(row.values, ensure_ascii=False).encode() + b"\n")
        archive.add(f"records/{holding.table}.jsonl", _pieces(lines), rows=count)


def _manifest(session: Session, archive: Archive, archive_id: UUID, *, now: datetime) -> dict[str, Any]:
    agency = get_agency(session, cast(UUID, scope_of(session).agency_id))
    return {
        "format": FORMAT,
        "archive": str(archive_id),
        "taken_at": now.isoformat(),
        "agency": {"id": str(agency.id), "short_name": agency.slug, "name": agency.name, "kind": agency.kind.value},
        "files": archive.files,
        "not_included": {each.table: each.kept_in for each in REGISTER if each.kept_in is not None},
    }


def _spooled() -> BinaryIO:
    return cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
