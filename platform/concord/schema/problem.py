"""The shape of a problem (RFC 9457)."""

from __future__ import annotations

from marshmallow import Schema, fields


class FieldProblemSchema(Schema):
    """What is wrong with one part of a request."""

    pointer = fields.String(
        required=True,
        metadata={"description": "A JSON pointer into the body (`#/…`), or `query/…` or `headers/…` and a name."},
    )
    detail = fields.String(required=True)


class HttpProblemSchema(Schema):
    """Why a request was refused, in words fit to show."""

    type = fields.String(
        required=True, metadata={"description": "Tells kinds of problems apart; about:blank for none."}
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldProblemSchema))
