from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from matching.agreement import own_household, read_ledger
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
GOOD = {"agreed_to": "profile", "who": "Alder Example", "how": "signed_form", "said_on": ["2", "3", "2026"]}


class TestLedger:
    def test_says_that_agreement_is_not_the_lawful_basis(self, visit_as: Visit, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        visitor = visit_as(ours)

        assert visitor.get(f"/households/{factories.household(ours)}/agreements").status_code == 200
        assert "Agreement is not the lawful basis." in page_of(visitor).text
        assert "Nothing has been recorded." in page_of(visitor).text

    def test_takes_an_agreement_and_its_withdrawal(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        path, visitor = f"/households/{household_id}/agreements", visit_as(ours)
        visitor.get(f"{path}/new")

        assert visitor.post(f"{path}/new", GOOD).status_code == 303
        with transaction(database, ours) as session:
            (said,) = read_ledger(session, own_household(session, household_id), now=utc_now())
        away = f"{path}/{said.entry.id}/withdraw"
        visitor.get(away)
        sent = {**GOOD, "after": "go_on", "reason": "The law allows it"}
        assert visitor.post(away, {**sent, "said_on": ["1", "3", "2026"]}).status_code == 422
        assert "cannot be withdrawn before that" in page_of(visitor).text
        assert visitor.post(away, sent).status_code == 303
        visitor.get(path)
        assert "Sharing goes on, as the law allows: The law allows it" in page_of(visitor).text

    def test_asks_for_what_is_missing(self, visit_as: Visit, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        path, visitor = f"/households/{factories.household(ours)}/agreements/new", visit_as(ours)
        visitor.get(path)

        assert visitor.post(path, {}).status_code == 422
        assert "Say what they agreed to" in page_of(visitor).text

    def test_of_anothers_is_as_of_one_that_is_not_there(self, visit_as: Visit, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        visitor = visit_as(ours)

        real, none = (visitor.get(f"/households/{each}/agreements") for each in (factories.household(theirs), uuid4()))

        assert (real.status_code, none.status_code) == (404, 404)
        assert same_but_for_the_reference(real, none)

    def test_is_closed_to_other_roles(self, visit_as: Visit, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))

        assert visit_as(officer).get(f"/households/{uuid4()}/agreements").status_code == 403
