"""The shapes of adopter households: in a list, opened, who they are, and how available."""

from __future__ import annotations

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from concord.schema.group import NEW_DAYS, need, said
from concord.schema.page import ExcerptSchema, SearchQuery, Whole
from matching.availability import Availability
from matching.availability_check import MOST_CONSIDERED
from matching.household import HouseholdStatus
from matching.household_search import HouseholdSort, UpTo, Willing
from matching.need import Answer, YesNo
from matching.ranking.facts import DistanceBand, SexApproved

FILTERS = ("ages", "children", "approved", "distance", "needs")
"""The filters that may take in households of which nobody has said."""
_CODE = r"^[A-Za-z0-9-]{1,20}\Z"


class HouseholdQuery(SearchQuery):
    """What is asked of households: the filters and orders of the page. Distance is a band, never a place."""

    own = fields.Boolean(load_default=False, metadata={"description": "Only one's own agency's."})
    sort = said(HouseholdSort, load_default=HouseholdSort.WAITING)
    age_from = Whole(validate=validate.Range(0, 17))
    age_to = Whole(validate=validate.Range(0, 17))
    children = Whole(validate=validate.Range(1, 6))
    sex = fields.List(said(SexApproved))
    near = fields.String(
        validate=validate.Regexp(_CODE),
        metadata={"description": "The code of one's own group; counts as a comparison."},
    )
    band = fields.List(said(DistanceBand), metadata={"description": "How far from `near`; near where it is not said."})
    availability = fields.List(said(Availability))
    early = fields.List(said(YesNo))
    approved = Whole(
        validate=validate.OneOf((3, 6, 12, 24)), metadata={"description": "Approved within so many months."}
    )
    new = Whole(validate=validate.OneOf(NEW_DAYS), metadata={"description": "Shared within so many days."})
    status = fields.List(said(HouseholdStatus))
    agency = fields.List(fields.String(validate=validate.Regexp(r"^[a-z0-9-]{1,80}\Z")))
    region = fields.List(fields.String(validate=validate.Regexp(r"^[^\x00-\x1f]{1,80}\Z")))
    need = fields.List(need())
    willing = said(Willing, load_default=Willing.CAN_MEET)
    up_to = said(UpTo, load_default=UpTo.LOW)
    unsaid = fields.List(
        fields.String(validate=validate.OneOf(FILTERS)),
        metadata={"description": "Filters that also take in households of which nobody has said."},
    )


class HouseholdCardSchema(Schema):
    """A household in a list."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    approved_for = fields.String(required=True)
    home = fields.String(required=True)
    approved_on = fields.Date(required=True, allow_none=True)
    agency = fields.String(required=True)
    own = fields.Boolean(required=True)
    sharing = fields.String(required=True)
    status = said(HouseholdStatus, required=True)
    availability = said(Availability, required=True)
    why = fields.List(
        fields.Nested(ExcerptSchema),
        required=True,
        metadata={"description": "Where it says what `q` searches for; empty without `q`."},
    )


class ToleranceSchema(Schema):
    """What a household says to one need at each level; a need that is not listed is unknown, never no."""

    need = fields.String(required=True)
    low = said(Answer, required=True)
    medium = said(Answer, required=True)
    high = said(Answer, required=True)


class HouseholdSchema(Schema):
    """A household that is opened, with its anonymous profile; whom it may have, and who is at home, in words."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    agency = fields.String(required=True)
    own = fields.Boolean(required=True)
    sharing = fields.String(required=True)
    status = said(HouseholdStatus, required=True)
    approved_on = fields.Date(required=True, allow_none=True)
    approved_for = fields.String(required=True)
    age_from_months = fields.Integer(required=True, allow_none=True)
    age_to_months = fields.Integer(required=True, allow_none=True)
    fewest_children = fields.Integer(required=True, allow_none=True)
    most_children = fields.Integer(required=True, allow_none=True)
    sex_approved = said(SexApproved, required=True)
    early_permanence_approved = said(YesNo, required=True)
    order_not_granted = said(Answer, required=True)
    order_contested = said(Answer, required=True)
    appeal = said(Answer, required=True)
    letterbox_contact = said(Answer, required=True)
    direct_contact = said(Answer, required=True)
    sibling_contact = said(Answer, required=True)
    home = fields.String(required=True)
    available_from = fields.String(required=True)
    pets = said(YesNo, required=True)
    smokers = said(YesNo, required=True)
    adopters = fields.Integer(required=True, allow_none=True)
    experience = said(YesNo, required=True)
    training = said(YesNo, required=True)
    parent_at_home = said(YesNo, required=True)
    support_nearby = said(YesNo, required=True)
    heritage = fields.List(fields.String(), required=True)
    religions = fields.List(fields.String(), required=True)
    languages = fields.List(fields.String(), required=True)
    cultures = fields.List(fields.String(), required=True)
    availability = said(Availability, required=True)
    profile = fields.String(required=True, allow_none=True)
    tolerances = fields.List(fields.Nested(ToleranceSchema), required=True)


class HouseholdIdentitySchema(Schema):
    """Who one's own agency's household is."""

    reference = fields.String(required=True)
    adopters = fields.List(fields.String(), required=True)
    address = fields.String(required=True, allow_none=True)
    postcode = fields.String(required=True, allow_none=True)
    telephone = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)


class AvailabilitySchema(Schema):
    """How available one's own household is, and when somebody last said so."""

    available = fields.Boolean(required=True)
    considered_for = fields.Integer(required=True, allow_none=True)
    availability = said(Availability, required=True)
    confirmed_on = fields.Date(required=True, allow_none=True)


class SayAvailabilitySchema(Schema):
    """Whether a household is still there to be considered, and for how many groups it is being."""

    available = fields.Boolean(required=True, truthy={True}, falsy={False})
    considered_for = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, MOST_CONSIDERED))

    @validates_schema
    def check_count(self, data: dict[str, object], **_: object) -> None:
        """Want the number of whoever is available."""
        if data.get("available") and data.get("considered_for") is None:
            raise ValidationError("Say for how many groups they are being considered.", "considered_for")
