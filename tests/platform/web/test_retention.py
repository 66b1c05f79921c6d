from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from matching.household import get_household
from matching.retention.hold import read_holds
from matching.retention.record_class import RecordClass
from matching.retention.rule import schedule_of
from matching.retention.run import list_runs
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.retention.people import colleague, old_household
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
RULE = "/retention/rules/household_not_placed"


def code_of(database: Database, tenant: Tenant, household_id: UUID) -> str:
    with transaction(database, tenant) as session:
        return get_household(session, household_id).code


class TestIndex:
    def test_shows_the_schedule_and_that_nothing_was_asked(self, visit_as: Visit, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        visitor = visit_as(ours)

        assert visitor.get("/privacy").status_code == 200
        assert visitor.get("/retention").status_code == 200
        text = page_of(visitor).text
        assert "100 years from the adoption order" in text
        assert "Nobody has asked to destroy anything." in text

    @pytest.mark.parametrize("path", ["/privacy", "/retention", "/retention/due", "/retention/holds", RULE])
    def test_is_closed_to_other_roles(self, path: str, visit_as: Visit, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))

        assert visit_as(finder).get(path).status_code == 403


class TestManager:
    def test_sees_what_is_due_and_is_offered_nothing_that_is_not_theirs(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        code = code_of(database, ours, old_household(factories, ours))
        visitor = visit_as(colleague(database, ours))

        visitor.get("/retention")
        offered = {path for path in page_of(visitor).links().values() if path.startswith("/retention/")}
        assert offered == {"/retention/due", "/retention/orders"}
        visitor.get("/retention/due")
        assert code in page_of(visitor).text
        assert "Ask a second person" not in page_of(visitor).text


class TestRule:
    def test_sets_the_agencys_own(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        visitor = visit_as(ours)
        visitor.get(RULE)

        sent = {"months": "1,200", "clock": "withdrawn", "ends": "destroy", "basis": "Records manual, page 4"}
        response = visitor.post(RULE, sent)

        assert (response.status_code, response.location) == (303, "/retention#household_not_placed")
        visitor.get("/retention")
        assert "Records manual, page 4" in page_of(visitor).text
        with transaction(database, theirs) as session:
            assert schedule_of(session)[RecordClass.HOUSEHOLD_NOT_PLACED].months == 84

    @pytest.mark.parametrize("months", ["", "a", "-1", "0", "99999", "१२"])
    def test_refuses_what_is_no_period(self, months: str, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        visitor.get(RULE)

        response = visitor.post(RULE, {"months": months, "clock": "withdrawn", "ends": "destroy", "basis": "Ours"})

        assert response.status_code == 422
        assert "number of months" in page_of(visitor).text

    def test_never_goes_under_the_floor(self, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        path = "/retention/rules/adoption_record"
        visitor.get(path)

        response = visitor.post(path, {"months": "1199", "clock": "order", "ends": "destroy", "basis": "Ours"})

        assert response.status_code == 422
        assert "at least 100 years from the order" in page_of(visitor).text


class TestDestruction:
    def test_is_asked_by_one_and_approved_by_another(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        due, others = old_household(factories, ours), old_household(factories, theirs)
        visitor, second = visit_as(ours), visit_as(colleague(database, ours))
        visitor.get("/retention/due")
        assert code_of(database, ours, due) in page_of(visitor).text
        assert code_of(database, theirs, others) not in page_of(visitor).text

        asked = visitor.post("/retention/due", {"record": [str(due)], "reason": "Its time is over"})
        assert asked.status_code == 303
        visitor.get(asked.location)
        refused = visitor.post(asked.location, {"decision": "approve", "reason": "I agree with myself"})
        assert refused.status_code == 422
        assert "This needs a second person" in page_of(visitor).text
        second.get(asked.location)
        agreed = second.post(asked.location, {"decision": "approve", "reason": "I looked"})

        assert (agreed.status_code, agreed.location) == (303, asked.location)
        second.get(asked.location)
        assert "The records are being destroyed" in page_of(second).text
        with transaction(database, ours) as session:
            (run,) = list_runs(session)
            assert run.approved
            assert run.job_id

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"reason": "Over"}, "Pick at least one record"),
            ({"reason": "Over", "record": [str(uuid4())]}, "no longer due"),
            ({"reason": "Over", "record": ["nonsense"]}, "Pick at least one record"),
            ({"reason": " "}, "Enter why they are to be destroyed"),
        ],
    )
    def test_refuses_what_cannot_be(
        self, sent: dict[str, object], words: str, visit_as: Visit, factories: Factories
    ) -> None:
        ours, _ = factories.two_tenants()
        old_household(factories, ours)
        visitor = visit_as(ours)
        visitor.get("/retention/due")

        assert visitor.post("/retention/due", sent).status_code == 422
        assert words in page_of(visitor).text

    def test_anothers_is_as_one_that_is_not_there(self, visit_as: Visit, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        due = old_household(factories, theirs)
        them = visit_as(theirs)
        them.get("/retention/due")
        path = them.post("/retention/due", {"record": [str(due)], "reason": "Over"}).location
        visitor = visit_as(ours)

        real, none = visitor.get(path), visitor.get(f"/retention/runs/{uuid4()}")

        assert (real.status_code, none.status_code) == (404, 404)
        assert same_but_for_the_reference(real, none)


class TestHolds:
    def test_are_placed_and_lifted_in_ones_own_name(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        code = code_of(database, ours, old_household(factories, ours))
        visitor = visit_as(ours)
        visitor.get("/retention/holds")
        assert "No hold has been placed." in page_of(visitor).text
        visitor.get("/retention/holds/new")

        placed = visitor.post("/retention/holds/new", {"what": "one", "code": code, "reason": "An inquiry asks"})

        assert (placed.status_code, placed.location) == (303, "/retention/holds")
        visitor.get("/retention/due")
        assert "a hold keeps them" in page_of(visitor).text
        with transaction(database, ours) as session:
            (said,) = read_holds(session, now=utc_now())
        path = f"/retention/holds/{said.hold.id}/lift"
        visitor.get(path)
        assert visitor.post(path, {"reason": "It ended"}).status_code == 303
        visitor.get("/retention/holds")
        assert "It ended" in page_of(visitor).text

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"what": "one", "reason": "Why"}, "Enter the record’s code"),
            ({"what": "one", "code": "H-000000", "reason": "Why"}, "Your agency has no sibling group or household"),
            ({"what": "one", "code": "\x00", "reason": "Why"}, "Enter the record’s code"),
            ({"reason": "Why"}, "Say what is to be held"),
            ({"what": "import_file"}, "Enter why it is held"),
        ],
    )
    def test_refuse_what_cannot_be(
        self, sent: dict[str, str], words: str, visit_as: Visit, factories: Factories
    ) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        visitor.get("/retention/holds/new")

        assert visitor.post("/retention/holds/new", sent).status_code == 422
        assert words in page_of(visitor).text


class TestOrder:
    def test_makes_an_adoption_record(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        code = code_of(database, ours, old_household(factories, ours))
        visitor = visit_as(ours)
        visitor.get("/retention/orders/new")

        response = visitor.post("/retention/orders/new", {"code": code, "ordered_on": ["1", "6", "2005"]})

        assert response.status_code == 303
        visitor.get("/retention/due")
        assert "Nothing is due." in page_of(visitor).text

    def test_refuses_a_day_to_come(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        code = code_of(database, ours, factories.household(ours))
        visitor = visit_as(ours)
        visitor.get("/retention/orders/new")

        response = visitor.post("/retention/orders/new", {"code": code, "ordered_on": ["1", "6", "2999"]})

        assert response.status_code == 422
        assert "not after today" in page_of(visitor).text


class TestOrders:
    def test_that_were_a_mistake_are_set_aside_by_two(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        code = code_of(database, ours, old_household(factories, ours))
        visitor, second = visit_as(ours), visit_as(colleague(database, ours))
        visitor.get("/retention/orders")
        assert "No adoption order is on record." in page_of(visitor).text
        visitor.get("/retention/orders/new")
        visitor.post("/retention/orders/new", {"code": code, "ordered_on": ["1", "5", "2020"]})
        visitor.get("/retention/orders")
        (aside,) = [path for path in page_of(visitor).links().values() if path.endswith("/aside")]
        decide = aside.replace("aside", "decide")

        visitor.get(aside)
        assert visitor.post(aside, {"reason": "The wrong family"}).status_code == 303
        visitor.get(decide)
        assert visitor.post(decide, {"decision": "approve"}).status_code == 422
        second.get(decide)
        assert "The wrong family" in page_of(second).text
        assert second.post(decide, {"decision": "approve"}).status_code == 303
        second.get("/retention/orders")

        assert "Set aside" in page_of(second).text
        stranger = visit_as(theirs)
        for path in (aside, decide):
            real, none = stranger.get(path), stranger.get(f"/retention/orders/{uuid4()}/{path.rpartition('/')[2]}")
            assert (real.status_code, none.status_code) == (404, 404)
            assert same_but_for_the_reference(real, none)
