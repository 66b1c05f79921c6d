"""An agency may ask much of others' places in a day, and then no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text, update

from concord.servers.login import DatabaseUrls
from matching.family_finding import find_families, find_groups
from matching.household import HouseholdPlace, get_household
from matching.pool import Stage
from matching.pool_view import view_pool
from matching.probing import AskedTooOften, PlaceQuestion, ProbingLimits
from matching.ranking_run import families_for, why
from matching.sibling_group import ExclusionArea, get_group
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import NOW, TODAY, Factories, Tenant

DAY = timedelta(hours=24)


class TestAskPlaces:
    def test_lets_by_what_the_limits_allow_and_refuses_one_group_more(
        self, tight: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(dorset)
        first, second, third = (factories.group(devon) for _ in range(3))
        ask(tight, devon, first)
        ask(tight, devon, first)
        ask(tight, devon, second)

        with pytest.raises(
            AskedTooOften, match=r"2 different groups .* Try again after 09:00 on 24 November"
        ) as caught:
            ask(tight, devon, third)

        assert caught.value.retry_at == NOW + DAY
        # What was asked already may be asked again: it tells nothing new.
        ask(tight, devon, second)
        with pytest.raises(AskedTooOften), tight.transaction(devon.scope) as session:
            why(session, get_group(session, third), get_household(session, household_id), as_of=TODAY, now=NOW)

    def test_lets_by_again_when_a_day_has_gone(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        for group_id in (factories.group(devon), factories.group(devon)):
            ask(tight, devon, group_id)
        third = factories.group(devon)

        with pytest.raises(AskedTooOften), tight.transaction(devon.scope) as session:
            find_families(session, get_group(session, third), as_of=TODAY, top=1, now=NOW + DAY - timedelta(seconds=1))
        with tight.transaction(devon.scope) as session:
            find_families(session, get_group(session, third), as_of=TODAY, top=1, now=NOW + DAY)

    def test_refuses_a_group_whose_places_change_and_change(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        group_id = factories.group(devon)
        for code in (None, "EX4", "EX5"):
            add_area(tight, devon, group_id, code)
            ask(tight, devon, group_id)

        add_area(tight, devon, group_id, "EX6")
        with pytest.raises(AskedTooOften, match="This group’s places changed 3 times"):
            ask(tight, devon, group_id)

    def test_counts_households_against_others_groups_the_same(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.group(dorset)
        asked = [factories.household(devon) for _ in range(3)]
        for household_id in asked[:2]:
            look(tight, devon, household_id)

        with pytest.raises(AskedTooOften, match="2 different households compared with other agencies’ groups"):
            look(tight, devon, asked[2])

    def test_refuses_a_household_that_moves_and_moves(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.group(dorset)
        household_id = factories.household(devon)
        for code in ("EX1", "EX2", "EX3"):
            move(tight, devon, household_id, code)
            look(tight, devon, household_id)

        move(tight, devon, household_id, "EX4")
        with pytest.raises(AskedTooOften, match="This household’s place changed 3 times"):
            look(tight, devon, household_id)

    def test_counts_nothing_of_an_agencys_own_pairs_nor_of_who_has_no_place(
        self, tight: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(devon, stage=Stage.IN_HOUSE)
        alone = [factories.group(devon, stage=Stage.IN_HOUSE) for _ in range(4)]
        for group_id in alone:
            ask(tight, devon, group_id)
        factories.household(dorset)
        for _ in range(4):
            ask(tight, devon, factories.group(devon, outward_code=None))

        assert count(tight, devon) == 0

    def test_holds_for_recorded_lists_and_the_whole_pool_too(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        groups = [factories.group(devon) for _ in range(3)]

        with pytest.raises(AskedTooOften), tight.transaction(devon.scope) as session:
            view_pool(session, as_of=TODAY, now=NOW)
        for group_id in groups[:2]:
            with tight.transaction(devon.scope) as session:
                families_for(session, get_group(session, group_id), as_of=TODAY, top=1, now=NOW)
        with pytest.raises(AskedTooOften), tight.transaction(devon.scope) as session:
            families_for(session, get_group(session, groups[2]), as_of=TODAY, top=1, now=NOW)

    def test_is_put_on_record_though_the_rest_is_rolled_back(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        for _ in range(2):
            ask(tight, devon, factories.group(devon))
        third = factories.group(devon)

        with pytest.raises(AskedTooOften):
            ask(tight, devon, third)

        with tight.transaction(devon.scope) as session:
            entries = list(session.scalars(select(AuditEntry).where(AuditEntry.record_id == third)))
        assert [(entry.act, entry.record_kind) for entry in entries if entry.act is Act.REFUSE] == [
            (Act.REFUSE, "sibling_group")
        ]
        assert count(tight, devon) == 2

    def test_counts_each_agency_by_itself_and_shows_the_count_to_no_other(
        self, tight: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(devon)
        factories.household(dorset)
        for tenant in (devon, dorset):
            for _ in range(2):
                ask(tight, tenant, factories.group(tenant))

        assert (count(tight, devon), count(tight, dorset)) == (2, 2)

    def test_lets_colleagues_look_while_one_of_them_builds_a_pack(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        group_id = factories.group(devon)
        ask(tight, devon, group_id)

        with tight.transaction(devon.scope) as session:
            view_pool(session, as_of=TODAY, now=NOW + timedelta(minutes=30))
            with tight.transaction(devon.scope) as colleague:
                colleague.execute(text("SET LOCAL lock_timeout = '1s'"))
                group = get_group(colleague, group_id)
                find_families(colleague, group, as_of=TODAY, top=1, now=NOW + timedelta(minutes=31))

        assert count(tight, devon) == 1

    def test_goes_on_counting_a_group_that_is_asked_about_again_later(
        self, tight: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        first, second, third = (factories.group(devon) for _ in range(3))
        for group_id in (first, second):
            for hours in (0, 6, 12):
                ask(tight, devon, group_id, hours=hours)

        with pytest.raises(AskedTooOften):
            ask(tight, devon, third, hours=35)
        ask(tight, devon, third, hours=36)

    def test_forgets_what_is_long_past(self, tight: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        group_id = factories.group(devon)
        with tight.transaction(devon.scope) as session:
            session.execute(
                insert(PlaceQuestion),
                {
                    "agency_id": devon.id,
                    "record_id": group_id,
                    "digest": b"x" * 32,
                    "record_kind": "sibling_group",
                    "asked_at": NOW - timedelta(days=9),
                },
            )

        ask(tight, devon, group_id)

        assert count(tight, devon) == 1


def ask(database: Database, tenant: Tenant, group_id: UUID, *, hours: int = 0) -> None:
    with database.transaction(tenant.scope) as session:
        find_families(session, get_group(session, group_id), as_of=TODAY, top=1, now=NOW + timedelta(hours=hours))


def look(database: Database, tenant: Tenant, household_id: UUID) -> None:
    with database.transaction(tenant.scope) as session:
        find_groups(session, get_household(session, household_id), as_of=TODAY, top=1, now=NOW)


def add_area(database: Database, tenant: Tenant, group_id: UUID, code: str | None) -> None:
    if code:
        with database.transaction(tenant.scope) as session:
            owner = {"sibling_group_id": group_id, "agency_id": tenant.id}
            session.execute(insert(ExclusionArea), {**owner, "outward_code": code, "miles": 5})


def move(database: Database, tenant: Tenant, household_id: UUID, code: str) -> None:
    with database.transaction(tenant.scope) as session:
        session.execute(
            update(HouseholdPlace).where(HouseholdPlace.household_id == household_id).values(outward_code=code)
        )


def count(database: Database, tenant: Tenant) -> int:
    with database.transaction(tenant.scope) as session:
        return session.scalar(select(func.count()).select_from(PlaceQuestion)) or 0


@pytest.fixture(scope="module")
def tight(migrated: DatabaseUrls) -> Iterator[Database]:
    """The database with limits that a test can reach."""
    database = Database(
        migrated.app,
        scope_key=SCOPE_KEY,
        master_key=MASTER_KEY,
        facts={"probing_limits": ProbingLimits(records=2, places=3)},
    )
    yield database
    database.dispose()
