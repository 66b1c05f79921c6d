"""The pages of who looked at a record."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from uuid import uuid4

import pytest

from tenants import audit
from tenants.audit import Act
from tenants.audit_check import ChainCheck, Fault, FaultKind, keep_check
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant
from tests.platform.web.equal import household_code, page_of, same_but_for_the_reference
from tests.site import Visitor
from tests.tenants.chain import make_chain, of

Visit = Callable[[Tenant], Visitor]


class TestOfHousehold:
    def test_is_reached_from_the_record_and_says_who_looked(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        visit_as(them).get(f"/households/{household_id}")
        visitor = visit_as(us)
        visitor.get(f"/households/{household_id}")

        visitor.get(page_of(visitor).links()["Who looked at this record"])

        text = page_of(visitor).text
        assert f"Somebody of theirs {them.name} Read the anonymous profile" in text
        assert f"Sam Sample {us.slug}" in text
        assert f"Sam Sample {them.slug}" not in text

    @pytest.mark.parametrize("path", ["groups", "households"])
    def test_is_the_same_for_anothers_record_as_for_none(
        self, path: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        theirs = factories.group(them) if path == "groups" else factories.household(them)
        visitor = visit_as(us)

        of_theirs, of_none = (visitor.get(f"/{path}/{each}/audit") for each in (theirs, uuid4()))

        assert of_theirs.status_code == 404
        assert of_none.status_code == 404

    def test_is_for_its_readers_alone(self, visit_as: Visit, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))
        household_id = factories.household(finder)
        visitor = visit_as(finder)
        visitor.get(f"/households/{household_id}")

        assert "Who looked at this record" not in page_of(visitor).links()
        assert visitor.get(f"/households/{household_id}/audit").status_code == 403

    def test_can_be_narrowed_and_says_when_nothing_is_left(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        visit_as(them).get(f"/households/{household_id}")
        visitor = visit_as(us)
        address = f"/households/{household_id}/audit"

        visitor.get(f"{address}?level=profile&agency={them.id}")
        assert "Showing 1 to 1 of 1." in page_of(visitor).text
        visitor.get(f"{address}?until=2001-01-01&person={us.scope.person_id}")
        assert "Nothing matches the filter." in page_of(visitor).text
        assert "Take off every filter" in page_of(visitor).links()
        # What is no answer is left out.
        assert visitor.get(f"{address}?since=x&until=9999-12-31&level=all&agency=1&person=-&page=x").status_code == 200
        assert "Nothing matches" not in page_of(visitor).text
        assert visitor.get(f"{address}?since=&level=profile").location == f"{address}?level=profile"

    def test_tells_from_where_ones_own_people_came_and_not_others(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        visit_as(them).get(f"/households/{household_id}", environ_base={"REMOTE_ADDR": "203.0.113.9"})
        visitor = visit_as(us)
        visitor.get(f"/households/{household_id}", environ_base={"REMOTE_ADDR": "203.0.113.7"})

        visitor.get(f"/households/{household_id}/audit")

        assert "A page, from 203.0.113.7" in page_of(visitor).text
        assert "203.0.113.9" not in page_of(visitor).text


class TestTake:
    @pytest.mark.parametrize("kind", ["groups", "households"])
    def test_hands_out_what_the_page_shows_and_keeps_that_it_did(
        self, kind: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        record_id = factories.group(us) if kind == "groups" else factories.household(us)
        visit_as(them).get(f"/{kind}/{record_id}")
        visitor = visit_as(us)

        response = visitor.get(f"/{kind}/{record_id}/audit.csv?level=profile")

        rows = list(csv.DictReader(io.StringIO(response.get_data(as_text=True).lstrip("\ufeff"))))
        assert [(row["Who"], row["Agency"], row["What"]) for row in rows] == [
            ("Somebody of theirs", them.name, "Read the anonymous profile")
        ]
        assert response.headers["Cache-Control"] == "no-store"
        visitor.get(f"/{kind}/{record_id}/audit")
        assert "Took away who had seen it, as a file" in page_of(visitor).text

    def test_hands_out_a_workbook_too(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()

        response = visit_as(us).get(f"/groups/{factories.group(us)}/audit.xlsx")

        assert response.data.startswith(b"PK")

    def test_holds_nothing_that_a_spreadsheet_would_run(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us)
        with database.transaction(us.scope) as session:
            audit.record(
                session, Act.SHARE, record_kind="=1+1", record_id=household_id, reason="=HYPERLINK(1)", now=utc_now()
            )

        said = visit_as(us).get(f"/households/{household_id}/audit.csv").get_data(as_text=True)

        assert "=1+1" in said
        assert not [cell for row in csv.reader(io.StringIO(said)) for cell in row if cell.startswith(("=", "+", "@"))]

    @pytest.mark.parametrize("kind", ["groups", "households"])
    def test_answers_the_same_of_anothers_record_as_of_none(
        self, kind: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        theirs = factories.group(them) if kind == "groups" else factories.household(them)
        visitor, none = visit_as(us), uuid4()

        answers = [visitor.get(f"/{kind}/{each}/audit.csv") for each in (theirs, none)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert same_but_for_the_reference(*answers, theirs=str(theirs), none=str(none))


class TestOfPerson:
    def test_is_reached_from_the_audit_and_says_what_they_saw(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them)
        visitor = visit_as(us)
        visitor.get(f"/households/{household_id}")
        visitor.get("/audit")
        visitor.get(page_of(visitor).links()["Choose somebody of your agency"])

        visitor.get(page_of(visitor).links()[f"Sam Sample {us.slug}"])

        text = page_of(visitor).text
        assert page_of(visitor).heading == f"What Sam Sample {us.slug} saw"
        assert "Read the anonymous profile Household H-" in text
        assert them.name in text

    def test_is_handed_out_too(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        response = visitor.get(f"/audit/people/{us.scope.person_id}.csv")

        assert "Took away who had seen it" in response.get_data(as_text=True)
        assert us.slug not in response.headers["Content-Disposition"]

    @pytest.mark.parametrize("end", ["", ".csv"])
    def test_is_the_same_for_anothers_person_as_for_nobody(
        self, end: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        visitor, none = visit_as(us), uuid4()

        answers = [visitor.get(f"/audit/people/{each}{end}") for each in (them.scope.person_id, none)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert same_but_for_the_reference(*answers, theirs=str(them.scope.person_id), none=str(none))


class TestIndex:
    def test_says_when_the_record_was_last_checked(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        visitor.get("/audit")
        assert "has not been checked yet" in page_of(visitor).text
        make_chain(database, us)

        visitor.get("/audit")

        assert "The record was last checked on 23 November 2026 at 09:00." in page_of(visitor).text
        assert "Its end was last signed on 23 November 2026" in page_of(visitor).text

    def test_says_what_is_wrong(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        found = ChainCheck(checked=3)
        for position in range(1, 13):
            found.add(Fault(FaultKind.EDITED, position, uuid4()))
        found.add(Fault(FaultKind.INSERTED, None, uuid4()))
        with database.transaction(of(us)) as session:
            keep_check(session, found, now=NOW)
        visitor = visit_as(us)

        visitor.get("/audit")

        text = page_of(visitor).text
        assert "13 things are not as they were when written" in text
        assert "Place 10: The entry, or its place, is not what it was" in text
        assert "3 more" in text


class TestFind:
    def test_finds_by_the_id_too(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        group_id, theirs = factories.group(us), factories.group(them)
        visitor = visit_as(us)
        visitor.get("/audit")

        assert visitor.post("/audit", {"code": f" {group_id} "}).location == f"/groups/{group_id}/audit"
        assert visitor.post("/audit", {"code": str(theirs)}).status_code == 422

    def test_leads_the_information_governance_lead_to_a_record(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        lead = factories.tenant(factories.consortium(), roles=frozenset({Role.INFORMATION_GOVERNANCE}))
        household_id, group_id = factories.household(lead), factories.group(lead)
        code = household_code(database, lead, household_id)
        visitor = visit_as(lead)
        visitor.get("/home")
        visitor.get(page_of(visitor).links()["Audit"])

        response = visitor.post("/audit", {"code": code.lower()})

        assert response.location == f"/households/{household_id}/audit"
        visitor.get(f"/groups/{group_id}/audit")
        assert page_of(visitor).heading.startswith("Who looked at G-")

    @pytest.mark.parametrize("typed", ["", "H-000000", "x" * 61, "\x00"])
    def test_says_what_is_wrong(self, typed: str, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        visitor.get("/audit")

        assert visitor.post("/audit", {"code": typed}).status_code == 422
        assert page_of(visitor).title.startswith("Error: ")

    def test_answers_the_same_of_anothers_record_as_of_none(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        code = household_code(database, them, factories.household(them))
        visitor = visit_as(us)
        visitor.get("/audit")

        of_theirs, of_none = (visitor.post("/audit", {"code": each}) for each in (code, "H-00000Z"))

        assert same_but_for_the_reference(of_theirs, of_none, theirs=code, none="H-00000Z")
