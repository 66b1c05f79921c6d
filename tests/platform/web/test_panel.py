from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from uuid import uuid4

import pytest

from matching.link import find_decision, get_link
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.panel.stage import make_panel
from tests.matching.placement.stage import TODAY
from tests.matching.report_factory import make_pdf
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
DAY = [str(TODAY.day), str(TODAY.month), str(TODAY.year)]


class TestReaders:
    @pytest.mark.parametrize("role", [Role.MEDICAL_ADVISER, Role.DECISION_MAKER])
    def test_land_on_their_own_list_which_is_kind_when_empty(
        self, visit_as: Visit, factories: Factories, role: Role
    ) -> None:
        visitor = visit_as(factories.tenant(factories.consortium(), roles=frozenset({role})))

        for address in ("/home", "/panel"):
            visitor.get(address)

            assert "No papers wait for you now." in page_of(visitor).text
            assert page_of(visitor).links()["Panel papers"] == "/panel"

    def test_are_led_from_the_undertaking_to_their_decision(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        panel = make_panel(factories, database, undertaken=False)
        decider, adviser = (visit_as(panel.people[role]) for role in (Role.DECISION_MAKER, Role.MEDICAL_ADVISER))
        here, advice = (f"/panel/{panel.readers[role]}" for role in (Role.DECISION_MAKER, Role.MEDICAL_ADVISER))

        decider.get("/home")
        assert "Confirm that you keep the papers confidential" in page_of(decider).text
        assert decider.get(here).location.endswith("/undertaking")
        for visitor, address in ((decider, here), (adviser, advice)):
            visitor.get(f"{address}/undertaking")
            assert visitor.post(f"{address}/undertaking", {"wording": "1", "promised": "y"}).status_code == 303
        adviser.get(f"{advice}/advice")
        assert adviser.post(f"{advice}/advice", {"words": "She is well."}).status_code == 303
        decider.get("/home")
        assert "Decisions to take" in page_of(decider).text
        decider.get(here)
        assert "She is well." in page_of(decider).text
        papers = [href for href in page_of(decider).links().values() if href.endswith(".pdf")]
        assert [decider.get(href).data[:5] for href in papers] == [b"%PDF-"] * 3

        decider.get(f"{here}/decision")
        said = {"earlier": "0", "approved": "yes", "decided_on": DAY, "reason": "They meet her needs."}
        assert decider.post(f"{here}/decision", {**said, "approved": ""}).status_code == 422
        assert decider.post(f"{here}/decision", said).status_code == 303
        assert decider.post(f"{here}/decision", said).status_code == 409
        decider.get(here)
        assert "The match is approved" in page_of(decider).text
        with transaction(database, panel.pairing.children) as session:
            decision = find_decision(session, get_link(session, panel.pairing.link_id))
            assert decision is not None
            assert decision.person_id == panel.people[Role.DECISION_MAKER].scope.person_id

    def test_reach_nobody_elses(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database)
        unnamed = visit_as(factories.colleague(panel.pairing.children, roles=frozenset({Role.DECISION_MAKER})))
        for reader_id in (panel.readers[Role.DECISION_MAKER], uuid4()):
            for page in ("", "/decision", "/undertaking"):
                assert unnamed.get(f"/panel/{reader_id}{page}").status_code == 404
        assert unnamed.get(f"/links/{panel.pairing.link_id}/panel").status_code == 403


class TestWorkers:
    def test_put_papers_there_and_name_readers(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database, papers=False)
        ours, theirs = visit_as(panel.pairing.children), visit_as(panel.pairing.family)
        here = f"/links/{panel.pairing.link_id}/panel"
        fresh = factories.colleague(panel.pairing.children, roles=frozenset({Role.LEGAL_ADVISER}))

        ours.get(f"/links/{panel.pairing.link_id}")
        assert page_of(ours).links()["Panel papers and who reads them"] == here
        for visitor in (ours, theirs):
            visitor.get(f"{here}/reports")
            assert visitor.post(f"{here}/reports", {}).status_code == 303
            assert visitor.post(f"{here}/reports", {}).status_code == 409
        ours.get(f"{here}/placement-report")
        assert ours.post(f"{here}/placement-report", {"file": (BytesIO(b"no"), "a.pdf")}).status_code == 422
        report = {"file": (BytesIO(make_pdf()), "a.pdf")}
        assert ours.post(f"{here}/placement-report", report).status_code == 303
        minuted = {"finding": "recommended", "words": "All agree."}
        ours.get(f"{here}/minutes")
        assert ours.post(f"{here}/minutes", {"finding": "recommended"}).status_code == 422
        assert "Enter what the minutes say, or choose the PDF" in page_of(ours).text
        assert ours.post(f"{here}/minutes", {**minuted, "file": (BytesIO(b"no"), "a.pdf")}).status_code == 422
        as_file = {"finding": "recommended", "file": (BytesIO(make_pdf("All agree.")), "minutes.pdf")}
        assert ours.post(f"{here}/minutes", as_file).status_code == 303
        ours.get(here)
        opened = page_of(ours).links()["Open (PDF) the Panel’s minutes"]
        assert ours.get(opened).data[:5] == b"%PDF-"
        assert ours.post(f"{here}/minutes", minuted).status_code == 303
        named = {"person": f"{fresh.scope.person_id} legal_adviser"}
        assert ours.post(f"{here}/readers/new", named).status_code == 303
        assert ours.post(f"{here}/readers/new", named).status_code == 422
        assert theirs.post(f"{here}/minutes", minuted).status_code == 403

        ours.get(here)
        page = page_of(ours)
        assert "Adoption placement report" in page.text
        assert "All agree." in page.text
        back = next(href for href in page.links().values() if href.endswith("/take-back"))
        assert ours.post(back, {"words": "The wrong one."}).status_code == 303
        end = next(href for href in page.links().values() if href.endswith("/end"))
        assert ours.post(end, {}).status_code == 303
        theirs.get(here)
        assert "All agree." not in page_of(theirs).text
