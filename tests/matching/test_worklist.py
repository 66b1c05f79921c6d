from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from matching.household import HouseholdStatus
from matching.meeting import Meeting, arrange_meeting
from matching.pack import PackFormat, keep_files, request_pack
from matching.pool import Stage
from matching.ranking.facts import Sex
from matching.sibling_group import GroupStatus
from matching.worklist import (
    EarlierPacks,
    earlier_packs,
    find_next_meeting,
    group_work,
    household_work,
    list_work,
    pool_work,
)
from tenants.agency import AgencyKind
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories, Tenant, transaction


class TestGroupWork:
    def test_names_the_longest_waiting_and_those_without_a_family(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        old = factories.group(us, waiting_since=TODAY - timedelta(days=400), children=((date(2012, 1, 1), Sex.MALE),))
        factories.group(us, waiting_since=TODAY - timedelta(days=10))
        factories.group(us, status=GroupStatus.ON_HOLD)
        factories.group(them)
        factories.household(them)

        with transaction(database, us) as session:
            work = group_work(session, as_of=TODAY)

        assert work.waiting == 2
        assert work.longest
        assert (work.longest.id, work.longest.days) == (old, 400)
        assert [group.id for group in work.without_family] == [old]

    def test_names_nobody_where_nobody_has_said_since_when(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        factories.group(us, waiting_since=None)

        with transaction(database, us) as session:
            work = group_work(session, as_of=TODAY)

        assert (work.waiting, work.longest) == (1, None)


class TestHouseholdWork:
    def test_counts_the_agencys_own_alone(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        longest = factories.household(us, approved_on=date(2024, 2, 3), stage=Stage.IN_HOUSE)
        factories.household(us, approved_on=date(2025, 2, 3))
        factories.household(us, status=HouseholdStatus.ON_HOLD)
        factories.household(them)

        with transaction(database, us) as session:
            work = household_work(session)

        assert (work.waiting, work.id, work.approved_on) == (2, longest, date(2024, 2, 3))


class TestPoolWork:
    def test_counts_what_the_scope_sees(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.group(us, stage=Stage.IN_HOUSE)
        factories.group(them)
        factories.group(them, stage=Stage.IN_HOUSE)
        factories.household(them)

        with transaction(database, us) as session:
            work = pool_work(session)

        assert (work.groups, work.households) == (2, 1)


class TestFindNextMeeting:
    def test_is_the_nearest_that_has_not_passed(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium()
        us = factories.tenant(consortium_id)
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        stranger = factories.tenant(factories.consortium())
        with transaction(database, office) as session:
            for days in (30, 4):
                arrange_meeting(
                    session, title=f"In {days}", held_on=TODAY + timedelta(days=days), place="Here", now=NOW
                )

        with transaction(database, us) as session:
            work = find_next_meeting(session, as_of=TODAY)
            none = find_next_meeting(session, as_of=TODAY + timedelta(days=31))
        with transaction(database, stranger) as session:
            theirs = find_next_meeting(session, as_of=TODAY)

        assert work
        assert (work.meeting.title, work.days) == ("In 4", 4)
        assert (none, theirs) == (None, None)


class TestEarlierPacks:
    def test_counts_the_others_who_wait_for_a_newer_version(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium()
        us, them, both = (factories.tenant(consortium_id) for _ in range(3))
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        with transaction(database, office) as session:
            meeting = arrange_meeting(session, title="M", held_on=TODAY, place="Here", now=NOW)
        for tenant, versions in ((us, (True, False)), (them, (True, True, False)), (both, (True,)), (office, (False,))):
            for ready in versions:
                ask_for_pack(database, tenant, meeting, ready=ready)

        with transaction(database, office) as session:
            of_office = earlier_packs(session, meeting)
        with transaction(database, us) as session:
            of_us = earlier_packs(session, meeting)

        assert of_office == EarlierPacks(agencies=2, newer=None, earlier=None)
        assert of_us == EarlierPacks(agencies=0, newer=None, earlier=None)


class TestListWork:
    def test_leaves_out_what_the_roles_have_nothing_to_do_with(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        finance = replace(us.scope, roles=frozenset({Role.FINANCE_OFFICER}))

        with database.transaction(finance) as session:
            work = list_work(session, as_of=TODAY)

        assert (work.groups, work.households, work.pool, work.meeting) == (None, None, None, None)


def ask_for_pack(database: Database, tenant: Tenant, meeting: Meeting, *, ready: bool) -> None:
    """Ask for a tenant's next pack, and have it at once where it is to be ready."""
    with transaction(database, tenant) as session:
        pack = request_pack(session, meeting, now=NOW)
        if ready:
            files = {PackFormat.PDF: b"%PDF", PackFormat.XLSX: b"PK"}
            keep_files(session, pack, files=files, ranking_run_id=None, now=NOW)
