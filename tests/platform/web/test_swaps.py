"""Pages of swap groups: for coordinators, managers and finance officers; a coordinator makes, managers agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from matching.link import find_open_link
from matching.swap.group import Terms, list_swap_groups, make_swap_group
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.swap.ground import RULE, TODAY, make_ground, place
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
FORM = {
    "name": "Children under three",
    "begins_on": ["1", "4", "2026"],
    "basis": "moving_in",
    "under_years": "3",
    "disruption": "falls_away",
    "follow": "carry_forward",
    "within_points": "10",
    "bound": "1",
    "carries_id": "",
}


def said(visitor: Visitor, path: str) -> str:
    assert visitor.get(path).status_code == 200
    assert visitor.page
    return visitor.page.text


class TestNew:
    def test_makes_a_swap_group_that_managers_agree_to(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        devon, dorset = (factories.tenant(consortium_id) for _ in range(2))
        coordinator = visit_as(office)
        assert "There is no swap group yet." in said(coordinator, "/swaps")
        coordinator.get("/swaps/new")

        answer = coordinator.post("/swaps/new", {**FORM, "agencies": [str(devon.id), str(dorset.id)]})

        assert answer.status_code == 303
        path = answer.headers["Location"]
        assert f"{devon.name}: still to agree" in said(coordinator, path)
        manager = visit_as(devon)
        assert "Yours to agree" in said(manager, "/swaps")
        assert "Agree for your agency" in said(manager, path)
        assert manager.post(f"{path}/agree").status_code == 303
        assert "agreed on" in said(manager, path)
        with transaction(database, devon) as session:
            assert [each.name for each in list_swap_groups(session)] == ["Children under three"]

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"name": ""}, "Enter a name"),
            ({"agencies": []}, "Select two agencies or more"),
            ({"under_years": "0"}, "Enter a whole number from 1 to 18"),
            ({"bound": "x"}, "Enter a whole number from 0 to 100"),
            ({"begins_on": ["31", "2", "2026"]}, "Enter a real date"),
            ({"follow": "standard_fee"}, "Say after how many months"),
        ],
    )
    def test_says_what_is_wrong(
        self, visit_as: Visit, factories: Factories, wrong: dict[str, object], words: str
    ) -> None:
        consortium_id = factories.consortium()
        coordinator = visit_as(factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE))
        two = [str(factories.tenant(consortium_id).id) for _ in range(2)]
        coordinator.get("/swaps/new")

        answer = coordinator.post("/swaps/new", {**FORM, "agencies": two, **wrong})

        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)


class TestShow:
    def test_says_the_same_to_both_sides(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        place(factories, database, ground.devon, ground.dorset, months=(16,))
        place(factories, database, ground.dorset, ground.devon, months=(40,))
        path = f"/swaps/{ground.swap_group_id}"

        for tenant in (ground.devon, ground.dorset, ground.office):
            text = said(visit_as(tenant), path)
            assert "The child was under three on the day they moved in: 1 year 4 months." in text
            assert "The child was not under three on the day they moved in: 3 years 4 months." in text
        assert "Open: nothing balances it yet." in said(visit_as(ground.devon), path)

    def test_is_not_there_for_others(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        stranger, _ = factories.two_tenants()

        for tenant in (ground.outsider, stranger):
            visitor = visit_as(tenant)
            hidden = visitor.get(f"/swaps/{ground.swap_group_id}")
            missing = visitor.get(f"/swaps/{uuid4()}")
            assert (hidden.status_code, missing.status_code) == (404, 404)
            assert visitor.get(f"/swaps/{ground.swap_group_id}/opportunities").status_code == 404
        assert "Your agency is in no swap group." in said(visit_as(stranger), "/swaps")

    @pytest.mark.parametrize(
        ("role", "statuses"),
        [
            (Role.FINANCE_OFFICER, (200, 403)),
            (Role.MANAGER, (200, 200)),
            (Role.FAMILY_FINDER, (403, 403)),
            (Role.ADOPTERS_WORKER, (403, 403)),
        ],
    )
    def test_opens_by_role(
        self, visit_as: Visit, factories: Factories, database: Database, role: Role, statuses: tuple[int, int]
    ) -> None:
        ground = make_ground(factories, database)
        visitor = visit_as(factories.colleague(ground.devon, roles=frozenset({role})))
        path = f"/swaps/{ground.swap_group_id}"

        assert (visitor.get(path).status_code, visitor.get(f"{path}/opportunities").status_code) == statuses


class TestEnd:
    def test_sets_the_last_day(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        visitor = visit_as(ground.office)
        path = f"/swaps/{ground.swap_group_id}"
        visitor.get(f"{path}/end")
        past, coming = TODAY - timedelta(days=1), TODAY + timedelta(days=30)

        for day, status in ((past, 422), (coming, 303)):
            boxes = [str(day.day), str(day.month), str(day.year)]
            assert visitor.post(f"{path}/end", {"ends_on": boxes}).status_code == status
        assert " to " in said(visitor, path)


class TestOpportunities:
    def test_lets_an_agency_answer_for_its_own_leg(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ground = make_ground(factories, database)
        groups = [factories.group(each) for each in (ground.devon, ground.dorset)]
        homes = [factories.household(each) for each in (ground.devon, ground.dorset)]
        path = f"/swaps/{ground.swap_group_id}/opportunities"

        assert "Ring 1:" in said(visit_as(ground.office), path)
        assert "no set of such rings helps more" in said(visit_as(ground.office), f"{path}?longest=2")
        manager = visit_as(ground.devon)
        assert "Confirm or decline" in said(manager, path)
        leg = f"{path}/{groups[0]}/{homes[1]}"
        assert "no other placement waits for this one" in said(manager, leg)
        assert manager.post(leg, {"answer": "confirm", "reason": ""}).status_code == 422
        assert manager.post(leg, {"answer": "confirm", "reason": "They fit well."}).status_code == 303
        assert "A link is open" in said(manager, path)
        again = manager.post(leg, {"answer": "confirm", "reason": "They fit well."})
        assert again.status_code == 422
        with transaction(database, ground.dorset) as session:
            assert find_open_link(session, group_id=groups[0], household_id=homes[1]) is not None
            assert find_open_link(session, group_id=groups[1], household_id=homes[0]) is None

    def test_says_when_there_is_nothing(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)

        assert "Nothing could be balanced just now." in said(
            visit_as(ground.office), f"/swaps/{ground.swap_group_id}/opportunities"
        )
        with transaction(database, ground.office) as session:
            two = [ground.devon.id, ground.dorset.id]
            empty = make_swap_group(session, Terms("Nobody yet", RULE), agency_ids=two, now=utc_now()).id
        assert "Nothing could be balanced" in said(visit_as(ground.office), f"/swaps/{empty}/opportunities?longest=4")
        assert "No agency has agreed yet." in said(visit_as(ground.office), f"/swaps/{empty}")
