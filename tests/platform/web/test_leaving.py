from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from tenants.agency import get_agency
from tenants.base import utc_now
from tenants.database import Database
from tenants.departure import list_departures
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
MANAGERS = frozenset({Role.MANAGER})


class TestLeaving:
    def test_takes_two_people(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        first, second = visit_as(us), visit_as(factories.colleague(us, roles=MANAGERS))
        propose(first)

        first.get("/agency/leaving")
        assert "A second person has to agree" in page_of(first).text
        assert "Agree to this" not in page_of(first).text
        assert first.post(action(first, "agree")).status_code == 403
        second.get("/agency/leaving")
        assert "Sam Sample" in page_of(second).text
        assert second.post(action(second, "agree")).status_code == 303

        second.get("/agency/leaving")
        assert "Agreed." in page_of(second).text
        with database.transaction(us.scope) as session:
            assert get_agency(session, us.id).closed_on == soon()
        neighbour = visit_as(them)
        neighbour.get("/agency/leaving")
        assert "There is no plan to leave" in page_of(neighbour).text

    def test_is_withdrawn_by_either(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        propose(visitor, what=str(us.scope.consortium_id))
        visitor.get("/agency/leaving")

        assert visitor.post(action(visitor, "withdraw")).status_code == 303

        with database.transaction(us.scope) as session:
            assert list_departures(session)[0].withdrawn_at
        visitor.get("/agency/leaving")
        assert "Withdrawn." in page_of(visitor).text
        assert "Withdraw this" not in page_of(visitor).text

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"what": ""}, "Select what your agency leaves"),
            ({"what": "everything"}, "Not a valid choice"),
            ({"reason": " "}, "Say why your agency leaves"),
            ({"leaves_on": ["31", "2", "2027"]}, "Enter a real date"),
            ({"leaves_on": ["1", "1", "2020"]}, "Choose a day from tomorrow on"),
        ],
    )
    def test_asks_again(self, typed: dict[str, str], words: str, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])

        assert propose(visitor, **typed) == 422

        assert words in page_of(visitor).text

    def test_says_that_there_is_a_plan_already(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        propose(visitor)

        assert propose(visitor) == 422

        assert "There is a plan to leave" in page_of(visitor).text

    def test_knows_no_plan_of_others(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        ours, theirs = visit_as(us), visit_as(them)
        propose(ours)
        ours.get("/agency/leaving")
        theirs.get("/agency/leaving")

        answers = [
            theirs.post(path).status_code
            for path in (action(ours, "withdraw"), "/agency/leaving/00000000-0000-0000-0000-000000000001/agree")
        ]

        assert answers == [404, 404]


def propose(visitor: Visitor, *, what: str = "service", **typed: object) -> int:
    day = soon()
    said = {"what": what, "leaves_on": [str(day.day), str(day.month), str(day.year)], "reason": "A merger", **typed}
    visitor.get("/agency/leaving")
    return visitor.post("/agency/leaving", said).status_code


def action(visitor: Visitor, verb: str) -> str:
    found = re.search(r'action="(/agency/leaving/[0-9a-f-]+)/', page_of(visitor).html)
    assert found
    return f"{found[1]}/{verb}"


def soon() -> date:
    return utc_now().date() + timedelta(days=30)
