"""The box above a list: a code, a reference, or words of what records say."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from matching.need import Answer, Tolerance
from matching.pool import Stage
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.web.equal import household_code, page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
LISTS = ("/groups", "/households")


class TestBox:
    @pytest.mark.parametrize("path", LISTS)
    def test_leads_to_the_list_of_those_that_say_it(self, path: str, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        make = factories.group if path == "/groups" else factories.household
        make(them, profile="Loves a <mark>trampoline</mark> & more.")
        make(them, profile="A trampoline.", held=True)
        make(us, profile="A quiet garden.")
        visitor = visit_as(us)
        visitor.get(f"{path}?whose=all&sort=code")

        response = visitor.post(f"{path}?whose=all&sort=code", {"code": " Trampolines "})

        assert parse_qs(urlsplit(response.location).query) == {"whose": ["all"], "sort": ["code"], "q": ["Trampolines"]}
        html = visitor.get(response.location).get_data(as_text=True)
        assert "Showing 1 to 1 of 1, by code." in page_of(visitor).text
        assert '<mark class="concord-why__mark">trampoline</mark>' in html
        assert "&amp; more" in html

    def test_keeps_what_no_profile_says_out_of_the_address(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        factories.household(them, profile="A kookaburra.", held=True)
        visitor = visit_as(us)
        visitor.get("/households")

        response = visitor.post("/households", {"code": "kookaburra"})

        assert response.status_code == 422
        assert "No profile that you may see holds these words" in page_of(visitor).text
        with database.transaction(us.scope) as session:
            assert len(session.scalars(select(AuditEntry).where(AuditEntry.act == Act.SEARCH)).all()) == 1

    def test_opens_a_record_before_it_looks_for_words(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them)
        code = household_code(database, them, household_id)
        factories.household(them, profile=f"They know {code}.")
        visitor = visit_as(us)
        visitor.get("/households")

        assert visitor.post("/households", {"code": code}).location == f"/households/{household_id}"


class TestList:
    def test_searches_for_words_spelt_alike_where_nothing_says_the_very_words(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, profile="We know epilepsy.")
        factories.household(them, profile="We know epilespy.", held=True)
        visitor = visit_as(us)

        visitor.get("/households?whose=all&q=epilespy")

        assert "Nothing that you may see says exactly epilespy." in page_of(visitor).text
        assert household_code(database, them, household_id) in page_of(visitor).text
        assert "Showing 1 to 1 of 1" in page_of(visitor).text

    def test_keeps_the_search_with_every_other_choice(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.household(them, profile="A velodrome.")
        visitor = visit_as(us)
        visitor.get("/households?whose=all&q=velodrome&children=1&sort=code")

        hrefs = {words: parse_qs(urlsplit(href).query) for words, href in page_of(visitor).links().items()}

        whole = {"whose": ["all"], "sort": ["code"], "q": ["velodrome"], "children": ["1"]}
        assert hrefs["Newest"] == {**whole, "sort": ["newest"]}
        assert hrefs["Also words spelt alike"] == {**whole, "alike": ["1"]}
        assert hrefs["Clear the search"] == {name: value for name, value in whole.items() if name != "q"}
        assert hrefs["Take off every filter"] == {name: value for name, value in whole.items() if name != "children"}

    def test_says_what_to_do_where_nothing_is_found(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.household(us)
        factories.household(them, profile="A velodrome.", tolerances={"neglect": Tolerance(low=Answer.CANNOT)})
        visitor = visit_as(us)

        visitor.get("/households?whose=ours&q=velodrome")
        assert "No household of your agency says this." in page_of(visitor).text
        assert parse_qs(urlsplit(page_of(visitor).links()["look among everyone’s that you may see"]).query) == {
            "whose": ["all"],
            "sort": ["waiting"],
            "q": ["velodrome"],
        }
        visitor.get("/households?whose=all&q=velodrome&need=neglect")
        assert "No household matches. Take off “Needs”, and one household does." in page_of(visitor).text
        visitor.get("/households?whose=all&q=sousaphone")
        assert "check how the words are spelt" in page_of(visitor).text

    @pytest.mark.parametrize("path", LISTS)
    @pytest.mark.parametrize("asked", ["%00", "the", "-dog", "x" * 10_000, "%22%27%29%3B--", "%F0%9F%A6%94", "%ff"])
    def test_answers_absurd_words_plainly(self, path: str, asked: str, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        factories.household(us, stage=Stage.IN_HOUSE)
        factories.group(us, stage=Stage.IN_HOUSE)
        visitor = visit_as(us)

        assert visitor.get(f"{path}?q={asked}").status_code == 200

        assert "Showing 1 to 1 of 1" in page_of(visitor).text or "No " in page_of(visitor).text
