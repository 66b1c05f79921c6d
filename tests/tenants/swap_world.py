"""A swap group of two agencies that have agreed."""

from __future__ import annotations

from matching.swap.group import SwapGroup, Terms, agree, make_swap_group
from matching.swap.rule import SwapRule
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant


def make_swaps(database: Database, *, office: Tenant, agency: Tenant, neighbour: Tenant) -> None:
    """Have the office make it and both agree; any family on a group's list will do for a plan."""
    terms = Terms("Children under three", SwapRule(begins_on=TODAY, ends_on=None), within_points=100, bound=9)
    with database.transaction(office.scope) as session:
        made_id = make_swap_group(session, terms, agency_ids=[agency.id, neighbour.id], now=NOW).id
    for member in (agency, neighbour):
        with database.transaction(member.scope) as session:
            agree(session, session.get_one(SwapGroup, made_id), now=NOW)
