"""The shapes of matching meetings and of their packs."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from matching.meeting import DEFAULT_AGENDA

_LINE = r"^[^\x00-\x1f\x7f]*\Z"


class MeetingSchema(Schema):
    """A matching meeting of the consortium."""

    id = fields.UUID(required=True)
    title = fields.String(required=True)
    held_on = fields.Date(required=True)
    place = fields.String(required=True)
    agenda = fields.List(fields.String(), required=True)
    arranged_at = fields.DateTime(format="iso", required=True)


class ArrangeMeetingSchema(Schema):
    """What makes a meeting."""

    title = fields.String(required=True, validate=[validate.Length(1, 200), validate.Regexp(_LINE)])
    held_on = fields.Date(required=True)
    place = fields.String(required=True, validate=[validate.Length(1, 200), validate.Regexp(_LINE)])
    agenda = fields.List(
        fields.String(validate=[validate.Length(1, 500), validate.Regexp(_LINE)]),
        load_default=list(DEFAULT_AGENDA),
        validate=validate.Length(1, 50),
    )


class PackSchema(Schema):
    """A version of one's own agency's pack; ``built_at`` is null while it is being made."""

    id = fields.UUID(required=True)
    meeting_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    as_of = fields.Date(required=True)
    job_id = fields.UUID(required=True)
    requested_at = fields.DateTime(format="iso", required=True)
    built_at = fields.DateTime(format="iso", required=True, allow_none=True)
    expires_on = fields.Date(required=True)


class MemberPackSchema(Schema):
    """What the office may know of another agency's pack: which version, and whether it is ready."""

    agency = fields.String(required=True)
    version = fields.Integer(attribute="pack.version", required=True)
    built_at = fields.DateTime(format="iso", attribute="pack.built_at", required=True, allow_none=True)


class MeetingPacksSchema(Schema):
    """A meeting's packs: one's own versions, newest first; for the office, the newest of each other agency."""

    own = fields.List(fields.Nested(PackSchema), required=True)
    others = fields.List(fields.Nested(MemberPackSchema), required=True)
    busy = fields.Boolean(required=True)
