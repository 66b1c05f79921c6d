"""The pages of who looked at a record."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.web.equal import household_code, page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestOfHousehold:
    def test_is_reached_from_the_record_and_says_who_looked(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        visit_as(them).get(f"/households/{household_id}")
        visitor = visit_as(us)
        visitor.get(f"/households/{household_id}")

        visitor.get(page_of(visitor).links()["Who looked at this record"])

        text = page_of(visitor).text
        assert f"Somebody of theirs {them.name} Read the anonymous profile" in text
        assert f"Sam Sample {us.slug}" in text
        assert f"Sam Sample {them.slug}" not in text

    @pytest.mark.parametrize("path", ["groups", "households"])
    def test_is_the_same_for_anothers_record_as_for_none(
        self, path: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        theirs = factories.group(them) if path == "groups" else factories.household(them)
        visitor = visit_as(us)

        of_theirs, of_none = (visitor.get(f"/{path}/{each}/audit") for each in (theirs, uuid4()))

        assert of_theirs.status_code == 404
        assert of_none.status_code == 404

    def test_is_for_its_readers_alone(self, visit_as: Visit, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))
        household_id = factories.household(finder)
        visitor = visit_as(finder)
        visitor.get(f"/households/{household_id}")

        assert "Who looked at this record" not in page_of(visitor).links()
        assert visitor.get(f"/households/{household_id}/audit").status_code == 403


class TestFind:
    def test_leads_the_information_governance_lead_to_a_record(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        lead = factories.tenant(factories.consortium(), roles=frozenset({Role.INFORMATION_GOVERNANCE}))
        household_id, group_id = factories.household(lead), factories.group(lead)
        code = household_code(database, lead, household_id)
        visitor = visit_as(lead)
        visitor.get("/home")
        visitor.get(page_of(visitor).links()["Audit"])

        response = visitor.post("/audit", {"code": code.lower()})

        assert response.location == f"/households/{household_id}/audit"
        visitor.get(f"/groups/{group_id}/audit")
        assert page_of(visitor).heading.startswith("Who looked at G-")

    @pytest.mark.parametrize("typed", ["", "H-000000", "x" * 61, "\x00"])
    def test_says_what_is_wrong(self, typed: str, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        visitor.get("/audit")

        assert visitor.post("/audit", {"code": typed}).status_code == 422
        assert page_of(visitor).title.startswith("Error: ")

    def test_answers_the_same_of_anothers_record_as_of_none(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        code = household_code(database, them, factories.household(them))
        visitor = visit_as(us)
        visitor.get("/audit")

        of_theirs, of_none = (visitor.post("/audit", {"code": each}) for each in (code, "H-00000Z"))

        assert same_but_for_the_reference(of_theirs, of_none, theirs=code, none="H-00000Z")
