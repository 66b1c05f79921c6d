"""A demonstration's links come as far as the plan says, by the people whose steps they are, and are made once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from concord.demo.cast import Cast
from concord.demo.link import LINKS, make_links
from concord.demo.netting import LAST, RING, make_netting, netting_made
from matching.fee.agreement import AgreementState, select_agreements
from matching.fee.netting import count_to_confirm, list_nettings, own_part
from matching.link import Link, LinkState, LinkStep
from matching.panel.reader import PanelReader
from matching.ranking.facts import Sex
from matching.sibling_group import Child
from matching.swap.account import read_account
from matching.swap.group import find_swap_group
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import Factories, Tenant

NOW = utc_now()
DECIDED = NOW.date() - timedelta(days=400)
LITTLE, BIG = ((NOW.date() - timedelta(days=days)).replace(day=1) for days in (600, 1_800))
OFFICE = "office"
Agencies = dict[str, Tenant]


class TestMakeLinks:
    def test_each_comes_as_far_as_the_plan_says_and_none_twice(
        self, database: Database, agencies: Agencies, factories: Factories
    ) -> None:
        assert make(database, agencies) == len(LINKS)
        assert make(database, agencies) == 0

        for slug in ("devon", "somerset"):
            assert states(database, agencies[slug]) == {
                each.reason: each.state for each in LINKS if slug in {each.children, each.family}
            }
        with database.transaction(agencies["devon"].scope) as session:
            query = select(PanelReader.person_id).join(Link, Link.id == PanelReader.link_id)
            named = session.scalars(query.where(Link.state == LinkState.PANEL)).all()
        assert named == [agencies["devon"].scope.person_id]
        with database.transaction(agencies[OFFICE].scope) as session:
            account = read_account(session, find_swap_group(session, None), now=NOW)
        assert [each.children_agency_id for each in account.placements] == [
            agencies["somerset"].id,
            agencies["devon"].id,
        ]
        # Whether the first is a swap hangs on exact birth dates, which these children have none of.
        assert agreements(database, agencies["somerset"]) == [
            (AgreementState.IN_FORCE, True),
            (AgreementState.IN_FORCE, True),
        ]
        # The children's agency of a match that has come no further has still to sign.
        assert agreements(database, agencies["gloucestershire"]) == [(AgreementState.DRAFTED, False)]
        assert placed_children(database, agencies["somerset"]) == {BIG}
        assert placed_children(database, agencies["devon"]) == {LITTLE}
        _leave_a_netting_to_confirm(database, agencies, factories)

    def test_what_the_pool_does_not_have_is_left_out(self, database: Database, bare: Agencies) -> None:
        assert make(database, bare) == 0
        with database.transaction(bare[OFFICE].scope) as session:
            assert read_account(session, find_swap_group(session, None), now=NOW).placements == ()


def _leave_a_netting_to_confirm(database: Database, agencies: Agencies, factories: Factories) -> None:
    """Make the ring that comes after the links, and look what there is to confirm."""
    for each in RING:
        factories.group(agencies[each.children], children=((BIG, Sex.FEMALE),), **_ordered(DECIDED))
        factories.household(agencies[each.family])
    assert make_netting(database, cast(agencies), now=NOW)
    assert netting_made(database, cast(agencies))
    for slug in {each.family for each in RING}:
        with database.transaction(agencies[slug].scope) as session:
            assert count_to_confirm(session, on=NOW.date()) == (slug == LAST)
            (netting,) = list_nettings(session)
            part = own_part(session, netting)
            assert len(part.claims) == 2
            assert len(part.legs) == (slug != "somerset")


def make(database: Database, agencies: Agencies) -> int:
    return make_links(database, cast(agencies), office=OFFICE, now=NOW)


def cast(agencies: Agencies) -> Cast:
    """Return how to act as the one person whom each agency has."""

    def act_as(slug: str, role: Role) -> Scope:
        return replace(agencies[slug].scope, roles=frozenset({role}))

    return act_as


def agreements(database: Database, tenant: Tenant) -> list[tuple[AgreementState, bool]]:
    """Return how far an agency's fee agreements are, and whether the rate is kept for good, the latest first."""
    with database.transaction(tenant.scope) as session:
        return [(each.state, each.frozen_at is not None) for each in session.scalars(select_agreements(session))]


def states(database: Database, tenant: Tenant) -> dict[str, LinkState]:
    """Return the states of an agency's links by the reason for which they were started."""
    query = select(LinkStep.reason, Link.state).join(Link, Link.id == LinkStep.link_id).where(LinkStep.version == 1)
    with database.transaction(tenant.scope) as session:
        return {row.reason: row.state for row in session.execute(query)}


def placed_children(database: Database, tenant: Tenant) -> set[date | None]:
    """Return when an agency's own placed children were born."""
    query = select(Child.birth_month).join(Link, Link.sibling_group_id == Child.sibling_group_id)
    with database.transaction(tenant.scope) as session:
        return set(session.scalars(query.where(Link.state == LinkState.PLACED, Child.agency_id == tenant.id)))


@pytest.fixture
def bare(factories: Factories) -> Agencies:
    """The agencies that the plan names and the office, with nothing to link."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    slugs = sorted({slug for each in LINKS for slug in (each.children, each.family)})
    return {OFFICE: office, **{slug: factories.tenant(consortium_id) for slug in slugs}}


@pytest.fixture
def agencies(factories: Factories, bare: Agencies) -> Agencies:
    """The same with children and a family for each link, whom nothing keeps apart."""
    # And children of the other age, who would be found first.
    others = (("devon", BIG), ("somerset", LITTLE))
    for slug, born in others:
        factories.group(bare[slug], children=((born, Sex.FEMALE),), **_ordered(DECIDED - timedelta(days=90)))
    for each in LINKS:
        born = BIG if each.under_three is False else LITTLE
        factories.group(bare[each.children], children=((born, Sex.FEMALE),), **_ordered(DECIDED))
        factories.household(bare[each.family])
    return bare


def _ordered(on: date) -> dict[str, Any]:
    return dict.fromkeys(("shobpa_on", "placement_order_on", "waiting_since"), on)
