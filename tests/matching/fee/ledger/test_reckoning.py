"""What an agreement comes to where it was signed late, waived by a rule or by people, or its placement disrupted."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
from sqlalchemy import select

from matching.fee.event import FeeEventKind
from matching.fee.ledger import Account, LedgerTransaction, close_month, kept_totals, totals_of
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.matching.fee.ledger.agreed import Agreed, agree, noon

SIGNED, PLACED = date(2024, 1, 10), date(2024, 2, 29)
Pair = tuple[Tenant, Tenant]


def days(agreed: Agreed) -> dict[str, date]:
    """Return the day of each transaction of an agreement, by its key."""
    with agreed.database.transaction(agreed.payee.scope) as session:
        posted = session.scalars(select(LedgerTransaction).where(LedgerTransaction.agreement_id == agreed.id))
        return {each.key.partition("/")[2]: each.dated_on for each in posted}


class TestSignedLate:
    def test_is_agreed_no_later_than_it_was_due(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        made, before = (agree(admin, database, pair) for _ in range(2))
        made.tell(FeeEventKind.PLACED, PLACED)
        made.tell(FeeEventKind.AGREEMENT_SIGNED, date(2024, 4, 2))
        before.tell(FeeEventKind.AGREEMENT_SIGNED, date(2024, 3, 5))
        before.settle(date(2024, 3, 5))
        # Told after both had signed, and of a day before.
        before.tell(FeeEventKind.PLACED, PLACED)

        for each in (made, before):
            each.settle(date(2024, 4, 2))

        assert days(made) == {"agreed": PLACED, "due/1": PLACED}
        assert days(before) == {"agreed": date(2024, 3, 5), "due/1": date(2024, 3, 5)}


class TestClosedMonths:
    def test_keep_their_totals_whatever_is_signed_or_told_later(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories
    ) -> None:
        pair = factories.two_tenants()
        first, late = agree(admin, database, pair, parts=[("order", None, 100)]), agree(admin, database, pair)
        first.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        late.tell(FeeEventKind.PLACED, PLACED)
        first.settle(SIGNED)
        with database.transaction(late.payee.scope) as session:
            for month in (1, 2):
                closed = close_month(session, date(2024, month, 1), now=noon(date(2024, 3, 1)))
            before = kept_totals(closed)
        late.tell(FeeEventKind.AGREEMENT_SIGNED, date(2024, 3, 5))
        late.settle(date(2024, 3, 5))

        carried = {}
        for tenant in (late.payee, late.payer):
            with database.transaction(tenant.scope) as session:
                totals = {month: totals_of(session, date(2024, month, 1)) for month in (2, 3)}
            carried[tenant.id] = [
                each.carried
                for month in totals.values()
                for each in month
                if each.account in (Account.AGREED_INCOME, Account.AGREED_COST)
            ]
            if tenant is late.payee:
                assert totals[2] == before
        # Nothing is ever agreed the wrong way round: not in the book that was closed, nor in the one that was not.
        assert max(carried[late.payee.id]) < 0 < min(carried[late.payer.id])
