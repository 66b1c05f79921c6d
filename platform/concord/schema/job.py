"""The shape of a job."""

from __future__ import annotations

from marshmallow import Schema, fields

from tenants.job import JobState


class JobSchema(Schema):
    """A job as operators see it: times, kind and state; neither payload nor result."""

    id = fields.UUID()
    agency_id = fields.UUID()
    kind = fields.String()
    state = fields.Enum(JobState, by_value=True)
    attempt = fields.Integer()
    requested_at = fields.DateTime(format="iso")
    due_at = fields.DateTime(format="iso")
    finished_at = fields.DateTime(format="iso", allow_none=True)
    progress_done = fields.Integer()
    progress_total = fields.Integer(allow_none=True)
    reason = fields.String(allow_none=True)
