from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from matching.decline import NotOurs, declines_of_group
from matching.link import LinkAlreadyOpen, LinkInvalid, NotYourStep, find_open_link
from matching.pool import Stage
from matching.pool_view import view_pool
from matching.ranking_run import open_pool
from matching.sibling_group import get_group
from matching.swap.account import read_account
from matching.swap.group import SwapGroupInvalid, SwapGroupUnknown, Terms, agree, get_swap_group, make_swap_group
from matching.swap.opportunity import Opportunities, find_opportunities, say_unproven
from matching.swap.ring import LengthUnknown
from matching.swap_answer import answer_leg
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant, transaction
from tests.matching.swap.ground import MOVED_IN, RULE, Ground, make_ground, place

ROOT = Path(__file__).parents[3]
TELLING = (r"matching\.swap|swap_|swaps\.", r"swap|balance")
"""What names a swap in code, and in a template."""


def find(database: Database, ground: Ground, tenant: Tenant, longest: int | None = None) -> Opportunities:
    with transaction(database, tenant) as session:
        group = get_swap_group(session, ground.swap_group_id)
        return find_opportunities(session, group, longest=longest, now=utc_now())


def answer(
    database: Database,
    ground: Ground,
    tenant: Tenant,
    pair: tuple[UUID, UUID],
    *,
    confirm: bool,
    reason: str = "We know both well.",
) -> None:
    with transaction(database, tenant) as session:
        group = get_swap_group(session, ground.swap_group_id)
        answer_leg(
            session,
            group,
            sibling_group_id=pair[0],
            household_id=pair[1],
            confirm=confirm,
            reason=reason,
            now=utc_now(),
        )


def swap(factories: Factories, ground: Ground) -> tuple[tuple[UUID, UUID], tuple[UUID, UUID]]:
    """Make a group and a household in each of two members; return the pairs between them."""
    groups = [factories.group(each) for each in (ground.devon, ground.dorset)]
    households = [factories.household(each) for each in (ground.devon, ground.dorset)]
    return (groups[0], households[1]), (groups[1], households[0])


def _consortium(ground: Ground) -> UUID:
    assert ground.office.scope.consortium_id is not None
    return ground.office.scope.consortium_id


class TestFindOpportunities:
    @pytest.mark.parametrize("longest", [None, 2, 3])
    def test_gives_the_office_rings_and_an_agency_its_own_legs(
        self, factories: Factories, database: Database, longest: int | None
    ) -> None:
        ground = make_ground(factories, database)
        there, back = swap(factories, ground)
        factories.household(ground.outsider)
        factories.group(ground.outsider)
        factories.household(ground.dorset, stage=Stage.IN_HOUSE)

        office = find(database, ground, ground.office, longest)
        devon = find(database, ground, ground.devon, longest)

        assert [len(ring) for ring in office.rings] == [2]
        assert {(leg.group.id, leg.household.id) for leg in office.rings[0]} == {there, back}
        assert (office.groups, office.with_pairs, office.planned) == (2, 2, 2)
        assert devon.rings == ()
        assert {(leg.group.id, leg.household.id) for leg in devon.others} == {there, back}
        assert (devon.planned, devon.points) == (office.planned, office.points)

    def test_shows_a_member_no_leg_between_others(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        there, _ = swap(factories, ground)
        third = factories.tenant(_consortium(ground))
        with transaction(database, ground.office) as session:
            three = [ground.devon.id, ground.dorset.id, third.id]
            wide_id = make_swap_group(session, Terms("Wide", RULE, 100), agency_ids=three, now=utc_now()).id
        for tenant in (ground.devon, ground.dorset, third):
            with transaction(database, tenant) as session:
                agree(session, get_swap_group(session, wide_id), now=utc_now())
        wide = replace(ground, swap_group_id=wide_id)

        assert find(database, wide, ground.office).planned == 2
        assert there[0] in {leg.group.id for leg in find(database, wide, ground.devon).others}
        assert find(database, wide, third).others == ()
        with pytest.raises(SwapGroupUnknown):
            find(database, wide, ground.outsider)

    def test_takes_only_families_near_the_best_of_a_groups_own_list(
        self, factories: Factories, database: Database
    ) -> None:
        ground = make_ground(factories, database, within_points=0)
        group_id = factories.group(ground.devon)
        near = factories.household(ground.outsider, outward_code="EX1")
        far = factories.household(ground.dorset, outward_code="NE1")
        with transaction(database, ground.office) as session:
            pool = open_pool(session, as_of=TODAY, of_groups=[get_group(session, group_id)])
            first = pool.households[int(pool.rank().index[0, 0])].id

        found = find(database, ground, ground.office)

        assert (first, found.with_pairs) in {(near, 0), (far, 1)}
        wide = make_ground(factories, database, within_points=100)
        swap(factories, wide)
        assert find(database, wide, wide.office).with_pairs == 2

    def test_is_for_managers_and_coordinators(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)

        for role in (Role.FINANCE_OFFICER, Role.FAMILY_FINDER):
            scope = ground.devon.acting_as(role, Role.FINANCE_OFFICER)
            with database.transaction(scope) as session, pytest.raises(NotAllowed):
                find_opportunities(session, get_swap_group(session, ground.swap_group_id), longest=None, now=NOW)
        with pytest.raises(LengthUnknown):
            find(database, ground, ground.office, 5)

    def test_says_what_is_open_when_the_time_is_over(
        self, factories: Factories, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matching.swap.opportunity.SECONDS", 0.0)
        ground = make_ground(factories, database)
        swap(factories, ground)

        office = find(database, ground, ground.office, 2)
        devon = find(database, ground, ground.devon, 2)

        assert (office.proven, office.at_most, office.rings) == (False, (2, None), ())
        assert "At most 2 placements are possible; here are 0." in say_unproven(office)
        assert (devon.proven, devon.at_most) == (False, None)
        assert say_unproven(devon).endswith("were not enough.")
        assert "at most 5 points more" in say_unproven(replace(office, at_most=(office.planned, office.points + 5)))


class TestAnswerLeg:
    def test_confirms_one_leg_by_a_link_and_touches_no_other(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        there, back = swap(factories, ground)

        answer(database, ground, ground.devon, there, confirm=True)

        for tenant in (ground.devon, ground.dorset):
            with transaction(database, tenant) as session:
                assert find_open_link(session, group_id=there[0], household_id=there[1]) is not None
                assert find_open_link(session, group_id=back[0], household_id=back[1]) is None
        legs = find(database, ground, ground.dorset).others
        assert {(leg.group.id, leg.linked) for leg in legs} == {(there[0], True), (back[0], False)}
        with pytest.raises(LinkAlreadyOpen):
            answer(database, ground, ground.dorset, there, confirm=True)

    def test_declines_one_leg_and_leaves_the_other_planned(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        there, back = swap(factories, ground)

        answer(database, ground, ground.dorset, there, confirm=False)

        with transaction(database, ground.dorset) as session:
            assert declines_of_group(session, there[0])[there[1]].reason == "We know both well."
        found = find(database, ground, ground.office)
        assert [(leg.group.id, leg.household.id) for leg in found.others] == [back]
        assert found.rings == ()

    def test_tells_no_third_member_what_two_declined(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        there, _ = swap(factories, ground)
        three = (ground.devon, ground.dorset, ground.outsider)
        with transaction(database, ground.office) as session:
            terms = Terms("Three", RULE, within_points=100)
            wanted = make_swap_group(session, terms, agency_ids=[each.id for each in three], now=utc_now()).id
        for member in three:
            with transaction(database, member) as session:
                agree(session, get_swap_group(session, wanted), now=utc_now())

        answer(database, ground, ground.dorset, there, confirm=False)

        told = {}
        for tenant in (*three, ground.office):
            with transaction(database, tenant) as session:
                told[tenant.id] = session.execute(text("SELECT * FROM swap_declined(:it)"), {"it": wanted}).all()
        assert told.pop(ground.outsider.id) == []
        assert list(told.values()) == [[there]] * 3

    def test_takes_ones_own_leg_with_a_reason_alone(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        there, back = swap(factories, ground)

        for confirm, error in ((True, NotYourStep), (False, NotOurs)):
            with pytest.raises(error):
                answer(database, ground, ground.office, there, confirm=confirm)
        with pytest.raises(SwapGroupInvalid):
            answer(database, ground, ground.devon, (there[0], back[1]), confirm=True)
        with pytest.raises(LinkInvalid):
            answer(database, ground, ground.devon, there, confirm=True, reason=" ")


class TestRanking:
    def test_knows_nothing_of_swaps(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        swap(factories, ground)

        def ranked() -> tuple[list[Any], list[Any], int]:
            with transaction(database, ground.devon) as session:
                ranking = open_pool(session, as_of=TODAY).rank()
                points = view_pool(session, as_of=TODAY, now=NOW).best.points
                return ranking.index.tolist(), ranking.points.tolist(), points

        for _ in range(3):
            place(factories, database, ground.devon, ground.dorset)
        before = ranked()
        with database.transaction(ground.office.scope) as session:
            owing = read_account(session, get_swap_group(session, ground.swap_group_id), now=NOW)
            # From now on none of them is a leg.
            get_swap_group(session, ground.swap_group_id).ends_on = MOVED_IN - timedelta(days=1)
        with database.transaction(ground.office.scope) as session:
            even = read_account(session, get_swap_group(session, ground.swap_group_id), now=NOW)

        assert (owing.agencies[ground.devon.id].placements, even.agencies[ground.devon.id].placements) == (-3, 0)
        assert ranked() == before

    def test_shortlists_links_packs_and_groups_pages_name_no_swap(self) -> None:
        web = ROOT / "platform" / "concord" / "web"
        kept_clear = [
            *(ROOT / "matching" / "ranking").rglob("*.py"),
            *(ROOT / "matching").glob("*rank*.py"),
            *(ROOT / "matching").glob("pack*.py"),
            *(ROOT / "matching" / "link").glob("*.py"),
            *(ROOT / "matching" / "transition").glob("*.py"),
            *(ROOT / "matching" / "placement").glob("*.py"),
            # A program that asks for swap groups' balances by name gets them; nothing else of the API tells of them.
            *(
                each
                for part in ("api", "schema")
                for each in (ROOT / "platform" / "concord" / part).glob("*.py")
                if each.name != "swap.py"
            ),
            *(
                each
                for name in ("group", "household", "link", "pool", "meeting", "placement")
                for each in web.rglob(f"{name}*")
            ),
        ]

        naming = [
            each
            for each in kept_clear
            if each.suffix in {".py", ".html"}
            and re.search(TELLING[each.suffix == ".html"], each.read_text(), re.IGNORECASE)
        ]

        assert len(kept_clear) > 60
        assert naming == []
