"""The whole pool in a pack: the reader's own pairs, the office's differences, and no count under five."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from matching.household import get_household
from matching.pack_content import WholePool
from matching.pack_pool import BEST, IN_TURN, pool_words
from matching.ranking.facts import Sex
from matching.ranking_run import open_pool
from matching.sibling_group import get_group
from tenants.agency import AgencyKind
from tenants.database import Database
from tests.factories import TODAY, Factories, Tenant, transaction


class TestPoolWords:
    def test_pairs_own_groups_and_own_households_and_no_others(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        ours, theirs = factories.group(us), factories.group(them, waiting_since=TODAY)
        own, other = factories.household(us), factories.household(them)

        with transaction(database, us) as session:
            told = _words(session, us)
            codes = {get_group(session, ours).code, get_household(session, own).code}
            foreign = {get_group(session, theirs).code, get_household(session, other).code}

        assert {each.group or each.household for each in told.assigned} == codes
        assert all(each.best is not None and each.in_turn is not None for each in told.assigned)
        assert foreign.isdisjoint({each.group for each in told.assigned} | {each.household for each in told.assigned})
        assert [(way.way, way.groups) for way in told.ways] == [(BEST, 2), (IN_TURN, 2)]

    def test_tells_the_office_the_groups_for_which_the_two_ways_differ(
        self, database: Database, factories: Factories
    ) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        them = factories.tenant(consortium_id)
        # The one who waits longest could have either family, the other only one of them.
        either = factories.group(
            them, waiting_since=TODAY - timedelta(days=900), children=((date(2023, 5, 1), Sex.FEMALE),)
        )
        one = factories.group(them, waiting_since=TODAY, children=((date(2018, 5, 1), Sex.FEMALE),))
        factories.household(them, age_to_months=71)
        factories.household(them, age_to_months=143)

        with transaction(database, office) as session:
            told = _words(session, None)
            codes = [get_group(session, each).code for each in (either, one)]

        assert {each.group for each in told.assigned} <= set(codes)
        assert all(each.best != each.in_turn for each in told.assigned)
        assert told.ways[0].groups == 2

    def test_tells_no_count_under_five(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        for _ in range(4):
            factories.group(us)

        with transaction(database, us) as session:
            told = _words(session, us)

        assert {row.groups for row in told.seen} | {row.unseen for row in told.seen} <= {None}

    def test_is_told_of_an_empty_pool(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()

        with transaction(database, us) as session:
            told = _words(session, us)

        assert (told.assigned, told.share, [way.groups for way in told.ways]) == ((), None, [0, 0])


def _words(session: Session, reader: Tenant | None) -> WholePool:
    pool = open_pool(session, as_of=TODAY)
    return pool_words(pool, pool.rank(), own=reader.id if reader else None)
