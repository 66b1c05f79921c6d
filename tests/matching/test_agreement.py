from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from matching.agreement import (
    AfterWithdrawal,
    AgreedHow,
    AgreedTo,
    AgreementEntry,
    AgreementInvalid,
    AgreementUnknown,
    AgreementWithdrawn,
    get_agreement,
    own_household,
    read_ledger,
    record_agreement,
    standing_agreements,
    withdraw_agreement,
)
from matching.household import Household, HouseholdUnknown
from matching.pool import sharing_of
from matching.sealed_words import WordsMissing
from tenants import audit
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant, transaction

AGREED: dict[str, Any] = {
    "agreed_to": AgreedTo.POOL_SHARING,
    "who": "Alder Example",
    "said_on": TODAY,
    "how": AgreedHow.EMAIL,
    "now": NOW,
}
WITHDRAWN: dict[str, Any] = {
    "who": "Alder Example",
    "said_on": TODAY,
    "how": AgreedHow.ORAL,
    "reason": "They asked us to wait",
    "now": NOW,
}


def record(database: Database, tenant: Tenant, household_id: UUID, **others: Any) -> UUID:
    with transaction(database, tenant) as session:
        household = own_household(session, household_id)
        return record_agreement(session, household, **{**AGREED, **others}).id


def withdraw(database: Database, tenant: Tenant, entry_id: UUID, **others: Any) -> None:
    with transaction(database, tenant) as session:
        entry = session.get(AgreementEntry, entry_id)
        assert entry
        withdraw_agreement(session, entry, **{**WITHDRAWN, "after": AfterWithdrawal.GO_ON, **others})


class TestRecordAgreement:
    def test_keeps_who_agreed_to_what_sealed_and_ones_own(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        household_id = factories.household(ours)
        entry_id = record(database, ours, household_id)

        with transaction(database, ours) as session:
            household = own_household(session, household_id)
            (said,) = read_ledger(session, household, now=NOW)
            assert b"Alder" not in said.entry.sealed
            assert get_agreement(session, household, entry_id).id == entry_id
            assert audit.Act.CHANGE in {entry.act for entry in audit.list_entries_of(session, household_id)}
        assert (said.who, said.entry.recorded_by) == ("Alder Example", ours.scope.person_id)
        assert standing_agreements([said]) == {AgreedTo.POOL_SHARING}
        with transaction(database, theirs) as session:
            shared = session.get(Household, household_id)
            assert shared
            with pytest.raises(HouseholdUnknown):
                read_ledger(session, shared, now=NOW)
            assert session.get(AgreementEntry, entry_id) is None

    @pytest.mark.parametrize("day", [TODAY + timedelta(days=1), date(1999, 12, 31)])
    def test_refuses_days_that_cannot_be(self, day: date, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with pytest.raises(AgreementInvalid):
            record(database, ours, factories.household(ours), said_on=day)

    def test_wants_who_and_the_right_role(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        with pytest.raises(WordsMissing):
            record(database, ours, household_id, who=" ")
        with database.transaction(ours.acting_as(Role.INFORMATION_GOVERNANCE)) as session:
            household = own_household(session, household_id)
            with pytest.raises(NotAllowed):
                record_agreement(session, household, **AGREED)

    def test_can_only_be_added_to(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        record(database, ours, factories.household(ours))
        for statement in ("UPDATE agreement_entry SET said_on = said_on", "DELETE FROM agreement_entry"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction(database, ours) as session:
                session.execute(text(statement))


class TestWithdrawAgreement:
    @pytest.mark.parametrize(("after", "held"), [(AfterWithdrawal.GO_ON, False), (AfterWithdrawal.HOLD_BACK, True)])
    def test_does_with_sharing_what_the_worker_says(
        self, after: AfterWithdrawal, held: bool, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        withdraw(database, ours, record(database, ours, household_id), after=after)

        with transaction(database, ours) as session:
            ledger = read_ledger(session, own_household(session, household_id), now=NOW)
            assert sharing_of(session, [household_id])[household_id].held is held
        assert standing_agreements(ledger) == frozenset()
        assert {(said.entry.after, said.reason) for said in ledger} == {(None, None), (after, "They asked us to wait")}

    def test_happens_once_after_it_was_agreed_and_with_a_reason(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        entry_id = record(database, ours, household_id)
        with pytest.raises(AgreementInvalid):
            withdraw(database, ours, entry_id, said_on=TODAY - timedelta(days=1))
        with pytest.raises(WordsMissing):
            withdraw(database, ours, entry_id, reason=" ")
        withdraw(database, ours, entry_id)
        with pytest.raises(AgreementWithdrawn):
            withdraw(database, ours, entry_id)

    def test_may_be_followed_by_a_new_agreement(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id, other = factories.household(ours), factories.household(ours)
        entry_id = record(database, ours, household_id)
        withdraw(database, ours, entry_id)
        record(database, ours, household_id)

        with transaction(database, ours) as session:
            assert standing_agreements(read_ledger(session, own_household(session, household_id), now=NOW))
            with pytest.raises(AgreementUnknown):
                get_agreement(session, own_household(session, other), entry_id)
