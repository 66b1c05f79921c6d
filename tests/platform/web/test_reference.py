"""Pages to look things up in."""

from __future__ import annotations

from collections.abc import Callable

from concord.web import create_app
from matching.need import need_catalogue
from matching.ranking.policy import default_policy
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.web.equal import page_of
from tests.site import Visitor, make_settings

Visit = Callable[[Tenant], Visitor]


class TestNeeds:
    def test_are_all_there_in_their_groups(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        visitor.get("/needs")

        text = page_of(visitor).text
        assert all(need.title in text and need.group in text for need in need_catalogue().needs)
        assert need_catalogue().version in text


class TestPolicy:
    def test_says_what_each_number_is_for(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        visitor.get("/policy")

        text = page_of(visitor).text
        assert default_policy().version in text
        assert "Needs 40 The average over the needs the children have." in text
        assert "Exclusion areas Always" in text

    def test_is_for_those_who_rank(self, visit_as: Visit, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))
        visitor = visit_as(officer)

        assert [visitor.get(path).status_code for path in ("/policy", "/needs")] == [403, 403]
        assert "How families are ranked" not in page_of(visitor).links()
        assert page_of(visitor).links()["Accessibility statement"] == "/accessibility"


class TestAccessibility:
    def test_is_open_to_anyone_from_every_page(self, visitor: Visitor) -> None:
        visitor.get("/")
        visitor.get(page_of(visitor).links()["Accessibility statement"])

        text = page_of(visitor).text
        assert "partially compliant with the Web Content Accessibility Guidelines (WCAG) version 2.2" in text
        assert "tell your agency’s administrator" in text

    def test_says_where_to_write(self) -> None:
        stranger = Visitor(create_app(make_settings(contact="help@example.org")))

        stranger.get("/accessibility")

        assert page_of(stranger).links()["help@example.org"] == "mailto:help@example.org"
