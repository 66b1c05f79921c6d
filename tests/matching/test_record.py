from __future__ import annotations

from uuid import uuid4

import pytest

from matching.household import HouseholdUnknown
from matching.pool import Stage
from matching.record import open_group, open_household
from matching.sibling_group import GroupUnknown
from tenants.audit import Level, list_entries_of
from tenants.database import Database
from tests.factories import NOW, Factories, transaction


class TestOpenGroup:
    def test_says_whose_it_is_and_records_the_look(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them)

        with transaction(database, us) as session:
            record = open_group(session, group_id, now=NOW)

        assert (record.own, record.agency, record.sharing) == (False, them.name, "Shared with the consortium")
        assert record.profile == "A lively child who likes puddles."
        with transaction(database, them) as session:
            looks = [entry for entry in list_entries_of(session, group_id) if entry.actor_agency_id == us.id]
        assert [entry.level for entry in looks] == [Level.PROFILE]

    def test_is_not_there_when_its_agency_keeps_it(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        hidden = factories.group(them, stage=Stage.IN_HOUSE)

        for group_id in (hidden, uuid4()):
            with transaction(database, us) as session, pytest.raises(GroupUnknown, match="no such sibling group"):
                open_group(session, group_id, now=NOW)


class TestOpenHousehold:
    def test_says_whose_it_is(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us, stage=Stage.IN_HOUSE)

        with transaction(database, us) as session:
            record = open_household(session, household_id, now=NOW)

        assert (record.own, record.sharing, record.facts.id) == (True, "In-house", household_id)

    def test_is_not_there_when_its_agency_holds_it_back(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        hidden = factories.household(them, held=True)

        with transaction(database, us) as session, pytest.raises(HouseholdUnknown):
            open_household(session, hidden, now=NOW)
