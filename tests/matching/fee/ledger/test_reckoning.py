"""What an agreement comes to where it was signed late, waived by a rule or by people, or its placement disrupted."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEventKind
from matching.fee.ledger import Account, LedgerTransaction, close_month, kept_totals, totals_of
from matching.fee.report.forecast import forecast
from matching.fee.settlement import foresee, foresee_each
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.matching.fee.ledger.agreed import Agreed, agree, noon
from tests.matching.fee.ledger.swapped import make_swap

SIGNED, PLACED = date(2024, 1, 10), date(2024, 2, 29)
Pair = tuple[Tenant, Tenant]


@pytest.fixture
def swap(admin: psycopg.Connection[Any], database: Database, pair: Pair) -> Agreed:
    """Without a fee by a swap group's rule; signed, and placed on 29 February."""
    made = make_swap(admin, agree(admin, database, pair))
    made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
    made.tell(FeeEventKind.PLACED, PLACED)
    made.settle(PLACED)
    return made


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


class TestSeveralAtOnce:
    def test_leave_each_month_between_as_if_each_was_settled_when_it_was_told(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        made = agree(admin, database, pair)
        made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        made.tell(FeeEventKind.PLACED, PLACED)
        made.settle(PLACED)
        made.waive(date(2024, 3, 5), kept=[])
        made.override(date(2024, 5, 10), amounts={"1": 1_800_000, "2": 900_000})

        assert [made.settle(date(2024, 5, 11)) > 0, made.settle(date(2024, 5, 11))] == [True, 0]
        found = {key.partition("/waiver")[0].partition("/override")[0]: on for key, on in days(made).items()}
        assert (found["waived"], found["due/1/reversed"]) == (date(2024, 3, 5), date(2024, 3, 5))
        assert (found["revived"], found["due/1#2"]) == (date(2024, 5, 10), date(2024, 5, 10))
        assert made.balances()[Account.TO_INVOICE] == 1_800_000
        assert made.balances()[Account.AGREED_INCOME] == -900_000


class TestForeseeEach:
    def test_says_of_many_what_it_says_of_each(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        placed, signed, untold = (agree(admin, database, pair) for _ in range(3))
        for each in (placed, signed):
            each.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        placed.tell(FeeEventKind.PLACED, PLACED)
        placed.settle(PLACED)

        for tenant in pair:
            with database.transaction(tenant.scope) as session:
                made = [session.get_one(FeeAgreement, each.id) for each in (untold, placed, signed)]
                found = foresee_each(session, made, until_on=date(2025, 6, 1))
                alone = {each.id: foresee(session, each, until_on=date(2025, 6, 1)) for each in made}
            assert found == alone
            assert len({len(each) for each in found.values()}) == 3


class TestSwap:
    def test_is_charged_after_all_when_its_leg_is_not_balanced(self, swap: Agreed) -> None:
        swap.tell(FeeEventKind.LEG_FALLEN, date(2024, 4, 1), rule="stays_waived")
        kept, waived = swap.settle(date(2024, 4, 1)), swap.balances()
        swap.tell(FeeEventKind.LEG_UNBALANCED, date(2024, 5, 1))
        swap.settle(date(2024, 5, 2))

        with swap.database.transaction(swap.payer.scope) as session:
            found = forecast(session, on=date(2024, 5, 2))
            ahead = [(each.due_on, each.pence) for each in found if each.agreement_id == swap.id]

        assert (waived, kept) == ({}, 0)
        assert ahead == [(date(2025, 2, 28), 900_000)]
        assert swap.balances()[Account.TO_INVOICE] == 1_800_000
        assert swap.balances()[Account.AGREED_INCOME] == -900_000

    def test_stays_waived_where_two_people_have_waived_it(self, swap: Agreed) -> None:
        swap.tell(FeeEventKind.LEG_UNBALANCED, date(2024, 5, 1))
        swap.settle(date(2024, 5, 1))
        swap.waive(date(2024, 5, 2), kept=[])
        swap.settle(date(2024, 5, 2))
        waived = swap.balances()
        swap.tell(FeeEventKind.LEG_FALLEN, date(2024, 6, 1), rule="charged")

        assert (waived, swap.settle(date(2025, 6, 1)), swap.balances()) == ({}, 0, {})

    def test_is_charged_what_two_people_agree_after_it_was_waived(self, swap: Agreed) -> None:
        swap.waive(date(2024, 3, 5), kept=[])
        swap.settle(date(2024, 3, 5))
        swap.override(date(2024, 4, 1), amounts={"1": 100, "2": 50})
        swap.settle(date(2024, 4, 1))
        swap.tell(FeeEventKind.ORDERED, date(2024, 5, 1))
        swap.settle(date(2024, 5, 1))

        assert swap.balances() == {Account.TO_INVOICE: 150, Account.FEE_INCOME: -150}
        assert days(swap)["due/1"] == date(2024, 4, 1)

    def test_stays_fallen_away_whatever_is_waived_and_agreed_later(self, swap: Agreed) -> None:
        swap.tell(FeeEventKind.LEG_UNBALANCED, date(2024, 5, 1))
        swap.settle(date(2024, 5, 1))
        # Told late, and of a day before it was charged.
        swap.tell(FeeEventKind.DISRUPTED, date(2024, 3, 31), at=noon(date(2024, 5, 2)))
        swap.settle(date(2024, 5, 2))
        swap.waive(date(2024, 5, 3), kept=[])
        swap.override(date(2024, 5, 4), amounts={"1": 100, "2": 50})

        assert [swap.settle(date(2024, 5, 4)) > 0, swap.settle(date(2024, 5, 4))] == [True, 0]
        assert swap.balances() == {}
        assert days(swap)["fallen_away/disrupted"] == date(2024, 5, 1)

    def test_lets_what_is_credited_after_a_waiver_and_a_disruption_fall_away(self, swap: Agreed) -> None:
        swap.tell(FeeEventKind.LEG_UNBALANCED, date(2024, 5, 1))
        swap.settle(date(2024, 5, 1))
        swap.invoice("due/1", 1_800_000, date(2024, 5, 2))
        swap.waive(date(2024, 5, 3), kept=["due/1"])
        swap.tell(FeeEventKind.DISRUPTED, date(2024, 5, 4))
        swap.invoice("due/1", -1_800_000, date(2024, 5, 5))
        swap.settle(date(2024, 5, 5))

        assert swap.balances() == {}

    def test_stays_waived_by_people_who_were_first(self, swap: Agreed) -> None:
        swap.waive(date(2024, 3, 5), kept=[])
        swap.settle(date(2024, 3, 5))
        swap.tell(FeeEventKind.LEG_UNBALANCED, date(2024, 5, 1))
        swap.settle(date(2025, 5, 2))

        assert swap.balances() == {}

    @pytest.mark.parametrize(
        ("rule", "disruption", "day", "charged"),
        [
            ("charged", "fall_away", date(2024, 6, 1), 1_800_000),
            ("charged", "fall_away", date(2025, 2, 28), 2_700_000),
            ("charged", "stand", date(2024, 6, 1), 2_700_000),
            ("stays_waived", "fall_away", date(2024, 6, 1), 0),
            ("stays_waived", "stand", date(2024, 6, 1), 0),
        ],
    )
    def test_is_charged_what_was_due_when_its_placement_disrupted(
        self,
        admin: psycopg.Connection[Any],
        swap: Agreed,
        rule: str,
        disruption: str,
        day: date,
        charged: int,
    ) -> None:
        admin.execute("UPDATE fee_agreement SET disruption = %s WHERE id = %s", (disruption, swap.id))
        swap.tell(FeeEventKind.DISRUPTED, day)
        swap.settle(day)
        swap.tell(FeeEventKind.LEG_FALLEN, day, rule=rule)
        swap.settle(date(2026, 1, 1))

        dues = {Account.TO_INVOICE: charged, Account.FEE_INCOME: -charged} if charged else {}
        assert swap.balances() == dues
        assert {on for key, on in days(swap).items() if key.startswith("due/")} <= {day, date(2025, 2, 28)}

    def test_is_waived_by_people_after_it_was_charged_for_a_disruption(self, swap: Agreed) -> None:
        swap.tell(FeeEventKind.DISRUPTED, date(2024, 6, 1))
        swap.tell(FeeEventKind.LEG_FALLEN, date(2024, 6, 1), rule="charged")
        swap.settle(date(2024, 6, 2))
        swap.invoice("due/1", 1_800_000, date(2024, 6, 2))
        swap.waive(date(2024, 6, 3), kept=["due/1"])
        swap.settle(date(2024, 6, 3))
        invoiced = swap.balances()
        swap.invoice("due/1", -1_800_000, date(2024, 6, 4))
        swap.settle(date(2024, 6, 4))
        again = swap.balances()
        swap.waive(date(2024, 6, 5), name="again", kept=[])
        swap.settle(date(2024, 6, 5))

        assert invoiced == {Account.RECEIVABLE: 1_800_000, Account.FEE_INCOME: -1_800_000}
        assert again == {Account.TO_INVOICE: 1_800_000, Account.FEE_INCOME: -1_800_000}
        assert swap.balances() == {}


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


class TestEndedEarly:
    def test_is_put_back_in_force(self, admin: psycopg.Connection[Any], database: Database, pair: Pair) -> None:
        mend = import_module("concord.migrations.versions.0047_fee_reckoning").ENDED_EARLY
        days = {
            make_swap(admin, agree(admin, database, pair)).id: (date(2024, 6, 1), None),
            agree(admin, database, pair).id: (date(2024, 6, 1), date(2024, 7, 1)),
            agree(admin, database, pair).id: (date(2024, 6, 1), None),
            agree(admin, database, pair).id: (None, date(2024, 7, 1)),
        }
        with admin.transaction(force_rollback=True):
            for agreement_id, (ordered, disrupted) in days.items():
                admin.execute(
                    "UPDATE fee_agreement SET state = 'ended', placed_on = '2024-01-31', ordered_on = %s, "
                    "disrupted_on = %s WHERE id = %s",
                    (ordered, disrupted, agreement_id),
                )
            admin.execute(mend)
            read = "SELECT state FROM fee_agreement WHERE id = %s"
            states = [admin.execute(read, (each,)).fetchall()[0][0] for each in days]

        assert states == ["in_force", "in_force", "ended", "ended"]
