from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from matching.household import HouseholdStatus
from matching.need import Answer, Tolerance, YesNo
from matching.pool import Stage
from tenants.agency import AgencyKind
from tenants.audit import Act, Level, list_entries_of
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import household_code, page_of, same_but_for_the_reference, typed_in
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestIndex:
    def test_shows_ones_own_first_and_the_pools_on_asking(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        ours = household_code(database, us, factories.household(us))
        theirs = household_code(database, them, factories.household(them))
        hidden = household_code(database, them, factories.household(them, stage=Stage.IN_HOUSE))
        visitor = visit_as(us)

        visitor.get("/households")
        own = page_of(visitor).html
        visitor.get("/households?whose=all")
        everyone = page_of(visitor).html

        assert [code in own for code in (ours, theirs, hidden)] == [True, False, False]
        assert [code in everyone for code in (ours, theirs, hidden)] == [True, True, False]

    def test_says_what_each_is_approved_for(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        factories.household(us, status=HouseholdStatus.ON_HOLD, children_at_home=2, approved_on=date(2025, 3, 9))
        visitor = visit_as(us)

        visitor.get("/households")

        text = page_of(visitor).text
        assert "Approved for one or two children aged 0 to 6" in text
        assert "Two children at home" in text
        assert "9 March 2025" in text
        assert "On hold" in text

    def test_shows_withdrawn_ones_to_their_own_agency_alone(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us, status=HouseholdStatus.WITHDRAWN)
        code = household_code(database, us, household_id)
        ours, theirs = visit_as(us), visit_as(them)

        ours.get("/households?whose=ours")
        theirs.get("/households?whose=all")

        assert code in page_of(ours).text
        assert code not in page_of(theirs).text

    def test_says_what_to_do_where_there_is_none(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        visitor.get("/households?whose=ours")
        assert page_of(visitor).links()["import one"] == "/imports"
        visitor.get("/households")
        assert "No agency has shared a household with you yet." in page_of(visitor).text

    def test_shows_the_office_everyones_and_no_tab_of_its_own(self, visit_as: Visit, factories: Factories) -> None:
        consortium_id = factories.consortium()
        us, office = factories.tenant(consortium_id), factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        factories.household(us)
        ours, offices = visit_as(us), visit_as(office)

        ours.get("/households")
        offices.get("/households?whose=ours")

        assert "Your agency’s (1)" in page_of(ours).text
        assert "Your agency’s (" not in page_of(offices).text
        assert us.name in page_of(offices).text

    def test_is_not_for_finance(self, visit_as: Visit, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))

        assert visit_as(officer).get("/households").status_code == 403


class TestFind:
    def test_opens_a_household_by_its_code(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them)
        visitor = visit_as(us)
        visitor.get("/households")

        response = visitor.post("/households", {"code": household_code(database, them, household_id)})

        assert response.location == f"/households/{household_id}"

    def test_answers_the_same_of_a_hidden_one_as_of_none(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        code = household_code(database, them, factories.household(them, held=True))
        visitor = visit_as(us)
        visitor.get("/households")

        of_theirs = visitor.post("/households", {"code": code})
        assert typed_in(page_of(visitor), "code") == code
        of_none = visitor.post("/households", {"code": "H-00000Z"})

        assert of_theirs.status_code == 422
        assert same_but_for_the_reference(of_theirs, of_none, theirs=code, none="H-00000Z")


class TestShow:
    def test_shows_what_a_family_has_said_and_the_groups_it_may_fit(
        self, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        tolerance = Tolerance(low=Answer.CAN_MEET, medium=Answer.WOULD_DISCUSS, high=Answer.CANNOT)
        household_id = factories.household(us, tolerances={"neglect": tolerance}, pets=YesNo.UNKNOWN)
        group_id = factories.group(them)
        visitor = visit_as(us)

        visitor.get(f"/households/{household_id}")

        page = page_of(visitor)
        assert "A calm home with a garden." in page.text
        assert "Neglect Can meet Would discuss Cannot consider" in page.text
        assert "Has not said anything about: Physical disability" in page.text
        assert "Pets Not recorded" in page.text
        assert f"/groups/{group_id}" in page.links().values()
        assert "rules this family out for 1 of the 1 waiting groups you may see." in page.text
        assert "of 100" not in page.text

    def test_puts_the_look_on_record(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them)

        visit_as(us).get(f"/households/{household_id}?points=1")

        with transaction(database, them) as session:
            entries = list_entries_of(session, household_id)
        looks = {(entry.act, entry.level) for entry in entries if entry.actor_agency_id == us.id}
        assert looks == {(Act.READ, Level.PROFILE), (Act.RANK, Level.SUMMARY)}

    def test_says_that_no_group_is_open_to_it(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us, age_from_months=120, age_to_months=180)
        factories.group(them)
        visitor = visit_as(us)

        visitor.get(f"/households/{household_id}")

        assert "something recorded keeps it off each list" in page_of(visitor).text

    @pytest.mark.parametrize("page", ["", "/identity"])
    def test_is_the_same_for_a_hidden_household_as_for_none(
        self, page: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        hidden = factories.household(them, stage=Stage.IN_HOUSE)
        visitor = visit_as(us)

        of_theirs = visitor.get(f"/households/{hidden}{page}")
        of_none = visitor.get(f"/households/{uuid4()}{page}")

        assert of_theirs.status_code == 404
        assert same_but_for_the_reference(of_theirs, of_none)


class TestIdentity:
    def test_shows_the_adopters_to_their_own_agency_and_records_it(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        visitor = visit_as(us)

        visitor.get(f"/households/{household_id}/identity")

        assert "Alder Example" in page_of(visitor).text
        assert "1 Sample Street" in page_of(visitor).text
        with transaction(database, us) as session:
            assert Level.IDENTITY in {entry.level for entry in list_entries_of(session, household_id)}

    def test_is_not_there_for_another_agency(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        visitor = visit_as(them)

        assert visitor.get(f"/households/{household_id}").status_code == 200
        response = visitor.get(f"/households/{household_id}/identity")

        assert response.status_code == 404
        assert "Alder" not in response.get_data(as_text=True)

    def test_is_not_for_a_coordinator(self, visit_as: Visit, factories: Factories) -> None:
        office = factories.tenant(factories.consortium(), roles=frozenset({Role.COORDINATOR}))

        assert visit_as(office).get(f"/households/{uuid4()}/identity").status_code == 403
