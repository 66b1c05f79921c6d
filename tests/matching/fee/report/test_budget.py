"""A budget beside the book: its own agency's alone, each month from April, adding up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from matching.fee.ledger import TransactionKind
from matching.fee.report.budget import BudgetInvalid, Month, Way, compare_budget, keep_budget, months_of
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories
from tests.matching.fee.statement.books import Posted, make_books


class TestCompareBudget:
    def test_sets_what_was_planned_beside_each_sides_own_book(self, factories: Factories, database: Database) -> None:
        books = make_books(factories, database)
        books.post(
            [
                Posted(TransactionKind.DUE, 900, date(2026, 3, 31)),
                Posted(TransactionKind.DUE, 700, date(2026, 4, 1)),
                Posted(TransactionKind.DUE, 50, date(2026, 4, 30)),
                Posted(TransactionKind.CREDITED, 20, date(2026, 5, 1)),
            ]
        )
        with database.transaction(books.payer.scope) as session:
            keep_budget(session, Way.PAY, 2026, [1] * 12, now=NOW)
            keep_budget(session, Way.PAY, 2026, [600, *[0] * 11], now=NOW)

        found = {}
        for tenant in (books.payer, books.payee, books.stranger):
            with database.transaction(tenant.scope) as session:
                found[tenant.id] = compare_budget(session, 2026)

        april, may, *rest = found[books.payer.id][Way.PAY]
        assert (april, april.over) == (Month(date(2026, 4, 1), 600, 750), 150)
        assert (may, may.over) == (Month(date(2026, 5, 1), 0, -20), -20)
        assert all((each.planned, each.actual) == (0, 0) for each in rest)
        earned = found[books.payee.id][Way.EARN]
        assert [(each.planned, each.actual) for each in earned[:3]] == [(None, 750), (None, -20), (None, 0)]
        for tenant, way in ((books.payer, Way.EARN), (books.payee, Way.PAY), (books.stranger, Way.PAY)):
            assert found[tenant.id][way] == [Month(each, None, 0) for each in months_of(2026)]


class TestKeepBudget:
    def test_takes_a_whole_year_of_those_who_keep_fees(self, factories: Factories, database: Database) -> None:
        agency = factories.tenant(factories.consortium())
        for wrong in ([], [1] * 11, [1] * 13, [*[1] * 11, -1], [10**15] * 12):
            with database.transaction(agency.scope) as session, pytest.raises(BudgetInvalid):
                keep_budget(session, Way.EARN, 2026, wrong, now=NOW)
        worker = replace(agency, scope=agency.acting_as(Role.FAMILY_FINDER))
        with database.transaction(worker.scope) as session, pytest.raises(NotAllowed):
            keep_budget(session, Way.EARN, 2026, [1] * 12, now=NOW)

        assert (months_of(2026)[0], months_of(2026)[-1]) == (date(2026, 4, 1), date(2027, 3, 1))
