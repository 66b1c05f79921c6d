from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tenants.agency import get_agency
from tenants.consortium import create_consortium, join
from tenants.database import Database
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, Factories, Tenant
from tests.page import text_of
from tests.site import Visitor

QUESTION = "Whose work are you doing?"
Visit = Callable[[Tenant], Visitor]


class TestOneAgency:
    def test_is_acted_for_at_once(self, visit_as: Visit, factories: Factories) -> None:
        tenant = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))
        visitor = visit_as(tenant)

        assert visitor.get("/home").status_code == 200
        assert visitor.page
        assert f"Acting for {tenant.name} as family finder" in visitor.page.text


class TestSeveralAgencies:
    def test_are_asked_about_before_any_work(self, visit_as: Visit, both: Both) -> None:
        visitor = visit_as(both.first)

        response = visitor.get("/home", follow_redirects=True)

        assert response.request.path == "/acting"
        assert visitor.page
        assert visitor.page.heading == QUESTION

    def test_are_offered_with_what_the_person_does_there_and_no_others(
        self, visit_as: Visit, both: Both, factories: Factories
    ) -> None:
        stranger = factories.tenant(factories.consortium())
        visitor = visit_as(both.first)
        visitor.get("/acting")

        assert visitor.page
        offered = [text_of(label) for label in visitor.page.all("label")]
        assert len(offered) == 2
        assert any(both.first.name in words and "as agency manager" in words for words in offered)
        assert any(both.second.name in words and "as finance officer" in words for words in offered)
        assert stranger.name not in visitor.page.text

    def test_are_chosen_and_then_always_shown(self, visit_as: Visit, both: Both) -> None:
        visitor = visit_as(both.first)
        visitor.get("/home")
        visitor.get("/acting")

        response = visitor.post("/acting", {"choice": value_of(visitor, both.second)}, follow_redirects=True)

        assert response.request.path == "/home"
        assert visitor.page
        assert f"Acting for {both.second.name} as finance officer" in visitor.page.text

    def test_can_be_changed(self, visit_as: Visit, both: Both) -> None:
        visitor = visit_as(both.first)
        for tenant in (both.second, both.first):
            visitor.get("/acting")
            visitor.post("/acting", {"choice": value_of(visitor, tenant)})
            visitor.get("/home")
            assert visitor.page
            assert f"Acting for {tenant.name}" in visitor.page.text

    def test_take_no_form_of_another_tab_that_was_opened_for_the_former_one(self, visit_as: Visit, both: Both) -> None:
        visitor = visit_as(both.first)
        visitor.get("/acting")
        visitor.post("/acting", {"choice": value_of(visitor, both.first)})
        visitor.get("/fees/limits/manager")
        assert visitor.page
        opened = {"csrf_token": visitor.page.csrf_token(), "amount": "1"}
        visitor.get("/acting")
        visitor.post("/acting", {"choice": value_of(visitor, both.second)})

        response = visitor.post("/fees/limits/manager", opened)

        assert response.status_code == 400
        assert "changed the agency whose work you do" in visitor.page.text

    @pytest.mark.parametrize("choice", ["", "nonsense", f"{UUID(int=1)}:{UUID(int=2)}", ":", "x" * 9999])
    def test_take_no_other_answer(self, choice: str, visit_as: Visit, both: Both) -> None:
        visitor = visit_as(both.first)
        visitor.get("/acting")

        response = visitor.post("/acting", {"choice": choice})

        assert response.status_code == 422
        assert visitor.page
        assert visitor.page.title.startswith("Error: ")
        assert visitor.get("/home").location == "/acting"

    def test_do_not_take_an_agency_of_somebody_else(self, visit_as: Visit, both: Both, factories: Factories) -> None:
        stranger = factories.tenant(factories.consortium())
        visitor = visit_as(both.first)
        visitor.get("/acting")

        response = visitor.post("/acting", {"choice": f"{stranger.id}:{stranger.scope.consortium_id}"})

        assert response.status_code == 422


class TestSeveralConsortia:
    def test_of_one_agency_are_asked_about(self, visit_as: Visit, database: Database, factories: Factories) -> None:
        tenant = factories.tenant(factories.consortium(), roles=frozenset({Role.MANAGER}))
        with database.transaction(OPERATOR) as session:
            other = create_consortium(session, slug=f"other-{uuid4().hex[:8]}", name="Other consortium")
            join(session, other, agency=get_agency(session, tenant.id), joined_on=LONG_AGO)
        visitor = visit_as(tenant)
        response = visitor.get("/home", follow_redirects=True)

        assert response.request.path == "/acting"
        assert visitor.page
        offered = " / ".join(text_of(label) for label in visitor.page.all("label"))
        assert "in Other consortium" in offered
        assert "in Test consortium" in offered


class TestNoConsortium:
    def test_is_asked_about_once(self, visit_as: Visit, database: Database, factories: Factories) -> None:
        tenant = factories.tenant(factories.consortium(), roles=frozenset({Role.MANAGER}))
        with database.transaction(OPERATOR) as session:
            session.execute(
                text("UPDATE consortium_member SET left_on = joined_on + 1 WHERE agency_id = :agency"),
                {"agency": tenant.id},
            )
        visitor = visit_as(tenant)
        visitor.get("/home", follow_redirects=True)

        response = visitor.post("/acting", {"choice": value_of(visitor, tenant)}, follow_redirects=True)

        assert response.request.path == "/home"


class TestNoAgency:
    def test_is_said(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.tenant(factories.consortium(), roles=frozenset()))

        visitor.get("/home", follow_redirects=True)

        assert visitor.page
        assert "You hold no role in any agency today" in visitor.page.text


@dataclass(frozen=True, slots=True)
class Both:
    """One person who is manager of one agency and finance officer of another."""

    first: Tenant
    second: Tenant


@pytest.fixture
def both(database: Database, factories: Factories) -> Both:
    consortium_id = factories.consortium()
    first = factories.tenant(consortium_id, roles=frozenset({Role.MANAGER}))
    second = factories.tenant(consortium_id, roles=frozenset())
    assert first.scope.person_id
    with database.transaction(OPERATOR) as session:
        person = get_person(session, first.scope.person_id)
        agency = get_agency(session, second.id)
        appoint(session, person, agency=agency, role=Role.FINANCE_OFFICER, starts_on=LONG_AGO)
    return Both(first, second)


def value_of(visitor: Visitor, tenant: Tenant) -> str:
    """Return what the page's form sends for an agency."""
    assert visitor.page
    values = [field.get("value", "") for field in visitor.page.all("input") if field.get("name") == "choice"]
    return next(value for value in values if value.startswith(str(tenant.id)))
