"""Imports: hand in a file, read what becomes of each row, say what its columns hold, take it, take it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from sqlalchemy import select

from concord.api.cursor import write_cursor
from concord.api.listing import as_page, place_of
from concord.api.operation import Call, File, Shape, operation
from concord.api.parts import ROOT
from concord.schema.import_run import (
    BookMappingSchema,
    ChooseMappingSchema,
    HandInQuery,
    ImportRunSchema,
    RowOutcomeSchema,
    RowsQuery,
)
from concord.schema.job import JobSchema
from concord.schema.page import PageQuery, page_of
from matching.intake.column import SheetKind
from matching.intake.import_run import (
    VERB_OF,
    ImportRun,
    choose_mapping,
    get_import,
    read_mapping,
    read_report,
    request_import,
)
from matching.intake.mapping import BookMapping, SheetChoice
from matching.intake.outcome import Outcome
from matching.intake.real_import import import_for_real
from matching.intake.refusals import list_refusals
from matching.intake.undo import request_undo
from matching.stretch import read_stretch
from tenants.job import Job, cancel_job, get_job, retry_job
from tenants.permission import Verb, may, require
from workers.document.refusals import render_refusals

blueprint = Blueprint("api_imports", __name__, url_prefix=ROOT, description="Imports of sheets and returns")

VERBS = (Verb.IMPORT_HOUSEHOLDS, Verb.IMPORT_CHILDREN)
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

CHOICE = {
    "sheets": [
        {
            "title": "Families",
            "read": True,
            "columns": [{"index": 0, "column": "Reference"}, {"index": 1, "column": None}],
            "keys": [],
        }
    ]
}


@operation(
    blueprint,
    "/imports",
    Shape("POST", VERBS, ImportRunSchema, status=202, query=HandInQuery, takes_bytes=True),
)
def hand_in(call: Call) -> ImportRun:
    """Hand in a file, as the body's bytes; a return of several files as one ZIP. A job reads it."""
    run = request_import(
        call.session,
        kind=call.query["kind"],
        filename=call.query["filename"],
        content=call.body,
        dry_run=call.query["check"],
        now=call.now,
    )
    return _placed(call, run)


@operation(blueprint, "/imports", Shape("GET", VERBS, page_of(ImportRunSchema), query=PageQuery))
def list_import_runs(call: Call) -> dict[str, Any]:
    """List the agency's imports, newest first."""
    after, limit = place_of(call)
    kinds = [kind for kind in SheetKind if may(call.caller.scope, VERB_OF[kind])]
    query = select(ImportRun).where(ImportRun.kind.in_(kinds))
    order = (ImportRun.requested_at.desc(), ImportRun.id.asc())
    return as_page(read_stretch(call.session, query, order, after=after, limit=limit))


@operation(blueprint, "/imports/<uuid:run_id>", Shape("GET", VERBS, ImportRunSchema, errors=(404,)))
def read_import(call: Call, run_id: UUID) -> ImportRun:
    """Read an import in sum."""
    return _get(call, run_id)


@operation(blueprint, "/imports/<uuid:run_id>/job", Shape("GET", VERBS, JobSchema, errors=(404,)))
def read_import_job(call: Call, run_id: UUID) -> Job:
    """Read how far an import is, or its undoing."""
    return _job(call, _get(call, run_id))


@operation(
    blueprint,
    "/imports/<uuid:run_id>/rows",
    Shape("GET", VERBS, page_of(RowOutcomeSchema), query=RowsQuery, errors=(404, 409)),
)
def read_rows(call: Call, run_id: UUID) -> dict[str, Any]:
    """Read what became of each row, in the file's order; it quotes the sheet, and the look is on record."""
    after, limit = place_of(call)
    start = int(after[0]) if after else 0
    wanted = frozenset(call.query.get("outcome", ())) or frozenset(Outcome)
    run = _get(call, run_id)
    # A report does not change once it is there, so that counting is a place in it.
    rows = read_report(call.session, run, now=call.now, outcomes=wanted, limit=limit + 1, offset=start)
    return {"items": rows[:limit], "next": write_cursor((start + limit,) if len(rows) > limit else None)}


@operation(blueprint, "/imports/<uuid:run_id>/columns", Shape("GET", VERBS, BookMappingSchema, errors=(404, 409)))
def read_columns(call: Call, run_id: UUID) -> BookMapping:
    """Read what each column is taken for, with examples from the sheet; the look is on record."""
    return read_mapping(call.session, _get(call, run_id), now=call.now)


@operation(
    blueprint,
    "/imports/<uuid:run_id>/columns",
    Shape(
        "POST", VERBS, ImportRunSchema, status=202, body=ChooseMappingSchema, errors=(404,), examples={"body": CHOICE}
    ),
)
def choose_columns(call: Call, run_id: UUID) -> ImportRun:
    """Check the same file again with its columns taken for what was chosen, and remember that for its shape."""
    choices = [
        SheetChoice(
            sheet["title"],
            sheet["read"],
            {column["index"]: column["column"] for column in sheet["columns"]},
            tuple(sheet["keys"]),
        )
        for sheet in call.body["sheets"]
    ]
    return _placed(call, choose_mapping(call.session, _get(call, run_id), choices, now=call.now))


@operation(blueprint, "/imports/<uuid:run_id>/commit", Shape("POST", VERBS, ImportRunSchema, status=202, errors=(404,)))
def commit_import(call: Call, run_id: UUID) -> ImportRun:
    """Import for real what a check has shown; where it would do other than was shown, nothing is taken."""
    return _placed(call, import_for_real(call.session, _get(call, run_id), now=call.now))


@operation(blueprint, "/imports/<uuid:run_id>/cancel", Shape("POST", VERBS, JobSchema, errors=(404,)))
def cancel_import(call: Call, run_id: UUID) -> Job:
    """Stop an import, or its undoing, that has not ended: nothing of it is kept."""
    job = _job(call, _get(call, run_id))
    cancel_job(call.session, job, now=call.now)
    return job


@operation(blueprint, "/imports/<uuid:run_id>/retry", Shape("POST", VERBS, JobSchema, errors=(404,)))
def retry_import(call: Call, run_id: UUID) -> Job:
    """Set what failed, the import or its undoing, to run again."""
    job = _job(call, _get(call, run_id))
    retry_job(call.session, job, now=call.now)
    return job


@operation(blueprint, "/imports/<uuid:run_id>/undo", Shape("POST", VERBS, JobSchema, status=202, errors=(404,)))
def undo_import(call: Call, run_id: UUID) -> Job:
    """Take an import back, whole; a job does it."""
    run = _get(call, run_id)
    call.location = f"{ROOT}/imports/{run.id}/job"
    return get_job(call.session, request_undo(call.session, run, now=call.now))


@operation(
    blueprint,
    "/imports/<uuid:run_id>/refusals.xlsx",
    Shape("GET", VERBS, None, media=(WORKBOOK,), errors=(404, 409)),
)
def read_refusals(call: Call, run_id: UUID) -> File:
    """Take the refused rows as they were handed in, each with what to mend, as a workbook to hand in again."""
    found = list_refusals(call.session, _get(call, run_id), now=call.now)
    return File(render_refusals(found), WORKBOOK, f"to-mend-{run_id}.xlsx")


def _get(call: Call, run_id: UUID) -> ImportRun:
    run = get_import(call.session, run_id)
    require(call.caller.scope, VERB_OF[run.kind])
    return run


def _job(call: Call, run: ImportRun) -> Job:
    return get_job(call.session, run.undo_job_id or run.job_id)


def _placed(call: Call, run: ImportRun) -> ImportRun:
    call.location = f"{ROOT}/imports/{run.id}"
    return run
