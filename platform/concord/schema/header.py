"""The headers that operations take."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class IdempotencyKeySchema(Schema):
    """The key by which a write that is asked for again is known; any text of one's own, such as a fresh UUID."""

    key = fields.String(
        data_key="Idempotency-Key",
        required=True,
        validate=validate.Regexp(r"^[\x21-\x7e]{1,200}\Z", error="Give 1 to 200 visible ASCII characters."),
        metadata={
            "description": "The same key with the same request is answered alike for 24 hours, and done once.",
            "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
        },
    )


class IfMatchSchema(IdempotencyKeySchema):
    """The same, with the version that the program has read."""

    if_match = fields.String(
        data_key="If-Match",
        metadata={
            "description": "The ETag of what is to be changed, as it was read. Without it, 428.",
            "example": '"5c6ffbdd40d9556b73a21e63c3e0e904"',
        },
    )
