from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from matching.code import new_code
from matching.household import Household, get_household, read_identity
from matching.need import Answer, NeedLevel, Tolerance, need_catalogue
from matching.pool import Stage
from matching.ranking.facts import LegalPosition, Sex
from matching.sibling_group import GroupStatus, SiblingGroup, get_group
from tenants.agency import AgencyKind
from tenants.audit import Act, Level, list_entries_of
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import household_code, page_of, same_but_for_the_reference, typed_in
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
HOSTILE = "<script>alert('x')</script> & \"quotes\" {{ 7 * 7 }} </p></main>"


class TestIndex:
    def test_shows_ones_own_first_and_the_pools_on_asking(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        ours, theirs = code_of(factories, us, factories.group(us)), code_of(factories, them, factories.group(them))
        visitor = visit_as(us)

        visitor.get("/groups")
        own = page_of(visitor).text
        visitor.get("/groups?whose=all")
        everyone = page_of(visitor).text

        assert ours in own
        assert theirs not in own
        assert ours in everyone
        assert theirs in everyone
        assert them.name in everyone

    def test_shows_no_group_that_another_agency_keeps_to_itself(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        hidden = [
            factories.group(them, stage=Stage.IN_HOUSE),
            factories.group(them, held=True),
        ]
        codes = [code_of(factories, them, each) for each in hidden]
        visitor = visit_as(us)

        visitor.get("/groups?whose=all")

        assert [code for code in codes if code in page_of(visitor).html] == []
        assert "No agency has shared a sibling group with you yet." in page_of(visitor).text

    def test_says_who_the_children_are_and_how_long_they_wait(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        factories.group(
            us,
            children=((date(2023, 6, 1), Sex.FEMALE), (date(2021, 6, 1), Sex.MALE)),
            legal_position=LegalPosition.CONTESTED,
            waiting_since=date(2026, 1, 2),
            status=GroupStatus.ON_HOLD,
        )
        visitor = visit_as(us)

        visitor.get("/groups")

        text = page_of(visitor).text
        assert "Two children: a girl of" in text
        assert "since 2 January 2026" in text
        assert "Placement order contested" in text
        assert "On hold" in text

    def test_shows_25_on_a_page_and_survives_absurd_ones(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        for _each in range(27):
            factories.group(us)
        visitor = visit_as(us)

        visitor.get("/groups")
        assert "Showing 1 to 25 of 27" in page_of(visitor).text
        for absurd, shown in [
            ("2", "26 to 27"),
            ("9" * 400, "26 to 27"),
            ("-1", "1 to 25"),
            ("x", "1 to 25"),
            ("9" * 5000, "1 to 25"),
        ]:
            assert visitor.get(f"/groups?whose=ours&page={absurd}").status_code == 200
            assert f"Showing {shown} of 27" in page_of(visitor).text

    def test_stays_a_page_with_a_thousand_groups(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        copy_group(database, us, factories.group(us), times=999)
        visitor = visit_as(us)

        visitor.get("/groups?page=40")
        assert "Showing 976 to 1000 of 1,000" in page_of(visitor).text
        visitor.get("/home")
        assert "1,000 groups of yours wait for a family." in page_of(visitor).text

    def test_says_what_to_do_where_there_is_none(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        visitor.get("/groups?whose=ours")

        assert "Your agency has no sibling group in Concord yet" in page_of(visitor).text
        assert page_of(visitor).links()["import one"] == "/imports"

    def test_shows_the_office_everyones_and_no_tab_of_its_own(self, visit_as: Visit, factories: Factories) -> None:
        consortium_id = factories.consortium()
        us, office = factories.tenant(consortium_id), factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        factories.group(us)
        ours, offices = visit_as(us), visit_as(office)

        ours.get("/groups")
        offices.get("/groups?whose=ours")

        assert "Your agency’s (1)" in page_of(ours).text
        assert "Your agency’s (" not in page_of(offices).text
        assert us.name in page_of(offices).text

    def test_is_not_for_finance(self, visit_as: Visit, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))

        assert visit_as(officer).get("/groups").status_code == 403


class TestFind:
    def test_opens_a_group_by_its_code_typed_anyhow(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them)
        visitor = visit_as(us)
        visitor.get("/groups")

        response = visitor.post("/groups", {"code": f"  {code_of(factories, them, group_id).lower()} "})

        assert (response.status_code, response.location) == (303, f"/groups/{group_id}")

    @pytest.mark.parametrize("typed", ["", "   ", "G-000000", "x" * 61, HOSTILE[:50], "\x00"])
    def test_keeps_what_was_typed_and_says_what_is_wrong(
        self, typed: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        visitor.get("/groups")

        response = visitor.post("/groups", {"code": typed})

        assert response.status_code == 422
        assert page_of(visitor).title.startswith("Error: ")
        assert typed_in(page_of(visitor), "code").strip() == typed.strip().replace("\x00", "")


class TestShow:
    def test_shows_the_families_that_may_fit_with_why(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us, needs={"neglect": NeedLevel.MEDIUM})
        fits = factories.household(them, tolerances={"neglect": Tolerance(*[Answer.CAN_MEET] * 3)})
        factories.household(them, age_from_months=120, age_to_months=180)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        page = page_of(visitor)
        assert "A lively child who likes puddles." in page.text
        assert "Nothing recorded rules out 1 of the 2 waiting families you may see." in page.text
        assert f"/households/{fits}" in page.links().values()
        assert "Can meet: Neglect (medium)." in page.text
        assert "A person decides" in page.text

    def test_shows_points_to_who_asks_only(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        factories.household(them)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")
        unasked = page_of(visitor).text
        visitor.get(f"/groups/{group_id}?points=1")

        assert "of 100" not in unasked
        assert "of 100" in page_of(visitor).text
        assert "They are not the chance of success." in page_of(visitor).text

    def test_says_what_keeps_families_off_and_what_might_change_it(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        factories.household(them, age_from_months=120, age_to_months=180)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        text = page_of(visitor).text
        assert "No family is on the list." in text
        assert "One more family would come in" in text

    def test_shows_the_first_of_a_thousand_families(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        copy_household(database, us, factories.household(us), times=999)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        assert "rules out 1,000 of the 1,000 waiting families" in page_of(visitor).text
        assert "These are the first 20, most points first." in page_of(visitor).text
        assert page_of(visitor).html.count('class="concord-family"') == 20

    def test_shows_all_families_to_who_asks_and_keeps_the_points(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        copy_household(database, us, factories.household(us), times=29)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}?points=1")
        assert page_of(visitor).links()["Show all 30"] == f"/groups/{group_id}?points=1&all=1#families"
        visitor.get(page_of(visitor).links()["Show all 30"])

        assert page_of(visitor).html.count('class="concord-family"') == 30
        assert "Most points come first." in page_of(visitor).text
        assert page_of(visitor).links()["Hide points"] == f"/groups/{group_id}?all=1#families"
        assert "Show all 30" not in page_of(visitor).text

    def test_counts_each_need_that_is_to_be_asked(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        needs = [need.code for need in need_catalogue().needs]
        group_id = factories.group(us, needs=dict.fromkeys(needs, NeedLevel.HIGH))
        code = household_code(database, them, factories.household(them))
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")
        asked = re.search(r"(\d+) things to ask", page_of(visitor).text)
        visitor.get(f"/groups/{group_id}/why?household={code}")

        assert asked
        assert int(asked[1]) >= len(needs)
        assert f"{asked[0]}." in page_of(visitor).text

    def test_never_says_where_anybody_is(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us, outward_code="PL4", exclusion_areas={"TQ9": 10})
        factories.household(them, outward_code="EX4")
        visitor = visit_as(us)

        for path in (f"/groups/{group_id}", f"/groups/{group_id}?points=1"):
            visitor.get(path)
            assert [word for word in ("PL4", "TQ9", "EX4", " miles", " km") if word in page_of(visitor).html] == []

    def test_puts_the_look_on_record(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them)

        response = visit_as(us).get(f"/groups/{group_id}")

        with transaction(database, them) as session:
            entries = [entry for entry in list_entries_of(session, group_id) if entry.actor_agency_id == us.id]
        assert {(entry.act, entry.level) for entry in entries} == {(Act.READ, Level.PROFILE), (Act.RANK, Level.SUMMARY)}
        assert {entry.request_id for entry in entries} == {response.headers["X-Request-Id"]}

    def test_keeps_a_hostile_and_a_very_long_profile_in_its_place(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them, profile=HOSTILE + "x" * 20_000)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}")

        assert HOSTILE in page_of(visitor).text
        assert "49" not in page_of(visitor).text.split("Anonymous profile")[1][:200]

    def test_offers_the_way_to_the_names_to_the_childrens_own_agency_alone(
        self, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        path = f"/groups/{group_id}/identity"
        ours, theirs = visit_as(us), visit_as(them)
        coordinator = factories.tenant(us.scope.consortium_id or uuid4(), roles=frozenset({Role.COORDINATOR}))
        office = visit_as(coordinator)

        for visitor in (ours, theirs, office):
            visitor.get(f"/groups/{group_id}")

        assert path in page_of(ours).links().values()
        assert path not in page_of(theirs).html
        assert path not in page_of(office).html

    @pytest.mark.parametrize("page", ["", "/why", "/why?household=H-000000", "/identity"])
    def test_is_the_same_for_a_hidden_group_as_for_none(self, page: str, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        hidden = factories.group(them, stage=Stage.IN_HOUSE)
        visitor = visit_as(us)

        of_theirs, of_none = visitor.get(f"/groups/{hidden}{page}"), visitor.get(f"/groups/{uuid4()}{page}")

        assert of_theirs.status_code == 404
        assert same_but_for_the_reference(of_theirs, of_none)


class TestWhy:
    def test_says_each_check_in_words(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them, age_from_months=120, age_to_months=180)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}/why?household={household_code(database, them, household_id)}")

        page = page_of(visitor)
        assert "is not on the list of" in page.heading
        assert "One check keeps it off the list" in page.text
        assert "Rules out" in page.text
        assert "Passes" in page.text
        assert "Were it not kept off, it would have" in page.text

    def test_says_the_place_of_a_family_that_is_on_the_list(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}/why?household={household_code(database, them, household_id)}")

        assert " is on the list of " in page_of(visitor).heading
        assert "It is number 1 of 1" in page_of(visitor).text
        assert "The total stops at 100." in page_of(visitor).text

    def test_leaves_no_reference_in_the_address(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(us)
        code = household_code(database, us, household_id)
        with transaction(database, us) as session:
            reference, _ = read_identity(session, get_household(session, household_id), now=utc_now())

        for typed in (reference, code.lower()):
            response = visit_as(us).get(f"/groups/{group_id}/why?household={typed}")

            assert (response.status_code, response.location) == (303, f"/groups/{group_id}/why?household={code}")

    def test_says_that_a_family_on_hold_is_on_no_list(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them, status="on_hold")
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}/why?household={household_code(database, them, household_id)}")

        assert "The family is on hold, so it is on no list." in page_of(visitor).text

    def test_is_the_same_for_a_hidden_household_as_for_none(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id, hidden = factories.group(us), factories.household(them, stage=Stage.IN_HOUSE)
        code = household_code(database, them, hidden)
        visitor = visit_as(us)

        of_theirs = visitor.get(f"/groups/{group_id}/why?household={code}")
        of_none = visitor.get(f"/groups/{group_id}/why?household=H-00000Z")

        assert (of_theirs.status_code, of_none.status_code) == (404, 404)
        assert same_but_for_the_reference(of_theirs, of_none, theirs=code, none="H-00000Z")

    @pytest.mark.parametrize(("typed", "status"), [("", 422), (" ", 422), ("x" * 61, 422), (HOSTILE[:50], 404)])
    def test_keeps_what_was_typed(self, typed: str, status: int, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        visitor = visit_as(us)

        response = visitor.get(f"/groups/{group_id}/why", query_string={"household": typed})

        assert response.status_code == status
        assert typed_in(page_of(visitor), "household").strip() == typed.strip()

    def test_asks_for_a_code_before_one_is_typed(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        assert visitor.get(f"/groups/{factories.group(us)}/why").status_code == 200
        assert not page_of(visitor).title.startswith("Error")


class TestIdentity:
    def test_shows_the_children_to_their_own_agency_and_records_it(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us)
        visitor = visit_as(us)

        visitor.get(f"/groups/{group_id}/identity")

        assert "Rowan Sample" in page_of(visitor).text
        assert "17 May 2023" in page_of(visitor).text
        with transaction(database, us) as session:
            assert Level.IDENTITY in {entry.level for entry in list_entries_of(session, group_id)}

    def test_is_not_there_for_another_agency(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        visitor = visit_as(them)

        response = visitor.get(f"/groups/{group_id}/identity")

        assert response.status_code == 404
        assert "Rowan" not in response.get_data(as_text=True)

    def test_is_not_for_a_coordinator(self, visit_as: Visit, factories: Factories) -> None:
        office = factories.tenant(factories.consortium(), roles=frozenset({Role.COORDINATOR}))

        assert visit_as(office).get(f"/groups/{uuid4()}/identity").status_code == 403


def code_of(factories: Factories, tenant: Tenant, group_id: UUID) -> str:
    with transaction(factories.database, tenant) as session:
        return get_group(session, group_id).code


def copy_group(database: Database, tenant: Tenant, group_id: UUID, *, times: int) -> None:
    """Add groups like one, without children, in one go."""
    with transaction(database, tenant) as session:
        group = get_group(session, group_id)
        session.execute(insert(SiblingGroup), [like(group, prefix="G") for _ in range(times)])


def copy_household(database: Database, tenant: Tenant, household_id: UUID, *, times: int) -> None:
    """Add households like one, without anything but their summaries, in one go."""
    with transaction(database, tenant) as session:
        household = get_household(session, household_id)
        session.execute(insert(Household), [like(household, prefix="H") for _ in range(times)])


def like(record: SiblingGroup | Household, *, prefix: str) -> dict[str, Any]:
    columns = {column.key: getattr(record, column.key) for column in type(record).__table__.columns}
    return {**columns, "id": uuid4(), "code": new_code(prefix)}
