"""A consortium with its office, two councils that swap and one that doesn't, and placements between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import update

from matching.household import get_household
from matching.placement.placement import PlacementChild, get_placement, make_placement
from matching.ranking.facts import Sex
from matching.sibling_group import get_group
from matching.swap.group import SwapGroup, Terms, agree, make_swap_group
from matching.swap.rule import SwapRule
from matching.transition import start_link
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction

TODAY = utc_now().date()
BEGAN = TODAY - timedelta(days=300)
MOVED_IN = TODAY - timedelta(days=20)
RULE = SwapRule(begins_on=BEGAN, ends_on=None)


@dataclass(frozen=True, slots=True)
class Ground:
    """The tenants, and the swap group of two of them."""

    office: Tenant
    devon: Tenant
    dorset: Tenant
    outsider: Tenant
    swap_group_id: UUID


def make_ground(factories: Factories, database: Database, *, rule: SwapRule = RULE, within_points: int = 100) -> Ground:
    """Make two councils that have agreed to swap, long enough ago for their placements to count."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    devon, dorset, outsider = (factories.tenant(consortium_id) for _ in range(3))
    terms = Terms("Under three", rule, within_points=within_points)
    with transaction(database, office) as session:
        made = make_swap_group(session, terms, agency_ids=[devon.id, dorset.id], now=utc_now())
        made_id = made.id
    for member in (devon, dorset):
        with transaction(database, member) as session:
            agree(session, session.get_one(SwapGroup, made_id), now=utc_now() - timedelta(days=200))
    return Ground(office, devon, dorset, outsider, made_id)


def place(
    factories: Factories,
    database: Database,
    children: Tenant,
    family: Tenant,
    *,
    months: Sequence[int | None] = (16,),
    moved_in_on: date = MOVED_IN,
    disrupted_on: date | None = None,
) -> UUID:
    """Place children of such ages with a family, and return the placement's link."""
    group_id = factories.group(children, children=tuple((date(2024, 5, 1), Sex.FEMALE) for _ in months))
    household_id = factories.household(family)
    now = utc_now()
    with transaction(database, children) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        link = start_link(session, group=group, household=household, reason="They may fit.", now=now)
        placement = make_placement(session, link, matched_on=None, now=now)
        placement.moved_in_on = placement.adoptive_start_on = moved_in_on
        placement.disrupted_on = disrupted_on
        session.flush()
        for position, age in enumerate(months):
            session.execute(
                update(PlacementChild)
                .where(PlacementChild.link_id == link.id, PlacementChild.position == position)
                .values(months_matched=age, months_moved_in=age, months_adoptive=age)
            )
        return get_placement(session, link.id).link_id
