"""Months: closed with true totals, taken by no late posting, opened again by two people."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from matching.fee.event import FeeEventKind
from matching.fee.ledger import (
    Account,
    LedgerTransaction,
    Posting,
    TransactionKind,
    ask_to_reopen,
    close_month,
    count_to_close,
    get_period,
    kept_totals,
    list_periods,
    mirrored,
    open_months,
    post,
    reopen,
    reverse,
    totals_of,
    withdraw_reopening,
)
from matching.fee.ledger.period import (
    BeforeBook,
    EarlierOpen,
    LaterClosed,
    MonthClosed,
    MonthNotOver,
    NotAsked,
    PeriodUnknown,
)
from tenants.approval import SamePerson
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.matching.fee.ledger.agreed import agree

FEBRUARY, MARCH, APRIL = date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1)
Pair = tuple[Tenant, Tenant]


@pytest.fixture
def pair(factories: Factories) -> Pair:
    """Two whose months nobody else closes."""
    return factories.two_tenants()


def _pay(database: Database, pair: Pair, on: date, pence: int = 100) -> dict[str, date]:
    """Post a payment and return in which month it counts, in each book."""
    payer, payee = pair
    assert payer.scope.consortium_id is not None
    with database.transaction(payee.scope) as session:
        made = post(
            session,
            consortium_id=payer.scope.consortium_id,
            payer_agency_id=payer.id,
            payee_agency_id=payee.id,
            kind=TransactionKind.PAID,
            key=f"{on}/{datetime.now(UTC)}",
            dated_on=on,
            entries=mirrored(TransactionKind.PAID, pence, payer.id, payee.id),
            narrative="A payment",
            now=NOW,
        )
    found = {"day": made.dated_on}
    for side, tenant in (("payer", payer), ("payee", payee)):
        with database.transaction(tenant.scope) as session:
            found[side] = {row.period_on for row in session.query(Posting).filter_by(transaction_id=made.id)}.pop()
    return found


def _close(database: Database, tenant: Tenant, month: date) -> None:
    with database.transaction(tenant.scope) as session:
        close_month(session, month, now=NOW)


class TestCloseMonth:
    def test_keeps_true_totals_and_takes_no_late_posting_in_that_book_alone(
        self, database: Database, pair: Pair
    ) -> None:
        payer, payee = pair
        _pay(database, pair, FEBRUARY)
        _pay(database, pair, MARCH, 30)
        _close(database, payee, FEBRUARY)
        _close(database, payee, MARCH)

        late = _pay(database, pair, date(2024, 2, 29))
        with database.transaction(payee.scope) as session:
            kept = {each.account: each for each in kept_totals(list_periods(session)[0])}
            still = totals_of(session, MARCH) == list(kept.values())
            left = open_months(session), count_to_close(session, NOW)
        with database.transaction(payer.scope) as session:
            others = list_periods(session)

        assert late == {"day": date(2024, 2, 29), "payer": FEBRUARY, "payee": APRIL}
        cash = kept[Account.CASH]
        assert (cash.brought, cash.debits, cash.credits, cash.carried, cash.postings) == (100, 30, 0, 130, 1)
        assert (still, left, others) == (True, ([APRIL], 1), [])

    def test_closes_what_went_before_it_though_nothing_was_posted_there(self, database: Database, pair: Pair) -> None:
        _pay(database, pair, MARCH)
        _close(database, pair[1], MARCH)

        assert _pay(database, pair, FEBRUARY)["payee"] == APRIL

    def test_goes_in_order_once_and_when_the_month_is_over(self, database: Database, pair: Pair) -> None:
        payee = pair[1]
        with database.transaction(payee.scope) as session, pytest.raises(BeforeBook, match="no month to close"):
            close_month(session, FEBRUARY, now=NOW)
        _pay(database, pair, FEBRUARY)

        with database.transaction(payee.scope) as session:
            for month in (date(2024, 1, 1), date(1, 1, 1)):
                with pytest.raises(BeforeBook, match="begins in February 2024"):
                    close_month(session, month, now=NOW)
            with pytest.raises(EarlierOpen, match="February 2024"):
                close_month(session, MARCH, now=NOW)
            with pytest.raises(MonthNotOver):
                close_month(session, NOW.date(), now=NOW)
            close_month(session, FEBRUARY, now=NOW)
            with pytest.raises(MonthClosed):
                close_month(session, FEBRUARY, now=NOW)

    def test_waits_for_who_is_posting_and_lets_posting_wait(self, database: Database, pair: Pair) -> None:
        payer, payee = pair
        assert payer.scope.consortium_id is not None
        done: list[str] = []

        def closing() -> None:
            _close(database, payee, FEBRUARY)
            done.append("closed")

        def posting() -> None:
            done.append(f"counts in {_pay(database, pair, FEBRUARY)['payee']}")

        with database.transaction(payee.scope) as session:
            facts: dict[str, Any] = {"kind": TransactionKind.PAID, "key": "first", "narrative": "First", "now": NOW}
            entries = mirrored(TransactionKind.PAID, 7, payer.id, payee.id)
            facts |= {
                "payer_agency_id": payer.id,
                "payee_agency_id": payee.id,
                "consortium_id": payer.scope.consortium_id,
            }
            post(session, dated_on=FEBRUARY, entries=entries, **facts)
            closer = threading.Thread(target=closing)
            closer.start()
            closer.join(timeout=0.4)
            poster = threading.Thread(target=posting)
            poster.start()
            poster.join(timeout=0.4)
            waiting = list(done)
        closer.join()
        poster.join()
        with database.transaction(payee.scope) as session:
            kept = {each.account: each.debits for each in kept_totals(list_periods(session)[0])}

        assert waiting == []
        assert sorted(done) == ["closed", f"counts in {MARCH}"]
        assert kept[Account.CASH] == 7

    def test_is_settled_around_by_what_comes_late(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        made = agree(admin, database, pair)
        _pay(database, pair, FEBRUARY)
        _close(database, pair[1], FEBRUARY)
        made.tell(FeeEventKind.AGREEMENT_SIGNED, date(2024, 2, 10))
        made.tell(FeeEventKind.PLACED, date(2024, 2, 29))
        posted = made.settle(date(2024, 3, 5))

        with database.transaction(pair[1].scope) as session:
            counted = {row.period_on for row in session.query(Posting).filter_by(agreement_id=made.id)}
        assert (posted, counted) == (2, {MARCH})


class TestReopen:
    def test_takes_two_people_a_reason_and_the_last_month(
        self, database: Database, factories: Factories, pair: Pair
    ) -> None:
        payee = pair[1]
        second = factories.colleague(payee, roles=payee.scope.roles)
        _pay(database, pair, FEBRUARY)
        _pay(database, pair, MARCH)
        _close(database, payee, FEBRUARY)
        _close(database, payee, MARCH)
        with database.transaction(payee.scope) as session:
            march, february = list_periods(session)
            with pytest.raises(LaterClosed):
                ask_to_reopen(session, february, reason="Too early", now=NOW)
            with pytest.raises(MonthClosed):
                reopen(session, march, now=NOW)
            with pytest.raises(MonthClosed, match="Nobody has asked"):
                withdraw_reopening(session, march, now=NOW)
            ask_to_reopen(session, march, reason="The wrong month", now=NOW)
        with database.transaction(second.scope) as session, pytest.raises(NotAsked, match="takes it back"):
            withdraw_reopening(session, get_period(session, march.id), now=NOW)
        with database.transaction(payee.scope) as session:
            march = get_period(session, march.id)
            withdraw_reopening(session, march, now=NOW)
            with pytest.raises(MonthClosed, match="Nobody has asked"):
                reopen(session, march, now=NOW)
            ask_to_reopen(session, march, reason="A bank line was missing", now=NOW)
            with pytest.raises(SamePerson):
                reopen(session, march, now=NOW)
        with database.transaction(second.scope) as session:
            reopen(session, get_period(session, march.id), now=NOW)
        late = _pay(database, pair, MARCH)
        with database.transaction(payee.scope) as session:
            with pytest.raises(MonthClosed):
                reopen(session, get_period(session, march.id), now=NOW)
            close_month(session, MARCH, now=NOW)
            times = [(each.month, each.reopened_name) for each in list_periods(session)]

        assert late["payee"] == MARCH
        assert sorted(times, key=str) == sorted(
            [(FEBRUARY, None), (MARCH, None), (MARCH, f"Kit Sample {second.subject}")], key=str
        )

    def test_counts_no_reversal_before_what_it_takes_back(
        self, database: Database, factories: Factories, pair: Pair
    ) -> None:
        payee = pair[1]
        second = factories.colleague(payee, roles=payee.scope.roles)
        _pay(database, pair, FEBRUARY)
        _close(database, payee, FEBRUARY)
        late = _pay(database, pair, date(2024, 2, 29))
        with database.transaction(payee.scope) as session:
            ask_to_reopen(session, list_periods(session)[0], reason="A bank line was missing", now=NOW)
        with database.transaction(second.scope) as session:
            reopen(session, list_periods(session)[0], now=NOW)
        with database.transaction(payee.scope) as session:
            paid = session.query(LedgerTransaction).filter_by(dated_on=late["day"]).one()
            back = reverse(session, paid, reason="Of somebody else", now=NOW, dated_on=paid.dated_on)
            counted = {row.period_on for row in session.query(Posting).filter_by(transaction_id=back.id)}

        assert (back.dated_on, late["payee"], counted) == (date(2024, 2, 29), MARCH, {MARCH})

    def test_of_another_agency_is_unknown(self, database: Database, pair: Pair) -> None:
        payer, payee = pair
        _pay(database, pair, FEBRUARY)
        _close(database, payee, FEBRUARY)
        with database.transaction(payee.scope) as session:
            period_id = list_periods(session)[0].id

        with database.transaction(payer.scope) as session, pytest.raises(PeriodUnknown):
            get_period(session, period_id)
