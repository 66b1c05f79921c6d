"""Postings: both books or none, once under each key, and never changed."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from matching.fee.ledger import (
    MIRRORED,
    Account,
    Entry,
    LedgerTransaction,
    Posting,
    TransactionKind,
    TransactionReversed,
    balance,
    balances_of,
    find_transaction,
    get_transaction,
    mirrored,
    outstanding,
    post,
    postings_of,
    reverse,
)
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.sample_invoice import write_invoice

Pair = tuple[Tenant, Tenant]


def _post(
    session: Session, pair: Pair, kind: TransactionKind = TransactionKind.PAID, **facts: Any
) -> LedgerTransaction:
    payer, payee = pair
    facts = {
        "key": uuid4().hex,
        "dated_on": TODAY,
        "narrative": "A sample",
        "now": NOW,
        "entries": mirrored(kind, 100, payer.id, payee.id),
        **facts,
    }
    consortium_id = payer.scope.consortium_id
    assert consortium_id is not None
    return post(
        session, consortium_id=consortium_id, payer_agency_id=payer.id, payee_agency_id=payee.id, kind=kind, **facts
    )


class TestMirrored:
    @pytest.mark.parametrize(
        "kind", sorted(set(TransactionKind) - {TransactionKind.TRANSFERRED, TransactionKind.REVERSAL})
    )
    def test_sums_to_nothing_in_each_book_and_is_the_same_in_both(self, kind: TransactionKind) -> None:
        payer, payee = uuid4(), uuid4()

        entries = mirrored(kind, 4300000, payer, payee, vat_pence=7)

        for book in (payer, payee):
            assert sum(each.pence for each in entries if each.agency_id == book) == 0
        payees = {(MIRRORED[each.account], -each.pence) for each in entries if each.agency_id == payee}
        assert payees == {(each.account, each.pence) for each in entries if each.agency_id == payer}
        assert all(each.pence for each in entries)

    def test_releases_what_was_agreed_when_it_falls_due_unless_it_was_never_foreseen(self) -> None:
        payer, payee = uuid4(), uuid4()

        foreseen = mirrored(TransactionKind.DUE, 5, payer, payee)
        unforeseen = mirrored(TransactionKind.DUE, 5, payer, payee, foreseen=False)

        assert {each.account for each in foreseen} - {each.account for each in unforeseen} == {
            *(Account.AGREED_INCOME, Account.AGREED_INCOME_CONTRA, Account.AGREED_COST, Account.AGREED_COST_CONTRA)
        }

    def test_has_every_account_in_one_book_or_in_both(self) -> None:
        assert set(MIRRORED) | set(MIRRORED.values()) == set(Account)


class TestPost:
    def test_writes_both_books_and_shows_each_agency_its_own(
        self, database: Database, factories: Factories, pair: Pair
    ) -> None:
        payer, payee = pair
        stranger = factories.tenant(factories.consortium())
        with database.transaction(payee.scope) as session:
            made = _post(
                session,
                pair,
                TransactionKind.INVOICED,
                entries=mirrored(TransactionKind.INVOICED, 100, payer.id, payee.id, vat_pence=20),
                narrative="One",
            )

        seen = {}
        for tenant in (payer, payee, stranger):
            with database.transaction(tenant.scope) as session:
                found = session.scalars(select(LedgerTransaction).where(LedgerTransaction.id == made.id)).one_or_none()
                rows = session.scalars(select(Posting).where(Posting.transaction_id == made.id)).all()
                seen[tenant.id] = (found and found.pence, {(row.account, row.pence) for row in rows})

        assert seen[payee.id] == (120, {(Account.RECEIVABLE, 120), (Account.TO_INVOICE, -100), (Account.VAT_OUT, -20)})
        assert seen[payer.id] == (120, {(Account.PAYABLE, -120), (Account.TO_BE_INVOICED, 100), (Account.VAT_IN, 20)})
        assert seen[stranger.id] == (None, set())
        assert made.made_name == f"Sam Sample {payee.slug}"

    def test_posts_once_under_a_key(self, database: Database, pair: Pair) -> None:
        payer, payee = pair
        made = []
        for scope, day in ((payee.scope, TODAY), (payer.scope, date(2030, 1, 1))):
            with database.transaction(scope) as session:
                made.append(_post(session, pair, key="once", dated_on=day).id)

        with database.transaction(payee.scope) as session:
            kept = get_transaction(session, made[0])
            postings = len(postings_of(session, kept))

        assert made[0] == made[1]
        assert (kept.dated_on, postings) == (TODAY, 2)

    @pytest.mark.parametrize(
        ("entries", "why"),
        [
            ([], "has postings"),
            ([("payee", "cash", 5)], "sums to nothing"),
            ([("payee", "cash", 5), ("payee", "receivable", -5)], "what the payer owes"),
            (
                [("payee", "cash", 5), ("payee", "receivable", -5), ("payer", "payable", 4), ("payer", "cash", -4)],
                "what the payer owes",
            ),
            (
                [("payee", "cash", 5), ("payee", "receivable", -5), ("payer", "paid_ahead", 5), ("payer", "cash", -5)],
                "what the payer owes",
            ),
            (
                [("payee", "cash", 5), ("payee", "payable", -5), ("payer", "receivable", 5), ("payer", "cash", -5)],
                "in its own accounts",
            ),
        ],
    )
    def test_is_refused_by_the_database_when_it_does_not_balance(
        self, database: Database, pair: Pair, entries: list[tuple[str, str, int]], why: str
    ) -> None:
        ids = {"payer": (pair[0].id, pair[1].id), "payee": (pair[1].id, pair[0].id)}
        named = {account.value: account for account in Account}
        lines = [Entry(*ids[book], named[account], pence) for book, account, pence in entries]

        with pytest.raises(DBAPIError, match=why), database.transaction(pair[1].scope) as session:
            _post(session, pair, key="unbalanced", entries=lines, pence=5)

        with database.transaction(pair[1].scope) as session:
            assert not find_transaction(
                session, payer_agency_id=pair[0].id, payee_agency_id=pair[1].id, key="unbalanced"
            )

    def test_takes_no_posting_in_the_book_of_a_third_nor_later(
        self, database: Database, factories: Factories, pair: Pair
    ) -> None:
        payer, payee = pair
        third = factories.tenant(payer.scope.consortium_id or uuid4())
        beside = [Entry(payee.id, third.id, Account.CASH, 1), Entry(payee.id, third.id, Account.RECEIVABLE, -1)]
        with database.transaction(payee.scope) as session:
            made = _post(session, pair).id
        later = (
            "INSERT INTO posting (id, transaction_id, agency_id, other_agency_id, account, pence) "
            "VALUES (gen_random_uuid(), :made, :payee, :payer, 'cash', 1)"
        )

        with pytest.raises(DBAPIError, match="of the two"), database.transaction(payee.scope) as session:
            _post(session, pair, entries=[*mirrored(TransactionKind.PAID, 5, payer.id, payee.id), *beside])
        with pytest.raises(DBAPIError, match="after it was made"), database.transaction(payee.scope) as session:
            session.execute(text(later), {"made": made, "payee": payee.id, "payer": payer.id})

    @pytest.mark.parametrize("table", ["fee_event", "ledger_transaction", "posting"])
    @pytest.mark.parametrize("verb", ["UPDATE {0} SET id = id", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
    def test_changes_nothing_that_was_posted_whoever_asks(
        self, admin: psycopg.Connection[Any], table: str, verb: str
    ) -> None:
        tried = sql.SQL(verb).format(sql.Identifier(table))
        for role in ("concord_app", "concord_owner", "postgres"):
            admin.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                admin.execute(tried)
            admin.execute("RESET ROLE")

    def test_is_refused_in_a_transaction_that_would_not_see_a_month_closed(
        self, database: Database, pair: Pair
    ) -> None:
        with database.transaction(pair[1].scope) as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            with pytest.raises(DBAPIError, match="read committed"):
                _post(session, pair)
            session.rollback()

    def test_waits_for_another_with_its_key_and_returns_that(self, database: Database, pair: Pair) -> None:
        found: list[Any] = []

        def again() -> None:
            with database.transaction(pair[0].scope) as session:
                found.append(_post(session, pair, key="raced").id)

        with database.transaction(pair[1].scope) as session:
            first = _post(session, pair, key="raced").id
            other = threading.Thread(target=again)
            other.start()
            other.join(timeout=0.3)
            waited = other.is_alive()
        other.join()

        assert (waited, found) == (True, [first])


class TestReverse:
    def test_takes_back_both_books_once_and_says_why(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        payer, payee = pair
        invoice_id = write_invoice(admin, payer, payee, 100, TODAY)
        with database.transaction(payee.scope) as session:
            before = balances_of(session, other_agency_id=payer.id)
            made = _post(session, pair, invoice_id=invoice_id)
            undone = {reverse(session, made, reason="The wrong agency", now=NOW).id for _ in range(2)}
            after = balances_of(session, other_agency_id=payer.id)
            reversal = get_transaction(session, undone.pop())
            owed = outstanding(session, [made.invoice_id or uuid4()])

            with pytest.raises(TransactionReversed):
                reverse(session, reversal, reason="No", now=NOW)
        with database.transaction(payer.scope) as session:
            shown = {(row.account, row.pence) for row in postings_of(session, reversal)}

        assert not undone
        assert before == after
        assert owed == {made.invoice_id: 0}
        assert shown == {(Account.PAYABLE, -100), (Account.CASH, 100)}
        assert (reversal.reverses_id, reversal.reason, reversal.pence) == (made.id, "The wrong agency", 100)

    def test_is_told_by_either_side(self, database: Database, pair: Pair) -> None:
        payer, payee = pair
        with database.transaction(payee.scope) as session:
            made = _post(session, pair)
        with database.transaction(payer.scope) as session:
            reverse(session, get_transaction(session, made.id), reason="Told by the payer", now=NOW)
        with database.transaction(payee.scope) as session:
            found = find_transaction(
                session, payer_agency_id=payer.id, payee_agency_id=payee.id, key=f"{made.key}/reversed"
            )
            shown = {(row.account, row.pence) for row in postings_of(session, found)} if found else set()

        assert shown == {(Account.RECEIVABLE, 100), (Account.CASH, -100)}

    def test_needs_a_reason_by_the_database_too(self, database: Database, pair: Pair) -> None:
        with database.transaction(pair[1].scope) as session:
            made = _post(session, pair)

        with pytest.raises(IntegrityError), database.transaction(pair[1].scope) as session:
            reverse(session, made, reason="", now=NOW)


class TestBalance:
    def test_adds_up_one_account_of_ones_own_book(self, database: Database, factories: Factories) -> None:
        pair = factories.two_tenants()
        payer, payee = pair
        with database.transaction(payee.scope) as session:
            _post(session, pair, dated_on=date(2026, 10, 31))
            _post(session, pair, dated_on=date(2026, 11, 1))
            there = [
                balance(session, Account.CASH),
                balance(session, Account.CASH, other_agency_id=payer.id, until_on=date(2026, 10, 31)),
                balance(session, Account.CASH, other_agency_id=payee.id),
                balance(session, Account.TO_INVOICE),
            ]
        with database.transaction(payer.scope) as session:
            here = balance(session, Account.CASH)

        assert there == [200, 100, 0, 0]
        assert here == -200
