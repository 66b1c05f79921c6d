from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from matching.sibling_group import SiblingGroup
from matching.stretch import LONGEST, PlaceInvalid, read_stretch
from tenants.database import Database
from tests.factories import Factories, Tenant

WAITING, CODE = SiblingGroup.waiting_since, SiblingGroup.code
ORDERS = {
    "rising": (WAITING.asc().nulls_last(), CODE.asc()),
    "falling": (WAITING.desc().nulls_last(), CODE.asc()),
    "by code": (CODE.desc(),),
}
DAYS = (date(2026, 3, 2), None, date(2026, 1, 5), date(2026, 3, 2), None)


@pytest.fixture(scope="module")
def tenant(factories: Factories) -> Tenant:
    ours, theirs = factories.two_tenants()
    for day in DAYS:
        factories.group(ours, waiting_since=day)
    factories.household(theirs)
    return ours


class TestReadStretch:
    @pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
    @pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
    def test_gives_the_whole_list_stretch_by_stretch(
        self, database: Database, tenant: Tenant, order: tuple[object, ...], limit: int
    ) -> None:
        query = select(SiblingGroup)
        with database.transaction(tenant.scope) as session:
            whole = [each.code for each in session.scalars(query.order_by(*order))]  # type: ignore[arg-type]
            found, after = [], None
            while True:
                stretch = read_stretch(session, query, order, after=after, limit=limit)  # type: ignore[arg-type]
                found += [each.code for each in stretch.shown]
                after = stretch.end
                if after is None:
                    break
                assert len(stretch.shown) == limit

        assert found == whole
        assert len(found) == len(DAYS)

    @pytest.mark.parametrize("place", [(), ("x",), ("x", "y"), (1, "G-1"), (None, 5), (None, None, "G-1")])
    def test_takes_no_place_of_another_order(
        self, database: Database, tenant: Tenant, place: tuple[object, ...]
    ) -> None:
        with database.transaction(tenant.scope) as session, pytest.raises(PlaceInvalid):
            read_stretch(session, select(SiblingGroup), ORDERS["rising"], after=place, limit=5)

    def test_has_an_end(self, database: Database, tenant: Tenant) -> None:
        with database.transaction(tenant.scope) as session:
            stretch = read_stretch(session, select(SiblingGroup), ORDERS["by code"], after=None, limit=LONGEST + 9)

        assert stretch.end is None
