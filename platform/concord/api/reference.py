"""What records are written and ranked by: the need catalogue, the policy, the agencies; and the pool as a whole."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.schema.pool import PoolViewSchema
from concord.schema.reference import AgenciesSchema, NeedCatalogueSchema, PolicySchema
from matching.need import NeedCatalogue, need_catalogue
from matching.pool_view import PoolView, view_pool
from matching.ranking.policy import default_policy
from matching.ranking.policy_words import describe_policy
from tenants.agency import list_agencies
from tenants.permission import Verb

blueprint = Blueprint("api_reference", __name__, url_prefix=ROOT, description="What records are written and ranked by")

REGISTER = (Verb.READ_GROUPS, Verb.READ_HOUSEHOLDS, Verb.READ_RANKING)


@operation(blueprint, "/needs", Shape("GET", REGISTER, NeedCatalogueSchema))
def read_needs(_call: Call) -> NeedCatalogue:
    """Read the catalogue of needs."""
    return need_catalogue()


@operation(blueprint, "/policy", Shape("GET", REGISTER, PolicySchema))
def read_policy(_call: Call) -> dict[str, Any]:
    """Read the ranking policy: each number, and what it is for."""
    policy = default_policy()
    return {"version": policy.version, "tables": describe_policy(policy)}


@operation(blueprint, "/agencies", Shape("GET", REGISTER, AgenciesSchema))
def read_agencies(call: Call) -> dict[str, Any]:
    """List the agencies of the consortium."""
    return {"items": list_agencies(call.session)}


@operation(blueprint, "/pool", Shape("GET", (Verb.READ_POOL_VIEW,), PoolViewSchema))
def read_pool(call: Call) -> PoolView:
    """Read the pool as a whole: advice for a meeting to discuss; counts that could point at a child are null."""
    return view_pool(call.session, as_of=call.now.date(), now=call.now)
