"""Accruals, the year ahead and the year by account: each from one's own book, each adding up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from matching.fee.agreement import get_agreement
from matching.fee.ledger import Account, TransactionKind, mirrored, post
from matching.fee.report.accrual import list_accruals
from matching.fee.report.forecast import MONTHS, by_month, forecast
from matching.fee.report.office_saving import Cell, YearOverAgencies, list_office_savings
from matching.fee.report.office_saving import by_year as over_agencies
from matching.fee.report.saving import Kind, YearOfSavings, by_year, list_savings
from matching.fee.report.year import read_year, year_of
from matching.fee.signing import sign_agreement
from matching.fee.statement.aged_debt import Direction
from matching.meeting import OfficeOnly
from matching.swap.group import SwapGroup, Terms, agree, make_swap_group
from matching.swap.rule import Follow, SwapRule
from matching.working_day import add_months
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.fee.fee_ground import FeeGround
from tests.matching.fee.statement.books import Posted, make_books


class TestListAccruals:
    def test_says_what_is_due_and_not_invoiced_as_the_month_ended(
        self, factories: Factories, database: Database
    ) -> None:
        books = make_books(factories, database)
        books.post(
            [Posted(TransactionKind.DUE, 900, date(2026, 9, 30)), Posted(TransactionKind.DUE, 50, date(2026, 10, 1))]
        )
        books.post([Posted(TransactionKind.INVOICED, 600, date(2026, 10, 2))])

        for tenant, other, direction in (
            (books.payee, books.payer, Direction.TO_US),
            (books.payer, books.payee, Direction.BY_US),
        ):
            with database.transaction(tenant.scope) as session:
                early, late = (list_accruals(session, month=date(2026, month, 1)) for month in (9, 10))
            assert [(each.pence, each.direction, each.other_agency_id) for each in early] == [
                (900, direction, other.id)
            ]
            assert [each.pence for each in late] == [350]
        with database.transaction(books.stranger.scope) as session:
            assert list_accruals(session, month=date(2026, 10, 1)) == []


class TestReadYear:
    def test_carries_out_what_it_brought_and_moved(self, factories: Factories, database: Database) -> None:
        books = make_books(factories, database)
        books.post(
            [
                Posted(TransactionKind.INVOICED, 700, date(2026, 3, 31)),
                Posted(TransactionKind.PAID, 300, date(2026, 4, 1)),
            ]
        )

        with database.transaction(books.payee.scope) as session:
            before, after = read_year(session, 2025), read_year(session, 2026)
        with database.transaction(books.stranger.scope) as session:
            assert read_year(session, 2026) == []

        owed = {each.account: each for each in after}[Account.RECEIVABLE]
        assert (owed.brought, owed.debits, owed.credits, owed.carried) == (700, 0, -300, 400)
        assert sum(each.carried for each in after) == sum(each.carried for each in before) == 0
        assert [year_of(date(2026, 3, 31)), year_of(date(2026, 4, 1))] == [2025, 2026]


class TestForecast:
    def test_rests_on_signed_agreements_and_known_days_for_either_side(self, ground: FeeGround) -> None:
        database, now = ground.database, utc_now()
        today = now.date()
        placed = today - timedelta(days=20)
        moved_in, waiting = ground.match(ground.devon, ground.dorset), ground.match(ground.devon, ground.dorset)
        ground.place(ground.devon, moved_in, on=placed)
        for tenant in (ground.devon, ground.dorset):
            for agreement_id in (moved_in, waiting):
                with transaction(database, tenant) as session:
                    agreement = get_agreement(session, agreement_id)
                    sign_agreement(session, agreement, version=agreement.version, now=now)

        with transaction(database, ground.devon) as session:
            ours = forecast(session, on=today)
        with transaction(database, ground.dorset) as session:
            theirs = forecast(session, on=today)
        with transaction(database, ground.charity) as session:
            assert forecast(session, on=today) == []

        assert [each.direction for each in ours] == [Direction.BY_US] * len(ours)
        assert [(each.due_on, each.pence) for each in ours] == [(each.due_on, each.pence) for each in theirs]
        dated = [each for each in ours if each.due_on]
        assert [(each.agreement_id, each.due_on, each.pence) for each in dated] == [
            (moved_in, add_months(placed, 12), 900_000)
        ]
        assert [(each.agreement_id, each.pence) for each in ours if not each.due_on] == [(waiting, 2_700_000)]
        months = by_month(ours, on=today)
        assert len(months) == MONTHS + 2
        assert sum(each.by_us for each in months) == sum(each.pence for each in ours)
        assert sum(each.to_us for each in months) == 0


class TestListSavings:
    def test_tells_what_a_swap_spared_and_what_a_family_earned_to_its_own_agency(
        self, ground: FeeGround, database: Database
    ) -> None:
        now = utc_now()
        moved_in = moved_in_on(now)
        # What was earned is dated the same: a year may end between that day and this.
        year = year_of(moved_in)
        with transaction(database, ground.office) as session:
            rule = SwapRule(
                begins_on=now.date() - timedelta(days=900), ends_on=None, follow=Follow.STANDARD_FEE, follow_months=3
            )
            terms = Terms("Under three", rule)
            group = make_swap_group(session, terms, agency_ids=[ground.devon.id, ground.dorset.id], now=now)
            group_id = group.id
        for member in (ground.devon, ground.dorset):
            with transaction(database, member) as session:
                agree(session, session.get_one(SwapGroup, group_id), now=now - timedelta(days=880))
        swap = ground.match(ground.devon, ground.dorset, months=(20, 35))
        paid = ground.match(ground.devon, ground.charity)
        ground.place(ground.devon, swap, on=moved_in)
        with transaction(database, ground.charity) as session:
            earned = mirrored(TransactionKind.DUE, 4_000_000, ground.devon.id, ground.charity.id)
            consortium_id = ground.devon.scope.consortium_id
            assert consortium_id is not None
            post(
                session,
                consortium_id=consortium_id,
                payer_agency_id=ground.devon.id,
                payee_agency_id=ground.charity.id,
                kind=TransactionKind.DUE,
                key="due/1",
                dated_on=moved_in,
                entries=earned,
                narrative="Part 1",
                now=now,
                agreement_id=paid,
            )

        found = {}
        for tenant in (ground.devon, ground.dorset, ground.charity, ground.region, ground.office):
            with transaction(database, tenant) as session:
                found[tenant.id] = list_savings(session)

        def told(tenant: Tenant) -> list[tuple[Kind, UUID, int | None]]:
            return [(each.kind, each.agreement_id, each.pence) for each in found[tenant.id]]

        assert told(ground.devon) == [(Kind.SPARED, swap, 4_300_000)]
        assert told(ground.dorset) == [(Kind.FORGONE, swap, 4_300_000)]
        assert told(ground.charity) == [(Kind.EARNED, paid, 4_000_000)]
        assert told(ground.region) == told(ground.office) == []
        assert by_year(found[ground.devon.id]) == [YearOfSavings(year, 4_300_000, 0, 0, 0)]
        assert by_year(found[ground.charity.id]) == [YearOfSavings(year, 0, 0, 4_000_000, 0)]
        worker = replace(ground.devon, scope=ground.devon.acting_as(Role.FAMILY_FINDER))
        with transaction(database, worker) as session, pytest.raises(NotAllowed):
            list_savings(session)
        with transaction(database, ground.office) as session:
            cells = session.execute(text("SELECT agency_id, kind, agreements, pence FROM office_savings()")).all()
            assert {(each.spared, each.earned) for each in list_office_savings(session)} == {(None, None)}
        assert set(cells) == {(ground.devon.id, "spared", 1, 4_300_000), (ground.charity.id, "earned", 1, 4_000_000)}
        with transaction(database, ground.devon) as session:
            assert session.execute(text("SELECT * FROM office_savings()")).all() == []
            with pytest.raises(OfficeOnly):
                list_office_savings(session)


class TestOverAgencies:
    @given(st.dictionaries(st.integers(1, 9), st.integers(1, 12), min_size=1))
    def test_tells_no_sum_of_a_few_nor_what_it_follows_from(self, agreements: dict[int, int]) -> None:
        cells = [Cell(2026, UUID(int=each), Kind.EARNED, count, count * 100) for each, count in agreements.items()]

        (year,) = over_agencies(cells)

        hidden = [count for each, count in agreements.items() if _earned(year, each) is None]
        assert all(_earned(year, each) in {None, count * 100} for each, count in agreements.items())
        assert not [count for each, count in agreements.items() if count < 5 and _earned(year, each) is not None]
        assert (year.earned is None) is (sum(agreements.values()) < 5)
        assert year.earned is None or not hidden or (len(hidden) > 1 and sum(hidden) >= 5)
        assert year.spared == 0
        assert {each.spared for each in year.agencies} == {0}


def _earned(year: YearOverAgencies, agency: int) -> int | None:
    return next(each.earned for each in year.agencies if each.agency_id == UUID(int=agency))


def moved_in_on(now: datetime) -> date:
    """Return the day on which the swap's children moved in."""
    return now.date() - timedelta(days=1)
