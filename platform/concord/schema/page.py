"""Lists as programs read them: a stretch, and the cursor of what comes after."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate

from matching.words import LONGEST

MOST = 200
USUAL = 50
_DIGITS = re.compile(r"-?[0-9]{1,9}")


class Whole(fields.Integer):
    """A whole number as an address holds one: digits, and nothing that only a program would take for a number."""

    def _deserialize(self, value: object, *_: object, **__: object) -> int:
        if not (isinstance(value, str) and _DIGITS.fullmatch(value)):
            raise self.make_error("invalid")
        return int(value)


class PageQuery(Schema):
    """How much of a list, and from where."""

    cursor = fields.String(
        validate=validate.Length(min=1, max=2000),
        metadata={"description": "The `next` of the page before, with the same filters; without it, the start."},
    )
    limit = Whole(
        load_default=USUAL,
        validate=validate.Range(min=1, max=MOST),
        metadata={"description": "How many at most."},
    )


class PartSchema(Schema):
    """A piece of an excerpt; marked, where it is what was searched for."""

    text = fields.String(required=True)
    marked = fields.Boolean(required=True)


class ExcerptSchema(Schema):
    """Where a record says what was searched for, and what it says there, in pieces that follow each other."""

    source = fields.String(required=True)
    parts = fields.List(fields.Nested(PartSchema), required=True)


class SearchQuery(PageQuery):
    """A list that can be searched for words."""

    q = fields.String(
        validate=[validate.Length(min=1, max=LONGEST), validate.Regexp(r"^[^\x00]*\Z")],
        metadata={
            "description": "Words of the summary or the anonymous profile, all of which it must hold: “quotes” for "
            "words in this order, OR between words of which one will do, - before a word that must not be there. "
            "Each search is recorded, without its words."
        },
    )
    alike = fields.Boolean(load_default=False, metadata={"description": "Also words that are spelt alike."})


def page_of(item: type[Schema]) -> type[Schema]:
    """Return the shape of a page of such items; ``next`` is null where the list has ended."""
    name = item.__name__.removesuffix("Schema")
    shape: dict[str, Any] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(required=True, allow_none=True),
    }
    made: type[Schema] = Schema.from_dict(shape, name=f"{name}Page")
    return made
