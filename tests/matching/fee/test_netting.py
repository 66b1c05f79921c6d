"""Netting: both sides pay the same by it, both books say so, and nobody owes more or less than before on the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concord.servers.login import DatabaseUrls
from matching.fee.invoice.dispute import open_dispute
from matching.fee.invoice.invoice import get_invoice
from matching.fee.ledger import Account, TransactionKind, balance, mirrored, outstanding, post
from matching.fee.netting import (
    Claim,
    Netting,
    NettingInvalid,
    NettingStale,
    NettingUnknown,
    NettingWaits,
    confirm_netting,
    count_to_confirm,
    decline_netting,
    get_netting,
    list_nettings,
    list_set_offs,
    propose_netting,
    set_off,
)
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.invoice.invoice_ground import InvoiceGround, make_invoice_ground

SUMS = st.lists(st.integers(1, 10**9), max_size=6)


@dataclass(frozen=True, slots=True)
class Ground:
    """Two agencies of which each has invoiced the other."""

    theirs: InvoiceGround
    ours: InvoiceGround
    """The same two turned round: what the payer is paid."""

    @property
    def one(self) -> Tenant:
        """The first of the two."""
        return self.theirs.payee

    @property
    def two(self) -> Tenant:
        """The second of the two."""
        return self.theirs.payer

    def propose(self) -> UUID:
        """Propose, as the first of the two, what can be set off today."""
        with self.theirs.database.transaction(self.one.scope) as session:
            return propose_netting(session, self.two.id, until_on=TODAY, now=NOW).id

    def confirm(self, tenant: Tenant, netting_id: UUID) -> None:
        """Confirm a netting as one side."""
        with self.theirs.database.transaction(tenant.scope) as session:
            confirm_netting(session, get_netting(session, netting_id), now=NOW)


@pytest.fixture
def ground(database: Database, migrated: DatabaseUrls, factories: Factories) -> Ground:
    """Two agencies that may invoice each other."""
    made = make_invoice_ground(database, migrated, factories)
    turned = replace(made, payer=made.payee, payee=made.payer)
    turned.keep()
    return Ground(made, turned)


def _claims(sums: Sequence[int], payer: UUID) -> list[Claim]:
    return [Claim(uuid4(), str(number), payer, pence) for number, pence in enumerate(sums)]


def _left(ground: Ground, tenant: Tenant, *invoice_ids: UUID) -> list[int]:
    with ground.theirs.database.transaction(tenant.scope) as session:
        found = outstanding(session, invoice_ids)
    return [found[each] for each in invoice_ids]


class TestSetOff:
    @given(SUMS, SUMS)
    def test_settles_the_same_on_both_sides_and_one_side_wholly_oldest_first(
        self, ours: list[int], theirs: list[int]
    ) -> None:
        one, two = uuid4(), uuid4()
        to_us, by_us = _claims(ours, two), _claims(theirs, one)

        legs = set_off(to_us, by_us)

        least = min(sum(ours), sum(theirs))
        for claims, payer in ((to_us, two), (by_us, one)):
            parts = [each for each in legs if each.payer_agency_id == payer]
            assert sum(each.pence for each in parts) == least
            assert [each.invoice_id for each in parts] == [each.invoice_id for each in claims[: len(parts)]]
            assert [each.pence for each in parts[:-1]] == [each.pence for each in claims[: len(parts)]][:-1]
            assert all(each.pence > 0 for each in parts)


class TestListSetOffs:
    def test_tells_each_side_the_same_turned_and_nobody_else_anything(self, ground: Ground) -> None:
        ground.theirs.issue(900)
        disputed = ground.theirs.issue(50)
        ground.ours.issue(300)
        database = ground.theirs.database
        with database.transaction(ground.two.scope) as session:
            open_dispute(session, get_invoice(session, disputed), words="A sample", now=NOW)

        told = {}
        for tenant in (ground.one, ground.two, ground.theirs.stranger):
            with database.transaction(tenant.scope) as session:
                told[tenant.id] = list_set_offs(session, until_on=TODAY, on=TODAY)
                assert list_set_offs(session, until_on=TODAY - timedelta(days=1), on=TODAY) == []

        (one,), (two,) = told[ground.one.id], told[ground.two.id]
        assert (one.to_us, one.by_us, one.pence, one.left) == (900, 300, 300, 600)
        assert (two.to_us, two.by_us, two.pence, two.left) == (300, 900, 300, -600)
        assert set(one.legs) == set(two.legs)
        assert told[ground.theirs.stranger.id] == []
        worker = replace(ground.one, scope=ground.one.acting_as(Role.FAMILY_FINDER))
        with database.transaction(worker.scope) as session, pytest.raises(NotAllowed):
            list_set_offs(session, until_on=TODAY, on=TODAY)


class TestConfirmNetting:
    def test_posts_both_books_and_keeps_what_each_is_owed_on_the_whole(self, ground: Ground) -> None:
        first, second = ground.theirs.issue(500), ground.theirs.issue(400)
        back = ground.ours.issue(700)
        database, netting_id = ground.theirs.database, ground.propose()

        for tenant in (ground.one, ground.theirs.colleague):
            with pytest.raises(NettingWaits):
                ground.confirm(tenant, netting_id)
        with database.transaction(ground.two.scope) as session:
            assert count_to_confirm(session) == 1
        ground.confirm(ground.two, netting_id)

        for tenant, net in ((ground.one, 200), (ground.two, -200)):
            assert _left(ground, tenant, first, second, back) == [0, 200, 0]
            with database.transaction(tenant.scope) as session:
                assert balance(session, Account.RECEIVABLE) + balance(session, Account.PAYABLE) == net
                assert balance(session, Account.NETTING) == balance(session, Account.CASH) == 0
                assert count_to_confirm(session) == 0
        with pytest.raises(NettingWaits):
            ground.confirm(ground.two, netting_id)
        with database.transaction(ground.one.scope) as session, pytest.raises(NettingInvalid):
            propose_netting(session, ground.two.id, until_on=TODAY, now=NOW)

    def test_refuses_what_was_paid_since_and_posts_nothing(self, ground: Ground) -> None:
        paid, back = ground.theirs.issue(500), ground.ours.issue(700)
        database, netting_id = ground.theirs.database, ground.propose()
        consortium_id = ground.one.scope.consortium_id
        assert consortium_id is not None
        with database.transaction(ground.one.scope) as session:
            post(
                session,
                consortium_id=consortium_id,
                payer_agency_id=ground.two.id,
                payee_agency_id=ground.one.id,
                kind=TransactionKind.PAID,
                key="sample/paid",
                dated_on=TODAY,
                entries=mirrored(TransactionKind.PAID, 1, ground.two.id, ground.one.id),
                narrative="A sample",
                now=NOW,
                invoice_id=paid,
            )

        with pytest.raises(NettingStale):
            ground.confirm(ground.two, netting_id)

        assert _left(ground, ground.two, paid, back) == [499, 700]


class TestDeclineNetting:
    def test_lets_either_side_end_it_and_propose_anew(self, ground: Ground) -> None:
        database = ground.theirs.database
        owed, back = ground.theirs.issue(500), ground.ours.issue(700)
        for tenant in (ground.one, ground.two):
            netting_id = ground.propose()
            with database.transaction(ground.two.scope) as session, pytest.raises(NettingWaits):
                propose_netting(session, ground.one.id, until_on=TODAY, now=NOW)
            with database.transaction(tenant.scope) as session:
                decline_netting(session, get_netting(session, netting_id), reason="Not now", now=NOW)
            with database.transaction(tenant.scope) as session, pytest.raises(NettingWaits):
                decline_netting(session, get_netting(session, netting_id), reason="Again", now=NOW)
            with pytest.raises(NettingWaits):
                ground.confirm(ground.two, netting_id)

        assert _left(ground, ground.one, owed, back) == [500, 700]
        for tenant, count in ((ground.one, 2), (ground.two, 2), (ground.theirs.stranger, 0)):
            with database.transaction(tenant.scope) as session:
                found: list[Netting] = list_nettings(session)
                assert len(found) == count
        with database.transaction(ground.theirs.stranger.scope) as session, pytest.raises(NettingUnknown):
            get_netting(session, netting_id)
        with database.transaction(ground.one.scope) as session, pytest.raises(NettingInvalid):
            propose_netting(session, ground.two.id, until_on=TODAY + timedelta(days=1), now=NOW)
