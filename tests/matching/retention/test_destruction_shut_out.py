"""Who is shut out of a record neither approves a destruction nor has one done in their name."""

from __future__ import annotations

from uuid import UUID

import pytest

from matching.bar import bar_person
from matching.household import get_household
from matching.retention.destruction import destroy_item
from matching.retention.run import ApproverShutOut, Outcome, ask_for_destruction, decide, get_run, list_items
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant, transaction
from tests.matching.retention.people import colleague, old_household


class TestWhoIsShutOut:
    def test_approves_no_destruction(self, database: Database, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        known, other, second = factories.household(ours), old_household(factories, ours), colleague(database, ours)
        with transaction(database, ours) as session:
            run_id = ask_for_destruction(session, {other}, reason="Over", now=NOW).id
        _bar(database, ours, known, second)

        with transaction(database, second) as session, pytest.raises(ApproverShutOut):
            decide(session, get_run(session, run_id), approve=True, reason="Yes", now=NOW)

    def test_destroys_nothing_that_they_approved_before(self, database: Database, factories: Factories) -> None:
        ours, _ = factories.two_tenants()
        known, other, second = factories.household(ours), old_household(factories, ours), colleague(database, ours)
        with transaction(database, ours) as session:
            run_id = ask_for_destruction(session, {other}, reason="Over", now=NOW).id
        with transaction(database, second) as session:
            decide(session, get_run(session, run_id), approve=True, reason="Yes", now=NOW)
        _bar(database, ours, known, second)

        with transaction(database, second) as session:
            (item,) = list_items(session, get_run(session, run_id))
            assert destroy_item(session, item.id, now=NOW) is Outcome.KEPT
            assert item.why
            assert "shut out of a record since" in item.why


def _bar(database: Database, tenant: Tenant, household_id: UUID, whom: Tenant) -> None:
    assert whom.scope.person_id is not None
    with transaction(database, tenant) as session:
        record = get_household(session, household_id)
        bar_person(session, record, person_id=whom.scope.person_id, reason="Her cousin", now=NOW)
