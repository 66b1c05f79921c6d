"""The lists as pages: filters in the address, what is in use, what to say when nothing matches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from matching.household import HouseholdStatus
from matching.need import Answer, NeedLevel, Tolerance
from matching.pool import Stage
from matching.ranking.facts import LegalPosition, Sex
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.web.equal import household_code, page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
LISTS = ("/groups", "/households")


class TestFilters:
    def test_are_read_from_the_address_and_told(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(them, legal_position=LegalPosition.APPEAL, needs={"neglect": NeedLevel.HIGH})
        factories.group(us, legal_position=LegalPosition.CONSENT)
        visitor = visit_as(us)

        visitor.get("/groups?whose=all&legal=appeal&need=neglect&much=high&sort=code")

        page = page_of(visitor)
        assert "Showing 1 to 1 of 1, by code." in page.text
        assert "Legal position: Placement order under appeal" in page.text
        assert "Needs: Neglect (high)" in page.text

    def test_come_off_one_by_one(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(them, legal_position=LegalPosition.APPEAL)
        visitor = visit_as(us)
        visitor.get("/groups?whose=all&legal=appeal&legal=consent&age_from=1&age_to=9&unsaid=ages&sort=code")

        hrefs = {words: parse_qs(urlsplit(href).query) for words, href in page_of(visitor).links().items()}

        whole = {"whose": ["all"], "sort": ["code"], "age_from": ["1"], "age_to": ["9"], "unsaid": ["ages"]}
        both = {**whole, "legal": ["consent", "appeal"]}
        assert hrefs["Take off Legal position: Placement order under appeal"] == {**whole, "legal": ["consent"]}
        without_from = {name: value for name, value in both.items() if name != "age_from"}
        assert hrefs["Take off Children’s ages: youngest is at least 1"] == without_from
        assert hrefs["Take off every filter"] == {"whose": ["all"], "sort": ["code"]}
        assert hrefs["Youngest"] == {**both, "sort": ["youngest"]}
        assert hrefs["Your agency’s (0)"] == {**both, "whose": ["ours"]}

    @pytest.mark.parametrize("path", LISTS)
    def test_take_the_name_of_no_stranger_for_an_answer(self, path: str, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(them)
        factories.household(them)
        visitor = visit_as(us)
        absurd = "&".join(
            f"{name}={value}"
            for name in ("age_from", "size", "sex", "legal", "need", "much", "up_to", "agency", "unsaid", "new", "sort")
            for value in ("%00", "-1", "9" * 40, "%27%3B--", "%3Cscript%3E")
        )

        assert visitor.get(f"{path}?whose=all&{absurd}").status_code == 200

        assert "Showing 1 to 1 of 1" in page_of(visitor).text
        assert "Filters in use" not in page_of(visitor).text

    @pytest.mark.parametrize("path", LISTS)
    def test_leave_no_unanswered_question_in_the_address(
        self, path: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        response = visitor.get(f"{path}?whose=all&age_from=3&age_to=&waiting=&_external=1&_scheme=evil")

        assert response.status_code == 303
        assert response.location == f"{path}?whose=all&age_from=3&_external=1&_scheme=evil"

    def test_mean_the_same_the_wrong_way_round(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(them, children=((date(2022, 5, 1), Sex.FEMALE),))
        visitor = visit_as(us)

        visitor.get("/groups?whose=all&age_from=8&age_to=2")

        assert "Showing 1 to 1 of 1" in page_of(visitor).text

    def test_are_kept_from_page_to_page(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        for _each in range(26):
            factories.household(us, status=HouseholdStatus.ON_HOLD)
        visitor = visit_as(us)

        visitor.get("/households?whose=ours&status=on_hold&page=2")

        page = page_of(visitor)
        assert "Showing 26 to 26 of 26" in page.text
        assert parse_qs(urlsplit(page.links()["Previous page"]).query)["status"] == ["on_hold"]

    def test_show_who_has_not_said_on_asking_alone(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        able = Tolerance(*[Answer.CAN_MEET] * 3)
        said = household_code(database, us, factories.household(us, tolerances={"neglect": able}))
        unsaid = household_code(database, them, factories.household(them))
        visitor = visit_as(us)

        visitor.get("/households?whose=all&need=neglect&up_to=high")
        alone = page_of(visitor).text
        visitor.get("/households?whose=all&need=neglect&up_to=high&unsaid=needs")
        both = page_of(visitor).text

        assert [code in alone for code in (said, unsaid)] == [True, False]
        assert [code in both for code in (said, unsaid)] == [True, True]
        assert "Needs: also where it is not recorded" in both

    def test_show_nothing_of_another_agencys_hidden_record(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        hidden = household_code(database, them, factories.household(them, stage=Stage.IN_HOUSE))
        visitor = visit_as(us)

        for query in ("", "&children=1", "&availability=unknown", f"&agency={them.slug}", "&status=waiting"):
            visitor.get(f"/households?whose=all{query}")
            assert hidden not in page_of(visitor).html


class TestDistance:
    def test_is_asked_from_a_group_of_ones_own(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.group(us, outward_code="EX4")
        near = household_code(database, them, factories.household(them, outward_code="EX1"))
        far = household_code(database, them, factories.household(them, outward_code="NE1"))
        visitor = visit_as(us)
        visitor.get("/households?whose=all")
        options = [each.get("value", "") for each in page_of(visitor).all("option")]
        code = next(value for value in options if value.startswith("G-"))

        shown = {}
        for band in ("", "&band=near", "&band=far&band=very_far"):
            visitor.get(f"/households?whose=all&near={code}{band}")
            shown[band] = [each in page_of(visitor).text for each in (near, far)]

        assert shown == {"": [True, False], "&band=near": [True, False], "&band=far&band=very_far": [False, True]}
        assert f"Distance: from your group {code}: One child: a girl of" in page_of(visitor).text

    def test_is_not_asked_from_anothers(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(them)
        factories.household(them, outward_code="NE1")
        visitor = visit_as(us)
        visitor.get("/groups?whose=all")
        code = next(words for words in page_of(visitor).links() if words.startswith("G-"))

        visitor.get(f"/households?whose=all&near={code}&band=near")

        assert "Showing 1 to 1 of 1" in page_of(visitor).text
        assert "Filters in use" not in page_of(visitor).text


class TestNoMatch:
    def test_names_the_filter_that_hides_most(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        for _each in range(2):
            factories.household(them, most_children=1)
        visitor = visit_as(us)

        visitor.get("/households?whose=all&children=2&age_to=4")

        page = page_of(visitor)
        assert "No household matches. Take off “Number of children”, and two households do." in page.text
        assert parse_qs(urlsplit(page.links()["“Number of children”"]).query) == {
            "whose": ["all"],
            "sort": ["waiting"],
            "age_to": ["4"],
        }

    def test_says_so_where_no_one_filter_does(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        visitor.get("/groups?whose=all&age_to=4")

        assert "No single filter keeps them all off" in page_of(visitor).text


class TestSearch:
    @pytest.mark.parametrize(("path", "prefix"), [("/groups", "G-"), ("/households", "H-")])
    def test_shows_all_that_hold_what_was_typed(
        self, path: str, prefix: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        for tenant in (us, them):
            factories.group(tenant)
            factories.household(tenant)
        visitor = visit_as(us)
        visitor.get(path)

        response = visitor.post(path, {"code": prefix})

        assert response.status_code == 200
        assert "whose code or reference holds what you typed" in page_of(visitor).text
        assert "Two " in page_of(visitor).text
        assert us.name in page_of(visitor).text
        assert them.name in page_of(visitor).text


class TestExport:
    @pytest.mark.parametrize("kind", ["households", "children"])
    @pytest.mark.parametrize("file_format", ["csv", "xlsx"])
    def test_hands_out_a_file(self, kind: str, file_format: str, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.household(us)
        factories.group(us)
        visitor = visit_as(us)
        visitor.get("/households" if kind == "households" else "/groups")
        link = next(href for href in page_of(visitor).links().values() if href == f"/export/{kind}.{file_format}")

        response = visitor.get(link)

        assert response.status_code == 200
        assert f"concord-{kind}-" in response.headers["Content-Disposition"]
        assert response.headers["Cache-Control"] == "no-store"
        if file_format == "csv":
            text = response.get_data().decode("utf-8-sig")
            assert text.count("\r\n") == 2
            assert ("Alder Example" in text) == (kind == "households")
            theirs = visit_as(them).get(link).get_data().decode("utf-8-sig")
            assert theirs.count("\r\n") == 1

    def test_is_offered_to_those_who_may(self, visit_as: Visit, factories: Factories) -> None:
        consortium_id = factories.consortium()
        for roles, offered in (
            ({Role.MANAGER}, True),
            ({Role.CHILDS_SOCIAL_WORKER}, False),
        ):
            tenant = factories.tenant(consortium_id, roles=frozenset(roles))
            factories.group(tenant)
            visitor = visit_as(tenant)
            visitor.get("/groups")

            assert ("Export your agency’s children" in page_of(visitor).text) is offered
            assert visitor.get("/export/children.csv").status_code == (200 if offered else 403)
