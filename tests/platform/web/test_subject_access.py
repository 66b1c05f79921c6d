from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from matching.household import get_household
from matching.subject_access.export import FileFormat, keep_export
from matching.subject_access.item import opened_items
from matching.subject_access.request import get_request, list_requests
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.subject_access.asking import asked, gathered
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestNew:
    def test_opens_a_request_that_can_be_gathered_and_answered(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        with transaction(database, ours) as session:
            code = get_household(session, household_id).code
        visitor, today = visit_as(ours), utc_now().date()
        visitor.get("/subject-access")
        assert "Nobody has asked yet." in page_of(visitor).text
        visitor.get("/subject-access/new")
        day = [str(today.day), str(today.month), str(today.year)]

        opened = visitor.post(
            "/subject-access/new",
            {"code": code, "asker": "Alder Example", "identity": "Passport seen", "received_on": day},
        )

        assert opened.status_code == 303
        visitor.get(opened.location)
        assert "Nothing has been gathered yet." in page_of(visitor).text
        assert visitor.post(f"{opened.location}/gather").status_code == 303
        visitor.get(opened.location)
        assert "One part is to be looked at" in page_of(visitor).text
        with transaction(database, ours) as session:
            (request,) = list_requests(session)
            items = opened_items(session, request)
        for said, decision in ((items[0], "redact"), (items[-1], "withhold")):
            path = f"{opened.location}/parts/{said.item.id}"
            visitor.get(path)
            sent = {"decision": decision, "remove": "Alder Example", "reason": "I looked"}
            assert visitor.post(path, sent).status_code == 303
        visitor.get(opened.location)
        assert "Released with words removed" in page_of(visitor).text
        assert visitor.post(f"{opened.location}/answer").status_code == 303
        visitor.get("/subject-access")
        assert code in page_of(visitor).text

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"code": ""}, "Enter a code"),
            ({"code": "H-000000"}, "Your agency has no sibling group or household"),
            ({"asker": " "}, "Enter who asks"),
            ({"received_on": ["1", "1", "2999"]}, "not after today"),
        ],
    )
    def test_refuses_what_cannot_be(
        self, wrong: dict[str, object], words: str, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        with transaction(database, ours) as session:
            code = get_household(session, household_id).code
        visitor = visit_as(ours)
        visitor.get("/subject-access/new")
        good = {"code": code, "asker": "Alder", "identity": "Passport", "received_on": ["1", "11", "2026"]}

        assert visitor.post("/subject-access/new", {**good, **wrong}).status_code == 422
        assert words in page_of(visitor).text


class TestPart:
    def test_refuses_words_that_are_not_there(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = gathered(database, ours, factories.household(ours))
        with transaction(database, ours) as session:
            item = opened_items(session, get_request(session, request.id))[0].item
        visitor, path = visit_as(ours), f"/subject-access/{request.id}/parts/{item.id}"
        visitor.get(path)

        response = visitor.post(path, {"decision": "redact", "remove": "nobody", "reason": "Why"})

        assert response.status_code == 422
        assert "“nobody” is not in this part" in page_of(visitor).text


class TestExtend:
    def test_puts_it_off_once(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        path = f"/subject-access/{asked(database, ours, factories.household(ours)).id}"
        visitor = visit_as(ours)
        visitor.get(f"{path}/extend")

        assert visitor.post(f"{path}/extend", {"reason": "Many files"}).status_code == 303
        visitor.get(f"{path}/extend")
        assert visitor.post(f"{path}/extend", {"reason": "More"}).status_code == 422


class TestDownload:
    def test_hands_the_file_over_and_nothing_of_anothers(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        request = gathered(database, theirs, factories.household(theirs))
        with transaction(database, theirs) as session:
            files = {FileFormat.PDF: b"%PDF- a sample", FileFormat.JSON: b"{}"}
            keep_export(session, get_request(session, request.id), files=files, now=utc_now())

        response = visit_as(theirs).get(f"/subject-access/{request.id}/answer.pdf")

        assert (response.data, response.mimetype) == (b"%PDF- a sample", "application/pdf")
        visitor = visit_as(ours)
        for path in ("", "/answer.pdf"):
            real, none = (visitor.get(f"/subject-access/{each}{path}") for each in (request.id, uuid4()))
            assert (real.status_code, none.status_code) == (404, 404)
            assert same_but_for_the_reference(real, none)

    def test_is_for_the_information_governance_lead(self, visit_as: Visit, factories: Factories) -> None:
        manager = factories.tenant(factories.consortium(), roles=frozenset({Role.MANAGER}))

        assert visit_as(manager).get("/subject-access").status_code == 403
