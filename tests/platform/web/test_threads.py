from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.matching.report_factory import make_link, make_pdf
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
PNG = b"\x89PNG\r\n\x1a\n" + b"made up" + b"IEND\xaeB`\x82"


class TestThread:
    def test_takes_messages_files_and_names_and_shows_them_to_both(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        ours, theirs, path = visit_as(pairing.children), visit_as(pairing.family), f"/links/{pairing.link_id}/thread"
        ours.get(f"/links/{pairing.link_id}")
        ours.get(page_of(ours).links()["Messages, which both agencies read"])
        assert "Nothing has been said yet." in page_of(ours).text

        assert ours.post(path, {"words": " "}).status_code == 422
        said = {"words": "<b>Hello</b>", "named": str(pairing.family.scope.person_id)}
        for content in (b"MZ\x90 a program", PNG + b"<script>", make_pdf("x")[:40]):
            refused = ours.post(path, {**said, "file": (BytesIO(content), "plan.pdf")})
            assert refused.status_code == 422
        assert ours.post(path, {**said, "named": str(pairing.link_id)}).status_code == 422
        assert ours.post(path, {**said, "file": (BytesIO(PNG), "plan.exe")}).status_code == 303

        theirs.get(path)
        page = page_of(theirs)
        assert "<b>Hello</b>" in page.text
        assert f"To Sam Sample {pairing.family.slug}" in page.text
        taken = theirs.get(page.links()["Take the file plan.png"])
        assert (taken.data, taken.mimetype) == (PNG, "image/png")
        assert taken.headers["Content-Disposition"].startswith("attachment")
        stranger = visit_as(factories.tenant(pairing.children.scope.consortium_id or pairing.link_id))
        assert {stranger.get(path).status_code, stranger.post(path, said).status_code} == {404}


class TestNotes:
    def test_are_shown_to_one_side_only(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        ours, theirs, path = visit_as(pairing.children), visit_as(pairing.family), f"/links/{pairing.link_id}/notes"

        ours.get(path)
        assert ours.post(path, {"words": ""}).status_code == 422
        assert ours.post(path, {"words": "They seem tired."}).status_code == 303
        ours.get(path)
        assert "They seem tired." in page_of(ours).text
        theirs.get(path)
        assert "There is no note yet." in page_of(theirs).text
