"""What a page's own script is told of a form that it sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from concord.web.answer import ASKED, LOCATION
from tests.factories import Factories, Tenant
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestInstallAnswers:
    def test_names_the_place_to_a_script_and_leads_a_browser_there(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(them)
        visitor = visit_as(us)
        visitor.get("/groups?whose=all")
        code = next(words for words in page_of(visitor).links() if words.startswith("G-"))

        by_script = visitor.post("/groups", {"code": code}, headers={ASKED: "1"})
        by_browser = visitor.post("/groups", {"code": code})

        assert by_script.status_code == 200
        assert "Location" not in by_script.headers
        assert (by_browser.status_code, by_browser.location) == (303, by_script.headers[LOCATION])
        assert by_script.get_data() == b""

    @pytest.mark.parametrize("typed", ["", "G-000000"])
    def test_leaves_a_page_as_it_is(self, typed: str, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        visitor.get("/groups")

        response = visitor.post("/groups", {"code": typed}, headers={ASKED: "1"})

        assert response.status_code == 422
        assert LOCATION not in response.headers
        assert page_of(visitor).title.startswith("Error: ")
