"""Statements: the same for both sides, whatever was posted; agreed by two people; late news in the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from concord.servers.login import DatabaseUrls
from matching.fee.ledger import TransactionKind, reverse
from matching.fee.statement.aged_debt import Direction, list_debts
from matching.fee.statement.movement import Amounts, balances
from matching.fee.statement.statement import (
    Drawn,
    StatementInvalid,
    StatementUnknown,
    StatementWaits,
    agree_statement,
    compare_statement,
    count_to_agree,
    draw_statement,
    find_last,
    get_statement,
    lines_of,
    list_statements,
    make_statement,
    withdraw_statement,
)
from tenants.agency import get_agency
from tenants.approval import BothSides
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.statement.books import Books, Posted, make_books

SIDED = [
    each
    for each in TransactionKind
    if each not in {TransactionKind.REVERSAL, TransactionKind.TRANSFERRED, TransactionKind.OVERPAID}
]
POSTED = st.builds(
    Posted,
    kind=st.sampled_from(SIDED),
    pence=st.integers(1, 10**9),
    dated_on=st.integers(0, 60).map(lambda days: TODAY - timedelta(days=days)),
    turned=st.booleans(),
)


def _drawn(books: Books, tenant: Tenant, *, days: int = 0) -> Drawn:
    other = books.payee if tenant.id == books.payer.id else books.payer
    with books.database.transaction(tenant.scope) as session:
        return draw_statement(session, other.id, until_on=TODAY - timedelta(days=days), now=NOW)


class TestDrawStatement:
    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(posted=st.lists(POSTED, max_size=5), late=st.lists(POSTED, max_size=3))
    def test_closes_with_the_sum_of_postings_and_says_the_same_to_both(
        self, factories: Factories, database: Database, posted: list[Posted], late: list[Posted]
    ) -> None:
        books = make_books(factories, database)
        books.post(posted)
        with database.transaction(books.payer.scope) as session:
            first = make_statement(session, books.payee.id, until_on=TODAY - timedelta(days=30), now=NOW)
            held = [(line.transaction_id, line.amounts) for line in lines_of(session, first)]
            kept = first.sides
        with database.transaction(books.payee.scope) as session:
            first = get_statement(session, first.id)
            assert compare_statement(session, first) == []
            assert [(line.transaction_id, line.amounts) for line in lines_of(session, first)] == held
            agree_statement(session, first, now=NOW)
        books.post(late)

        ours, theirs = _drawn(books, books.payer), _drawn(books, books.payee)

        assert ours.sides == theirs.sides
        opened = [side.opening for side in ours.sides]
        assert opened == [side.closing for side in kept]
        closing = {side.payer_agency_id: side.closing for side in ours.sides}
        for tenant, other in ((books.payer, books.payee), (books.payee, books.payer)):
            with database.transaction(tenant.scope) as session:
                found = balances(session, other.id)
            assert {payer: found.get(payer, Amounts()) for payer in closing} == closing
        for side in ours.sides:
            assert side.opening + sum((each.amounts for each in side.movements), Amounts()) == side.closing

    def test_is_for_a_day_that_has_come_and_two_agencies_of_which_one_asks(
        self, factories: Factories, database: Database
    ) -> None:
        books = make_books(factories, database)

        with pytest.raises(StatementInvalid, match="today or on a day before"):
            _drawn(books, books.payer, days=-1)
        with pytest.raises(StatementInvalid, match="01/01/1990 or a later day"):
            _drawn(books, books.payer, days=(TODAY - date(1, 1, 1)).days)
        with database.transaction(books.payer.scope) as session, pytest.raises(StatementInvalid, match="two agencies"):
            draw_statement(session, books.payer.id, until_on=TODAY, now=NOW)
        worker = replace(books.payer, scope=books.payer.acting_as(Role.FAMILY_FINDER))
        with pytest.raises(NotAllowed):
            _drawn(books, worker)


class TestAgreeStatement:
    def test_takes_a_person_of_each_side_and_carries_late_news_into_the_next(
        self, factories: Factories, database: Database
    ) -> None:
        books = make_books(factories, database)
        (invoiced,) = books.post([Posted(TransactionKind.INVOICED, 5_000, TODAY - timedelta(days=40))])
        with database.transaction(books.payee.scope) as session:
            made = make_statement(session, books.payer.id, until_on=TODAY - timedelta(days=20), now=NOW)
            with pytest.raises(StatementWaits, match="Agree it or withdraw"):
                make_statement(session, books.payer.id, until_on=TODAY, now=NOW)
            with pytest.raises(StatementWaits, match="doesn’t wait"):
                agree_statement(session, made, now=NOW)
        both = factories.colleague(books.payer, roles=books.payer.scope.roles)
        with database.transaction(OPERATOR) as session:
            assert both.scope.person_id is not None
            person, agency = get_person(session, both.scope.person_id), get_agency(session, books.payee.id)
            appoint(session, person, agency=agency, role=Role.FINANCE_OFFICER, starts_on=TODAY)
        with database.transaction(both.scope) as session, pytest.raises(BothSides):
            agree_statement(session, get_statement(session, made.id), now=NOW)
        with database.transaction(books.payer.scope) as session:
            assert count_to_agree(session) == 1
            agree_statement(session, get_statement(session, made.id), now=NOW)
            assert count_to_agree(session) == 0
        with database.transaction(books.payee.scope) as session:
            reverse(session, session.merge(invoiced), reason="Twice.", now=NOW, dated_on=TODAY - timedelta(days=30))
            with pytest.raises(StatementWaits):
                withdraw_statement(session, get_statement(session, made.id), reason="No.", now=NOW)
            with pytest.raises(StatementInvalid, match="is there"):
                draw_statement(session, books.payer.id, until_on=TODAY - timedelta(days=21), now=NOW)

        following = _drawn(books, books.payer)

        side = next(each for each in following.sides if each.payer_agency_id == books.payer.id)
        assert (side.opening.owed, side.closing.owed) == (5_000, 0)
        assert [each.kind for each in side.movements] == [TransactionKind.REVERSAL]
        with database.transaction(books.stranger.scope) as session:
            assert list_statements(session) == []
            with pytest.raises(StatementUnknown):
                get_statement(session, made.id)

    def test_is_refused_where_the_other_book_differs_and_lists_it(
        self, factories: Factories, database: Database
    ) -> None:
        books = make_books(factories, database)
        books.post([Posted(TransactionKind.INVOICED, 5_000)])
        with database.transaction(books.payee.scope) as session:
            made = make_statement(session, books.payer.id, until_on=TODAY, now=NOW)
        # As if a line had been written of something else: the database lets its drawer add while it is open.
        books.post([Posted(TransactionKind.PAID, 700)])
        with database.transaction(books.payee.scope) as session:
            session.execute(
                text(
                    "INSERT INTO fee_statement_line SELECT :made, t.id, t.consortium_id, :own, :other, 0, 0, -1, 0 "
                    "FROM ledger_transaction t WHERE t.kind = 'paid'"
                ),
                {"made": made.id, "own": books.payee.id, "other": books.payer.id},
            )

        with database.transaction(books.payer.scope) as session:
            found = compare_statement(session, get_statement(session, made.id))

        assert [(each.theirs.owed, each.ours.owed) for each in found] == [(-1, -700)]


class TestWithdrawStatement:
    def test_lets_its_lines_stand_in_the_next(self, factories: Factories, database: Database) -> None:
        books = make_books(factories, database)
        books.post([Posted(TransactionKind.DUE, 100)])
        with database.transaction(books.payee.scope) as session:
            made = make_statement(session, books.payer.id, until_on=TODAY, now=NOW)
        assert _drawn(books, books.payer).line_count == 0
        with database.transaction(books.payer.scope) as session:
            withdraw_statement(session, get_statement(session, made.id), reason="Too early.", now=NOW)
            assert find_last(session, books.payee.id) is None

        assert _drawn(books, books.payer).line_count == 1


class TestListDebts:
    def test_ages_what_is_owed_from_the_day_it_was_invoiced(
        self, factories: Factories, database: Database, migrated: DatabaseUrls
    ) -> None:
        books = make_books(factories, database)
        for days, pence in ((0, 1), (30, 20), (31, 300), (60, 4_000), (61, 50_000), (90, 600_000), (91, 7_000_000)):
            invoice_id = books.invoice(migrated, Posted(TransactionKind.INVOICED, pence, TODAY - timedelta(days=days)))
        books.post([Posted(TransactionKind.PAID, 1_000_000)], invoice_id=invoice_id)
        books.post([Posted(TransactionKind.OVERPAID, 9)])

        with database.transaction(books.payee.scope) as session:
            (ours,) = list_debts(session, until_on=TODAY)
        with database.transaction(books.payer.scope) as session:
            (theirs,) = list_debts(session, until_on=TODAY)
        with database.transaction(books.stranger.scope) as session:
            assert list_debts(session, until_on=TODAY) == []

        assert ours.by_age == theirs.by_age == (21, 4_300, 650_000, 6_000_000)
        assert (ours.direction, theirs.direction) == (Direction.TO_US, Direction.BY_US)
        assert (ours.ahead, ours.to_pay, ours.other_agency_id) == (9, 6_654_312, books.payer.id)
