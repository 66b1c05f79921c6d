"""Tables of fees as files, of exactly what a page shows: CSV and XLSX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import BytesIO

from flask import Response, send_file

from concord.web.export import MEDIA
from concord.web.request import transaction
from tenants import audit
from tenants.base import utc_now
from workers.document.sheet import SheetFormat, Value, write_sheet


def hand_out(name: str, headings: Sequence[str], rows: Iterable[Sequence[Value]], file_format: str) -> Response:
    """Return a table as a file to take away, and put on record that it was taken.

    :param name: without an ending; it says nothing of any child.
    """
    wanted, file = SheetFormat(file_format), BytesIO()
    said = (dict(zip(headings, row, strict=True)) for row in rows)
    count = write_sheet(file, headings, said, file_format=wanted, title="fees")
    with transaction() as session:
        reason = f"{name}: {count} rows"
        audit.record(session, audit.Act.EXPORT, record_kind="fee_sheet", reason=reason, now=utc_now())
    file.seek(0)
    response = send_file(file, mimetype=MEDIA[wanted], as_attachment=True, download_name=f"{name}.{wanted}")
    response.headers["Cache-Control"] = "no-store"
    return response


def in_pounds(pence: int) -> Decimal:
    """Return an amount as a spreadsheet adds it up: ``-1234.50``."""
    return Decimal(pence).scaleb(-2)
