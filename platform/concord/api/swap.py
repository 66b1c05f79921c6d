"""Swap groups: their terms, and what is between their members with the placements behind each number; read only."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.schema.swap import SwapGroupCardSchema, SwapGroupSchema, SwapGroupsSchema
from matching.swap.account import SwapAccount, read_account
from matching.swap.balance import Balance
from matching.swap.group import get_swap_group, list_swap_groups
from tenants.permission import Verb

blueprint = Blueprint("api_swaps", __name__, url_prefix=ROOT, description="Swap groups and their balances")


@operation(blueprint, "/swap-groups", Shape("GET", (Verb.READ_SWAPS,), SwapGroupsSchema))
def list_groups_of_swaps(call: Call) -> dict[str, Any]:
    """List the swap groups that the agency made or is asked into."""
    return {"items": list_swap_groups(call.session)}


@operation(
    blueprint,
    "/swap-groups/<uuid:swap_group_id>",
    Shape("GET", (Verb.READ_SWAPS,), SwapGroupSchema, errors=(404,)),
)
def read_swap_group(call: Call, swap_group_id: UUID) -> dict[str, Any]:
    """Open a swap group: who owes whom, and why each placement counts or not; the look is on record."""
    account = read_account(call.session, get_swap_group(call.session, swap_group_id), now=call.now)
    columns = {name: getattr(account.group, name) for name in SwapGroupCardSchema._declared_fields}
    return {**columns, "whole": account.whole, "members": sorted(account.names.values()), **_told(account)}


def _told(account: SwapAccount) -> dict[str, Any]:
    names = defaultdict(lambda: "Another agency", account.names)
    return {
        "balances": [
            *(_balance(names[agency], None, balance) for agency, balance in account.agencies.items()),
            *(_balance(names[pair.agency_id], names[pair.other_id], pair.balance) for pair in account.pairs),
        ],
        "standings": [
            {
                "counts_from": each.leg.on,
                "children_agency": names[each.leg.children_agency_id],
                "family_agency": names[each.leg.family_agency_id],
                "children": each.leg.children,
                "state": each.state,
                "words": each.words,
            }
            for each in account.standings
        ],
        "placements": [
            {
                "moved_in_on": each.moved_in_on,
                "children_agency": names[each.children_agency_id],
                "family_agency": names[each.family_agency_id],
                "children": each.children,
                "counts": each.leg is not None,
                "words": each.words,
                "period": each.period,
            }
            for each in account.placements
        ],
    }


def _balance(agency: str, other: str | None, balance: Balance) -> dict[str, Any]:
    names = ("placements_out", "placements_in", "children_out", "children_in", "placements", "children")
    return {"agency": agency, "other": other, **{name: getattr(balance, name) for name in names}}
