from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from matching.household import get_household, read_profile
from matching.record_audit import RecordUnknown
from matching.rectification import (
    Rectification,
    RectificationDecided,
    RectificationInvalid,
    RectificationUnknown,
    Rectified,
    ask_rectification,
    count_of_record,
    decide_rectification,
    get_rectification,
    list_rectifications,
    read_rectification,
    seen_by,
)
from matching.retention.destruction import destroy_item
from matching.retention.run import get_run, list_items
from matching.sealed_words import WordsMissing
from tenants import audit
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant, transaction
from tests.matching.retention.people import agreed, old_household

ASKED: dict[str, Any] = {
    "field": "Smoking",
    "before": "Yes",
    "after": "No",
    "statement": "We stopped in 2024",
    "asked_on": TODAY,
    "now": NOW,
}


def ask(database: Database, tenant: Tenant, household_id: UUID, **others: Any) -> Rectification:
    with transaction(database, tenant) as session:
        code = get_household(session, household_id).code
        return ask_rectification(session, code, **{**ASKED, **others})


class TestAskRectification:
    def test_keeps_it_sealed_due_in_a_month_and_ones_own(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        household_id = factories.household(ours)
        row = ask(database, ours, household_id)

        with transaction(database, ours) as session:
            said = read_rectification(session, get_rectification(session, row.id), now=NOW)
            assert [each.id for each in list_rectifications(session)] == [row.id]
            assert count_of_record(session, household_id) == 1
            assert audit.Act.REQUEST in {entry.act for entry in audit.list_entries_of(session, household_id)}
        assert (said.field, said.before, said.after, said.statement) == ("Smoking", "Yes", "No", "We stopped in 2024")
        assert said.row.due_on == date(2026, 12, 23)
        assert b"stopped" not in said.row.sealed
        with transaction(database, theirs) as session:
            assert list_rectifications(session) == []
            assert count_of_record(session, household_id) == 0
            with pytest.raises(RectificationUnknown):
                get_rectification(session, row.id)

    def test_refuses_anothers_record_blanks_odd_days_and_other_roles(
        self, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        household_id, other = factories.household(ours), factories.household(theirs)
        with pytest.raises(RecordUnknown):
            ask(database, ours, other)
        with pytest.raises(WordsMissing):
            ask(database, ours, household_id, statement=" ")
        for day in (TODAY + timedelta(days=1), TODAY - timedelta(days=400)):
            with pytest.raises(RectificationInvalid):
                ask(database, ours, household_id, asked_on=day)
        with database.transaction(ours.acting_as(Role.MANAGER)) as session:
            code = get_household(session, household_id).code
            with pytest.raises(NotAllowed):
                ask_rectification(session, code, **ASKED)


class TestDecideRectification:
    def test_keeps_who_and_why_and_happens_once(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        row = ask(database, ours, factories.household(ours))
        with transaction(database, ours) as session:
            found = get_rectification(session, row.id)
            with pytest.raises(WordsMissing):
                decide_rectification(session, found, decision=Rectified.DONE, reason="", now=NOW)
            decide_rectification(session, found, decision=Rectified.REFUSED, reason="The visit says so", now=NOW)

        with transaction(database, ours) as session:
            found = get_rectification(session, row.id)
            said = read_rectification(session, found, now=NOW)
            assert (said.reason, said.statement) == ("The visit says so", "We stopped in 2024")
            assert (found.decision, found.decided_by) == (Rectified.REFUSED, ours.scope.person_id)
            with pytest.raises(RectificationDecided):
                decide_rectification(session, found, decision=Rectified.DONE, reason="After all", now=NOW)


class TestSeenBy:
    def test_names_the_other_agencies_that_looked(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        household_id, unseen = factories.household(ours), factories.household(ours)
        with transaction(database, theirs) as session:
            for _ in range(2):
                read_profile(session, get_household(session, household_id), now=NOW)
        row, other = ask(database, ours, household_id), ask(database, ours, unseen)

        with transaction(database, ours) as session:
            assert [(each.agency, each.looks, each.last) for each in seen_by(session, row)] == [(theirs.name, 2, NOW)]
            assert seen_by(session, other) == []


class TestRetention:
    def test_destroys_it_with_the_record(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        row = ask(database, ours, household_id)
        with transaction(database, ours) as session:
            found = get_rectification(session, row.id)
            decide_rectification(session, found, decision=Rectified.DONE, reason="It was wrong", now=NOW)
        run = agreed(database, ours, household_id)
        with transaction(database, ours) as session:
            (item,) = list_items(session, get_run(session, run.id))
            destroy_item(session, item.id, now=NOW)

        with pytest.raises(RectificationUnknown), transaction(database, ours) as session:
            get_rectification(session, row.id)
