"""How far a record is shared: by a person with a reason, by the schedule, and who then sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from matching.household import HouseholdStatus, HouseholdUnknown, count_households, get_household
from matching.pool import Stage, Way, share, sharing_of
from matching.pool_view import view_pool
from matching.ranking_run import families_for
from matching.register import list_household_cards
from matching.sharing import SharingInvalid, SharingMove, list_moves, read_sharing, set_sharing
from matching.sharing_due import move_due
from matching.sibling_group import GroupUnknown, get_group
from matching.timing import NextMove, Timing, set_agency_timing
from matching.visibility import WISHES, read_visibility
from tenants.audit import Act, list_entries_of
from tenants.consortium import ConsortiumMember, get_consortium, set_sharing_days
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant

OLD = TODAY - timedelta(days=80)
"""A council's household that was approved then is due in ten days, by the usual timing."""
DUE = TODAY + timedelta(days=10)


class TestSetSharing:
    def test_shares_as_a_person_says_and_keeps_why(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE)

        _set(database, devon, household_id, Stage.CONSORTIUM, reason="  They asked us to  ")

        with database.transaction(dorset.scope) as session:
            assert get_household(session, household_id)
        with database.transaction(devon.scope) as session:
            newest, oldest = list_moves(session, get_household(session, household_id))
        assert (newest.what, newest.reason) == ("Shared with the consortium", "They asked us to")
        assert newest.who.startswith("Sam Sample")
        assert oldest.what == "In-house"

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
    def test_asks_for_a_reason(self, database: Database, factories: Factories, reason: str) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with pytest.raises(SharingInvalid):
            _set(database, devon, household_id, Stage.NATIONAL, reason=reason)

    def test_holds_back_from_everyone_else(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)

        _set(database, devon, household_id, Stage.CONSORTIUM, held=True)

        with database.transaction(dorset.scope) as session, pytest.raises(HouseholdUnknown):
            get_household(session, household_id)

    def test_is_its_own_agencys_and_its_workers(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id, group_id = factories.household(devon), factories.group(devon)

        with database.transaction(dorset.scope) as session:
            for record, unknown in (
                (get_household(session, household_id), HouseholdUnknown),
                (get_group(session, group_id), GroupUnknown),
            ):
                with pytest.raises(unknown):
                    set_sharing(session, record, stage=Stage.NATIONAL, reason="Mine", now=NOW)
        with database.transaction(devon.acting_as(Role.CHILDS_SOCIAL_WORKER)) as session, pytest.raises(NotAllowed):
            set_sharing(
                session, get_household(session, household_id), stage=Stage.IN_HOUSE, reason="I may not", now=NOW
            )

    def test_keeps_what_it_takes_back(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, approved_on=OLD)

        _set(database, devon, household_id, Stage.IN_HOUSE)

        assert _move(database, devon, DUE) == 0
        assert _entry(database, devon, household_id) == (Stage.IN_HOUSE, Way.PERSON, True)


class TestHistory:
    def test_takes_no_change(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        factories.household(devon)

        for statement in (update(SharingMove).values(reason="Nobody"), delete(SharingMove)):
            with pytest.raises(DBAPIError), database.transaction(devon.scope) as session:
                session.execute(statement)

    def test_is_the_own_agencys_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(devon)

        with database.transaction(dorset.scope) as session:
            assert session.scalars(select(SharingMove)).all() == []

    def test_notes_nothing_where_nothing_changes(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(devon.scope) as session:
            share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=household_id)
            assert len(list_moves(session, get_household(session, household_id))) == 1


class TestMoveDue:
    def test_moves_on_the_day_and_once(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE, approved_on=OLD)
        factories.household(dorset, stage=Stage.IN_HOUSE, approved_on=OLD)

        assert _move(database, devon, DUE - timedelta(days=1)) == 0
        assert _move(database, devon, DUE) == 1
        assert _move(database, devon, DUE + timedelta(days=1)) == 0

        assert _entry(database, devon, household_id) == (Stage.CONSORTIUM, Way.SCHEDULE, False)
        with database.transaction(dorset.scope) as session:
            assert get_household(session, household_id)

    def test_is_on_record_as_the_schedules(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE, approved_on=OLD)

        _move(database, devon, DUE)

        with database.transaction(devon.scope) as session:
            [moved, _first] = list_moves(session, get_household(session, household_id))
            assert moved.who == "Moved by the schedule"
            shared = [each for each in list_entries_of(session, household_id) if each.act is Act.SHARE]
        assert [(each.actor_person_id, each.reason) for each in shared[:1]] == [(None, "consortium")]

    def test_leaves_what_is_held_kept_or_no_longer_waits(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        factories.household(devon, stage=Stage.IN_HOUSE, approved_on=OLD, held=True)
        factories.household(devon, stage=Stage.IN_HOUSE, approved_on=OLD, status=HouseholdStatus.WITHDRAWN)
        kept = factories.household(devon, stage=Stage.IN_HOUSE, approved_on=OLD)
        _set(database, devon, kept, Stage.IN_HOUSE, kept=True)

        assert _move(database, devon, DUE) == 0

    def test_moves_a_group_when_its_timing_says_so(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        group_id = factories.group(devon, stage=Stage.IN_HOUSE)
        assert _move(database, devon, TODAY + timedelta(days=3000)) == 0

        with database.transaction(devon.scope) as session:
            set_agency_timing(session, Timing(group_in_house_days=14), now=NOW)

        assert _move(database, devon, TODAY + timedelta(days=13)) == 0
        assert _move(database, devon, TODAY + timedelta(days=14)) == 1
        assert _entry(database, devon, group_id)[0] is Stage.CONSORTIUM

    def test_leads_on_to_the_nation(self, database: Database, factories: Factories) -> None:
        consortium = factories.consortium()
        devon = factories.tenant(consortium)
        with database.transaction(OPERATOR) as session:
            set_sharing_days(session, get_consortium(session, consortium), household_national_days=100)
        household_id = factories.household(devon)

        with _taken_back(database, devon, household_id):
            assert _move(database, devon, TODAY + timedelta(days=99)) == 0
            assert _move(database, devon, TODAY + timedelta(days=100)) == 1
            assert _entry(database, devon, household_id)[0] is Stage.NATIONAL


class TestNational:
    def test_shows_a_record_to_every_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        far, _ = factories.two_tenants()
        nobody = replace(far.scope, consortium_id=None)
        household_id, group_id = factories.household(devon), factories.group(devon)
        own = factories.group(far)

        with _shared_nationally(database, devon, household_id, group_id):
            with database.transaction(far.scope) as session:
                [card] = [
                    each
                    for each in list_household_cards(session, own=False, number=1, as_of=TODAY).cards
                    if each.id == household_id
                ]
                assert (card.sharing, card.agency) == ("Shared nationally", devon.name)
                assert get_group(session, group_id)
                found = families_for(session, get_group(session, own), as_of=TODAY, top=100, now=NOW)
                assert household_id in {each.household.id for each in found.best}
                assert view_pool(session, as_of=TODAY, now=NOW).households == 0
                seen = read_visibility(session, get_household(session, household_id), on=TODAY)
                assert "shares it nationally" in seen.sentence
                assert not seen.viewers
            with database.transaction(nobody) as session:
                assert count_households(session) == 0
        with database.transaction(far.scope) as session, pytest.raises(HouseholdUnknown):
            get_household(session, household_id)

    def test_goes_with_an_agency_that_leaves(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        far, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with _shared_nationally(database, devon, household_id):
            with database.transaction(OPERATOR) as session:
                session.get_one(ConsortiumMember, (devon.scope.consortium_id, devon.id)).left_on = TODAY
            with database.transaction(far.scope) as session, pytest.raises(HouseholdUnknown):
                get_household(session, household_id)

    def test_shows_nothing_that_is_held(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        far, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with _shared_nationally(database, devon, household_id):
            _set(database, devon, household_id, Stage.NATIONAL, held=True)
            with database.transaction(far.scope) as session, pytest.raises(HouseholdUnknown):
                get_household(session, household_id)


class TestReadVisibility:
    def test_says_who_sees_it_and_what_comes(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE, approved_on=OLD)

        with database.transaction(devon.scope) as session:
            household = get_household(session, household_id)
            seen = read_visibility(session, household, on=TODAY)
            assert read_sharing(session, household).next == NextMove(Stage.CONSORTIUM, DUE)
        assert seen.coming == f"Shared with the consortium: on {DUE.day} {DUE:%B %Y}."
        assert [each.who for each in seen.viewers] == ["People of your own agency"]

        _set(database, devon, household_id, Stage.CONSORTIUM)
        with database.transaction(devon.scope) as session:
            shared = read_visibility(session, get_household(session, household_id), on=TODAY)
        assert shared.viewers[1].who == "The agencies of Test consortium, its office among them"
        with database.transaction(dorset.scope) as session:
            theirs = read_visibility(session, get_household(session, household_id), on=TODAY)
        assert f"{devon.name} shares it with Test consortium" in theirs.sentence
        assert (theirs.moves, theirs.bars, theirs.state) == ((), 0, None)

    @pytest.mark.parametrize("wish", sorted(WISHES))
    def test_offers_wishes_that_can_be_had(self, database: Database, factories: Factories, wish: str) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        asked = WISHES[wish]

        with _taken_back(database, devon, household_id):
            _set(database, devon, household_id, asked.stage or Stage.CONSORTIUM, held=asked.held, kept=asked.kept)
            with database.transaction(devon.scope) as session:
                assert read_visibility(session, get_household(session, household_id), on=TODAY).moves


def _set(
    database: Database,
    tenant: Tenant,
    household_id: UUID,
    stage: Stage,
    *,
    reason: str = "Agreed with them",
    held: bool = False,
    kept: bool = False,
) -> None:
    with database.transaction(tenant.scope) as session:
        household = get_household(session, household_id)
        set_sharing(session, household, stage=stage, reason=reason, held=held, kept=kept, now=NOW)


def _move(database: Database, tenant: Tenant, on: date) -> int:
    with database.transaction(replace(tenant.scope, person_id=None, roles=frozenset())) as session:
        return move_due(session, on=on).moved


def _entry(database: Database, tenant: Tenant, record_id: UUID) -> tuple[Stage, Way, bool]:
    with database.transaction(tenant.scope) as session:
        entry = sharing_of(session, [record_id])[record_id]
        return entry.stage, entry.way, entry.kept


@contextmanager
def _shared_nationally(database: Database, tenant: Tenant, *record_ids: UUID) -> Iterator[None]:
    """Share nationally for the block: what is left so would be in every other test's pool."""
    with _taken_back(database, tenant, *record_ids):
        _share(database, tenant, record_ids, Stage.NATIONAL)
        yield


@contextmanager
def _taken_back(database: Database, tenant: Tenant, *record_ids: UUID) -> Iterator[None]:
    try:
        yield
    finally:
        _share(database, tenant, record_ids, Stage.IN_HOUSE)


def _share(database: Database, tenant: Tenant, record_ids: tuple[UUID, ...], stage: Stage) -> None:
    with database.transaction(tenant.scope) as session:
        for record_id in record_ids:
            entry = sharing_of(session, [record_id])[record_id]
            share(
                session,
                stage=stage,
                on=TODAY,
                household_id=entry.household_id,
                sibling_group_id=entry.sibling_group_id,
            )
