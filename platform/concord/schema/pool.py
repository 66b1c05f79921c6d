"""The shape of the pool as a whole."""

from __future__ import annotations

from marshmallow import Schema, fields

from matching.ranking.standing import Band


class PoolPairSchema(Schema):
    """A group and the household it is given; ``position`` is the household's on the group's own list."""

    group = fields.String(attribute="group.code")
    household = fields.String(attribute="household.code")
    position = fields.Integer()
    points = fields.Integer()
    band = fields.Enum(Band, by_value=True)


class PoolPairsSchema(Schema):
    """One way to give groups a family each; points, and the days that these groups have waited, added up."""

    points = fields.Integer()
    days = fields.Integer()
    pairs = fields.List(fields.Nested(PoolPairSchema))


class UnseenGroupSchema(Schema):
    """A group with nobody on its list; ``days`` it has waited, null where nobody has said since when."""

    group = fields.String(attribute="group.code")
    children = fields.String()
    days = fields.Integer(allow_none=True)


class FrequentFamilySchema(Schema):
    """A household, and on how many lists it is among the first five."""

    household = fields.String(attribute="household.code")
    lists = fields.Integer()


class ConcentrationSchema(Schema):
    """How evenly the lists look at households."""

    frequent = fields.List(fields.Nested(FrequentFamilySchema))
    never = fields.Integer(allow_none=True)
    share = fields.Integer(allow_none=True)


class EquityRowSchema(Schema):
    """Groups of one kind; null where too few to tell."""

    label = fields.String()
    groups = fields.Integer(allow_none=True)
    unseen = fields.Integer(allow_none=True)


class EquityTableSchema(Schema):
    """The groups by one thing about them."""

    title = fields.String()
    rows = fields.List(fields.Nested(EquityRowSchema))


class PoolViewSchema(Schema):
    """The whole of what an agency sees waiting on one day."""

    as_of = fields.Date()
    groups = fields.Integer()
    households = fields.Integer()
    best = fields.Nested(PoolPairsSchema)
    in_turn = fields.Nested(PoolPairsSchema)
    unseen = fields.List(fields.Nested(UnseenGroupSchema))
    concentration = fields.Nested(ConcentrationSchema)
    equity = fields.List(fields.Nested(EquityTableSchema))
