"""The schedule shares no profile that surely gives somebody away: its agency is told, and decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from matching.household import HouseholdProfile, get_household
from matching.pool import Stage, sharing_of
from matching.sharing import set_sharing
from matching.sharing_due import Moved, list_kept_back, move_due
from matching.worklist import list_work
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant

APPROVED = TODAY - timedelta(days=80)
DUE = TODAY + timedelta(days=10)
TELLING = "They are called Alder Example. Ring 01632 960213."


class TestMoveDue:
    def test_leaves_a_telling_profile_in_house(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        facts: dict[str, Any] = {"stage": Stage.IN_HOUSE, "approved_on": APPROVED}
        telling, plain = (factories.household(devon, profile=text, **facts) for text in (TELLING, "They like dogs."))
        factories.household(dorset, profile=TELLING, **facts)

        assert _move(database, devon) == Moved(moved=1, kept_back=1)
        assert _move(database, devon) == Moved(moved=0, kept_back=1)

        with database.transaction(devon.scope) as session:
            found = sharing_of(session, [telling, plain])
            assert {each: entry.stage for each, entry in found.items()} == {
                telling: Stage.IN_HOUSE,
                plain: Stage.CONSORTIUM,
            }
            (back,) = list_kept_back(session, on=DUE)
            assert (back.id, back.household) == (telling, True)
            assert list_work(session, as_of=DUE).kept_back == (back,)

    def test_shares_it_when_the_profile_is_better(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile=TELLING, stage=Stage.IN_HOUSE, approved_on=APPROVED)
        _move(database, devon)
        with database.transaction(devon.scope) as session:
            mended = update(HouseholdProfile).where(HouseholdProfile.household_id == household_id)
            session.execute(mended.values(text="They like dogs."))

        assert _move(database, devon) == Moved(moved=1, kept_back=0)

    def test_leaves_alone_what_a_person_shared_as_it_is(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile=TELLING, stage=Stage.IN_HOUSE, approved_on=APPROVED)
        with database.transaction(devon.scope) as session:
            record = get_household(session, household_id)
            set_sharing(session, record, stage=Stage.CONSORTIUM, reason="They agreed", now=NOW)

        assert _move(database, devon) == Moved(moved=0, kept_back=0)


class TestListWork:
    def test_tells_only_who_may_share_and_know(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        factories.household(devon, profile=TELLING, stage=Stage.IN_HOUSE, approved_on=APPROVED)

        with database.transaction(devon.acting_as(Role.PANEL_ADVISER)) as session:
            assert list_work(session, as_of=DUE).kept_back == ()


def _move(database: Database, tenant: Tenant) -> Moved:
    with database.transaction(replace(tenant.scope, person_id=None, roles=frozenset())) as session:
        return move_due(session, on=DUE)
