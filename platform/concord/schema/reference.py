"""The shapes of what records are written and ranked by: needs, the policy, and who the agencies are."""

from __future__ import annotations

from marshmallow import Schema, fields

from tenants.agency import AgencyKind, Nation


class NeedSchema(Schema):
    """One need of the catalogue."""

    code = fields.String(required=True)
    group = fields.String(required=True)
    title = fields.String(required=True)


class NeedCatalogueSchema(Schema):
    """The needs in their published order; ``version`` names this wording."""

    version = fields.String(required=True)
    needs = fields.List(fields.Nested(NeedSchema), required=True)


class PolicyLineSchema(Schema):
    """One number or switch of the policy, and what it is for."""

    title = fields.String(required=True)
    setting = fields.String(required=True)
    words = fields.String(required=True)


class PolicyTableSchema(Schema):
    """What belongs together in the policy; ``heading`` says what the settings are."""

    title = fields.String(required=True)
    about = fields.String(required=True)
    heading = fields.String(required=True)
    lines = fields.List(fields.Nested(PolicyLineSchema), required=True)


class PolicySchema(Schema):
    """The policy by which households are ranked, each number in words."""

    version = fields.String(required=True)
    tables = fields.List(fields.Nested(PolicyTableSchema), required=True)


class AgencySchema(Schema):
    """An agency of the consortium; ``slug`` is what the filters by agency take."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(AgencyKind, by_value=True, required=True)
    nation = fields.Enum(Nation, by_value=True, required=True)
    region = fields.String(required=True, allow_none=True)


class AgenciesSchema(Schema):
    """The agencies of the consortium, by name."""

    items = fields.List(fields.Nested(AgencySchema), required=True)
