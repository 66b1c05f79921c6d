"""Netting and a hand-over: what has gone to a successor is not set off against who gave it, whoever was first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.netting import NettingInvalid, NettingStale, propose_netting
from matching.fee.transfer import HandingOver, transfer_balances
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories
from tests.matching.fee.netting_ground import NettingGround, make_netting_ground


@pytest.fixture
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> NettingGround:
    """Return three members of a swap group."""
    return make_netting_ground(database, migrated, factories, members=3)


def _propose(ground: NettingGround) -> UUID:
    one, two, _ = ground.members
    with ground.database.transaction(one.scope) as session:
        return propose_netting(session, two.id, until_on=TODAY, now=NOW).id


def _move_agreements(ground: NettingGround) -> None:
    """Let the agreements of the first be the third's, as a hand-over does before it moves what is owed."""
    one, _, successor = ground.members
    with psycopg.connect(libpq_url(ground.urls.admin)) as admin:
        for party in ("payer", "payee"):
            admin.execute(
                f"UPDATE fee_agreement SET {party}_agency_id = %s WHERE {party}_agency_id = %s", (successor.id, one.id)
            )


class TestConfirmNetting:
    def test_sets_off_nothing_that_went_to_a_successor(self, ground: NettingGround) -> None:
        one, two, successor = ground.members
        ground.issue(0, 1, 900)
        ground.issue(1, 0, 700)
        netting_id = _propose(ground)
        _move_agreements(ground)
        plan = HandingOver(uuid4(), one.id, successor.id, whole=True)
        with ThreadPoolExecutor() as pool, ground.database.transaction(successor.scope) as session:
            assert transfer_balances(session, plan, acting=ground.database.acting, now=NOW) > 0
            confirmed = pool.submit(ground.confirm, two, netting_id)
            with pytest.raises(TimeoutError):
                confirmed.result(timeout=0.3)
            session.commit()
            refused = confirmed.exception()

        assert isinstance(refused, NettingStale)
        assert [ground.net(each) for each in range(3)] == [0, 200, -200]
        with ground.database.transaction(two.scope) as session, pytest.raises(NettingInvalid):
            propose_netting(session, one.id, until_on=TODAY, now=NOW)
