"""Placements: the list with its filters, one with its plan and reviews, and the days of the plan."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from concord.api.cursor import write_cursor
from concord.api.link import wanted_of
from concord.api.listing import place_of
from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.schema.link import LinkQuery
from concord.schema.link_answer import placement_answer, placement_card
from concord.schema.page import page_of
from concord.schema.placement import PlacementCardSchema, PlacementSchema, PlanSchema
from matching.link_stretch import list_placements_after
from matching.placement.placement import get_placement
from matching.placement.plan import Plan, set_plan
from tenants.permission import Verb

blueprint = Blueprint("api_placements", __name__, url_prefix=ROOT, description="Placements")

_ONE = "/placements/<uuid:link_id>"
_PLAN = dict.fromkeys(Plan.__slots__) | {"plan_sent_on": "2027-01-12", "plan_agreed_on": "2027-01-19"}


@operation(blueprint, "/placements", Shape("GET", (Verb.READ_LINKS,), page_of(PlacementCardSchema), query=LinkQuery))
def list_placements(call: Call) -> dict[str, Any]:
    """List the agency's placements that are asked for, the one whose link has been still longest first."""
    after, limit = place_of(call)
    found, placements = list_placements_after(call.session, wanted_of(call), after=after, limit=limit)
    items = [placement_card(line, placements[line.link.id]) for line in found.shown]
    return {"items": items, "next": write_cursor(found.end)}


@operation(blueprint, _ONE, Shape("GET", (Verb.READ_LINKS,), PlacementSchema, errors=(404,)))
def read_placement(call: Call, link_id: UUID) -> dict[str, Any]:
    """Open the placement of a link: its days, its plan, and its reviews with when each is due."""
    return placement_answer(call.session, get_placement(call.session, link_id))


@operation(
    blueprint,
    f"{_ONE}/plan",
    Shape(
        "PUT",
        (Verb.KEEP_LINKS,),
        PlacementSchema,
        body=PlanSchema,
        versioned=True,
        errors=(404,),
        examples={"body": _PLAN},
    ),
)
def plan_placement(call: Call, link_id: UUID) -> dict[str, Any]:
    """Set the days of a placement's plan, of one's own agency's children; If-Match is the placement's ETag."""
    placement = get_placement(call.session, link_id)
    call.match(placement_answer(call.session, placement), PlacementSchema)
    set_plan(call.session, placement, Plan(**call.body), version=placement.version, now=call.now)
    return placement_answer(call.session, placement)
