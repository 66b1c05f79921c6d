"""The page of the pool as a whole: advice, to those who prepare a meeting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from matching.ranking.facts import Sex
from tenants.base import utc_now
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestShow:
    def test_shows_pairs_and_says_that_people_decide(self, visit_as: Visit, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.group(devon)
        factories.household(dorset)
        visitor = visit_as(devon)

        assert visitor.get("/pool").status_code == 200

        assert visitor.page
        assert "This is advice for the meeting to discuss." in visitor.page.text
        assert "1 of 1 groups could each have a family of their own" in visitor.page.text
        assert "Every group has at least one household on its list." in visitor.page.text

    def test_names_groups_that_nobody_is_listed_for(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        factories.group(devon, children=((date(utc_now().year - 14, 1, 1), Sex.MALE),))
        visitor = visit_as(devon)

        visitor.get("/pool")

        assert visitor.page
        assert "One child: a boy of 14" in visitor.page.text
        assert "No household stands on any group’s list" in visitor.page.text

    def test_says_that_nobody_waits(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])

        visitor.get("/pool")

        assert visitor.page
        assert "No group waits." in visitor.page.text

    @pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MANAGER, Role.FAMILY_FINDER])
    def test_opens_to_who_prepares_a_meeting(self, role: Role, visit_as: Visit, factories: Factories) -> None:
        assert (
            visit_as(factories.tenant(factories.consortium(), roles=frozenset({role}))).get("/pool").status_code == 200
        )

    def test_is_closed_to_others(self, visit_as: Visit, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.ADOPTERS_WORKER}))

        assert visit_as(officer).get("/pool").status_code == 403
