from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from tenants.api_client import list_clients
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.site import Visitor

VisitAs = Callable[[Tenant], Visitor]
FORM = {"name": "Case system", "scopes": ["groups.read", "rankings"], "days": "30"}


def add(visitor: Visitor) -> str:
    """Add a client and return its id."""
    visitor.get("/agency/clients/new")
    visitor.post("/agency/clients/new", FORM)
    assert visitor.page
    found = re.search(r"/agency/clients/([0-9a-f-]{36})", visitor.page.html)
    assert found
    return found[1]


class TestIndex:
    def test_lists_ones_own_clients(self, visit_as: VisitAs, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        add(visit_as(theirs))
        visitor = visit_as(ours)

        visitor.get("/agency/clients")
        assert visitor.page
        assert "No program may ask in your agency’s name." in visitor.page.text
        add(visitor)
        visitor.get("/agency/clients")
        assert "Case system" in visitor.page.text
        assert "Never" in visitor.page.text

    def test_is_reached_from_the_agencys_page(self, visit_as: VisitAs, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])

        visitor.get("/agency")

        assert visitor.page
        assert visitor.page.links()["API access"] == "/agency/clients"

    def test_is_for_administrators(self, visit_as: VisitAs, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))

        assert visit_as(finder).get("/agency/clients").status_code == 403


class TestNew:
    def test_shows_the_secret_once(self, visit_as: VisitAs, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])

        client = add(visitor)
        assert visitor.page
        assert "ccs_" in visitor.page.text
        visitor.get(f"/agency/clients/{client}")

        assert "ccs_" not in visitor.page.text
        assert "Rank households for a group" in visitor.page.text

    def test_says_what_is_wrong(self, visit_as: VisitAs, factories: Factories, database: Database) -> None:
        tenant = factories.two_tenants()[0]
        visitor = visit_as(tenant)
        visitor.get("/agency/clients/new")

        mistakes: tuple[dict[str, object], ...] = (
            {"name": ""},
            {"scopes": []},
            {"scopes": ["all"]},
            {"days": "0"},
            {"days": "٣"},
            {"days": "9" * 99},
        )
        for changed in mistakes:
            response = visitor.post("/agency/clients/new", {**FORM, **changed})
            assert response.status_code == 422, changed
            assert visitor.page
            assert visitor.page.title.startswith("Error: ")
        with database.transaction(tenant.scope) as session:
            assert list_clients(session) == []


class TestShow:
    def test_knows_no_other_agencys(self, visit_as: VisitAs, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        client = add(visit_as(theirs))
        visitor = visit_as(ours)

        anothers, nobodys = (visitor.get(f"/agency/clients/{each}") for each in (client, uuid4()))

        assert anothers.status_code == nobodys.status_code == 404


class TestRotate:
    def test_shows_the_new_secret_once(self, visit_as: VisitAs, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        client = add(visitor)
        visitor.get(f"/agency/clients/{client}")

        visitor.post(f"/agency/clients/{client}/rotate")
        assert visitor.page
        assert "ccs_" in visitor.page.text

        visitor.get(f"/agency/clients/{client}")
        assert visitor.page.text.count("Made ") == 2


class TestEnd:
    def test_shuts_the_client_out(self, visit_as: VisitAs, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        visitor = visit_as(ours)
        client = add(visitor)
        visitor.get(f"/agency/clients/{client}")

        stranger = visit_as(theirs)
        stranger.get("/agency/clients/new")
        assert stranger.post(f"/agency/clients/{client}/end").status_code == 404
        visitor.post(f"/agency/clients/{client}/end", follow_redirects=True)

        assert visitor.page
        assert "Ended on" in visitor.page.text
        assert "End this client" not in visitor.page.text
