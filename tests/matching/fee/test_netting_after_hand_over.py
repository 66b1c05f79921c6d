"""Netting and agencies that are gone: what has gone to a successor is not set off, and nobody is waited for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from concord.servers.login import DatabaseUrls
from matching.fee.netting import (
    NettingInvalid,
    NettingStale,
    NettingWaits,
    count_to_confirm,
    get_netting,
    propose_netting,
)
from matching.fee.netting_offer import list_offers
from matching.fee.notice import give_fee_notices
from matching.fee.transfer import transfer_balances
from matching.notice import list_notices
from tenants.consortium import ConsortiumMember
from tenants.database import Database
from tenants.scope import OPERATOR, Scope
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.handed_over import sign_hand_over
from tests.matching.fee.netting_ground import NettingGround, make_netting_ground


@pytest.fixture
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> NettingGround:
    """Return three members of a swap group."""
    return make_netting_ground(database, migrated, factories, members=3)


def _propose(ground: NettingGround) -> UUID:
    one, two, _ = ground.members
    with ground.database.transaction(one.scope) as session:
        return propose_netting(session, two.id, until_on=TODAY, now=NOW).id


class TestConfirmNetting:
    def test_sets_off_nothing_that_went_to_a_successor(self, ground: NettingGround) -> None:
        one, two, successor = ground.members
        ground.issue(0, 1, 900)
        ground.issue(1, 0, 700)
        netting_id = _propose(ground)
        plan = sign_hand_over(ground.urls, one, successor)
        with ThreadPoolExecutor() as pool, ground.database.transaction(successor.scope) as session:
            assert transfer_balances(session, plan, acting=ground.database.acting, now=NOW) > 0
            confirmed = pool.submit(ground.confirm, two, netting_id)
            with pytest.raises(TimeoutError):
                confirmed.result(timeout=0.3)
            session.commit()
            refused = confirmed.exception()

        assert isinstance(refused, NettingStale)
        with ground.database.transaction(one.scope) as session:
            assert not get_netting(session, netting_id).is_open(TODAY)
        with pytest.raises(NettingWaits, match="has left"):
            ground.confirm(two, netting_id)
        assert [ground.net(each) for each in range(3)] == [0, 200, -200]
        with ground.database.transaction(two.scope) as session:
            assert list_offers(session, until_on=TODAY, on=TODAY) == []
            with pytest.raises(NettingInvalid):
                propose_netting(session, one.id, until_on=TODAY, now=NOW)

    def test_waits_for_nobody_once_one_has_left_and_the_others_are_told(
        self, ground: NettingGround, factories: Factories
    ) -> None:
        one, two, three = ground.members
        for payer, payee in ((0, 1), (1, 2), (2, 0), (1, 0)):
            ground.issue(payer, payee, 100)
        netting_id = ground.propose(one)
        told = {each.id: _tell(ground, each) for each in ground.members}
        with ground.database.transaction(OPERATOR) as session:
            session.execute(
                update(ConsortiumMember).where(ConsortiumMember.agency_id == three.id).values(left_on=TODAY)
            )

        for tenant in (one, two):
            with ground.database.transaction(tenant.scope) as session:
                netting = get_netting(session, netting_id)
                assert (netting.is_open(TODAY - timedelta(days=1)), netting.is_open(TODAY)) == (True, False)
                assert count_to_confirm(session, on=TODAY) == 0
                # Whoever has left is offered to nobody, nor asked into another.
                offers = list_offers(session, until_on=TODAY, on=TODAY)
                assert [each.agency_ids for each in offers] == [((two if tenant is one else one).id,)]
                with pytest.raises(NettingInvalid):
                    propose_netting(session, three.id, until_on=TODAY, now=NOW)
            with pytest.raises(NettingWaits):
                ground.confirm(tenant, netting_id)
            for days in (0, 1):
                assert _tell(ground, tenant, days=days) == sorted([*told[tenant.id], "netting_over"])
        with ground.database.transaction(factories.two_tenants()[0].scope) as session:
            assert session.scalar(select(func.netting_over_on(netting_id))) is None
        anew = ground.propose(two)
        assert ground.confirm(one, anew)


def _tell(ground: NettingGround, tenant: Tenant, *, days: int = 0) -> list[str]:
    """Let a day be looked at, which acts for no person and in no consortium; return what somebody was told of."""
    with ground.database.transaction(Scope(agency_id=tenant.id)) as session:
        give_fee_notices(session, now=NOW + timedelta(days=days))
    with ground.database.transaction(tenant.scope) as session:
        return sorted(card.fee.value for card in list_notices(session, number=1).cards if card.fee)
