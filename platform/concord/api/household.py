"""Adopter households: the list with its filters, one with its answers, who one's own are, and how available."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from concord.api.listing import as_page, place_of, record_searched, sought_by
from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.schema.household import (
    AvailabilitySchema,
    HouseholdCardSchema,
    HouseholdIdentitySchema,
    HouseholdQuery,
    HouseholdSchema,
    SayAvailabilitySchema,
)
from concord.schema.page import page_of
from matching.availability import availability_of, household_cap
from matching.availability_check import confirm_availability
from matching.household import Household, HouseholdStatus, HouseholdUnknown, get_household, read_identity
from matching.household_search import HouseholdFilter
from matching.meeting import is_office
from matching.near import narrow_by_distance
from matching.ranking.facts import DistanceBand
from matching.record import HouseholdRecord, open_household
from matching.register import list_households_after
from matching.summary import describe_approval, describe_available_from, describe_home
from tenants.permission import Verb

blueprint = Blueprint("api_households", __name__, url_prefix=ROOT, description="Adopter households")


@operation(
    blueprint,
    "/households",
    Shape("GET", (Verb.READ_HOUSEHOLDS,), page_of(HouseholdCardSchema), query=HouseholdQuery, errors=(404,)),
)
def list_households(call: Call) -> dict[str, Any]:
    """List the adopter households that are asked for; ``near`` is counted and recorded as a comparison of places."""
    after, limit = place_of(call)
    wanted = _wanted(call)
    if call.query.get("near"):
        bands = tuple(call.query.get("band", ())) or (DistanceBand.NEAR,)
        wanted = narrow_by_distance(call.session, wanted, code=call.query["near"], bands=bands, now=call.now)
    found = list_households_after(
        call.session,
        own=call.query["own"] and not is_office(call.session),
        as_of=call.now.date(),
        wanted=wanted,
        sort=call.query["sort"],
        after=after,
        limit=limit,
    )
    record_searched(call, found, record_kind="household")
    return as_page(found)


@operation(
    blueprint,
    "/households/<uuid:household_id>",
    Shape("GET", (Verb.READ_HOUSEHOLDS,), HouseholdSchema, errors=(404,)),
)
def read_household(call: Call, household_id: UUID) -> dict[str, Any]:
    """Open a household: its profile and what it has said it can meet; the look is on record for its agency."""
    return _opened(call, open_household(call.session, household_id, now=call.now))


@operation(
    blueprint,
    "/households/<uuid:household_id>/identity",
    Shape("GET", (Verb.READ_IDENTITY,), HouseholdIdentitySchema, errors=(404,)),
)
def read_household_identity(call: Call, household_id: UUID) -> dict[str, Any]:
    """Open who one's own agency's household is; the look is on record."""
    reference, identity = read_identity(call.session, _own(call, household_id), now=call.now)
    return {"reference": reference, **asdict(identity)}


@operation(
    blueprint,
    "/households/<uuid:household_id>/availability",
    Shape("GET", (Verb.CONFIRM_AVAILABILITY,), AvailabilitySchema, errors=(404,)),
)
def read_availability(call: Call, household_id: UUID) -> dict[str, Any]:
    """Say how available one's own agency's household is."""
    return _availability(call, _own(call, household_id))


@operation(
    blueprint,
    "/households/<uuid:household_id>/availability",
    Shape(
        "PUT",
        (Verb.CONFIRM_AVAILABILITY,),
        AvailabilitySchema,
        body=SayAvailabilitySchema,
        versioned=True,
        errors=(404,),
        examples={"body": {"available": True, "considered_for": 1}},
    ),
)
def confirm_household(call: Call, household_id: UUID) -> dict[str, Any]:
    """Confirm how available one's own agency's household is, as of today."""
    household = _own(call, household_id)
    call.session.refresh(household, with_for_update=True)
    call.match(_availability(call, household), AvailabilitySchema)
    said = call.body
    confirm_availability(
        call.session,
        household,
        available=said["available"],
        considered_for=said.get("considered_for"),
        now=call.now,
    )
    return _availability(call, household)


def _own(call: Call, household_id: UUID) -> Household:
    household = get_household(call.session, household_id)
    if household.agency_id != call.caller.agency_id:
        # Seen in the pool or not: by this address there is no such household.
        raise HouseholdUnknown("There is no such household in your view of the pool.")
    return household


def _wanted(call: Call) -> HouseholdFilter:
    asked = call.query
    ages = sorted(age for age in (asked.get("age_from"), asked.get("age_to")) if age is not None)
    swapped = len(ages) == 2
    return HouseholdFilter(
        age_from=ages[0] if swapped else asked.get("age_from"),
        age_to=ages[1] if swapped else asked.get("age_to"),
        children=asked.get("children"),
        sexes=frozenset(asked.get("sex", ())),
        needs=frozenset(asked.get("need", ())),
        up_to=asked["up_to"],
        willing=asked["willing"],
        early_permanence=frozenset(asked.get("early", ())),
        approved_months=asked.get("approved"),
        agencies=frozenset(asked.get("agency", ())),
        regions=frozenset(asked.get("region", ())),
        new_days=asked.get("new"),
        statuses=frozenset(asked.get("status", ())),
        availability=frozenset(asked.get("availability", ())),
        sought=sought_by(call),
        unsaid=frozenset(asked.get("unsaid", ())),
    )


def _opened(call: Call, record: HouseholdRecord) -> dict[str, Any]:
    household, today = record.household, call.now.date()
    columns = {name: getattr(household, name) for name in HouseholdSchema._declared_fields if hasattr(household, name)}
    return {
        **columns,
        "agency": record.agency,
        "own": record.own,
        "sharing": record.sharing,
        "profile": record.profile,
        "approved_for": describe_approval(record.facts),
        "home": describe_home(record.facts, today),
        "available_from": describe_available_from(household.available_from, today),
        "availability": availability_of(household.considered_for, cap=household_cap(call.session)),
        "tolerances": [
            {"need": need, **asdict(tolerance)} for need, tolerance in sorted(record.facts.tolerances.items())
        ],
    }


def _availability(call: Call, household: Household) -> dict[str, Any]:
    return {
        "available": household.status is HouseholdStatus.WAITING,
        "considered_for": household.considered_for,
        "availability": availability_of(household.considered_for, cap=household_cap(call.session)),
        "confirmed_on": household.availability_confirmed_on,
    }
