"""Any course of an agreement, with clocks that jump, events told twice and settlings that are undone half way.

A longer run: ``CONCORD_FEE_RUNS=500 .venv/bin/python -m pytest -n 0 tests/matching/fee/ledger/test_machine.py``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, ClassVar

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from matching.fee.event import FeeEventKind
from matching.fee.ledger import MIRRORED, Account, TransactionKind, list_to_invoice, mirrored
from matching.fee.settlement import settle
from tenants.database import Database
from tests.factories import Tenant
from tests.matching.fee.ledger.agreed import Agreed, agree, noon

RUNS = int(os.environ.get("CONCORD_FEE_RUNS", "4"))
PARTS = st.lists(
    st.one_of(
        st.tuples(st.just("placement"), st.none(), st.integers(1, 5_000_000)),
        st.tuples(st.just("order"), st.none(), st.integers(1, 5_000_000)),
        st.tuples(st.sampled_from(["months", "order_or_months"]), st.integers(1, 24), st.integers(1, 5_000_000)),
    ),
    min_size=1,
    max_size=4,
)
# Where months go wrong: their ends, and 29 February.
STARTS = st.sampled_from(
    [date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 28), date(2024, 2, 29), date(2024, 8, 31)]
)
END = date(2040, 1, 1)


class Killed(Exception):
    """The settling is stopped before it is kept."""


class Course(RuleBasedStateMachine):
    """One agreement from its signing on."""

    ground: ClassVar[tuple[psycopg.Connection[Any], Database, tuple[Tenant, Tenant]]]

    @initialize(
        parts=PARTS,
        start=STARTS,
        continuing=st.none() | st.tuples(st.integers(1, 100_000), st.integers(1, 14)),
        disruption=st.sampled_from(["fall_away", "stand"]),
    )
    def begin(
        self, parts: list[tuple[str, int | None, int]], start: date, continuing: tuple[int, int] | None, disruption: str
    ) -> None:
        admin, database, pair = self.ground
        self.agreed: Agreed = agree(admin, database, pair, parts=parts, continuing=continuing, disruption=disruption)
        self.total, self.today, self.told = sum(pence for *_, pence in parts), start, set[FeeEventKind]()
        self.agreed.tell(FeeEventKind.AGREEMENT_SIGNED, start)

    @rule(days=st.sampled_from([0, 1, 27, 28, 29, 30, 31, 365, 366]))
    def pass_time(self, days: int) -> None:
        self.today = min(END, self.today + timedelta(days=days))

    @precondition(lambda self: FeeEventKind.PLACED not in self.told)
    @rule(late=st.integers(0, 40))
    def place(self, late: int) -> None:
        self._tell(FeeEventKind.PLACED, self.today)
        self.today += timedelta(days=late)

    @precondition(lambda self: FeeEventKind.PLACED in self.told)
    @rule(kind=st.sampled_from([FeeEventKind.ORDERED, FeeEventKind.DISRUPTED]))
    def end(self, kind: FeeEventKind) -> None:
        if not self.told & {FeeEventKind.ORDERED, FeeEventKind.DISRUPTED}:
            self._tell(kind, self.today)

    @rule()
    def waive(self) -> None:
        if FeeEventKind.WAIVER not in self.told:
            self.settle()
            kept = sorted(self._invoiced())
            for _ in range(2):
                self.agreed.waive(self.today, kept=kept)
            self.told.add(FeeEventKind.WAIVER)

    @rule(kind=st.sampled_from([FeeEventKind.LEG_FALLEN, FeeEventKind.LEG_UNBALANCED, FeeEventKind.LEG_CONFIRMED]))
    def tell_of_a_leg(self, kind: FeeEventKind) -> None:
        if kind not in self.told:
            self._tell(kind, self.today, rule="charged")

    @rule()
    def invoice(self) -> None:
        with self.agreed.database.transaction(self.agreed.payee.scope) as session:
            lines = list_to_invoice(session, agreement_id=self.agreed.id)
        for line in lines[:1]:
            assert line.pence > 0
            self.agreed.invoice(line.due_key, line.pence, self.today)

    @rule()
    def settle(self) -> None:
        self.agreed.settle(self.today)
        assert self.agreed.settle(self.today) == 0

    @rule()
    def kill_while_settling(self) -> None:
        before = self.agreed.posted()
        with suppress(Killed), self.agreed.database.transaction(self.agreed.payee.scope) as session:
            settle(session, self.agreed.id, on=self.today, now=noon(self.today))
            raise Killed
        assert self.agreed.posted() == before

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "agreed"):
            return
        payees, payers = self.agreed.balances(), self.agreed.balances(self.agreed.payer)
        assert sum(payees.values()) == sum(payers.values()) == 0
        assert {MIRRORED[account]: -pence for account, pence in payees.items()} == payers
        assert len(self.agreed.posted()) == len(set(self.agreed.posted()))
        # What is agreed and neither due, waived nor fallen away is never less than nothing nor more than the fee.
        assert 0 <= -payees.get(Account.AGREED_INCOME, 0) <= self.total

    def teardown(self) -> None:
        if not hasattr(self, "agreed"):
            return
        self.agreed.settle(END)
        balances, told = self.agreed.balances(), self.told
        ended = told & {FeeEventKind.WAIVER, FeeEventKind.DISRUPTED}
        if FeeEventKind.PLACED in told and FeeEventKind.ORDERED in told and not ended:
            # All of the plan, and each month that passed without an order besides.
            months = [key for key in self.agreed.posted() if key.startswith("due/month-") and "/reversed" not in key]
            assert Account.AGREED_INCOME not in balances
            assert -balances[Account.FEE_INCOME] >= self.total
            assert bool(months) or -balances[Account.FEE_INCOME] == self.total

    def _tell(self, kind: FeeEventKind, on: date, **facts: Any) -> None:
        for _ in range(2):
            self.agreed.tell(kind, on, **facts)
        self.told.add(kind)

    def _invoiced(self) -> set[str]:
        with self.agreed.database.transaction(self.agreed.payee.scope) as session:
            waiting = {line.due_key for line in list_to_invoice(session, agreement_id=self.agreed.id)}
        return {key for key in self.agreed.posted() if key.startswith("due/") and "#" not in key} - waiting


def test_any_course_keeps_to_the_plan_and_balances(
    admin: psycopg.Connection[Any], database: Database, pair: tuple[Tenant, Tenant]
) -> None:
    Course.ground = (admin, database, pair)

    run_state_machine_as_test(
        Course,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_reversed_part_is_its_opposite(pair: tuple[Tenant, Tenant]) -> None:
    payer, payee = pair
    there = mirrored(TransactionKind.DUE, 5, payer.id, payee.id)
    back = mirrored(TransactionKind.DUE, -5, payer.id, payee.id)

    assert [(each.account, -each.pence) for each in there] == [(each.account, each.pence) for each in back]
