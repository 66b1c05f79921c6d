"""Tests of how busy a family is."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from matching.availability import Availability, availability_of, group_cap, household_cap, is_available
from matching.household import Household
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import Factories, transaction


class TestAvailabilityOf:
    @pytest.mark.parametrize(
        ("considered", "cap", "availability"),
        [
            (None, 3, Availability.UNKNOWN),
            (0, 3, Availability.FREE),
            (1, 3, Availability.CONSIDERED),
            (2, 3, Availability.CONSIDERED),
            (3, 3, Availability.AT_CAP),
            (4, 3, Availability.AT_CAP),
            (0, 1, Availability.FREE),
            (1, 1, Availability.AT_CAP),
        ],
    )
    def test_reads_a_number_against_the_cap(self, considered: int | None, cap: int, availability: Availability) -> None:
        assert availability_of(considered, cap=cap) is availability

    def test_is_said_in_four_different_ways(self) -> None:
        assert len({each.label for each in Availability}) == len(Availability)


class TestCaps:
    def test_are_the_scopes_own_consortiums(self, factories: Factories, database: Database) -> None:
        usual = factories.tenant(factories.consortium())
        other = factories.tenant(factories.consortium(household_cap=5, group_cap=2))

        caps = []
        for tenant in (usual, other):
            with transaction(database, tenant) as session:
                caps.append((household_cap(session), group_cap(session)))

        assert caps == [(3, 3), (5, 2)]

    def test_are_out_of_reach_where_there_is_no_consortium(self, database: Database) -> None:
        with database.transaction(OPERATOR) as session:
            assert availability_of(99, cap=household_cap(session)) is Availability.CONSIDERED
            assert availability_of(99, cap=group_cap(session)) is Availability.CONSIDERED


class TestIsAvailable:
    def test_finds_whom_the_words_are_said_of_among_what_one_sees(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        numbers = (None, 0, 1, 2, 3, 4)
        for tenant in (us, them):
            for considered in numbers:
                factories.household(tenant, considered_for=considered)
        factories.household(factories.tenant(factories.consortium()), considered_for=0)

        with transaction(database, us) as session:
            for availability in Availability:
                found = session.scalars(
                    select(Household.considered_for).where(is_available(Household.considered_for, availability, cap=3))
                ).all()
                expected = [each for each in numbers if availability_of(each, cap=3) is availability] * 2
                assert sorted(found, key=str) == sorted(expected, key=str)
