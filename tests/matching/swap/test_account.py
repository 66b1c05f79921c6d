from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from matching.bar import bar_person
from matching.placement.placement import get_placement, list_placements
from matching.sibling_group import get_group
from matching.swap.account import HIDDEN, SwapAccount, read_account
from matching.swap.balance import Balance, LegState
from matching.swap.group import SwapGroup, Terms, agree, end_swap_group, get_swap_group, make_swap_group
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.swap.ground import MOVED_IN, RULE, TODAY, Ground, make_ground, place


def _links(session: Session) -> list[UUID]:
    return [each.link_id for each in list_placements(session, moved_in=True)]


def read(database: Database, ground: Ground, tenant: Tenant) -> SwapAccount:
    with transaction(database, tenant) as session:
        return read_account(session, get_swap_group(session, ground.swap_group_id), now=utc_now())


class TestReadAccount:
    def test_says_the_same_to_both_sides_and_to_the_office(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        place(factories, database, ground.devon, ground.dorset, months=(16,))
        place(factories, database, ground.dorset, ground.devon, months=(40,))
        place(factories, database, ground.dorset, ground.devon, months=(10, 50, 30))
        place(factories, database, ground.devon, ground.outsider)

        devon, dorset, office = (read(database, ground, each) for each in (ground.devon, ground.dorset, ground.office))

        assert devon.placements == dorset.placements == office.placements
        assert sorted(each.words for each in office.placements if each.leg is None) == [
            "1 of 3 children was not under three on the day they moved in: "
            "10 months and 2 years 6 months and 4 years 2 months.",
            "The child was not under three on the day they moved in: 3 years 4 months.",
        ]
        assert devon.agencies == {ground.devon.id: Balance(placements_out=1, children_out=1)}
        assert dorset.agencies == {ground.dorset.id: Balance(placements_in=1, children_in=1)}
        assert office.agencies == {**devon.agencies, **dorset.agencies}
        assert [pair.balance for pair in devon.pairs] == [Balance(placements_out=1, children_out=1)]
        assert len(office.pairs) == 2
        assert [each.state for each in devon.standings] == [LegState.OPEN]
        assert dorset.standings == ()

    def test_counts_children_and_placements(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        place(factories, database, ground.devon, ground.dorset, months=(16, 30))
        place(factories, database, ground.dorset, ground.devon, months=(35,))

        found = read(database, ground, ground.devon)

        balance = found.agencies[ground.devon.id]
        assert (balance.placements, balance.children) == (0, -1)
        assert [each.state for each in found.standings] == [LegState.BALANCED]

    def test_forgets_a_leg_that_disrupted(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        link_id = place(factories, database, ground.devon, ground.dorset)
        assert read(database, ground, ground.devon).agencies[ground.devon.id].placements == -1

        with transaction(database, ground.devon) as session:
            get_placement(session, link_id).disrupted_on = TODAY

        after = read(database, ground, ground.dorset)
        assert after.agencies[ground.dorset.id] == Balance()
        assert "fell away" in after.placements[0].words

    def test_shows_an_outsider_and_a_third_member_nothing(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        place(factories, database, ground.devon, ground.dorset)
        with transaction(database, ground.office) as session:
            three = [ground.devon.id, ground.dorset.id, ground.outsider.id]
            wide_id = make_swap_group(session, Terms("Wide", RULE), agency_ids=three, now=utc_now()).id
        for tenant in (ground.devon, ground.dorset, ground.outsider):
            with transaction(database, tenant) as session:
                agree(session, session.get_one(SwapGroup, wide_id), now=utc_now() - timedelta(days=100))
        wide = replace(ground, swap_group_id=wide_id)

        assert read(database, wide, ground.outsider).placements == ()
        assert len(read(database, wide, ground.office).placements) == 1

    def test_counts_for_who_is_shut_out_and_tells_them_no_more(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        place(factories, database, ground.devon, ground.dorset)
        colleague = factories.colleague(ground.devon, roles=ground.devon.scope.roles)
        with transaction(database, ground.devon) as session:
            (placement,) = [get_placement(session, link_id) for link_id in _links(session)]
            group = get_group(session, placement.sibling_group_id)
            assert colleague.scope.person_id is not None
            bar_person(session, group, person_id=colleague.scope.person_id, reason="Their niece", now=utc_now())

        shut_out = read(database, ground, colleague)

        assert shut_out.agencies == read(database, ground, ground.devon).agencies
        assert [each.words for each in shut_out.placements] == [HIDDEN]

    def test_carries_an_ended_period_on(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database, rule=replace(RULE, ends_on=TODAY - timedelta(days=10)))
        place(factories, database, ground.devon, ground.dorset, moved_in_on=MOVED_IN)
        rule = replace(RULE, begins_on=TODAY - timedelta(days=5))
        terms = Terms("The year after", rule, carries_id=ground.swap_group_id)
        with transaction(database, ground.office) as session:
            next_id = make_swap_group(session, terms, agency_ids=[ground.devon.id, ground.dorset.id], now=utc_now()).id
        for member in (ground.devon, ground.dorset):
            with transaction(database, member) as session:
                agree(session, session.get_one(SwapGroup, next_id), now=utc_now())

        (before,) = read(database, ground, ground.devon).standings
        (after,) = read(database, replace(ground, swap_group_id=next_id), ground.devon).standings

        assert (before.state, after.state) == (LegState.CARRIED, LegState.OPEN)

    def test_lets_the_period_end(self, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        with transaction(database, ground.office) as session:
            end_swap_group(session, get_swap_group(session, ground.swap_group_id), ends_on=TODAY, now=utc_now())
        place(factories, database, ground.devon, ground.dorset, moved_in_on=TODAY)

        assert [each.leg is not None for each in read(database, ground, ground.devon).placements] == [True]
