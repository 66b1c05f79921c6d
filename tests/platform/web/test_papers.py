from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from matching.papers.paper import PaperKind
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.matching.papers.paper_factory import answer_all, make_members
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestPapers:
    def test_are_listed_with_what_is_to_be_completed(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(make_members(factories).ours)
        visitor.get("/agency")
        assert "Papers of privacy" in page_of(visitor).text

        visitor.get("/papers")

        assert "to be completed" in page_of(visitor).text
        assert all(kind.label in page_of(visitor).text for kind in PaperKind)
        for kind in PaperKind:
            assert visitor.get(f"/papers/{kind.value}").status_code == 200
            assert "Nobody has said this yet." in page_of(visitor).text

    def test_are_reached_by_the_offices_coordinator(self, visit_as: Visit, factories: Factories) -> None:
        office = make_members(factories).office
        coordinator = factories.colleague(office, roles=frozenset({Role.COORDINATOR}))
        visitor = visit_as(coordinator)
        visitor.get("/home")
        assert "Papers of privacy" in page_of(visitor).text

        assert visitor.get("/papers").status_code == 200
        assert visitor.get("/papers/assessment").status_code == 404
        visitor.get("/papers/answers/purpose")
        assert visitor.post("/papers/answers/purpose", {"said": "To find families"}).status_code == 303
        visitor.get("/papers/agreement")
        assert "To find families" in page_of(visitor).text

    def test_are_closed_to_other_roles(self, visit_as: Visit, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))

        assert visit_as(finder).get("/papers").status_code == 403


class TestAnswers:
    def test_are_taken_shown_again_and_taken_back(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(make_members(factories).ours)
        given: dict[str, tuple[object, str]] = {
            "legal_name": ("Sample Council", "Sample Council"),
            "officer_contact": ("1 Sample Street\nSampleton", "Sampleton"),
            "article_6": ("Article 6(1)(c): a legal obligation", "Article 6(1)(c)"),
            "assessment_review": (["27", "3", "2027"], "27 March 2027"),
        }
        for code, (said, shown) in given.items():
            visitor.get(f"/papers/answers/{code}")
            assert visitor.post(f"/papers/answers/{code}", {"said": said}).status_code == 303
            visitor.get("/papers/answers")
            assert shown in page_of(visitor).text
            assert visitor.get(f"/papers/answers/{code}").status_code == 200
        visitor.get("/papers/answers/article_6")
        assert visitor.post("/papers/answers/article_6", {"said": ""}).status_code == 303
        visitor.get("/papers/answers")
        assert "Article 6(1)(c)" not in page_of(visitor).text

    def test_refuse_what_cannot_be_and_what_is_not_asked(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(make_members(factories).ours)
        for code, said in (("article_6", "Consent"), ("assessment_review", ["31", "2", "2027"])):
            visitor.get(f"/papers/answers/{code}")
            assert visitor.post(f"/papers/answers/{code}", {"said": said}).status_code == 422
        assert visitor.get("/papers/answers/purpose").status_code == 404


class TestVersions:
    def test_are_drawn_up_signed_downloaded_and_found_changed(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        members = make_members(factories)
        answer_all(database, members.office, members.ours, members.theirs)
        visitor = visit_as(members.ours)
        visitor.get("/papers/assessment")
        drawn = visitor.post("/papers/assessment/versions", {})
        assert drawn.status_code == 303
        visitor.get(drawn.location)
        assert "Concord is set up as this version says." in page_of(visitor).text
        assert visitor.post(f"{drawn.location}/sign", {}).status_code == 303
        visitor.get(drawn.location)
        assert f"Sam Sample {members.ours.slug}" in page_of(visitor).text
        file = visitor.get(f"{drawn.location}/paper.pdf")
        assert (file.mimetype, file.headers["Cache-Control"]) == ("application/pdf", "no-store")
        assert visitor.post("/papers/assessment/versions", {}).status_code == 409
        visitor.get("/papers/answers/necessity")
        visitor.post("/papers/answers/necessity", {"said": "Said otherwise"})

        visitor.get(drawn.location)

        assert "It has changed since it was signed" in page_of(visitor).text
        assert "Said otherwise" in page_of(visitor).text
        visitor.get("/papers")
        assert "Has changed since" in page_of(visitor).text
        visitor.get("/papers/assessment")
        assert "It has changed since version 1." in page_of(visitor).text

    def test_of_another_agency_are_not_there(self, visit_as: Visit, factories: Factories) -> None:
        members = make_members(factories)
        visitor, them = visit_as(members.ours), visit_as(members.theirs)
        visitor.get("/papers/staff")
        drawn = visitor.post("/papers/staff/versions", {}).location
        them.get("/papers")
        for path in ("", "/paper.pdf"):
            real, none = them.get(f"{drawn}{path}"), them.get(f"/papers/versions/{uuid4()}{path}")
            assert (real.status_code, none.status_code) == (404, 404)
            assert same_but_for_the_reference(real, none)
        assert them.post(f"{drawn}/sign", {}).status_code == 404
