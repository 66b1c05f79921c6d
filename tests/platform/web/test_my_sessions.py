"""“Your sign-ins”: one's own alone, each with when, from where and whose work; ended one by one or all but this."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from sqlalchemy import text

from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1"}


class TestIndex:
    def test_shows_ones_own_with_when_and_from_where(self, visit_as: Visit, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        here, there, stranger = visit_as(devon), visit_as(devon), visit_as(dorset)
        there.get("/home", headers=PHONE)
        stranger.get("/home", headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Edg/140.0"})

        here.get("/sign-ins", headers=FIREFOX)

        text_ = page_of(here).text
        assert "Firefox on Linux (this one)" in text_
        assert "Safari on iPhone" in text_
        assert f"For {devon.name}." in text_
        assert "from 127.0.0.1" in text_
        assert "Edge" not in text_
        assert page_of(here).links()["Your sign-ins"] == "/sign-ins"

    def test_shows_no_token_nor_its_digest(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        cookie = visitor.client.get_cookie("concord")
        assert cookie is not None

        visitor.get("/sign-ins")

        assert cookie.value not in page_of(visitor).html


class TestEnd:
    def test_ends_one_of_ones_own(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        here, there = visit_as(devon), visit_as(devon)
        here.get("/sign-ins")
        (action,) = ends(here)

        answer = here.post(action)

        here.get(answer.location)
        assert "That sign-in is ended." in page_of(here).text
        assert there.get("/home").status_code == 303
        assert here.get("/home").status_code == 200

    def test_finds_anothers_no_more_than_nobodys(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        devon, dorset = factories.two_tenants()
        colleague = factories.colleague(devon, roles=devon.scope.roles)
        here, others = visit_as(devon), [visit_as(dorset), visit_as(colleague)]
        ids = [session_of(database, dorset), session_of(database, colleague)]

        here.get("/sign-ins")
        answers = [here.post(f"/sign-ins/{each}/end") for each in (*ids, uuid4())]

        assert {answer.status_code for answer in answers} == {404}
        assert all(same_but_for_the_reference(answer, answers[-1]) for answer in answers)
        assert all(other.get("/home").status_code == 200 for other in others)


class TestEndOthers:
    def test_ends_all_but_this(self, visit_as: Visit, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        here, first, second, stranger = (visit_as(each) for each in (devon, devon, devon, dorset))

        here.get("/sign-ins")
        answer = here.post("/sign-ins/end-others")

        here.get(answer.location)
        assert "2 other sign-ins are ended." in page_of(here).text
        assert "End all others" not in page_of(here).text
        assert [each.get("/home").status_code for each in (here, first, second, stranger)] == [200, 303, 303, 200]


def ends(visitor: Visitor) -> list[str]:
    actions = [form.get("action", "") for form in page_of(visitor).all("form")]
    return [action for action in actions if action.startswith("/sign-ins/") and action.endswith("/end")]


def session_of(database: Database, tenant: Tenant) -> str:
    with transaction(database, tenant) as session:
        query = text("SELECT id FROM sign_in_session WHERE person_id = :person AND ended_at IS NULL")
        return str(session.execute(query, {"person": tenant.scope.person_id}).scalar_one())
