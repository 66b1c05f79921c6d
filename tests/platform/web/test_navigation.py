from __future__ import annotations

from collections.abc import Callable

import pytest

from concord.web import navigation
from concord.web.navigation import Section
from tenants.permission import Verb
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestSections:
    @pytest.mark.usefixtures("one_section")
    def test_are_shown_to_whose_role_opens_them(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER})))
        visitor.get("/home")

        assert visitor.page
        assert visitor.page.links()["Import children"] == "/signed-out"
        assert "Bring in a sheet." in visitor.page.text

    @pytest.mark.usefixtures("one_section")
    def test_are_hidden_from_others(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER})))
        visitor.get("/home")

        assert visitor.page
        assert "Import children" not in visitor.page.text

    def test_lead_somewhere(self, visitor: Visitor) -> None:
        endpoints = visitor.client.application.view_functions

        assert [section.title for section in navigation.SECTIONS if section.endpoint not in endpoints] == []


@pytest.fixture
def one_section(monkeypatch: pytest.MonkeyPatch) -> None:
    section = Section("Import children", "Bring in a sheet.", "sign_in.left", Verb.IMPORT_CHILDREN)
    monkeypatch.setattr(navigation, "SECTIONS", (section,))
