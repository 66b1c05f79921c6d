"""The pool: what is shared, since when, and held back why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from matching import household as households
from matching import sibling_group as groups
from matching.need import NeedLevel
from matching.pool import NoPool, PoolEntry, SharingNeedsReason, Stage, share, share_each, sharing_of
from tenants.consortium import ConsortiumMember
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import TODAY, Factories, Tenant

LATER = TODAY + timedelta(days=30)


class TestShare:
    def test_shows_the_record_to_the_consortium(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon, stage=Stage.IN_HOUSE)

        with database.transaction(devon.scope) as session:
            share(session, stage=Stage.CONSORTIUM, on=LATER, sibling_group_id=group_id)

        with database.transaction(dorset.scope) as session:
            assert groups.get_group(session, group_id).agency_id == devon.id
            assert groups.entered_pool_on(session, [group_id]) == {group_id: LATER}

    def test_takes_it_back(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(devon.scope) as session:
            share(session, stage=Stage.IN_HOUSE, on=LATER, household_id=household_id)

        with database.transaction(dorset.scope) as session, pytest.raises(households.HouseholdUnknown):
            households.get_household(session, household_id)

    def test_holds_nothing_back_without_a_reason(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(devon.scope) as session, pytest.raises(SharingNeedsReason):
            share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=household_id, held=True)

    def test_shares_with_nobody_outside_a_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        for scope in (replace(devon.scope, consortium_id=None), OPERATOR):
            with database.transaction(scope) as session, pytest.raises(NoPool):
                share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=household_id)

    def test_shares_nothing_of_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE)

        # In the pool already or not: the answer is the same, and no row of the other agency is touched.
        for record_id in (household_id, uuid4()):
            with pytest.raises(IntegrityError, match="foreign key"), database.transaction(dorset.scope) as session:
                share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=record_id)

    def test_shares_into_no_consortium_but_the_own(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with pytest.raises(DBAPIError), database.transaction(devon.scope) as session:
            session.execute(
                update(PoolEntry)
                .where(PoolEntry.household_id == household_id)
                .values(consortium_id=stranger.scope.consortium_id)
            )


class TestMembership:
    def test_takes_what_an_agency_pooled_along_when_it_leaves(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id, group_id = factories.household(devon), factories.group(devon, needs={"neglect": NeedLevel.LOW})
        own = factories.household(dorset)

        def seen(tenant: Tenant) -> set[UUID]:
            with database.transaction(tenant.scope) as session:
                entries = set(sharing_of(session, [household_id, group_id, own]))
                records = {
                    *session.scalars(select(households.Household.id)),
                    *session.scalars(select(groups.SiblingGroup.id)),
                }
                assert entries == records
                assert session.scalars(select(groups.Child.sibling_group_id)).all() == [
                    each for each in (group_id,) if each in records
                ]
                return records

        for left_on, theirs in (
            (TODAY, {own}),
            (TODAY + timedelta(days=3650), {household_id, group_id, own}),
            (None, {household_id, group_id, own}),
        ):
            with database.transaction(OPERATOR) as session:
                session.get_one(ConsortiumMember, (devon.scope.consortium_id, devon.id)).left_on = left_on
            assert seen(dorset) == theirs
            assert seen(devon) == {household_id, group_id, own}


class TestShareEach:
    def test_keeps_the_day_while_only_the_hold_changes(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        ids = [factories.household(devon) for _ in range(3)]

        with database.transaction(devon.scope) as session:
            share_each(session, [(each, None, Stage.CONSORTIUM, True, "A new baby") for each in ids], on=LATER)
            entries = sharing_of(session, ids)

        assert {entry.entered_on for entry in entries.values()} == {TODAY}
        assert {(entry.held, entry.reason) for entry in entries.values()} == {(True, "A new baby")}

    def test_begins_a_new_day_with_a_new_stage(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        moved, kept = factories.household(devon, stage=Stage.IN_HOUSE), factories.household(devon)

        with database.transaction(devon.scope) as session:
            share_each(
                session,
                [(moved, None, Stage.CONSORTIUM, False, None), (kept, None, Stage.CONSORTIUM, False, None)],
                on=LATER,
            )

        assert _entered(database, devon, moved) == LATER
        assert _entered(database, devon, kept) == TODAY

    def test_takes_households_and_groups_together(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE)
        group_id = factories.group(devon, stage=Stage.IN_HOUSE)

        with database.transaction(devon.scope) as session:
            share_each(
                session,
                [(household_id, None, Stage.CONSORTIUM, False, None), (None, group_id, Stage.CONSORTIUM, False, None)],
                on=LATER,
            )

        with database.transaction(dorset.scope) as session:
            assert set(sharing_of(session, [household_id, group_id])) == {household_id, group_id}


class TestSharingOf:
    def test_says_nothing_of_what_another_agency_keeps(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        shared, held = factories.household(devon), factories.household(devon, held=True)

        for tenant, seen in ((devon, {shared, held}), (dorset, {shared}), (stranger, set())):
            with database.transaction(tenant.scope) as session:
                assert set(sharing_of(session, [shared, held])) == seen


def _entered(database: Database, tenant: Tenant, household_id: UUID) -> object:
    with database.transaction(tenant.scope) as session:
        return sharing_of(session, [household_id])[household_id].entered_on
