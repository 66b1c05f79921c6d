"""Jobs: how far the work is that one's own agency has asked for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from sqlalchemy import select

from concord.api.listing import as_page, place_of
from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.schema.job import JobSchema
from concord.schema.page import PageQuery, page_of
from matching.intake.import_run import IMPORT_JOB
from matching.intake.undo import UNDO_JOB
from matching.pack import BUILD_ALL_JOB, BUILD_JOB
from matching.stretch import read_stretch
from tenants.job import Job, JobUnknown, get_job
from tenants.permission import Verb, may

blueprint = Blueprint("api_jobs", __name__, url_prefix=ROOT, description="Work that was asked for")

IMPORTS = (Verb.IMPORT_HOUSEHOLDS, Verb.IMPORT_CHILDREN)
PACKS = (Verb.READ_PACK, Verb.BUILD_PACK)
VERBS_OF: dict[str, tuple[Verb, ...]] = {
    IMPORT_JOB: IMPORTS,
    UNDO_JOB: IMPORTS,
    BUILD_JOB: PACKS,
    BUILD_ALL_JOB: PACKS,
}
"""Which jobs a program may know of, and by what it may."""


@operation(blueprint, "/jobs", Shape("GET", (*IMPORTS, *PACKS), page_of(JobSchema), query=PageQuery))
def list_jobs(call: Call) -> dict[str, Any]:
    """List one's own agency's jobs that the token's scopes may know of, newest first."""
    after, limit = place_of(call)
    query = select(Job).where(Job.kind.in_(_kinds(call)))
    order = (Job.requested_at.desc(), Job.id.asc())
    return as_page(read_stretch(call.session, query, order, after=after, limit=limit))


@operation(blueprint, "/jobs/<uuid:job_id>", Shape("GET", (*IMPORTS, *PACKS), JobSchema, errors=(404,)))
def read_job(call: Call, job_id: UUID) -> Job:
    """Read how far a job is."""
    job = get_job(call.session, job_id)
    if job.kind not in _kinds(call):
        raise JobUnknown("There is no such job.")
    return job


def _kinds(call: Call) -> list[str]:
    return [kind for kind, verbs in VERBS_OF.items() if any(may(call.caller.scope, verb) for verb in verbs)]
