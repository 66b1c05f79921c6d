"""Times of groups and households are told to whom they concern, also to who works for the agency by delegation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text, update

from matching.bar import bar_oneself
from matching.household import get_household
from matching.notice import Notice, give_clock_notices, list_notices
from matching.sibling_group import get_group
from tenants.agency import Agency, Nation
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import Factories, Tenant, transaction
from tests.matching.report_factory import make_link
from tests.tenants.test_delegation import FINDERS, proposed, signed

NOW = utc_now()
TODAY = NOW.date()


class TestGiveClockNotices:
    def test_tells_of_records_whoever_works_with_them_once(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        finder, worker, shut_out = (
            factories.colleague(ours, roles=frozenset({role}))
            for role in (Role.FAMILY_FINDER, Role.ADOPTERS_WORKER, Role.FAMILY_FINDER)
        )
        group_id, old_id = factories.group(ours), factories.group(ours)
        with transaction(database, ours) as session:
            # Six months from the decision: due within a week, and long since missed.
            get_group(session, group_id).shobpa_on = TODAY - timedelta(days=181)
            get_group(session, old_id).shobpa_on = TODAY - timedelta(days=900)
        with transaction(database, shut_out) as session:
            bar_oneself(session, get_group(session, group_id), reason="A friend", now=NOW)

        for _ in range(2):
            with transaction(database, ours) as session:
                give_clock_notices(session, now=NOW)

        def told(tenant: Tenant) -> list[tuple[UUID | None, str]]:
            with transaction(database, tenant) as session:
                return [(line.group_id, line.words) for line in list_notices(session, number=1).cards]

        assert told(finder) == [(group_id, "Due soon: match approved")]
        assert told(ours) == told(finder)
        assert told(worker) == told(shut_out) == told(theirs) == []

    def test_tells_who_works_for_the_agency_by_delegation(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        acting = factories.tenant(pairing.children.scope.consortium_id or UUID(int=0))
        finder = factories.colleague(acting, roles=FINDERS)
        delegation = proposed(database, acting, pairing.children)
        for side in (acting, pairing.children):
            signed(database, side, delegation)
        with transaction(database, pairing.children) as session:
            get_group(session, pairing.group_id).shobpa_on = TODAY - timedelta(days=181)
            give_clock_notices(session, now=NOW)

        with database.transaction(finder.scope) as session:
            assert list_notices(session, number=1).total == 0
        scope = replace(pairing.children.acting_as(Role.FAMILY_FINDER), person_id=finder.scope.person_id)
        with database.transaction(scope) as session:
            assert pairing.group_id in {line.group_id for line in list_notices(session, number=1).cards}

    def test_tells_adopters_workers_of_households(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        worker, finder = (
            factories.colleague(ours, roles=frozenset({role})) for role in (Role.ADOPTERS_WORKER, Role.FAMILY_FINDER)
        )
        household_id = factories.household(ours, approved_on=TODAY - timedelta(days=10))
        with database.transaction(OPERATOR) as session:
            session.execute(update(Agency).where(Agency.id == ours.id).values(nation=Nation.NORTHERN_IRELAND))
        with transaction(database, theirs) as session:
            session.execute(
                text("SELECT notice_record_clock(:household, 'refer_adopters', 'x')"), {"household": household_id}
            )
        with transaction(database, ours) as session:
            assert session.scalars(select(Notice)).all() == []
            give_clock_notices(session, now=NOW)

        with transaction(database, worker) as session:
            (line,) = list_notices(session, number=1).cards
            assert (line.household_id, line.link_id, line.group) == (household_id, None, None)
            assert line.household == get_household(session, household_id).code
        with transaction(database, finder) as session:
            assert list_notices(session, number=1).total == 0
