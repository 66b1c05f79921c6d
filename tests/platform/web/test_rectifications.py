from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from matching.household import get_household
from matching.rectification import ask_rectification
from matching.sibling_group import get_group
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestRectifications:
    def test_are_taken_and_decided(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        household_id = factories.household(ours)
        with transaction(database, ours) as session:
            code = get_household(session, household_id).code
        visitor, today = visit_as(ours), utc_now().date()
        visitor.get("/rectifications")
        assert "Nobody has asked for a correction." in page_of(visitor).text
        visitor.get("/rectifications/new")
        words = {"code": code, "field": "Pets", "before": "None", "after": "A cat", "statement": "We have one"}
        assert visitor.post("/rectifications/new", {**words, "asked_on": ["1", "1", "2999"]}).status_code == 422
        assert "not after today" in page_of(visitor).text

        day = [str(today.day), str(today.month), str(today.year)]
        taken = visitor.post("/rectifications/new", {**words, "asked_on": day})

        assert taken.status_code == 303
        visitor.get(taken.location)
        assert "No other agency has looked at it." in page_of(visitor).text
        assert visitor.post(taken.location, {"decision": "done"}).status_code == 422
        assert visitor.post(taken.location, {"decision": "done", "reason": "Seen"}).status_code == 303
        visitor.get("/rectifications")
        assert "Done" in page_of(visitor).text
        them = visit_as(theirs)
        real, none = (them.get(path) for path in (taken.location, f"/rectifications/{uuid4()}"))
        assert (real.status_code, none.status_code) == (404, 404)
        assert same_but_for_the_reference(real, none)

    def test_are_for_the_information_governance_lead(self, visit_as: Visit, factories: Factories) -> None:
        worker = factories.tenant(factories.consortium(), roles=frozenset({Role.ADOPTERS_WORKER}))

        assert visit_as(worker).get("/rectifications").status_code == 403


class TestRecordPages:
    def test_say_that_a_correction_was_asked_for_to_their_own_agency(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        household_id, group_id = factories.household(ours), factories.group(ours)
        with transaction(database, ours) as session:
            codes = [get_household(session, household_id).code, get_group(session, group_id).code]
            for code in codes:
                words = {"field": "Pets", "before": "None", "after": "A cat", "statement": "We have one"}
                ask_rectification(session, code, **words, asked_on=utc_now().date(), now=utc_now())
        visitor, them = visit_as(ours), visit_as(theirs)

        for path in (f"/households/{household_id}", f"/groups/{group_id}"):
            visitor.get(path)
            them.get(path)
            assert "One correction of this record has been asked for" in page_of(visitor).text
            assert "correction of this record" not in page_of(them).text
        visitor.get(f"/households/{household_id}")
        assert "What they agreed to" in page_of(visitor).text
