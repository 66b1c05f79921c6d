from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pikepdf
import pytest

from concord.web import create_app
from matching.document import ReportKind, get_document, list_documents_of
from matching.grant import ask
from matching.household import get_household
from matching.link import get_link
from matching.ranking.facts import Sex
from matching.sibling_group import get_group, list_children
from matching.virus_scan import read_scanner
from tenants.agency import get_agency
from tenants.base import utc_now
from tenants.consortium import create_consortium, join
from tenants.database import Database
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import TODAY, Factories, Tenant, transaction
from tests.matching.clamd import EICAR, scanning
from tests.matching.report_factory import Pairing, let_read, make_link, make_par, make_pdf
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor, make_settings

Visit = Callable[[Tenant], Visitor]


class TestIndex:
    def test_lists_the_links_of_both_sides_and_nobody_elses(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing, other = make_link(factories, database), make_link(factories, database)
        for tenant, side in ((pairing.children, "Our children"), (pairing.family, "Our family")):
            visitor = visit_as(tenant)

            visitor.get("/links")

            assert side in page_of(visitor).text
            assert str(pairing.link_id) in page_of(visitor).html
            assert str(other.link_id) not in page_of(visitor).html

    def test_shows_one_side_or_what_has_ended(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        visitor = visit_as(pairing.children)

        for query, shown in (("?side=children", True), ("?side=families", False), ("?show=ended", False)):
            visitor.get(f"/links{query}")

            assert (str(pairing.link_id) in page_of(visitor).html) is shown

    def test_shows_those_of_one_consortium(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        visitor = visit_as(pairing.children)
        visitor.get("/links")
        assert "Every consortium" not in page_of(visitor).text
        with database.transaction(OPERATOR) as session:
            second = create_consortium(session, slug=f"second-{uuid4().hex[:12]}", name="The second one")
            join(session, second, agency=get_agency(session, pairing.children.id), joined_on=TODAY)
            second_id = second.id
        first = pairing.children.scope.consortium_id

        for consortium_id, shown in ((first, True), (second_id, False), ("none", True)):
            visitor.get(f"/links?consortium={consortium_id}")

            assert (str(pairing.link_id) in page_of(visitor).html) is shown
            assert "The second one" in page_of(visitor).links()

    def test_is_for_those_who_do_the_work(self, visit_as: Visit, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))

        assert visit_as(officer).get("/links").status_code == 403


class TestStart:
    def test_starts_a_link_from_a_pairs_page(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)
        with transaction(database, us) as session:
            codes = {
                "group": get_group(session, group_id).code,
                "household": get_household(session, household_id).code,
            }
        visitor = visit_as(us)
        visitor.get(f"/groups/{group_id}/why?household={codes['household']}")
        visitor.get(page_of(visitor).links()["Start a link of the two"])

        response = visitor.post("/links/new", {**codes, "reason": "They like puddles."})

        assert response.status_code == 303
        visitor.get(response.location)
        assert "They like puddles." in page_of(visitor).text
        assert "Interest" in page_of(visitor).text
        again = visitor.post("/links/new", {**codes, "reason": "Once more."})
        assert again.status_code == 409

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({}, "Enter the group’s code"),
            ({"group": "G-0000000", "household": "H-0000000", "reason": "x"}, "There is no sibling group"),
        ],
    )
    def test_says_what_is_wrong(self, visit_as: Visit, factories: Factories, typed: dict[str, str], words: str) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        visitor.get("/links/new")

        assert visitor.post("/links/new", typed).status_code == 422
        assert words in page_of(visitor).text


class TestShow:
    def test_is_not_found_by_a_third_agency(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        assert pairing.children.scope.consortium_id
        third = factories.tenant(pairing.children.scope.consortium_id)
        visitor = visit_as(third)

        there, nowhere = visitor.get(f"/links/{pairing.link_id}"), visitor.get(f"/links/{pairing.group_id}")

        assert there.status_code == 404
        assert same_but_for_the_reference(there, nowhere)


class TestTakeUp:
    def test_is_the_other_sides_step(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)
        path = f"/links/{pairing.link_id}/steps/consider"
        starter, other = visit_as(pairing.children), visit_as(pairing.family)
        starter.get(path)
        assert starter.post(path, {"version": "1", "reason": "We want to."}).status_code == 403
        other.get(f"/links/{pairing.link_id}")
        assert "Does yours consider it?" in page_of(other).text
        other.get(path)

        assert other.post(path, {"version": "1", "reason": "So do we."}).status_code == 303

    def test_tells_who_was_first(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        visitor = visit_as(pairing.family)
        visitor.get(f"/links/{pairing.link_id}/steps/consider")

        response = visitor.post(f"/links/{pairing.link_id}/steps/consider", {"version": "1", "reason": "We do."})

        assert response.status_code == 409
        assert f"Sam Sample {pairing.family.slug} of {pairing.family.name} was first" in page_of(visitor).text


class TestEnd:
    def test_ends_the_link_and_what_it_opened(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        let_read(database, pairing)
        reader, owner = visit_as(pairing.children), visit_as(pairing.family)
        assert reader.get(f"/documents/{document_id}/report.pdf").mimetype == "application/pdf"
        owner.get(f"/links/{pairing.link_id}/end")

        ended = owner.post(
            f"/links/{pairing.link_id}/end",
            {"version": "2", "outcome": "not_right", "reason": "Too far.", "feedback": "They were kind."},
        )

        assert ended.status_code == 303
        assert reader.get(f"/documents/{document_id}/report.pdf").status_code == 404
        reader.get(f"/links/{pairing.link_id}")
        assert "They were kind." in page_of(reader).text
        assert "The link has ended." in page_of(reader).text


class TestRequestReport:
    def test_leads_to_a_decision_by_name(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id, make_pdf("They have a dog."))
        reader, owner = visit_as(pairing.children), visit_as(pairing.family)
        reader.get(f"/links/{pairing.link_id}")
        reader.get(page_of(reader).links()["Ask to read the PAR"])
        asked = reader.post(f"/links/{pairing.link_id}/ask/par", {"reason": "To prepare the visit."})
        assert asked.status_code == 303
        owner.get("/links")
        assert "A request to read a report waits for you" in page_of(owner).text
        owner.get(f"/links/{pairing.link_id}")
        link = next(path for words, path in page_of(owner).links().items() if words.startswith("Decide on"))
        owner.get(link)
        assert "To prepare the visit." in page_of(owner).text

        day = utc_now().date() + timedelta(days=7)
        decided = owner.post(link, {"decision": "grant", "ends_on": [str(day.day), str(day.month), str(day.year)]})

        assert decided.status_code == 303
        owner.get(f"/households/{pairing.household_id}/par")
        assert f"Sam Sample {pairing.children.slug}, until {day.day} {day:%B %Y}" in page_of(owner).text
        assert reader.get(f"/documents/{document_id}/report.pdf").location == f"/documents/{document_id}/undertaking"


class TestHandIn:
    def test_keeps_a_pdf_and_nothing_else(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        visitor, path = visit_as(us), f"/households/{household_id}/par"
        visitor.get(path)
        word = visitor.post(path, {"child": "all", "file": (BytesIO(b"PK\x03\x04 a document"), "par.docx")})
        assert word.status_code == 422
        assert "Reports are kept as PDF only" in page_of(visitor).text

        assert visitor.post(path, {"child": "all", "file": (BytesIO(make_pdf()), "p.pdf")}).status_code == 303
        visitor.get(path)
        assert "1, the present one" in page_of(visitor).text

    @pytest.mark.parametrize(
        ("way", "content", "words"),
        [
            ("honest", make_pdf() + EICAR, "The virus scanner found something"),
            ("odd", make_pdf(), "The virus scanner does not answer as it should"),
            ("honest", make_pdf(), ""),
        ],
    )
    def test_keeps_only_what_the_scanner_has_passed(
        self, factories: Factories, database: Database, way: str, content: bytes, words: str
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        path = f"/households/{household_id}/par"
        with scanning(way=way) as address:
            site = create_app(make_settings(scanner=read_scanner(address)), database)
            visitor = Visitor(site).sign_in(database, us)
            visitor.get(path)

            response = visitor.post(path, {"child": "all", "file": (BytesIO(content), "p.pdf")})

        assert response.status_code == (422 if words else 303)
        assert words in page_of(visitor).text
        with transaction(database, us) as session:
            assert len(list_documents_of(session, [household_id])) == (0 if words else 1)

    def test_is_for_its_own_agency(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()

        assert visit_as(us).get(f"/households/{factories.household(them)}/par").status_code == 422


class TestKept:
    def test_lists_ones_own_reports_with_who_may_read_them(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        make_par(database, pairing.family, pairing.household_id)
        let_read(database, pairing)
        with transaction(database, pairing.family) as session:
            code = get_household(session, pairing.household_id).code
        owner, other = visit_as(pairing.family), visit_as(pairing.children)

        owner.get("/documents/kept")
        other.get("/documents/kept")

        assert f"PAR of {code} 1 Sam Sample {pairing.children.slug} until" in page_of(owner).text
        assert code not in page_of(other).html
        assert "Your agency keeps no report here yet." in page_of(other).text


class TestRead:
    def test_is_not_found_without_leave(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        visitor = visit_as(pairing.children)

        there = visitor.get(f"/documents/{document_id}/report.pdf")
        nowhere = visitor.get(f"/documents/{pairing.link_id}/report.pdf")

        assert there.status_code == 404
        assert same_but_for_the_reference(there, nowhere)
        with transaction(database, pairing.family) as session:
            assert get_document(session, document_id).version == 1

    def test_asks_for_the_undertaking_first(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        let_read(database, pairing, undertaken=False)
        visitor = visit_as(pairing.children)

        response = visitor.get(f"/documents/{document_id}/report.pdf")

        assert response.location == f"/documents/{document_id}/undertaking"
        visitor.get(response.location)
        assert visitor.post(response.location, {"wording": "1"}).status_code == 422
        assert visitor.post(response.location, {"wording": "1", "promised": "y"}).status_code == 303
        visitor.get("/documents")
        assert visitor.get(page_of(visitor).links()[_opens(visitor)]).mimetype == "application/pdf"


def _opens(visitor: Visitor) -> str:
    return next(words for words in page_of(visitor).links() if words.startswith("Open (PDF)"))


class TestDecide:
    @pytest.mark.parametrize(
        ("typed", "words", "unsaid"),
        [
            ({}, "Say whether they may read it", "Enter why not"),
            ({"decision": "decline"}, "Enter why not", "Enter the last day"),
            ({"decision": "grant", "ends_on": ["", "", ""]}, "Enter the last day", "Enter why not"),
            ({"decision": "grant", "ends_on": ["31", "2", "2027"]}, "Enter a real date", "Enter why not"),
            ({"decision": "grant", "ends_on": ["1", "1", "2020"]}, "Choose a day from today", "Enter why not"),
        ],
    )
    def test_asks_for_the_day_of_a_yes_or_the_reason_of_a_no(
        self,
        visit_as: Visit,
        factories: Factories,
        database: Database,
        typed: dict[str, object],
        words: str,
        unsaid: str,
    ) -> None:
        pairing = make_link(factories, database)
        path, visitor = _asked(database, pairing), visit_as(pairing.family)
        visitor.get(path)

        assert visitor.post(path, typed).status_code == 422
        assert words in page_of(visitor).text
        assert unsaid not in page_of(visitor).text

    def test_keeps_why_not(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        path, visitor = _asked(database, pairing), visit_as(pairing.family)
        visitor.get(path)

        assert visitor.post(path, {"decision": "decline", "reason": "The family is away."}).status_code == 303
        visitor.get(f"/links/{pairing.link_id}")
        assert "Declined The family is away." in page_of(visitor).text

    def test_is_not_the_readers(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        path, visitor = _asked(database, pairing), visit_as(pairing.children)
        visitor.get(path)

        assert visitor.post(path, {"decision": "decline", "reason": "No."}).status_code == 403


class TestTakeBack:
    def test_ends_a_grant_at_once(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id, grant_id = make_par(database, pairing.family, pairing.household_id), let_read(database, pairing)
        owner, reader = visit_as(pairing.family), visit_as(pairing.children)
        owner.get(f"/grants/{grant_id}/revoke")
        assert owner.post(f"/grants/{grant_id}/revoke", {"reason": ""}).status_code == 422

        assert owner.post(f"/grants/{grant_id}/revoke", {"reason": "A mistake."}).status_code == 303
        assert reader.get(f"/documents/{document_id}/report.pdf").status_code == 404


class TestOfferReport:
    def test_lets_somebody_of_the_link_read(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        document_id = make_par(database, pairing.family, pairing.household_id)
        owner, reader, path = (
            visit_as(pairing.family),
            visit_as(pairing.children),
            f"/links/{pairing.link_id}/offer/par",
        )
        owner.get(path)
        day = utc_now().date() + timedelta(days=2)
        typed = {
            "person": str(pairing.children.scope.person_id),
            "reason": "You visit.",
            "ends_on": [str(day.day), str(day.month), str(day.year)],
        }

        assert owner.post(path, {**typed, "person": str(pairing.link_id)}).status_code == 422
        assert owner.post(path, typed).status_code == 303
        assert reader.get(f"/documents/{document_id}/report.pdf").location.endswith("/undertaking")


class TestOfGroup:
    def test_keeps_a_report_of_each_child(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, children=((None, Sex.FEMALE), (None, Sex.MALE)))
        with transaction(database, us) as session:
            second = list_children(session, [group_id])[group_id][1].id
        visitor, path = visit_as(us), f"/groups/{group_id}/cpr"
        visitor.get(path)
        assert "All children of the group" in page_of(visitor).text

        for child in ("all", str(second), str(second)):
            assert visitor.post(path, {"child": child, "file": (BytesIO(make_pdf()), "c.pdf")}).status_code == 303

        visitor.get(path)
        assert "CPR of child 2 of G-" in page_of(visitor).text
        assert "2, the present one" in page_of(visitor).text
        assert visitor.post(path, {"child": str(group_id), "file": (BytesIO(make_pdf()), "c.pdf")}).status_code == 422

    @pytest.mark.parametrize("version", ["0", "-1", "2", "99999999999"])
    def test_has_no_version_that_was_not_kept(
        self, visit_as: Visit, factories: Factories, database: Database, version: str
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        document_id = make_par(database, us, household_id)

        response = visit_as(us).get(f"/documents/{document_id}/report.pdf?version={version}")

        assert response.status_code == 404

    def test_refuses_what_nobody_could_open(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor, path = visit_as(us), f"/groups/{factories.group(us)}/cpr"
        with pikepdf.open(BytesIO(make_pdf())) as pdf, BytesIO() as made:
            pdf.pages[0].Contents = pdf.make_stream(b"(left open")
            pdf.save(made)
            visitor.get(path)

            response = visitor.post(path, {"child": "all", "file": (BytesIO(made.getvalue()), "c.pdf")})

        assert (response.status_code, "cannot be marked" in page_of(visitor).text) == (422, True)


def _asked(database: Database, pairing: Pairing) -> str:
    with transaction(database, pairing.children) as session:
        link = get_link(session, pairing.link_id)
        found = ask(session, link, kind=ReportKind.PAR, reason="To prepare.", now=utc_now())
    return f"/grants/{found.id}/decide"
