"""The shapes of placements: their dates, their plan, their reviews."""

from __future__ import annotations

from marshmallow import Schema, fields

from concord.schema.link import LinkSideSchema
from matching.link import LinkState
from matching.placement.placement import Court, EndedBy


def _day() -> fields.Date:
    return fields.Date(required=True, allow_none=True)


class PlanSchema(Schema):
    """The days of a placement plan; null where a day is not known."""

    plan_meeting_on = _day()
    plan_sent_on = _day()
    plan_agreed_on = _day()
    introductions_on = _day()
    midpoint_review_on = _day()
    midpoint_held_on = _day()
    moving_in_on = _day()


class ReviewSchema(Schema):
    """A review: when it is due, when it was held, and why it was late or was not."""

    number = fields.Integer(required=True)
    due_on = fields.Date(required=True)
    held_on = _day()
    why = fields.String(required=True, allow_none=True)


class PlacementCardSchema(Schema):
    """A placement, known by its link's id."""

    link_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    state = fields.Enum(LinkState, by_value=True, required=True)
    group = fields.Nested(LinkSideSchema, required=True)
    household = fields.Nested(LinkSideSchema, required=True)
    sides = fields.List(fields.String(), required=True)
    matched_on = _day()
    moved_in_on = _day()
    adoptive_start_on = _day()
    ordered_on = _day()
    court = fields.Enum(Court, by_value=True, required=True, allow_none=True)
    disrupted_on = _day()
    ended_by = fields.Enum(EndedBy, by_value=True, required=True, allow_none=True)


class PlacementSchema(PlacementCardSchema):
    """A placement with its plan and its reviews, the next one last."""

    plan = fields.Nested(PlanSchema, required=True)
    reviews = fields.List(fields.Nested(ReviewSchema), required=True)
