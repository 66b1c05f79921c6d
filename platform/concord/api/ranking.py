"""Rankings: run one for a group, read it with its reasons, ask why or why not, and look from a household's side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from concord.api.listing import as_page, place_of
from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.schema.page import PageQuery, page_of
from concord.schema.ranking import (
    FoundGroupsSchema,
    RankedLineSchema,
    RankingRunSchema,
    RankSchema,
    TopQuery,
    WhySchema,
)
from matching.family_finding import ExplainedFamily, FoundGroups, explain_family, find_groups
from matching.household import get_household
from matching.ranking_run import RankingRun, families_for
from matching.recorded_ranking import get_run, read_lines
from matching.sibling_group import get_group
from tenants.permission import Verb

blueprint = Blueprint("api_rankings", __name__, url_prefix=ROOT, description="Rankings, which are advice")

VERBS = (Verb.READ_RANKING,)


@operation(
    blueprint,
    "/groups/<uuid:group_id>/rankings",
    Shape("POST", VERBS, RankingRunSchema, status=201, body=RankSchema, errors=(404,), examples={"body": {"top": 20}}),
)
def rank_group(call: Call, group_id: UUID) -> RankingRun:
    """Rank the waiting households for a group, and keep the list; the look is on record for the group's agency."""
    group = get_group(call.session, group_id)
    found = families_for(call.session, group, as_of=call.now.date(), top=call.body["top"], now=call.now)
    call.location = f"{ROOT}/rankings/{found.run.id}"
    return found.run


@operation(blueprint, "/rankings/<uuid:run_id>", Shape("GET", VERBS, RankingRunSchema, errors=(404,)))
def read_ranking(call: Call, run_id: UUID) -> RankingRun:
    """Read which versions decided a ranking."""
    return get_run(call.session, run_id)


@operation(
    blueprint,
    "/rankings/<uuid:run_id>/lines",
    Shape("GET", VERBS, page_of(RankedLineSchema), query=PageQuery, errors=(404, 409)),
)
def read_ranking_lines(call: Call, run_id: UUID) -> dict[str, Any]:
    """Read a ranking's lines with their reasons; records that are no longer seen are left out."""
    after, limit = place_of(call)
    run = get_run(call.session, run_id)
    return as_page(read_lines(call.session, run, after=after, limit=limit, now=call.now))


@operation(
    blueprint,
    "/groups/<uuid:group_id>/households/<uuid:household_id>",
    Shape("GET", VERBS, WhySchema, errors=(404,)),
)
def read_why(call: Call, group_id: UUID, household_id: UUID) -> ExplainedFamily:
    """Say why a household is, or is not, on a group's list; the look is on record for both agencies."""
    group, household = get_group(call.session, group_id), get_household(call.session, household_id)
    return explain_family(call.session, group, household, as_of=call.now.date(), now=call.now)


@operation(
    blueprint,
    "/households/<uuid:household_id>/groups",
    Shape("GET", VERBS, FoundGroupsSchema, query=TopQuery, errors=(404,)),
)
def read_groups_for(call: Call, household_id: UUID) -> FoundGroups:
    """List the groups that a household may fit, best first; the look is on record for its agency."""
    household = get_household(call.session, household_id)
    return find_groups(call.session, household, as_of=call.now.date(), top=call.query["top"], now=call.now)
