"""An agency's own records as a file to take away, in the sheets that the importer reads."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, send_file
from flask.typing import ResponseReturnValue

from concord.web.access import may
from concord.web.request import transaction
from matching.export import export_headings, export_records
from matching.intake.column import SheetKind
from tenants.base import utc_now
from tenants.permission import Verb
from workers.document.sheet import SheetFormat, write_sheet

blueprint = Blueprint("export", __name__)

MEDIA = {
    SheetFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    SheetFormat.CSV: "text/csv",
}


@blueprint.get("/export/<any(households, children):kind>.<any(xlsx, csv):file_format>")
@may(Verb.EXPORT_RECORDS)
def take(kind: str, file_format: str) -> ResponseReturnValue:
    """Hand out the agency's own records; each that leaves is on record before the first byte does."""
    sheet, wanted, now = SheetKind(kind), SheetFormat(file_format), utc_now()
    file = BytesIO()
    with transaction() as session:
        rows = export_records(session, sheet, now=now)
        write_sheet(file, export_headings(sheet), rows, file_format=wanted, title=kind)
    file.seek(0)
    name = f"concord-{kind}-{now.date().isoformat()}.{wanted}"
    response = send_file(file, mimetype=MEDIA[wanted], as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    return response
