"""Netting: every book is posted at once and agrees with the others, in the fewest payments, and nobody sees others'."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import combinations
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from concord.servers.login import DatabaseUrls
from matching.fee.invoice.dispute import open_dispute
from matching.fee.invoice.invoice import get_invoice
from matching.fee.ledger import TransactionKind, mirrored, outstanding, post
from matching.fee.netting import (
    NettingInvalid,
    NettingStale,
    NettingUnknown,
    NettingWaits,
    confirm_netting,
    count_to_confirm,
    decline_netting,
    get_netting,
    list_group_nettings,
    list_netting_members,
    list_nettings,
    own_part,
    propose_group_netting,
    propose_netting,
)
from matching.fee.netting_leg import NettingLeg
from matching.fee.netting_offer import list_offers
from matching.meeting import OfficeOnly
from matching.swap.group import SwapGroup
from tenants.agency import get_agency
from tenants.approval import BothSides
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.netting_ground import NettingGround, make_netting_ground

NETS = st.lists(st.integers(-4, 4), min_size=1, max_size=7).map(lambda nets: [*nets, -sum(nets)])
BIG = st.lists(st.integers(-(10**12), 10**12), min_size=16, max_size=24).map(lambda nets: [*nets, -sum(nets)])


@pytest.fixture
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> NettingGround:
    """Return four members of a swap group, of whom two have nothing to do with much of what is tried."""
    return make_netting_ground(database, migrated, factories)


def fewest(
    database: Database, nets: Sequence[int], owing: Sequence[tuple[int, int]] = ()
) -> list[tuple[int, int, int]]:
    """Return the payments, agencies by their places."""
    ids = [UUID(int=place + 1) for place in range(len(nets))]
    facts = {
        "ids": ids,
        "nets": list(nets),
        "d": [ids[each] for each, _ in owing],
        "c": [ids[each] for _, each in owing],
    }
    with database.transaction(NOBODY) as session:
        rows = session.execute(text("SELECT * FROM fewest_payments(:ids, :nets, :d, :c)"), facts).all()
    return [(row.payer.int - 1, row.payee.int - 1, row.pence) for row in rows]


def most_parts(nets: Sequence[int]) -> int:
    """Return into how many parts that sum to nothing these can be divided at most, trying all."""
    if not nets:
        return 0
    first, rest = nets[0], nets[1:]
    return max(
        1 + most_parts([net for place, net in enumerate(rest) if place not in chosen])
        for size in range(len(rest) + 1)
        for chosen in map(set, combinations(range(len(rest)), size))
        if first + sum(rest[place] for place in chosen) == 0
    )


class Killed(Exception):
    """The program ends in the middle."""


class TestFewestPayments:
    @settings(max_examples=60, deadline=None)
    @given(nets=NETS)
    def test_settles_all_in_as_few_as_there_can_be(self, database: Database, nets: list[int]) -> None:
        found = fewest(database, nets)

        left = list(nets)
        for payer, payee, pence in found:
            assert pence > 0
            left[payer] += pence
            left[payee] -= pence
        open_nets = [net for net in nets if net]
        assert not any(left)
        assert len(found) == len(open_nets) - most_parts(open_nets)
        assert fewest(database, nets) == found

    @settings(max_examples=5, deadline=None)
    @given(nets=BIG)
    def test_settles_many_in_fewer_than_there_are(self, database: Database, nets: list[int]) -> None:
        left = list(nets)
        found = fewest(database, nets)
        for payer, payee, pence in found:
            left[payer] += pence
            left[payee] -= pence
        assert not any(left)
        assert len(found) < len(nets)

    def test_prefers_whom_the_payer_owes_already(self, database: Database) -> None:
        nets = [-5, -5, 5, 5]

        assert fewest(database, nets, [(0, 3), (2, 1)]) == [(0, 3, 5), (1, 2, 5)]
        assert fewest(database, nets, [(0, 2)]) == [(0, 2, 5), (1, 3, 5)]
        # Two that sum to nothing are no reason to pay more often, at the most that is looked for exactly.
        assert len(fewest(database, [*range(1, 15), -105])) == 14


class TestListOffers:
    def test_tells_each_its_own_book_and_nobody_elses(self, ground: NettingGround) -> None:
        one, two, three, _ = ground.members
        ground.issue(1, 2, 70)
        with ground.database.transaction(two.scope) as session:
            # Two owes three, and nobody else owes anybody: there is nothing to net.
            assert list_offers(session, until_on=TODAY, on=TODAY) == []
        for payer, payee, pence in ((0, 1, 900), (1, 0, 300)):
            ground.issue(payer, payee, pence)
        disputed = ground.issue(0, 1, 50)
        with ground.database.transaction(one.scope) as session:
            open_dispute(session, get_invoice(session, disputed), words="A sample", now=NOW)

        told = {}
        for tenant in (*ground.members, ground.stranger):
            with ground.database.transaction(tenant.scope) as session:
                offers = list_offers(session, until_on=TODAY, on=TODAY)
                told[tenant.id] = [(each.to_us, each.by_us, each.left, each.swap_group is None) for each in offers]
                assert list_offers(session, until_on=TODAY - timedelta(days=1), on=TODAY) == []

        assert told[one.id] == [(300, 900, -600, True), (300, 900, -600, False)]
        assert told[two.id] == [(900, 300, 600, True), (900, 370, 530, False)]
        assert told[three.id] == [(70, 0, 70, False)]
        assert told[ground.members[3].id] == told[ground.stranger.id] == []
        with ground.database.transaction(one.acting_as(Role.FAMILY_FINDER)) as session, pytest.raises(NotAllowed):
            list_offers(session, until_on=TODAY, on=TODAY)


class TestProposeNetting:
    def test_between_two_is_the_same_with_two(self, ground: NettingGround) -> None:
        one, two, three, _ = ground.members
        owed, back = ground.issue(1, 0, 900), ground.issue(0, 1, 700)
        aside = ground.issue(1, 2, 5)
        with ground.database.transaction(one.scope) as session:
            netting_id = propose_netting(session, two.id, until_on=TODAY, now=NOW).id
        with ground.database.transaction(two.scope) as session, pytest.raises(NettingInvalid):
            propose_netting(session, one.id, until_on=TODAY, now=NOW)
        for tenant in (one, three):
            with pytest.raises((NettingWaits, NettingUnknown)):
                ground.confirm(tenant, netting_id)

        assert ground.confirm(two, netting_id)

        with ground.database.transaction(one.scope) as session:
            leg = own_part(session, get_netting(session, netting_id)).legs[0].leg
            assert (leg.payer_agency_id, leg.payee_agency_id, leg.pence) == (two.id, one.id, 200)
            for other, until_on in ((three.id, TODAY), (two.id, TODAY), (two.id, TODAY + timedelta(days=1))):
                with pytest.raises(NettingInvalid):
                    propose_netting(session, other, until_on=until_on, now=NOW)
        assert _left(ground, two, owed, back, aside) == [0, 0, 5]


class TestProposeGroupNetting:
    def test_asks_who_may_ask_alone(self, ground: NettingGround) -> None:
        one, two, three, four = ground.members
        for payer, payee, pence in ((0, 1, 100), (1, 2, 100), (2, 0, 40)):
            ground.issue(payer, payee, pence)
        with pytest.raises(NettingInvalid):
            ground.propose(four)
        with pytest.raises(NettingInvalid):
            ground.propose(one, without=[0])
        for tenant, role in ((ground.stranger, Role.FINANCE_OFFICER), (ground.office, Role.FINANCE_OFFICER)):
            refused = pytest.raises((NettingInvalid, NotAllowed))
            with ground.database.transaction(tenant.acting_as(role)) as session, refused:
                group = session.get_one(SwapGroup, ground.swap_group_id)
                propose_group_netting(session, group, until_on=TODAY, now=NOW)
        # Past the program too: whoever is no party, and whoever asks for others as if they were two.
        draw = text("SELECT draw_netting(:id, CAST(:among AS uuid[]), :group, :day, :now, 'Sample')")
        among = [two.id, three.id]
        for tenant, group_id, agencies in (
            (one, None, among),
            (one, ground.swap_group_id, among),
            (one, ground.swap_group_id, [one.id, two.id, ground.stranger.id]),
            (ground.stranger, ground.swap_group_id, among),
            (one, None, [one.id, two.id, three.id]),
        ):
            facts = {"id": uuid4(), "among": agencies, "group": group_id, "day": TODAY, "now": NOW}
            with ground.database.transaction(tenant.scope) as session, pytest.raises(DBAPIError, match="is asked for"):
                session.execute(draw, facts)
        with ground.database.transaction(OPERATOR) as session:
            person, other = get_person(session, one.scope.person_id or one.id), get_agency(session, two.id)
            appoint(session, person, agency=other, role=Role.FINANCE_OFFICER, starts_on=TODAY)
        with pytest.raises(BothSides):
            ground.propose(one)

    def test_shows_a_member_its_own_part_and_the_office_no_sum(self, ground: NettingGround) -> None:
        one, two, three, _ = ground.members
        for payer, payee, pence in ((0, 1, 100), (1, 2, 70), (2, 0, 45), (0, 2, 5)):
            ground.issue(payer, payee, pence)
        nets = [ground.net(each) for each in range(4)]
        coordinator = ground.coordinator

        netting_id = ground.propose(coordinator)

        seen = {}
        for tenant in (*ground.members, ground.stranger, coordinator):
            with ground.database.transaction(tenant.scope) as session:
                seen[tenant.id] = [
                    session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                    for table in ("netting", "netting_member", "netting_claim", "netting_leg")
                ]
        assert [seen[each.id][2] for each in (one, two, three)] == [3, 2, 3]
        for tenant in (one, two, three):
            with ground.database.transaction(tenant.scope) as session:
                for leg in session.query(NettingLeg):
                    assert tenant.id in {leg.payer_agency_id, leg.payee_agency_id}
        assert seen[ground.members[3].id] == seen[ground.stranger.id] == [0, 0, 0, 0]
        assert seen[coordinator.id][2:] == [0, 0]
        with ground.database.transaction(coordinator.scope) as session:
            group = session.get_one(SwapGroup, ground.swap_group_id)
            found = list_group_nettings(session, group).cards[0]
            assert found.id == netting_id
            assert [each.confirmed_at for each in list_netting_members(session, found)] == [None] * 3
            with pytest.raises(NotAllowed):
                confirm_netting(session, found, now=NOW)
        refused = pytest.raises((NotAllowed, OfficeOnly))
        with ground.database.transaction(one.acting_as(Role.MANAGER)) as session, refused:
            list_group_nettings(session, session.get_one(SwapGroup, ground.swap_group_id))
        assert [ground.confirm(each, netting_id) for each in (three, one, two)] == [False, False, True]
        assert [ground.net(each) for each in range(4)] == nets


class TestConfirmNetting:
    def test_posts_all_books_at_once_and_keeps_what_each_is_owed(self, ground: NettingGround) -> None:
        random = Random(7)  # noqa: S311 - amounts of a test
        pairs = [random.sample(range(4), 2) for _ in range(8)]
        made = [ground.issue(payer, payee, random.randint(1, 10**7)) for payer, payee in pairs]
        nets = [ground.net(each) for each in range(4)]
        netting_id = ground.propose(ground.coordinator)
        parties = _parties(ground, netting_id)

        for each in parties[:-2]:
            assert not ground.confirm(each, netting_id)
        with pytest.raises(Killed):
            _confirm_and_die(ground, parties[-1], netting_id)
        assert all(_left(ground, ground.members[payer], each)[0] for each, (payer, _) in zip(made, pairs, strict=True))
        with ThreadPoolExecutor() as at_once:
            posted = list(at_once.map(lambda each: ground.confirm(each, netting_id), parties[-2:]))

        assert sorted(posted) == [False, True]
        # In each book netting comes to nothing, and nobody is owed more or less than before.
        assert [ground.net(each) for each in range(4)] == nets
        legs = _legs(ground, netting_id)
        open_nets = [net for net in nets if net]
        assert len(legs) == len(open_nets) - most_parts(open_nets)
        for tenant, net in zip(ground.members, nets, strict=True):
            to_us = sum(pence for _, payee, pence in legs if payee == tenant.id)
            assert to_us - sum(pence for payer, _, pence in legs if payer == tenant.id) == net
            assert not any(_left(ground, tenant, *made))
        with pytest.raises(NettingWaits):
            ground.confirm(parties[0], netting_id)

    def test_refuses_what_changed_since_and_is_drawn_anew(self, ground: NettingGround) -> None:
        one, two, three, _ = ground.members
        paid, back, round_ = ground.issue(1, 0, 500), ground.issue(2, 1, 700), ground.issue(0, 2, 300)
        netting_id = ground.propose(one)
        ground.confirm(two, netting_id)
        consortium_id = one.scope.consortium_id
        assert consortium_id is not None
        with ground.database.transaction(one.scope) as session:
            post(
                session,
                consortium_id=consortium_id,
                payer_agency_id=two.id,
                payee_agency_id=one.id,
                kind=TransactionKind.PAID,
                key=f"sample/{paid}",
                dated_on=TODAY,
                entries=mirrored(TransactionKind.PAID, 1, two.id, one.id),
                narrative="A sample",
                now=NOW,
                invoice_id=paid,
            )

        with pytest.raises(NettingStale, match="between two other agencies"):
            ground.confirm(three, netting_id)

        assert (_left(ground, two, paid, back), _left(ground, three, round_)) == ([499, 700], [300])
        with ground.database.transaction(three.scope) as session:
            assert count_to_confirm(session, on=TODAY) == 1
            decline_netting(session, get_netting(session, netting_id), reason="It is stale", now=NOW)
            assert count_to_confirm(session, on=TODAY) == 0
        anew = ground.propose(three)
        assert [ground.confirm(each, anew) for each in (two, one)] == [False, True]


class TestDeclineNetting:
    def test_ends_it_for_all_and_lets_the_others_net(self, ground: NettingGround) -> None:
        one, two, three, four = ground.members
        for payer, payee in ((0, 1), (1, 2), (2, 0), (0, 3), (3, 0)):
            ground.issue(payer, payee, 100)
        netting_id = ground.propose(one)
        with ground.database.transaction(four.scope) as session:
            decline_netting(session, get_netting(session, netting_id), reason="Not now", now=NOW)
            with pytest.raises(NettingWaits):
                decline_netting(session, get_netting(session, netting_id), reason="Again", now=NOW)
            assert next(each.id for each in list_nettings(session)) == netting_id
        with pytest.raises(NettingWaits):
            ground.confirm(two, netting_id)
        with ground.database.transaction(ground.stranger.scope) as session:
            assert list_nettings(session) == []
            with pytest.raises(NettingUnknown):
                get_netting(session, netting_id)

        without = ground.propose(one, without=[3])

        assert ground.members[3] not in _parties(ground, without)
        with ground.database.transaction(two.scope) as session, pytest.raises(NettingWaits):
            # Whoever does not answer holds nobody: it lapses.
            confirm_netting(session, get_netting(session, without), now=NOW + timedelta(days=15))
        assert [ground.confirm(each, without) for each in (two, three)] == [False, True]
        assert _legs(ground, without) == []


def _confirm_and_die(ground: NettingGround, tenant: Tenant, netting_id: UUID) -> None:
    with ground.database.transaction(tenant.scope) as session:
        confirm_netting(session, get_netting(session, netting_id), now=NOW)
        raise Killed


def _left(ground: NettingGround, tenant: Tenant, *invoice_ids: UUID) -> list[int]:
    with ground.database.transaction(tenant.scope) as session:
        found = outstanding(session, invoice_ids)
    return [found.get(each, 0) for each in invoice_ids]


def _parties(ground: NettingGround, netting_id: UUID) -> list[Tenant]:
    with ground.database.transaction(ground.office.acting_as(Role.COORDINATOR)) as session:
        found = set(get_netting(session, netting_id).agency_ids)
    return [each for each in ground.members if each.id in found]


def _legs(ground: NettingGround, netting_id: UUID) -> list[tuple[UUID, UUID, int]]:
    found = set()
    for tenant in _parties(ground, netting_id):
        with ground.database.transaction(tenant.scope) as session:
            legs = own_part(session, get_netting(session, netting_id)).legs
            found |= {(each.leg.payer_agency_id, each.leg.payee_agency_id, each.leg.pence) for each in legs}
    return sorted(found)
