"""The book as a list: the first so many are the first of all, whatever is asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from matching.fee.ledger import Account, TransactionKind, mirrored, post
from matching.fee.ledger.listing import Wanted, list_lines, sum_accounts
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant


@pytest.fixture(scope="module")
def three(database: Database, factories: Factories) -> tuple[Tenant, Tenant, Tenant]:
    """A payee, paid by two over four months, some days and keys the same."""
    consortium_id = factories.consortium()
    payee, one, other = (factories.tenant(consortium_id) for _ in range(3))
    with database.transaction(payee.scope) as session:
        for number in range(14):
            payer = other if number % 3 == 0 else one
            post(
                session,
                consortium_id=consortium_id,
                payer_agency_id=payer.id,
                payee_agency_id=payee.id,
                kind=TransactionKind.PAID,
                key=f"paid/{number // 3}/{number}",
                dated_on=date(2024, 1, 20) + timedelta(days=9 * (number // 2)),
                entries=mirrored(TransactionKind.PAID, 100 + number, payer.id, payee.id),
                narrative="A payment",
                now=NOW,
            )
    return payee, one, other


class TestListLines:
    def test_of_so_many_returns_the_first_of_all(
        self, database: Database, three: tuple[Tenant, Tenant, Tenant]
    ) -> None:
        payee, one, other = three
        asked = (Wanted(), Wanted(other_agency_id=one.id), Wanted(account=Account.CASH), Wanted(month=date(2024, 2, 1)))
        for wanted in asked:
            with database.transaction(payee.scope) as session:
                every = [line.posting.id for line in list_lines(session, wanted, limit=None)]
                for limit in (1, 2, 5, len(every), len(every) + 1):
                    assert [line.posting.id for line in list_lines(session, wanted, limit=limit)] == every[:limit]
                assert sum(each.postings for each in sum_accounts(session, wanted)) == len(every) > 0
        with database.transaction(other.scope) as session:
            found = list_lines(session, Wanted())
            assert {line.posting.agency_id for line in found} == {other.id}
            assert [line.posting.period_on for line in found] == sorted(
                (line.posting.period_on for line in found), reverse=True
            )
