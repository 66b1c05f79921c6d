"""The shapes of sibling groups: in a list, opened, and who the children are."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from concord.schema.page import ExcerptSchema, SearchQuery, Whole
from matching.availability import Availability
from matching.group_search import LARGEST, GroupSex, GroupSort, HowMuch
from matching.need import NeedLevel, YesNo, need_catalogue
from matching.ranking.facts import LegalPosition, Sex
from matching.sibling_group import GroupStatus

FILTERS = ("ages", "size", "waiting", "needs")
"""The filters that may take in groups of which nobody has said."""
NEW_DAYS = (7, 28, 91)


def said(enum: type, **more: object) -> fields.Enum:  # type: ignore[type-arg]
    """Return a field of one of an enumeration's words."""
    return fields.Enum(enum, by_value=True, **more)  # type: ignore[arg-type]


def need() -> fields.String:
    """Return a field of a code of the need catalogue."""
    return fields.String(validate=validate.OneOf(need_catalogue().codes()))


class GroupQuery(SearchQuery):
    """What is asked of groups: the filters and orders of the page."""

    own = fields.Boolean(load_default=False, metadata={"description": "Only one's own agency's."})
    sort = said(GroupSort, load_default=GroupSort.WAITING)
    age_from = Whole(validate=validate.Range(0, 17))
    age_to = Whole(validate=validate.Range(0, 17))
    size = fields.List(
        Whole(validate=validate.Range(1, LARGEST)),
        metadata={"description": f"How many children; {LARGEST} is that many or more."},
    )
    sex = fields.List(said(GroupSex))
    legal = fields.List(said(LegalPosition))
    waiting = Whole(validate=validate.OneOf((3, 6, 12, 18)), metadata={"description": "Waiting for so many months."})
    new = Whole(validate=validate.OneOf(NEW_DAYS), metadata={"description": "Shared within so many days."})
    status = fields.List(said(GroupStatus))
    agency = fields.List(fields.String(validate=validate.Regexp(r"^[a-z0-9-]{1,80}\Z")))
    region = fields.List(fields.String(validate=validate.Regexp(r"^[^\x00-\x1f]{1,80}\Z")))
    need = fields.List(need())
    much = said(HowMuch, load_default=HowMuch.LOW_OR_MORE)
    unsaid = fields.List(
        fields.String(validate=validate.OneOf(FILTERS)),
        metadata={"description": "Filters that also take in groups of which nobody has said."},
    )


class GroupCardSchema(Schema):
    """A group in a list; ``children`` in words, ``days`` it has waited, null where nobody has said since when."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    children = fields.String(required=True)
    days = fields.Integer(required=True, allow_none=True)
    waiting_since = fields.Date(required=True, allow_none=True)
    legal = fields.String(required=True)
    agency = fields.String(required=True)
    own = fields.Boolean(required=True)
    sharing = fields.String(required=True)
    status = said(GroupStatus, required=True)
    why = fields.List(
        fields.Nested(ExcerptSchema),
        required=True,
        metadata={"description": "Where it says what `q` searches for; empty without `q`."},
    )


class ChildNeedSchema(Schema):
    """How much of a need a child has; a need that is not listed is unknown, never none."""

    need = fields.String(required=True)
    level = said(NeedLevel, required=True)


class ChildSchema(Schema):
    """A child as the pool sees one: an age in words, never a birthday."""

    age = fields.String(required=True)
    sex = said(Sex, required=True)
    needs = fields.List(fields.Nested(ChildNeedSchema), required=True)


class GroupSchema(Schema):
    """A group that is opened, with its anonymous profile."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    agency = fields.String(required=True)
    own = fields.Boolean(required=True)
    sharing = fields.String(required=True)
    status = said(GroupStatus, required=True)
    legal_position = said(LegalPosition, required=True)
    shobpa_on = fields.Date(required=True, allow_none=True)
    placement_order_on = fields.Date(required=True, allow_none=True)
    waiting_since = fields.Date(required=True, allow_none=True)
    early_permanence = said(YesNo, required=True)
    letterbox_contact = said(YesNo, required=True)
    direct_contact = said(YesNo, required=True)
    sibling_contact = said(YesNo, required=True)
    must_be_youngest = said(YesNo, required=True)
    must_be_only = said(YesNo, required=True)
    no_pets = said(YesNo, required=True)
    smoke_free = said(YesNo, required=True)
    experience_needed = said(YesNo, required=True)
    training_needed = said(YesNo, required=True)
    parent_at_home_needed = said(YesNo, required=True)
    support_needed = said(YesNo, required=True)
    adopters_hoped_for = fields.Integer(required=True, allow_none=True)
    heritage = fields.List(fields.String(), required=True)
    religions = fields.List(fields.String(), required=True)
    languages = fields.List(fields.String(), required=True)
    cultures = fields.List(fields.String(), required=True)
    considered = said(Availability, required=True)
    profile = fields.String(required=True, allow_none=True)
    children = fields.List(fields.Nested(ChildSchema), required=True)


class ChildIdentitySchema(Schema):
    """Who a child is; dates as they were recorded."""

    reference = fields.String(required=True)
    forename = fields.String(required=True, allow_none=True)
    surname = fields.String(required=True, allow_none=True)
    born_on = fields.String(required=True, allow_none=True)
    due_on = fields.String(required=True, allow_none=True)
    ethnicity = fields.String(required=True, allow_none=True)


class GroupIdentitySchema(Schema):
    """Who the children of one's own agency's group are."""

    reference = fields.String(required=True)
    children = fields.List(fields.Nested(ChildIdentitySchema), required=True)
