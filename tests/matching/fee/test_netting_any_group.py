"""Whatever agencies owe one another, what was netted leaves each with its net, in every book, and tells nobody more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from matching.fee.invoice.dispute import open_dispute
from matching.fee.invoice.invoice import get_invoice
from matching.fee.ledger import Account, TransactionKind, balance, mirrored, outstanding, post
from matching.fee.netting import (
    Netting,
    NettingInvalid,
    NettingWaits,
    confirm_netting,
    count_to_confirm,
    get_netting,
    own_part,
    propose_group_netting,
)
from matching.swap.group import SwapGroup
from tenants.consortium import ConsortiumMember
from tenants.database import Database
from tenants.scope import NOBODY, OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.netting_ground import NettingGround, make_netting_ground

AGENCIES = 6
WHOLE = 9
PAIRS = tuple(
    (payer, payee) for payer, payee in permutations(range(AGENCIES), 2) if (payer - payee) % AGENCIES in {1, 2, 5}
)
"""Who may owe whom: there are circles of any length among them, and pairs that owe each other."""
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Case:
    """Among how many, what is left of which invoice, which are in dispute, who leaves, and who asks for it again."""

    size: int
    left: dict[Pair, int]
    disputed: frozenset[Pair]
    leaver: int | None
    twice: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw one: most owe little or nothing, so that circles and exact opposites come about."""
    size = draw(st.integers(2, AGENCIES))
    pairs = [pair for pair in PAIRS if max(pair) < size]
    left = {pair: draw(st.sampled_from((0, 0, 1, 2, 3, WHOLE))) for pair in pairs}
    disputed = draw(st.frozensets(st.sampled_from(pairs), max_size=2))
    leaver = draw(st.none() | st.integers(0, size - 1))
    return Case(size, left, disputed, leaver, draw(st.booleans()))


@dataclass(frozen=True, slots=True)
class World:
    """Six agencies, and an invoice for each pair of them."""

    ground: NettingGround
    invoices: dict[Pair, UUID]

    @contextmanager
    def undone(self) -> Iterator[Session]:
        """Try something in one transaction, and take it back."""
        with self.ground.database.transaction(NOBODY) as session:
            yield session
            session.rollback()

    @contextmanager
    def acting(self, session: Session, tenant: Tenant) -> Iterator[None]:
        """Go on as one of them, who has read nothing yet."""
        with self.ground.database.acting(session, tenant.scope):
            session.expire_all()
            yield

    def propose(self, session: Session, size: int) -> UUID | None:
        """Let the office draw up what can be among the first of them, if anything."""
        without = [each.id for each in self.ground.members[size:]]
        with self.acting(session, self.ground.coordinator):
            group = session.get_one(SwapGroup, self.ground.swap_group_id)
            try:
                return propose_group_netting(session, group, until_on=TODAY, now=NOW, without=without).id
            except NettingInvalid:
                return None


@pytest.fixture(scope="module")
def world(database: Database, migrated: DatabaseUrls, factories: Factories) -> World:
    """Return it, with every invoice wholly owed."""
    ground = make_netting_ground(database, migrated, factories, members=AGENCIES)
    return World(ground, {pair: ground.issue(*pair, WHOLE) for pair in PAIRS})


class TestConfirmNetting:
    @settings(max_examples=8, deadline=None)
    @given(case=cases())
    def test_leaves_each_its_net_in_few_payments_and_tells_nobody_of_others(self, world: World, case: Case) -> None:
        with world.undone() as session:
            _pay_and_dispute(world, session, case)
            netting_id = world.propose(session, case.size)
            if case.twice and netting_id:
                again = world.propose(session, case.size)
                assert again is None or not _claims(world, session, netting_id) & _claims(world, session, again)
            if case.leaver is not None and netting_id:
                netting_id = _leave(world, session, case, netting_id, case.leaver)
            if netting_id:
                _confirm_and_look(world, session, netting_id)
                session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def _pay_and_dispute(world: World, session: Session, case: Case) -> None:
    members = world.ground.members
    for place, payee in enumerate(members):
        with world.acting(session, payee):
            for (payer, other), left in case.left.items():
                if other == place and left < WHOLE:
                    _pay(session, members[payer], payee, world.invoices[payer, other], WHOLE - left)
    for payer, payee_ in case.disputed:
        with world.acting(session, members[payer]):
            open_dispute(session, get_invoice(session, world.invoices[payer, payee_]), words="A sample", now=NOW)


def _pay(session: Session, payer: Tenant, payee: Tenant, invoice_id: UUID, pence: int) -> None:
    assert payee.scope.consortium_id is not None
    post(
        session,
        consortium_id=payee.scope.consortium_id,
        payer_agency_id=payer.id,
        payee_agency_id=payee.id,
        kind=TransactionKind.PAID,
        key=f"sample/{invoice_id}",
        dated_on=TODAY,
        entries=mirrored(TransactionKind.PAID, pence, payer.id, payee.id),
        narrative="A sample",
        now=NOW,
        invoice_id=invoice_id,
    )


def _leave(world: World, session: Session, case: Case, netting_id: UUID, leaver: int) -> UUID | None:
    """Let one leave: where it was in the netting, that is over, and another is drawn up without it."""
    gone, parties = world.ground.members[leaver], _parties(world, session, netting_id)
    with world.ground.database.acting(session, OPERATOR):
        session.execute(update(ConsortiumMember).where(ConsortiumMember.agency_id == gone.id).values(left_on=TODAY))
    if gone.id not in {each.id for each in parties}:
        return netting_id
    for each in parties:
        with world.acting(session, each):
            netting = get_netting(session, netting_id)
            assert netting.is_over(TODAY)
            assert not netting.is_over(TODAY - timedelta(days=1))
            assert count_to_confirm(session, on=TODAY) == 0 or case.twice
            with pytest.raises(NettingWaits, match="has left"):
                confirm_netting(session, netting, now=NOW)
    anew = world.propose(session, case.size)
    assert anew is None or gone.id not in {each.id for each in _parties(world, session, anew)}
    return anew


def _confirm_and_look(world: World, session: Session, netting_id: UUID) -> None:
    parties = _parties(world, session, netting_id)
    nets, claims = {}, _claims(world, session, netting_id)
    for place, each in enumerate(parties):
        with world.acting(session, each):
            netting = get_netting(session, netting_id)
            part = own_part(session, netting)
            assert all(each.id in {it.payer_agency_id, it.payee_agency_id} for it in part.claims)
            nets[each.id] = sum(it.pence if it.payee_agency_id == each.id else -it.pence for it in part.claims)
            assert confirm_netting(session, netting, now=NOW) is (place == len(parties) - 1)
    legs, left = set(), dict(nets)
    for each in parties:
        with world.acting(session, each):
            part = own_part(session, session.get_one(Netting, netting_id))
            assert balance(session, Account.NETTING) == 0
            assert not any(outstanding(session, [it.invoice_id for it in part.claims]).values())
            for it in part.legs:
                assert each.id in {it.leg.payer_agency_id, it.leg.payee_agency_id}
                assert (it.owed, it.posted_on) == (it.leg.pence, TODAY)
                legs.add((it.leg.payer_agency_id, it.leg.payee_agency_id, it.leg.pence))
            seen = session.scalars(
                text("SELECT invoice_id FROM netting_claim WHERE netting_id = :id"), {"id": netting_id}
            )
            assert set(seen) == {it.invoice_id for it in part.claims} <= claims
    for payer, payee, pence in legs:
        left[payer] += pence
        left[payee] -= pence
    assert not any(left.values())
    assert len(legs) <= len(parties) - 1


def _parties(world: World, session: Session, netting_id: UUID) -> list[Tenant]:
    with world.acting(session, world.ground.coordinator):
        found = set(get_netting(session, netting_id).agency_ids)
    return [each for each in world.ground.members if each.id in found]


def _claims(world: World, session: Session, netting_id: UUID) -> set[UUID]:
    found = set()
    for each in _parties(world, session, netting_id):
        with world.acting(session, each):
            found |= {it.invoice_id for it in own_part(session, get_netting(session, netting_id)).claims}
    return found
