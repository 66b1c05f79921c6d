"""The pages of a link’s way, and of what happens to a whole group, as people of both sides walk through them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from matching.household import get_household
from matching.link import LinkState, decide_match, get_link
from matching.ranking.facts import Sex
from matching.sibling_group import GroupStatus, get_group, list_children
from matching.transition import start_link
from tenants.agency import Nation, get_agency
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, agree_plan
from tests.matching.report_factory import Pairing, make_link
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
LONG_AGO = TODAY - timedelta(days=60)


class TestStep:
    def test_leads_from_first_interest_to_a_placement(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        ours, theirs = Walker(visit_as(pairing.children)), Walker(visit_as(pairing.family))
        theirs.get(f"/links/{pairing.link_id}")
        assert "The children’s agency takes the next step: shortlist the family." in theirs.text
        for words, day in (
            ("Shortlist the family", None),
            ("Plan the visit", LONG_AGO),
            ("Take the last step back", None),
            ("Plan the visit", TODAY),
            ("Plan the linking meeting", TODAY),
            ("Take it to the matching panel", LONG_AGO),
        ):
            _follow(ours, pairing, words, day)
        ours.get(f"/links/{pairing.link_id}")
        assert "The last step was taken back" in ours.text
        assert "The agency decision maker has not decided on the match yet." in ours.text
        # Ten working days before that panel the adopters had to have the report.
        assert "Adoption placement report with the adopters" in ours.text
        ours.follow("Say why it was missed: adoption placement report with the adopters")
        assert ours.send({"reason": "The panel was brought forward."}) == 303
        ours.get(f"/links/{pairing.link_id}")
        assert "Why: The panel was brought forward." in ours.text
        theirs.get(f"/links/{pairing.link_id}")
        assert "brought forward" not in theirs.text
        with transaction(database, pairing.children) as session:
            facts: dict[str, Any] = {"approved": True, "decided_on": TODAY, "reason": "It meets their needs."}
            decide_match(session, get_link(session, pairing.link_id), **facts, now=utc_now())
        _follow(ours, pairing, "Record the match", None)
        agree_plan(database, pairing)
        _follow(ours, pairing, "Start introductions", TODAY)
        _follow(ours, pairing, "Record that the children moved in", TODAY)

        theirs.get("/links?state=placed")
        assert str(pairing.link_id) in theirs.html
        with transaction(database, pairing.family) as session:
            assert get_link(session, pairing.link_id).state is LinkState.PLACED

    def test_is_not_taken_by_the_other_side_nor_twice(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        path = f"/links/{pairing.link_id}/steps/shortlist"
        ours, theirs = Walker(visit_as(pairing.children)), Walker(visit_as(pairing.family))

        assert theirs.get(path) == 403
        ours.get(path)
        assert [ours.send({"version": "2", "reason": "They fit."}) for _ in range(2)] == [303, 409]
        assert "was first" in ours.text

    @pytest.mark.parametrize("day", [{}, {"day": ["31", "2", "2027"]}])
    def test_asks_for_what_it_needs(
        self, visit_as: Visit, factories: Factories, database: Database, day: dict[str, list[str]]
    ) -> None:
        pairing = make_link(factories, database)
        ours = Walker(visit_as(pairing.children))
        _follow(ours, pairing, "Shortlist the family", None)
        ours.get(f"/links/{pairing.link_id}/steps/visit")

        assert ours.send({"version": "3", "reason": "", **day}) == 422
        assert "Enter why" in ours.text

    def test_warns_of_a_cap_and_takes_a_reason_for_passing_it(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium(household_cap=1, group_cap=1)
        us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
        household_id = factories.household(us)
        with transaction(database, us) as session:
            household = get_household(session, household_id)
            first, second = (get_group(session, factories.group(us)) for _ in range(2))
            start_link(session, group=first, household=household, reason="They fit.", now=utc_now())
            codes = {"group": second.code, "household": household.code}
        visitor = Walker(visit_as(us))
        visitor.get("/links/new")

        assert visitor.send({**codes, "reason": "They fit too."}) == 422
        assert "as many expressions of interest as the consortium’s cap allows" in visitor.text
        assert visitor.send({**codes, "reason": "They fit too.", "override": "A sister lives there."}) == 303
        visitor.get(visitor.led_to)
        assert "Although the cap was reached: A sister lives there." in visitor.text
        assert them


class TestDays:
    def test_are_said_and_moved_by_either_side(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        ours, theirs = Walker(visit_as(pairing.children)), Walker(visit_as(pairing.family))
        for words, day in (("Shortlist the family", None), ("Plan the visit", TODAY)):
            _follow(ours, pairing, words, day)
        theirs.get(f"/links/{pairing.link_id}/days/new")

        assert theirs.send({"kind": "visit", "day": _boxes(TODAY + timedelta(days=400))}) == 303
        ours.get(f"/links/{pairing.link_id}")
        assert f"{(TODAY + timedelta(days=400)).year}" in ours.text
        theirs.get(f"/links/{pairing.link_id}/days/new")
        assert theirs.send({"kind": "panel", "day": _boxes(TODAY)}) == 422


class TestGroupPlan:
    def test_keeps_holds_marks_and_reasons(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        path, ours = f"/groups/{pairing.group_id}/plan", Walker(visit_as(pairing.children))
        assert Walker(visit_as(pairing.family)).get(path) == 403
        ours.get(path)
        ours.follow("Set a legal hold")
        said: dict[str, Any] = {"kind": "stay", "day": _boxes(TODAY), "reason": "An appeal is heard in May."}
        assert ours.send({**said, "day": _boxes(TODAY + timedelta(days=1))}) == 422
        assert ours.send(said) == 303
        ours.get(path)
        assert "An appeal is heard in May." in ours.text
        ours.follow("Lift this hold")
        assert ours.send({"reason": "It was dismissed."}) == 303
        ours.get(path)
        assert "It was dismissed." in ours.text
        ours.follow("Say why it was missed: match approved")
        assert ours.send({"reason": "Nobody was found in time."}) == 303
        ours.get(f"/groups/{pairing.group_id}/marks/new")
        assert ours.send({"kind": "relinquished", "day": _boxes(TODAY)}) == 303
        ours.get(path)
        assert "Match approved, for a relinquished baby" in ours.text
        ours.follow("The plan has changed")
        assert ours.send({"reason": "They go home.", "feedback": "Thank you."}) == 303
        ours.get(f"/links/{pairing.link_id}")
        assert "The children’s plan has changed" in ours.text

    def test_places_brothers_and_sisters_apart_and_together(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        three: Any = tuple((date(2020 + year, 5, 1), Sex.FEMALE) for year in range(3))
        group_id = factories.group(us, children=three)
        with transaction(database, us) as session:
            children = list_children(session, [group_id])[group_id]
        ours = Walker(visit_as(us))
        said: dict[str, Any] = {
            "decided_by": "The agency decision maker",
            "day": _boxes(TODAY),
            "reason": "Their needs differ.",
            "feedback": "Thank you.",
        }
        ours.get(f"/groups/{group_id}/plan")
        ours.follow("Place them apart")
        assert ours.send({**said, "reference": "R-2", "children": [str(each.id) for each in children]}) == 422
        assert "at least one stays" in ours.text
        assert ours.send({**said, "reference": "R-2", "children": [str(children[2].id)]}) == 303
        ours.get(f"/groups/{group_id}/plan")
        assert "One child left this group" in ours.text
        ours.get(f"/groups/{group_id}/join")
        assert ours.send({**said, "other": "G-NOBODY"}) == 422
        assert ours.send({**said, "other": "R-2"}) == 303

        with transaction(database, us) as session:
            assert [each.id for each in list_children(session, [group_id])[group_id]] == [each.id for each in children]

    def test_records_a_birth(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        with transaction(database, us) as session:
            [child] = list_children(session, [group_id])[group_id]
            child.unborn = True
            get_group(session, group_id).status = GroupStatus.ON_HOLD
        ours = Walker(visit_as(us))
        ours.get(f"/groups/{group_id}/plan")
        ours.follow("Look for a family again")
        assert ours.send({}) == 303
        assert ours.send({}) == 422
        assert "not on hold: waiting" in ours.text
        ours.get(f"/groups/{group_id}/plan")
        ours.follow("Record the birth")

        assert ours.send({"day": _boxes(TODAY), "sex": "male"}) == 303
        ours.get(f"/groups/{group_id}/plan")
        assert "Expected births" not in ours.text

    def test_is_changed_by_who_may(self, visit_as: Visit, factories: Factories) -> None:
        worker = factories.tenant(factories.consortium(), roles=frozenset({Role.ADOPTERS_WORKER}))
        group_id = UUID(int=0)

        assert Walker(visit_as(worker)).get(f"/groups/{group_id}/plan/change") == 403


class TestHouseholdTimes:
    def test_ask_northern_irelands_agencies_for_a_referral(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us, approved_on=LONG_AGO)
        ours, path = Walker(visit_as(us)), f"/households/{household_id}/times"
        ours.get(path)
        assert "No time runs" in ours.text
        with database.transaction(OPERATOR) as session:
            get_agency(session, us.id).nation = Nation.NORTHERN_IRELAND
        ours.get(path)
        ours.follow("Say why it was missed")
        assert ours.send({"reason": ""}) == 422
        assert ours.send({"reason": "The form was lost."}) == 303
        ours.get(f"{path}/referred")
        assert ours.send({"kind": "referred", "day": _boxes(TODAY + timedelta(days=1))}) == 422
        assert ours.send({"kind": "referred", "day": _boxes(TODAY)}) == 303
        ours.get(path)
        assert "Why: The form was lost." in ours.text
        assert Walker(visit_as(them)).get(path) == 403


class TestDecline:
    def test_sets_a_pair_apart_with_its_reason_and_tells_the_other_what_it_can_use(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)
        with transaction(database, us) as session:
            code = get_household(session, household_id).code
        ours, theirs = Walker(visit_as(us)), Walker(visit_as(them))
        ours.get(f"/groups/{group_id}/why?household={code}")
        ours.follow("Not right for these children? Decline the suggestion")

        assert ours.send({"reason": "", "feedback": ""}) == 422
        assert ours.send({"reason": "Too near.", "feedback": "They were warm."}) == 303
        ours.get(f"/groups/{group_id}")
        assert "Declined because: Too near." in ours.text
        assert "number 1 of the list" in ours.text
        theirs.get(f"/households/{household_id}")
        assert "They were warm." in theirs.text
        theirs.get(f"/groups/{group_id}")
        assert "Too near." not in theirs.text
        ours.follow(f"Take it back for {code}")
        assert ours.send({}) == 303
        ours.get(f"/groups/{group_id}")
        assert "Declined by your agency" not in ours.text


class Walker:
    """Somebody who goes from page to page by links and forms, and remembers where they are."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._path = ""
        self.led_to = ""

    def get(self, path: str) -> int:
        """Open an address."""
        self._path = path
        return self._visitor.get(path).status_code

    def follow(self, words: str) -> int:
        """Follow the link whose words begin so."""
        return self.get(next(path for said, path in page_of(self._visitor).links().items() if said.startswith(words)))

    def send(self, fields: dict[str, Any]) -> int:
        """Send the form of the page that was opened last."""
        answer = self._visitor.post(self._path, fields)
        self.led_to = answer.headers.get("Location", "")
        return answer.status_code

    @property
    def text(self) -> str:
        """Return what the page says."""
        return page_of(self._visitor).text

    @property
    def html(self) -> str:
        """Return the page as it was sent."""
        return page_of(self._visitor).html

    def version(self) -> str:
        """Return the link's version that the page's form holds."""
        found = re.search(r'name="version"[^>]*value="([0-9]+)"', self.html)
        assert found
        return found[1]


def _follow(walker: Walker, pairing: Pairing, words: str, day: date | None) -> None:
    """Take the step that the link’s page offers by its words."""
    walker.get(f"/links/{pairing.link_id}")
    walker.follow(words)
    said = {"version": walker.version(), "reason": "It is time."}
    if "panel" in words:
        said["override"] = "The papers lie elsewhere."
    assert walker.send({**said, **({"day": _boxes(day)} if day else {})}) == 303


def _boxes(day: date) -> list[str]:
    return [str(day.day), str(day.month), str(day.year)]
