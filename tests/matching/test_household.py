"""Households: seen by the pool once shared, identified by their own agency alone."""

from __future__ import annotations

import pytest

from matching.household import (
    HouseholdUnknown,
    count_households,
    get_household,
    get_household_by_reference,
    list_waiting_households,
    read_identity,
    read_profile,
)
from matching.pool import Stage
from tenants import audit
from tenants.database import Database
from tests.factories import NOW, Factories


class TestGetHousehold:
    def test_finds_one_that_another_agency_shares(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(dorset.scope) as session:
            assert get_household(session, household_id).agency_id == devon.id

    @pytest.mark.parametrize(("stage", "held"), [(Stage.IN_HOUSE, False), (Stage.CONSORTIUM, True)])
    def test_finds_none_that_another_agency_keeps(
        self, database: Database, factories: Factories, stage: Stage, held: bool
    ) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, stage=stage, held=held)

        with database.transaction(dorset.scope) as session, pytest.raises(HouseholdUnknown):
            get_household(session, household_id)

    def test_finds_none_of_another_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(stranger.scope) as session, pytest.raises(HouseholdUnknown):
            get_household(session, household_id)


class TestGetHouseholdByReference:
    def test_takes_the_code_as_people_type_it(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(dorset.scope) as session:
            code = get_household(session, household_id).code
            assert get_household_by_reference(session, f" {code.lower()} ").id == household_id

    def test_takes_the_own_reference_only_from_its_own_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(devon.scope) as session:
            reference, _ = read_identity(session, get_household(session, household_id), now=NOW)
            assert get_household_by_reference(session, reference).id == household_id
        with database.transaction(dorset.scope) as session, pytest.raises(HouseholdUnknown):
            get_household_by_reference(session, reference)

    @pytest.mark.parametrize("reference", ["", "\0", "H-\0", "\ud800", "’; --", "x" * 100_000])
    def test_finds_nothing_by_what_is_no_reference(
        self, database: Database, factories: Factories, reference: str
    ) -> None:
        devon, _ = factories.two_tenants()
        factories.household(devon)

        with database.transaction(devon.scope) as session, pytest.raises(HouseholdUnknown):
            get_household_by_reference(session, reference)


class TestListWaitingHouseholds:
    def test_lists_own_and_shared_ones(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        own_in_house = factories.household(dorset, stage=Stage.IN_HOUSE)
        shared = factories.household(devon)
        factories.household(devon, stage=Stage.IN_HOUSE)

        with database.transaction(dorset.scope) as session:
            assert {household.id for household in list_waiting_households(session)} == {own_in_house, shared}
            assert count_households(session) == 2
            assert count_households(session, own_agency=dorset.id) == 1


class TestReadProfile:
    def test_puts_the_look_on_both_agencies_record(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon, profile="Likes the sea.")

        with database.transaction(dorset.scope) as session:
            assert read_profile(session, get_household(session, household_id), now=NOW) == "Likes the sea."

        for tenant in (devon, dorset):
            with database.transaction(tenant.scope) as session:
                entries = audit.list_entries_of(session, household_id)
                entry = next(each for each in entries if each.act is audit.Act.READ)
                assert (entry.actor_agency_id, entry.owner_agency_id) == (dorset.id, devon.id)
                assert entry.level is audit.Level.PROFILE


class TestReadIdentity:
    def test_opens_for_the_own_agency(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(devon.scope) as session:
            _, identity = read_identity(session, get_household(session, household_id), now=NOW)

        assert identity.adopters == ("Alder Example",)

    def test_finds_nothing_for_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(dorset.scope) as session, pytest.raises(HouseholdUnknown):
            read_identity(session, get_household(session, household_id), now=NOW)
