"""Handing over: what is open goes on with the successor, once, and what is past stays where it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import func, select

from matching.fee.event import FeeEventKind
from matching.fee.ledger import MIRRORED, Account, Posting, TransactionKind, mirrored, outstanding, post
from matching.fee.settlement import settle
from matching.fee.transfer import HandingOver, transfer_balances
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.matching.fee.handed_over import write_hand_over
from tests.matching.fee.ledger.agreed import Agreed, agree, noon

SIGNED, PLACED = date(2024, 1, 10), date(2024, 2, 29)


def _book(database: Database, tenant: Tenant, other: Tenant) -> dict[Account, int]:
    total = func.sum(Posting.pence)
    with database.transaction(tenant.scope) as session:
        query = select(Posting.account, total).where(Posting.other_agency_id == other.id)
        return {account: int(pence) for account, pence in session.execute(query.group_by(Posting.account)) if pence}


def _started(admin: psycopg.Connection[Any], database: Database, pair: tuple[Tenant, Tenant]) -> Agreed:
    made = agree(admin, database, pair)
    made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
    made.tell(FeeEventKind.PLACED, PLACED)
    made.settle(PLACED)
    return made


def _move(
    admin: psycopg.Connection[Any], database: Database, made: list[Agreed], *, receiver: Tenant, whole: bool
) -> int:
    giver = made[0].payee
    for each in made:
        admin.execute("UPDATE fee_agreement SET payee_agency_id = %s WHERE id = %s", (receiver.id, each.id))
    plan = HandingOver(uuid4(), giver.id, receiver.id, whole)
    write_hand_over(admin, plan)
    with database.transaction(receiver.scope) as session:
        counts = [transfer_balances(session, plan, acting=database.acting, now=NOW) for _ in range(2)]
    assert counts[1] == 0
    return counts[0]


class TestTransferBalances:
    def test_lets_the_successor_go_on_where_the_giver_stopped(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories
    ) -> None:
        payer, giver = factories.two_tenants()
        receiver = factories.tenant(payer.scope.consortium_id or uuid4())
        made = _started(admin, database, (payer, giver))
        invoice_id = made.invoice("due/1", 1_800_000, PLACED)

        _move(admin, database, [made], receiver=receiver, whole=True)
        with database.transaction(receiver.scope) as session:
            owed = outstanding(session, [invoice_id])
            again = [settle(session, made.id, on=PLACED, now=noon(PLACED))]
            again.append(settle(session, made.id, on=date(2025, 3, 1), now=noon(date(2025, 3, 1))))
        left, came = _book(database, giver, payer), _book(database, receiver, payer)

        assert (owed, again) == ({invoice_id: 1_800_000}, [0, 1])
        assert left == {Account.FEE_INCOME: -1_800_000, Account.TRANSFERRED: 1_800_000}
        assert came == {
            Account.RECEIVABLE: 1_800_000,
            Account.TO_INVOICE: 900_000,
            Account.FEE_INCOME: -900_000,
            Account.TRANSFERRED: -1_800_000,
        }
        assert _book(database, payer, receiver) == {MIRRORED[account]: -pence for account, pence in came.items()}

    def test_takes_what_moved_alone_where_part_is_handed_over(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories
    ) -> None:
        payer, giver = factories.two_tenants()
        receiver = factories.tenant(payer.scope.consortium_id or uuid4())
        moved, kept = (_started(admin, database, (payer, giver)) for _ in range(2))
        partly_paid = _started(admin, database, (payer, giver))
        invoice_id = partly_paid.invoice("due/1", 1_800_000, PLACED)
        with database.transaction(giver.scope) as session:
            post(
                session,
                consortium_id=payer.scope.consortium_id or uuid4(),
                payer_agency_id=payer.id,
                payee_agency_id=giver.id,
                kind=TransactionKind.PAID,
                key="paid",
                dated_on=PLACED,
                entries=mirrored(TransactionKind.PAID, 1_000_000, payer.id, giver.id),
                narrative="A payment",
                now=NOW,
                invoice_id=invoice_id,
            )

        _move(admin, database, [moved, partly_paid], receiver=receiver, whole=False)

        assert _book(database, receiver, payer)[Account.RECEIVABLE] == 800_000
        assert _book(database, giver, payer)[Account.TO_INVOICE] == 1_800_000
        assert _book(database, receiver, payer)[Account.TO_INVOICE] == 1_800_000
        assert kept.balances()[Account.TO_INVOICE] == 1_800_000

    def test_takes_what_is_open_in_each_consortium(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories
    ) -> None:
        payer, giver = factories.two_tenants()
        second = factories.consortium()
        receiver = factories.tenant(second)
        for consortium_id, tenants in ((second, (payer, giver)), (payer.scope.consortium_id, (receiver,))):
            for tenant in tenants:
                admin.execute(
                    "INSERT INTO consortium_member (consortium_id, agency_id, joined_on) VALUES (%s, %s, '2020-01-01')",
                    (consortium_id, tenant.id),
                )
        for consortium_id, pence in ((payer.scope.consortium_id, 100), (second, 30)):
            assert consortium_id
            with database.transaction(replace(giver.scope, consortium_id=consortium_id)) as session:
                post(
                    session,
                    consortium_id=consortium_id,
                    payer_agency_id=payer.id,
                    payee_agency_id=giver.id,
                    kind=TransactionKind.OVERPAID,
                    key=f"over/{consortium_id}",
                    dated_on=PLACED,
                    entries=mirrored(TransactionKind.OVERPAID, pence, payer.id, giver.id),
                    narrative="Too much",
                    now=NOW,
                )
        plan = HandingOver(uuid4(), giver.id, receiver.id, True)
        with database.transaction(receiver.scope) as session:
            assert transfer_balances(session, plan, acting=database.acting, now=NOW) == 2

        assert _book(database, receiver, payer) == {Account.HELD_AHEAD: -130, Account.TRANSFERRED: 130}
        assert Account.HELD_AHEAD not in _book(database, giver, payer)

    def test_ends_what_the_two_owed_one_another(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories
    ) -> None:
        payer, giver = factories.two_tenants()
        _started(admin, database, (payer, giver))
        plan = HandingOver(uuid4(), giver.id, payer.id, True)
        with database.transaction(payer.scope) as session:
            assert transfer_balances(session, plan, acting=database.acting, now=NOW) > 0

        assert _book(database, giver, payer) == {Account.FEE_INCOME: -1_800_000, Account.TRANSFERRED: 1_800_000}
        assert _book(database, payer, giver) == {Account.FEE_COST: 1_800_000, Account.TRANSFERRED: -1_800_000}
