"""The shapes of swap groups: their terms, and what is between their members."""

from __future__ import annotations

from marshmallow import Schema, fields

from matching.swap.balance import LegState
from matching.swap.rule import Basis, Disruption, Follow


class SwapGroupCardSchema(Schema):
    """A swap group and its terms."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    begins_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, allow_none=True)
    under_years = fields.Integer(required=True)
    basis = fields.Enum(Basis, by_value=True, required=True)
    disruption = fields.Enum(Disruption, by_value=True, required=True)
    follow = fields.Enum(Follow, by_value=True, required=True)
    follow_months = fields.Integer(required=True, allow_none=True)


class BalanceSchema(Schema):
    """What an agency placed out and took in; a balance is what came in less what went out."""

    agency = fields.String(required=True)
    other = fields.String(required=True, allow_none=True, metadata={"description": "Null over the whole swap group."})
    placements_out = fields.Integer(required=True)
    placements_in = fields.Integer(required=True)
    children_out = fields.Integer(required=True)
    children_in = fields.Integer(required=True)
    placements = fields.Integer(required=True)
    children = fields.Integer(required=True)


class JudgedPlacementSchema(Schema):
    """A placement between members: whether it counts by the rule, and why, in words."""

    moved_in_on = fields.Date(required=True)
    children_agency = fields.String(required=True)
    family_agency = fields.String(required=True)
    children = fields.Integer(required=True)
    counts = fields.Boolean(required=True)
    words = fields.String(required=True)
    period = fields.String(required=True)


class StandingSchema(Schema):
    """How a placement that counts stands: balanced, open, carried, or with the standard fee due."""

    counts_from = fields.Date(required=True)
    children_agency = fields.String(required=True)
    family_agency = fields.String(required=True)
    children = fields.Integer(required=True)
    state = fields.Enum(LegState, by_value=True, required=True)
    words = fields.String(required=True)


class SwapGroupSchema(SwapGroupCardSchema):
    """A swap group with its balances as one's own agency may see them, and the placements behind each number."""

    whole = fields.Boolean(required=True, metadata={"description": "Whether it holds what is between all members."})
    members = fields.List(fields.String(), required=True)
    balances = fields.List(fields.Nested(BalanceSchema), required=True)
    standings = fields.List(fields.Nested(StandingSchema), required=True)
    placements = fields.List(fields.Nested(JudgedPlacementSchema), required=True)


class SwapGroupsSchema(Schema):
    """The swap groups that the agency made or is asked into."""

    items = fields.List(fields.Nested(SwapGroupCardSchema), required=True)
