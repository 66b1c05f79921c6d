"""Settling: what stands is what the plan and the events say, whenever and however often it is done."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from matching.fee.agreement import FeeAgreement
from matching.fee.at_stake import kept_by_waiver, waived_by
from matching.fee.event import FeeEventKind
from matching.fee.exception import spread
from matching.fee.ledger import MIRRORED, Account, LedgerTransaction, balance
from matching.fee.settlement import NotThePayee, invoiced_of, list_to_settle, settle
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.matching.fee.ledger.agreed import Agreed, agree, noon

SIGNED = date(2024, 1, 10)
PLACED = date(2024, 2, 29)
_POSTED = "SELECT key, dated_on, pence FROM ledger_transaction WHERE agreement_id = %s ORDER BY key"
Pair = tuple[Tenant, Tenant]


@pytest.fixture
def agreed(admin: psycopg.Connection[Any], database: Database, pair: Pair) -> Agreed:
    """Two thirds at placement, a third at the order or after twelve months, signed and placed on 29 February."""
    made = agree(admin, database, pair)
    made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
    made.tell(FeeEventKind.PLACED, PLACED)
    return made


class TestSettle:
    def test_posts_each_part_on_its_day_and_nothing_twice(self, agreed: Agreed) -> None:
        first = [agreed.settle(PLACED), agreed.settle(date(2025, 2, 27))]
        owed = agreed.balances()
        last = [agreed.settle(date(2025, 2, 28)), agreed.settle(date(2025, 2, 28)), agreed.settle(date(2030, 1, 1))]

        assert (first, last) == ([2, 0], [1, 0, 0])
        assert owed == {
            Account.AGREED_INCOME: -900_000,
            Account.AGREED_INCOME_CONTRA: 900_000,
            Account.TO_INVOICE: 1_800_000,
            Account.FEE_INCOME: -1_800_000,
        }
        assert agreed.balances() == {Account.TO_INVOICE: 2_700_000, Account.FEE_INCOME: -2_700_000}
        assert agreed.posted() == ["agreed", "due/1", "due/2"]
        mirror = {MIRRORED[account]: -pence for account, pence in agreed.balances().items()}
        assert agreed.balances(agreed.payer) == mirror

    def test_takes_the_order_when_it_comes_first_and_notes_the_event_behind(self, agreed: Agreed) -> None:
        agreed.tell(FeeEventKind.ORDERED, date(2024, 9, 1))
        agreed.settle(date(2026, 1, 1))

        with agreed.database.transaction(agreed.payer.scope) as session:
            due = session.query(LedgerTransaction).filter_by(key=f"{agreed.reference}/due/2").one()

        assert (due.dated_on, due.event_id is not None, due.pence) == (date(2024, 9, 1), True, 900_000)

    def test_charges_each_further_month_without_an_order(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        made = agree(admin, database, pair, parts=[("placement", None, 100)], continuing=(93_900, 12))
        made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        made.tell(FeeEventKind.PLACED, date(2024, 1, 31))
        charged = []
        for day in (date(2025, 2, 27), date(2025, 2, 28), date(2025, 3, 30), date(2025, 3, 31)):
            made.settle(day)
            charged.append(-made.balances()[Account.FEE_INCOME] - 100)
        made.tell(FeeEventKind.ORDERED, date(2025, 3, 31))
        made.settle(date(2026, 1, 1))

        assert charged == [0, 93_900, 93_900, 187_800]
        # None for the month that ended on the day of the order.
        assert -made.balances()[Account.FEE_INCOME] - 100 == 93_900
        assert Account.AGREED_INCOME not in made.balances()

    @pytest.mark.parametrize(("disruption", "income"), [("fall_away", 1_800_000), ("stand", 2_700_000)])
    def test_lets_unpaid_parts_fall_away_or_stand_by_the_rule(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair, disruption: str, income: int
    ) -> None:
        made = agree(admin, database, pair, disruption=disruption)
        made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        made.tell(FeeEventKind.PLACED, PLACED)
        made.settle(PLACED)
        made.invoice("due/1", 1_800_000, PLACED)
        made.tell(FeeEventKind.DISRUPTED, date(2024, 6, 1))
        made.settle(date(2025, 6, 1))

        assert made.balances().get(Account.FEE_INCOME) == -income
        assert Account.AGREED_INCOME not in made.balances()

    def test_takes_back_a_part_that_was_due_and_not_invoiced_when_the_placement_disrupts(self, agreed: Agreed) -> None:
        agreed.settle(PLACED)
        agreed.tell(FeeEventKind.DISRUPTED, date(2024, 3, 10))
        again = [agreed.settle(date(2024, 3, 11)), agreed.settle(date(2024, 3, 11))]

        assert again == [2, 0]
        assert agreed.balances() == {}
        assert "due/1/reversed" in agreed.posted()

    def test_earns_the_fee_when_the_order_came_before_the_disruption(self, agreed: Agreed) -> None:
        agreed.tell(FeeEventKind.ORDERED, date(2024, 9, 1))
        agreed.tell(FeeEventKind.DISRUPTED, date(2024, 10, 1))
        agreed.settle(date(2024, 10, 1))

        assert agreed.balances() == {Account.TO_INVOICE: 2_700_000, Account.FEE_INCOME: -2_700_000}

    def test_waives_what_was_not_invoiced_and_the_rest_once_it_is_credited_and_waived_again(
        self, agreed: Agreed, admin: psycopg.Connection[Any]
    ) -> None:
        admin.execute(
            "UPDATE fee_agreement SET continuing_pence = 100, continuing_after_months = 12 WHERE id = %s", (agreed.id,)
        )
        agreed.settle(date(2025, 4, 1))
        agreed.invoice("due/1", 1_800_000, date(2025, 4, 1))
        agreed.waive(date(2025, 4, 2), kept=["due/1"])
        agreed.settle(date(2025, 4, 2))
        waived = agreed.balances()
        agreed.invoice("due/1", -1_800_000, date(2025, 4, 3))
        kept = agreed.settle(date(2025, 4, 3))
        agreed.waive(date(2025, 4, 4), name="again", kept=[])
        agreed.settle(date(2026, 1, 1))

        # The month that nobody had invoiced is waived with the second part.
        assert waived == {Account.RECEIVABLE: 1_800_000, Account.FEE_INCOME: -1_800_000}
        assert (kept, agreed.balances()) == (0, {})

    def test_comes_to_the_same_months_later_as_at_each_event(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        found = []
        for at_once in (True, False):
            made = agree(admin, database, pair, continuing=(93_900, 12))
            for kind, on, facts in (
                (FeeEventKind.AGREEMENT_SIGNED, SIGNED, {}),
                (FeeEventKind.ADDENDUM, date(2024, 2, 3), {"amounts": {"1": 2_000_000, "2": 900_000}}),
                (FeeEventKind.PLACED, PLACED, {}),
                (FeeEventKind.ADDENDUM, date(2024, 5, 6), {"amounts": {"1": 2_000_000, "2": 1_100_000}, "key": "x"}),
                (FeeEventKind.DISRUPTED, date(2024, 7, 8), {}),
            ):
                made.tell(kind, on, **facts)
                if at_once:
                    made.settle(on)
            made.settle(date(2024, 9, 10))
            posted = admin.execute(_POSTED, [made.id]).fetchall()
            found.append([(key.partition("/")[2], dated_on, pence) for key, dated_on, pence in posted])

        assert found[0] == found[1]
        assert {"agreed", "agreed#2", "agreed#3", "fallen_away/disrupted"} <= {key for key, *_ in found[0]}

    def test_goes_by_what_was_told_last_whatever_the_clocks_said(self, agreed: Agreed) -> None:
        agreed.override(PLACED, amounts={"1": 100, "2": 200}, at=noon(date(2099, 1, 1)))
        agreed.override(PLACED, amounts={"1": 300, "2": 400}, name="again")
        agreed.settle(PLACED)

        assert agreed.balances()[Account.TO_INVOICE] == 300

    def test_lets_what_was_agreed_above_an_invoice_fall_due(self, agreed: Agreed) -> None:
        agreed.settle(date(2025, 3, 1))
        for number, pence in ((1, 1_800_000), (2, 900_000)):
            agreed.invoice(f"due/{number}", pence, date(2025, 3, 1))
        agreed.tell(FeeEventKind.ADDENDUM, date(2025, 3, 2), amounts={"1": 1_800_000, "2": 1_200_000})
        agreed.settle(date(2025, 3, 2))

        assert agreed.balances()[Account.TO_INVOICE] == 300_000
        assert agreed.balances()[Account.FEE_INCOME] == -3_000_000

    def test_ends_the_rest_of_a_part_that_was_invoiced_in_part(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        waived, fallen = (agree(admin, database, pair, continuing=(100, 12)) for _ in range(2))
        for each in (waived, fallen):
            each.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
            each.tell(FeeEventKind.PLACED, PLACED)
            each.settle(date(2025, 4, 1))
            each.invoice("due/1", 1_000_000, date(2025, 4, 1))
            each.invoice("due/month-13", 60, date(2025, 4, 1))
        with database.transaction(waived.payee.scope) as session:
            agreement = session.get_one(FeeAgreement, waived.id)
            pence = waived_by(session, agreement, on=date(2025, 4, 2))
            kept = kept_by_waiver(session, agreement, on=date(2025, 4, 2))
        waived.waive(date(2025, 4, 2), **kept)
        # Told late: the month had been charged in part by then.
        fallen.tell(FeeEventKind.DISRUPTED, date(2025, 3, 20), at=noon(date(2025, 4, 2)))
        for each in (waived, fallen):
            each.settle(date(2025, 4, 2))
            assert each.balances() == {Account.RECEIVABLE: 1_000_060, Account.FEE_INCOME: -1_000_060}
            each.invoice("due/1", -400_000, date(2025, 4, 3))
            each.settle(date(2025, 4, 3))

        # What is credited of it later is due again after a waiver, and falls away after a disruption.
        assert (pence, waived.balances()[Account.TO_INVOICE]) == (1_700_040, 400_000)
        assert fallen.balances() == {Account.RECEIVABLE: 600_060, Account.FEE_INCOME: -600_060}

    def test_lets_no_more_be_due_again_than_another_fee_that_was_credited_for(self, agreed: Agreed) -> None:
        agreed.settle(PLACED)
        agreed.invoice("due/1", 1_800_000, PLACED)
        agreed.invoice("due/1", -800_000, date(2024, 3, 1))
        with agreed.database.transaction(agreed.payee.scope) as session:
            agreement = session.get_one(FeeAgreement, agreed.id)
            amounts = spread(1_500_000, agreement, invoiced_of(session, agreement))
        agreed.override(date(2024, 3, 2), amounts=amounts)
        agreed.settle(date(2025, 3, 1))

        assert amounts == {"1": 1_000_000, "2": 500_000}
        assert agreed.balances()[Account.TO_INVOICE] == 500_000

    def test_tells_an_order_though_the_two_agencies_have_become_one(
        self, agreed: Agreed, admin: psycopg.Connection[Any]
    ) -> None:
        admin.execute("UPDATE fee_agreement SET payee_agency_id = payer_agency_id WHERE id = %s", (agreed.id,))

        agreed.tell(FeeEventKind.ORDERED, date(2024, 9, 1))

        with agreed.database.transaction(agreed.payer.scope) as session:
            assert settle(session, agreed.id, on=PLACED, now=noon(PLACED)) == 0

    def test_withdraws_all_of_an_agreement_that_came_to_nothing(
        self, admin: psycopg.Connection[Any], database: Database, pair: Pair
    ) -> None:
        made = agree(admin, database, pair)
        made.tell(FeeEventKind.AGREEMENT_SIGNED, SIGNED)
        made.settle(SIGNED)
        made.tell(FeeEventKind.WITHDRAWN, date(2024, 1, 20))
        made.settle(date(2024, 1, 20))

        assert made.balances() == {}
        assert made.posted() == ["agreed", "agreed/reversed"]

    def test_is_of_the_agency_that_is_paid(self, database: Database, factories: Factories, agreed: Agreed) -> None:
        for other in (agreed.payer, factories.tenant(agreed.payer.scope.consortium_id or agreed.id)):
            with database.transaction(other.scope) as session, pytest.raises(NotThePayee):
                settle(session, agreed.id, on=PLACED, now=noon(PLACED))
            with database.transaction(other.scope) as session:
                assert agreed.id not in list_to_settle(session, now=noon(PLACED))
        with database.transaction(agreed.payee.scope) as session:
            assert agreed.id in list_to_settle(session, now=noon(PLACED))
            assert balance(session, Account.TO_INVOICE, agreement_id=agreed.id) == 0
