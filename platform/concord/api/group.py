"""Sibling groups: the list with its filters, one with its children and needs, and who one's own are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from concord.api.listing import as_page, place_of, record_searched, sought_by
from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.schema.group import GroupCardSchema, GroupIdentitySchema, GroupQuery, GroupSchema
from concord.schema.page import page_of
from matching.availability import availability_of, group_cap
from matching.group_search import GroupFilter
from matching.meeting import is_office
from matching.ranking.facts import ChildFacts
from matching.record import GroupRecord, open_group
from matching.register import list_groups_after
from matching.sibling_group import GroupUnknown, get_group, read_identity
from matching.summary import describe_age
from tenants.permission import Verb

blueprint = Blueprint("api_groups", __name__, url_prefix=ROOT, description="Sibling groups")


@operation(blueprint, "/groups", Shape("GET", (Verb.READ_GROUPS,), page_of(GroupCardSchema), query=GroupQuery))
def list_groups(call: Call) -> dict[str, Any]:
    """List the sibling groups that are asked for."""
    after, limit = place_of(call)
    found = list_groups_after(
        call.session,
        own=call.query["own"] and not is_office(call.session),
        as_of=call.now.date(),
        wanted=_wanted(call),
        sort=call.query["sort"],
        after=after,
        limit=limit,
    )
    record_searched(call, found, record_kind="sibling_group")
    return as_page(found)


@operation(blueprint, "/groups/<uuid:group_id>", Shape("GET", (Verb.READ_GROUPS,), GroupSchema, errors=(404,)))
def read_group(call: Call, group_id: UUID) -> dict[str, Any]:
    """Open a sibling group: its profile, its children and their needs; the look is on record for its agency."""
    return _opened(call, open_group(call.session, group_id, now=call.now))


@operation(
    blueprint,
    "/groups/<uuid:group_id>/identity",
    Shape("GET", (Verb.READ_IDENTITY,), GroupIdentitySchema, errors=(404,)),
)
def read_group_identity(call: Call, group_id: UUID) -> dict[str, Any]:
    """Open who the children of one's own agency's group are; the look is on record."""
    group = get_group(call.session, group_id)
    if group.agency_id != call.caller.agency_id:
        # Seen in the pool or not: by this address there is no such group.
        raise GroupUnknown("There is no such sibling group in your view of the pool.")
    reference, children = read_identity(call.session, group, now=call.now)
    return {"reference": reference, "children": [{"reference": each, **asdict(name)} for each, name in children]}


def _wanted(call: Call) -> GroupFilter:
    asked = call.query
    ages = sorted(age for age in (asked.get("age_from"), asked.get("age_to")) if age is not None)
    swapped = len(ages) == 2
    return GroupFilter(
        age_from=ages[0] if swapped else asked.get("age_from"),
        age_to=ages[1] if swapped else asked.get("age_to"),
        sizes=frozenset(asked.get("size", ())),
        sexes=frozenset(asked.get("sex", ())),
        legal=frozenset(asked.get("legal", ())),
        needs=frozenset(asked.get("need", ())),
        how_much=asked["much"],
        waiting_months=asked.get("waiting"),
        agencies=frozenset(asked.get("agency", ())),
        regions=frozenset(asked.get("region", ())),
        new_days=asked.get("new"),
        statuses=frozenset(asked.get("status", ())),
        sought=sought_by(call),
        unsaid=frozenset(asked.get("unsaid", ())),
    )


def _opened(call: Call, record: GroupRecord) -> dict[str, Any]:
    group = record.group
    columns = {name: getattr(group, name) for name in GroupSchema._declared_fields if hasattr(group, name)}
    return {
        **columns,
        "agency": record.agency,
        "own": record.own,
        "sharing": record.sharing,
        "profile": record.profile,
        "considered": availability_of(group.families_considered, cap=group_cap(call.session)),
        "children": [_child(call, child) for child in record.facts.children],
    }


def _child(call: Call, child: ChildFacts) -> dict[str, Any]:
    return {
        "age": describe_age(child.birth_month, call.now.date()),
        "sex": child.sex,
        "needs": [{"need": need, "level": level} for need, level in sorted(child.needs.items())],
    }
