from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from matching import my_links
from matching.bar import bar_oneself
from matching.household import get_household
from matching.link import DayKind, StepName, get_link, say_day
from matching.my_links import board, list_work
from matching.sibling_group import get_group
from matching.transition import start_link
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, make_placed, step
from tests.matching.report_factory import make_link
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestListWork:
    def test_begins_with_what_is_due_next(self, factories: Factories, database: Database) -> None:
        placed = make_placed(factories, database)
        children, now = placed.children, utc_now()
        with transaction(database, children) as session:
            (only,) = list_work(session, mine=True, side="all", on=TODAY).cards
            assert only.due is not None
            assert (only.due.what, only.late) == ("Adoption placement report with the adopters", True)
            assert [len(cards) for cards in board([only]).values()].count(1) == 1
            assert list_work(session, mine=True, side="families", on=TODAY).cards == ()
        pairing = make_link(factories, database)
        step(database, pairing.children, pairing, StepName.SHORTLIST)
        with transaction(database, pairing.children) as session:
            (still,) = list_work(session, mine=True, side="all", on=TODAY).cards
            assert (still.due, still.late, still.ours) == (None, False, True)
            for day in (TODAY - timedelta(days=3), TODAY + timedelta(days=9), TODAY + timedelta(days=4)):
                say_day(session, get_link(session, pairing.link_id), kind=DayKind.VISIT, day=day, now=now)
            (card,) = list_work(session, mine=True, side="children", on=TODAY).cards
            assert card.due is not None
            assert card.due.on == TODAY + timedelta(days=4)

    def test_leaves_out_what_others_work_on_and_who_is_shut_out(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        colleague = factories.colleague(pairing.family, roles=pairing.family.scope.roles)
        with transaction(database, colleague) as session:
            assert list_work(session, mine=True, side="all", on=TODAY).cards == ()
            (theirs,) = list_work(session, mine=False, side="all", on=TODAY).cards
            assert not theirs.ours
            bar_oneself(session, get_household(session, pairing.household_id), reason="A friend", now=utc_now())
        with transaction(database, colleague) as session:
            assert list_work(session, mine=False, side="all", on=TODAY).cards == ()

    def test_says_how_many_there_are_and_pages_on(
        self, visit_as: Visit, factories: Factories, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(my_links, "PAGE_LINKS", 1)
        pairing = make_link(factories, database)
        with transaction(database, pairing.children) as session:
            group, household = get_group(session, factories.group(pairing.children)), pairing.household_id
            second = start_link(
                session, group=group, household=get_household(session, household), reason="Yes.", now=utc_now()
            )
            say_day(session, second, kind=DayKind.VISIT, day=TODAY, now=utc_now())
            second_id = second.id
        visitor = visit_as(pairing.children)

        visitor.get("/links/mine?view=table")
        assert "Links 1 to 1 of 2." in page_of(visitor).text
        # What is due comes first, although it changed last.
        assert f"/links/{second_id}" in page_of(visitor).links().values()
        visitor.get("/links/mine?view=table&page=2")
        assert f"/links/{pairing.link_id}" in page_of(visitor).links().values()
        assert "Links 2 to 2 of 2." in page_of(visitor).text


class TestIndex:
    def test_leads_to_asking_on_several_links_at_once(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing, other = make_link(factories, database), make_link(factories, database)
        visitor, path = visit_as(pairing.children), f"/links/chase?link={pairing.link_id}"
        for address in ("/links/mine", "/links/mine?view=board&whose=agency", "/links/mine?late=1&side=families"):
            assert visitor.get(address).status_code == 200
        assert "There is nothing here that is late." in page_of(visitor).text

        assert visitor.get("/links/chase?link=x").status_code == 303
        assert visitor.get(f"{path}&link={other.link_id}").status_code == 404
        assert visitor.get(path).status_code == 200
        assert visitor.post(path, {"words": "Any news?"}).status_code == 422
        assert visitor.post(path, {"words": "Any news?", "reason": "Still"}).status_code == 303
        visitor.get(f"/links/{pairing.link_id}/notes")
        assert "Chased: Still" in page_of(visitor).text
        theirs = visit_as(pairing.family)
        theirs.get(f"/links/{pairing.link_id}/thread")
        assert "Any news?" in page_of(theirs).text
        theirs.get("/notices")
        assert "There is a new message" in page_of(theirs).text


class TestNotices:
    def test_take_how_a_person_is_told(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])

        visitor.get("/notices")
        assert "There is none yet." in page_of(visitor).text
        assert "This service sends no e-mail yet." in page_of(visitor).text
        assert visitor.post("/notices", {"way": "pigeon"}).status_code == 422
        assert visitor.post("/notices", {"way": "off"}).status_code == 303
        visitor.get("/notices")
        chosen = [box.get("value") for box in page_of(visitor).all("input") if box.get("checked") is not None]
        assert chosen == ["off"]
