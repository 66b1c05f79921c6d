from __future__ import annotations

from datetime import date

import pytest

from matching.link import StepName
from matching.monitoring.month import Change, Month, MonthInvalid, month_named, read_month
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import MOVED_IN, TODAY, make_placed, step
from tests.matching.report_factory import Pairing

PRESENT = TODAY.replace(day=1)


@pytest.fixture(scope="module")
def pairing(factories: Factories, database: Database) -> Pairing:
    """Children who moved in with a family of another agency, and whose placement broke down."""
    found = make_placed(factories, database)
    day = TODAY
    step(database, found.children, found, StepName.DISRUPT, day=day, ended_by="family", what_happened="It ended.")
    return found


def month_of(database: Database, tenant: Tenant, begins: date = PRESENT) -> Month:
    with transaction(database, tenant) as session:
        return read_month(session, begins, now=utc_now())


class TestMonthNamed:
    def test_is_this_month_where_none_is_named(self) -> None:
        assert month_named(None, on=date(2028, 2, 29)) == date(2028, 2, 1)

    @pytest.mark.parametrize("name", ["2026-13", "", "2028-03", "1999-12", "2026-1", "２０２６-01x"])
    def test_refuses_what_is_none(self, name: str) -> None:
        with pytest.raises(MonthInvalid):
            month_named(name, on=date(2028, 2, 29))


class TestMonth:
    def test_ends_with_its_year(self) -> None:
        assert Month(date(2026, 12, 1), {}).ends == date(2027, 1, 1)


class TestReadMonth:
    def test_lists_what_both_sides_may_know(self, database: Database, pairing: Pairing) -> None:
        for tenant in (pairing.children, pairing.family):
            lines = month_of(database, tenant).lines
            assert [line.id for line in lines[Change.STARTED]] == [pairing.link_id]
            assert [line.id for line in lines[Change.MATCHED]] == [pairing.link_id]
            assert [line.id for line in lines[Change.DISRUPTED]] == [pairing.link_id]

    def test_puts_a_placement_in_the_month_of_its_day(self, database: Database, pairing: Pairing) -> None:
        lines = month_of(database, pairing.family, MOVED_IN.replace(day=1)).lines

        assert [line.day for line in lines[Change.PLACED]] == [MOVED_IN]
        assert lines[Change.STARTED] == ()

    def test_another_agency_has_nothing(self, database: Database, factories: Factories, pairing: Pairing) -> None:
        assert pairing.children.scope.consortium_id
        other = factories.tenant(pairing.children.scope.consortium_id)

        assert [row[1] for row in month_of(database, other).counts().rows] == [0] * len(Change)
