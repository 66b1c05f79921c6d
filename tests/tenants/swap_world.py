"""A swap group of two agencies, one of which has agreed."""

from __future__ import annotations

from matching.swap.group import SwapGroup, Terms, agree, make_swap_group
from matching.swap.rule import SwapRule
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant


def make_swaps(database: Database, *, office: Tenant, agency: Tenant, neighbour: Tenant) -> None:
    """Have the office make it, and ``neighbour`` agree."""
    terms = Terms("Children under three", SwapRule(begins_on=TODAY, ends_on=None))
    with database.transaction(office.scope) as session:
        made = make_swap_group(session, terms, agency_ids=[agency.id, neighbour.id], now=NOW)
        made_id = made.id
    with database.transaction(neighbour.scope) as session:
        agree(session, session.get_one(SwapGroup, made_id), now=NOW)
