"""Any course of an agreement: told in any order and late, departed from, invoiced, credited, closed over and killed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.at_stake import kept_by_waiver
from matching.fee.event import FeeEventKind, events_of
from matching.fee.exception import spread
from matching.fee.ledger import MIRRORED, TransactionKind, close_month, list_to_invoice, open_months
from matching.fee.obligation import Expected, Told, expected
from matching.fee.settlement import invoiced_of, plan_of, settle
from matching.working_day import add_months
from tenants.database import Database
from tests.factories import Tenant
from tests.matching.fee.ledger.agreed import agree, noon
from tests.matching.fee.ledger.swapped import make_swap

Pair = tuple[Tenant, Tenant]
Postings = dict[tuple[str, date], int]
PENCE = st.integers(1, 5_000_000)
PARTS = st.lists(
    st.one_of(
        st.tuples(st.just("placement"), st.none(), PENCE),
        st.tuples(st.just("order"), st.none(), PENCE),
        st.tuples(st.sampled_from(["months", "order_or_months"]), st.integers(1, 24), PENCE),
    ),
    min_size=1,
    max_size=4,
)
# Where months go wrong: their ends, and 29 February.
STARTS = st.sampled_from(
    [date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 28), date(2024, 2, 29), date(2024, 8, 31)]
)
END = date(2040, 1, 1)
AT_ONCE = st.sampled_from([True, True, False])
"""Whether a worker settles it before anything else happens."""
LATE = st.sampled_from([0, 0, 1, 28, 29, 31, 40, 100])
"""How many days after it happened something is told."""
_MIRROR = {payees.value: payers.value for payees, payers in MIRRORED.items()}
_POSTED = """
    SELECT agency_id, account, period_on, sum(pence)::bigint FROM posting WHERE agreement_id = %s GROUP BY 1, 2, 3
"""
_STANDING = """
    SELECT split_part(substr(t.key, strpos(t.key, '/') + 1), '#', 1), t.pence FROM ledger_transaction t
    WHERE t.agreement_id = %s AND t.kind IN ('agreed', 'due', 'waived', 'revived', 'fallen_away', 'refunded')
        AND NOT EXISTS (SELECT FROM ledger_transaction r WHERE r.reverses_id = t.id)
"""
_KEYS = """
    SELECT count(*) - count(DISTINCT key) FROM ledger_transaction WHERE agreement_id = %(id)s
    UNION ALL SELECT count(*) - count(DISTINCT key) FROM fee_event WHERE agreement_id = %(id)s
"""
_CLOSED = "SELECT month, totals FROM fee_period WHERE agency_id = %s"


class Killed(Exception):
    """The settling is stopped before it is kept."""


class Course(RuleBasedStateMachine):
    """One agreement of two agencies that have no other."""

    ground: ClassVar[tuple[psycopg.Connection[Any], Database, Callable[[], Pair]]]

    @initialize(
        parts=PARTS,
        start=STARTS,
        continuing=st.none() | st.tuples(st.integers(1, 100_000), st.integers(1, 14)),
        disruption=st.sampled_from(["fall_away", "stand"]),
        swap=st.sampled_from([False, False, True]),
        first=st.sampled_from([(FeeEventKind.AGREEMENT_SIGNED,), (FeeEventKind.PLACED,), ()]),
    )
    def begin(
        self,
        parts: list[tuple[str, int | None, int]],
        start: date,
        continuing: tuple[int, int] | None,
        disruption: str,
        swap: bool,
        first: tuple[FeeEventKind, ...],
    ) -> None:
        admin, database, make_pair = self.ground
        made = agree(admin, database, make_pair(), parts=parts, continuing=continuing, disruption=disruption)
        self.agreed = make_swap(admin, made) if swap else made
        self.most = self.total = sum(pence for *_, pence in parts)
        self.swap, self.today, self.ticks = swap, start, 0
        self.told = dict[FeeEventKind, date]()
        self.departed = self.given_up = False
        for kind in first:
            self._tell(kind, start)

    # ── what happens, and is told at once or late ──

    @rule(days=st.sampled_from([0, 1, 27, 28, 29, 30, 31, 365, 366]))
    def pass_time(self, days: int) -> None:
        self.today = min(END, self.today + timedelta(days=days))

    @precondition(lambda self: self._to_tell())
    @rule(which=st.integers(0, 5), late=LATE, follows=st.sampled_from(["charged", "stays_waived"]), at_once=AT_ONCE)
    def tell(self, which: int, late: int, follows: str, at_once: bool) -> None:
        kinds = self._to_tell()
        kind = kinds[which % len(kinds)]
        since = [self.told.get(each, date.min) for each in (FeeEventKind.PLACED, FeeEventKind.ORDERED)]
        on = self.today if kind is FeeEventKind.AGREEMENT_SIGNED else max(*since, self.today - timedelta(days=late))
        self._tell(kind, on, **({"rule": follows} if kind is FeeEventKind.LEG_FALLEN else {}))
        if at_once:
            self.settle()

    def _to_tell(self) -> list[FeeEventKind]:
        placed, disrupted = FeeEventKind.PLACED in self.told, FeeEventKind.DISRUPTED in self.told
        may = {
            FeeEventKind.AGREEMENT_SIGNED: True,
            FeeEventKind.PLACED: True,
            # No order is made once a placement has disrupted.
            FeeEventKind.ORDERED: placed and not disrupted,
            FeeEventKind.DISRUPTED: placed,
            FeeEventKind.LEG_FALLEN: placed and self.swap,
            FeeEventKind.LEG_UNBALANCED: placed and self.swap,
        }
        return [kind for kind, can in may.items() if can and kind not in self.told]

    # ── what people do ──

    @rule(
        kind=st.sampled_from([FeeEventKind.WAIVER, FeeEventKind.OVERRIDE, FeeEventKind.ADDENDUM, FeeEventKind.REFUND]),
        pence=st.integers(1, 6_000_000),
        vat=st.booleans(),
        at_once=AT_ONCE,
    )
    def decide(self, kind: FeeEventKind, pence: int, vat: bool, at_once: bool) -> None:
        self._decide(kind, pence, vat=vat)
        if at_once:
            self.settle()

    def _decide(self, kind: FeeEventKind, pence: int, *, vat: bool) -> None:
        at, name = self._at(), f"{kind.value} {self.ticks}"
        if kind is FeeEventKind.REFUND:
            self.agreed.refund(self.today, pence=pence, vat_pence=vat * pence // 5, name=name, at=at)
            return
        with self._payees() as session:
            agreement = self._agreement(session)
            invoiced = invoiced_of(session, agreement)
            least = sum(invoiced.get(f"due/{part.position}", 0) for part in agreement.instalments)
            amounts = spread(max(pence, least), agreement, invoiced)
            kept = kept_by_waiver(session, agreement, on=self.today)
        if kind is FeeEventKind.WAIVER:
            for _ in range(2):
                self.agreed.waive(self.today, name=name, at=at, **kept)
            self.given_up = True
        elif kind is FeeEventKind.OVERRIDE:
            self.agreed.override(self.today, amounts=amounts, name=name, at=at)
            self.given_up = False
        else:
            self.agreed.tell(kind, self.today, key=f"addendum/{self.ticks}", at=at, amounts=amounts)
            self.given_up = False
        self.departed, self.most = True, max(self.most, sum(amounts.values()))

    @rule(which=st.integers(0, 3), part=st.sampled_from([1, 2, 3]), credit=st.booleans())
    def bill(self, which: int, part: int, credit: bool) -> None:
        self.settle()
        waiting = self._waiting()
        assert all(pence > 0 for pence in waiting.values())
        billed = {key: pence - waiting.get(key, 0) for key, pence in sorted(self._dues().items())}
        sums = {key: -(pence // part) for key, pence in billed.items() if pence // part} if credit else waiting
        if sums:
            key = sorted(sums)[which % len(sums)]
            self.agreed.invoice(key, sums[key], self.today)
            self.departed, self.given_up = self.departed or credit, self.given_up and not credit
            self.settle()

    @rule(payees=st.booleans())
    def close(self, payees: bool) -> None:
        tenant = self.agreed.payee if payees else self.agreed.payer
        with self.agreed.database.transaction(tenant.scope) as session:
            month = next(iter(open_months(session)), None)
            if month and self.today >= add_months(month, 1):
                close_month(session, month, now=self._at())

    # ── what a worker does ──

    @rule(killed=st.booleans())
    def run(self, killed: bool) -> None:
        before = self._postings()
        with suppress(Killed), self._payees() as session:
            settle(session, self.agreed.id, on=self.today, now=noon(self.today))
            if killed:
                raise Killed
        if killed:
            assert self._postings() == before
        else:
            self.settle()

    def settle(self) -> None:
        """Settle, and compare what stands with what should."""
        self.agreed.settle(self.today)
        assert self.agreed.settle(self.today) == 0
        with self._payees() as session:
            agreement = self._agreement(session)
            events = events_of(session, agreement.id)
            told = [Told(each.kind, each.key, each.happened_on, each.facts) for each in events]
            wanted = expected(plan_of(agreement), told, invoiced_of(session, agreement), self.today)
        assert dict(self._read(_STANDING)) == {each.key: each.pence for each in wanted}
        self._equals(wanted)

    # ── what holds ──

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "agreed"):
            return
        books = self._postings()
        payees, payers = (books[each.id] for each in (self.agreed.payee, self.agreed.payer))
        balances = _balances(payees)
        assert sum(balances.values()) == 0
        assert {_MIRROR[account]: -pence for account, pence in balances.items()} == _balances(payers)
        assert [count for (count,) in self._read(_KEYS, {"id": self.agreed.id})] == [0, 0]
        # What is agreed and not due is never less than nothing nor more than any fee was, at no month's end.
        for book, account, sign in ((payees, "agreed_income", -1), (payers, "agreed_cost", 1)):
            carried = _carried(book, account)
            assert all(0 <= sign * pence <= self.most for pence in carried.values()), carried
        for tenant, book in ((self.agreed.payee, payees), (self.agreed.payer, payers)):
            for month, totals in self._read(_CLOSED, (tenant.id,)):
                assert {account: total["carried"] for account, total in totals.items()} == _balances(book, until=month)

    def teardown(self) -> None:
        if not hasattr(self, "agreed"):
            return
        self.today = END
        self.settle()
        self.holds()
        balances, told = _balances(self._postings()[self.agreed.payee.id]), self.told.keys()
        if {FeeEventKind.PLACED, FeeEventKind.ORDERED, FeeEventKind.AGREEMENT_SIGNED} <= told and not (
            self.swap or self.departed or self._disrupted_before_the_order()
        ):
            # All of the plan, and each month that passed without an order besides.
            dues = self._dues()
            assert sum(pence for key, pence in dues.items() if "month" not in key) == self.total
            assert "agreed_income" not in balances

    # ── within ──

    def _equals(self, wanted: list[Expected]) -> None:
        """Compare the postings with what should stand, account by account."""
        sums: dict[str, int] = defaultdict(int)
        for each in wanted:
            if each.kind is TransactionKind.REFUNDED:
                sums["fee_income"] += each.pence - each.vat_pence
                sums["vat_out"] += each.vat_pence
                sums["cash"] -= each.pence
                continue
            ahead = each.kind in (TransactionKind.AGREED, TransactionKind.REVIVED)
            sums["agreed_income"] += -each.pence if ahead else each.foreseen * each.pence
            if each.kind is TransactionKind.DUE:
                sums["fee_income"] -= each.pence
        balances = _balances(self._postings()[self.agreed.payee.id])
        named = ("fee_income", "vat_out", "cash", "agreed_income")
        assert {name: balances.get(name, 0) for name in named} == {name: sums[name] for name in named}
        owed = balances.get("to_invoice", 0) + balances.get("receivable", 0)
        assert owed == sum(each.pence for each in wanted if each.kind is TransactionKind.DUE)
        if self.given_up:
            # What two people gave up stays so, whatever becomes of a swap and of a placement.
            assert (balances.get("to_invoice", 0), balances.get("agreed_income", 0)) == (0, 0)

    def _tell(self, kind: FeeEventKind, on: date, **facts: Any) -> None:
        for _ in range(2):
            self.agreed.tell(kind, on, at=self._at(), **facts)
        self.told[kind] = on

    def _at(self) -> datetime:
        self.ticks += 1
        return noon(self.today) + timedelta(seconds=self.ticks)

    def _waiting(self) -> dict[str, int]:
        """Return what is due and not invoiced, by due key."""
        with self._payees() as session:
            return {line.due_key: line.pence for line in list_to_invoice(session, agreement_id=self.agreed.id)}

    def _dues(self) -> dict[str, int]:
        return {key: pence for key, pence in self._read(_STANDING) if key.startswith("due/")}

    def _postings(self) -> dict[Any, Postings]:
        found: dict[Any, Postings] = defaultdict(dict)
        for agency_id, account, month, pence in self._read(_POSTED):
            found[agency_id][account, month] = pence
        return found

    def _read(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        return self.agreed.admin.execute(query, values or (self.agreed.id,)).fetchall()

    def _payees(self) -> Any:
        return self.agreed.database.transaction(self.agreed.payee.scope)

    def _agreement(self, session: Session) -> FeeAgreement:
        return session.get_one(FeeAgreement, self.agreed.id)

    def _disrupted_before_the_order(self) -> bool:
        return self.told.get(FeeEventKind.DISRUPTED, END) < self.told.get(FeeEventKind.ORDERED, END)


def _balances(book: Postings, *, until: date = END) -> dict[str, int]:
    """Return what each account comes to, leaving out what is nothing unless a month is asked for."""
    found: dict[str, int] = defaultdict(int)
    for (account, month), pence in book.items():
        if month <= until:
            found[account] += pence
    return {account: pence for account, pence in found.items() if pence or until < END}


def _carried(book: Postings, account: str) -> dict[date, int]:
    """Return what an account comes to at each month's end."""
    months = sorted({month for _, month in book})
    return {
        month: sum(pence for (each, when), pence in book.items() if each == account and when <= month)
        for month in months
    }
