"""The shapes of a ranking and of why a pair does or does not fit."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from concord.schema.page import Whole
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


class RankSchema(Schema):
    """How many households to keep of a group's list."""

    top = fields.Integer(load_default=20, strict=True, validate=validate.Range(1, 200))


class RankingRunSchema(Schema):
    """A recorded ranking, with the versions of everything that decided it."""

    id = fields.UUID(required=True)
    made_at = fields.DateTime(format="iso", required=True)
    as_of = fields.Date(required=True)
    groups = fields.Integer(required=True)
    households = fields.Integer(required=True)
    policy_version = fields.String(required=True)
    catalogue_version = fields.String(required=True)
    places_version = fields.String(required=True)
    code_version = fields.String(required=True)


class RankedLineSchema(Schema):
    """One household on one group's recorded list, with why."""

    group = fields.String(attribute="group.code", required=True)
    group_id = fields.UUID(attribute="group.id", required=True)
    household = fields.String(attribute="household.code", required=True)
    household_id = fields.UUID(attribute="household.id", required=True)
    position = fields.Integer(required=True)
    explanation = fields.Nested(ExplanationSchema, required=True)


class WhySchema(Schema):
    """Why a household is, or is not, on a group's list; ``position`` is its place where it is on it."""

    household = fields.String(attribute="household.code", required=True)
    position = fields.Integer(required=True, allow_none=True)
    families = fields.Integer(required=True)
    availability = fields.Enum(Availability, by_value=True, required=True)
    sibling = fields.Boolean(required=True)
    explanation = fields.Nested(ExplanationSchema, required=True)


class FoundGroupSchema(Schema):
    """One group that a household may fit; ``position`` is the household's on that group's list."""

    position = fields.Integer(required=True, allow_none=True)
    group = fields.String(attribute="group.code", required=True)
    group_id = fields.UUID(attribute="group.id", required=True)
    children = fields.String(required=True)
    days = fields.Integer(required=True, allow_none=True)
    agency = fields.String(required=True)
    own = fields.Boolean(required=True)
    explanation = fields.Nested(ExplanationSchema, required=True)


class FoundGroupsSchema(Schema):
    """The groups that a household may fit: of how many that wait, and the best of them.

    ``first`` are those with a brother or sister in it.
    """

    first = fields.List(fields.Nested(FoundGroupSchema), required=True)
    best = fields.List(fields.Nested(FoundGroupSchema), required=True)
    groups = fields.Integer(required=True)
    waiting = fields.Integer(required=True)


class TopQuery(Schema):
    """How many to list."""

    top = Whole(load_default=20, validate=validate.Range(1, 200))
