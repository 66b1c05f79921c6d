"""The shapes of a ranking and of why a pair does or does not fit."""

from __future__ import annotations

from marshmallow import Schema, fields

from matching.availability import Availability
from matching.ranking.standing import Band, Verdict


class GateSchema(Schema):
    """What one gate says: ``pass``, ``ask`` or ``fail``, in words; ``bars`` when a fail keeps the household off."""

    code = fields.String()
    title = fields.String()
    verdict = fields.Enum(Verdict, by_value=True)
    bars = fields.Boolean()
    words = fields.List(fields.String())


class ContributionSchema(Schema):
    """What one criterion gives, of the most that it could; the points of all add up to the pair's."""

    code = fields.String()
    title = fields.String()
    points = fields.Integer()
    most = fields.Integer()
    words = fields.List(fields.String())


class ExplanationSchema(Schema):
    """Why: ``points`` of 100; ``band`` null where a gate bars the pair; reasons, questions, and what counts against."""

    points = fields.Integer()
    band = fields.Enum(Band, by_value=True, allow_none=True)
    questions = fields.Integer()
    gates = fields.List(fields.Nested(GateSchema))
    contributions = fields.List(fields.Nested(ContributionSchema))
    why = fields.List(fields.String())
    ask = fields.List(fields.String())
    against = fields.List(fields.String())


class FamilySchema(Schema):
    """One line of a group's list."""

    position = fields.Integer()
    household = fields.String(attribute="household.code")
    points = fields.Integer(attribute="explanation.points")
    band = fields.Enum(Band, by_value=True, attribute="explanation.band")
    availability = fields.Enum(Availability, by_value=True)
    why = fields.List(fields.String(), attribute="explanation.why")
    ask = fields.List(fields.String(), attribute="explanation.ask")
    against = fields.List(fields.String(), attribute="explanation.against")
    contributions = fields.List(fields.Nested(ContributionSchema), attribute="explanation.contributions")
