"""Availability checks: by a household's own agency, the most pressing first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from matching.availability import Availability
from matching.availability_check import (
    MOST_CONSIDERED,
    AvailabilityInvalid,
    NotTheirAgency,
    confirm_availability,
    confirm_days,
    list_checks,
)
from matching.household import HouseholdStatus, get_household
from tenants.audit import Act, list_entries_of
from tenants.consortium import get_consortium, set_meeting_days
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import NOW, TODAY, Factories, transaction


class TestConfirmAvailability:
    def test_says_for_how_many_groups_they_are_considered_today(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us, status=HouseholdStatus.ON_HOLD)

        with transaction(database, us) as session:
            confirm_availability(
                session, get_household(session, household_id), available=True, considered_for=2, now=NOW
            )

        with transaction(database, us) as session:
            household = get_household(session, household_id)
            assert (household.considered_for, household.availability_confirmed_on) == (2, TODAY)
            assert household.status is HouseholdStatus.WAITING
            (entry,) = [each for each in list_entries_of(session, household_id) if each.act is Act.CHANGE]
            assert entry.reason == "availability confirmed"

    def test_puts_on_hold_who_is_not_available(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us, considered_for=1)

        with transaction(database, us) as session:
            confirm_availability(session, get_household(session, household_id), available=False, now=NOW)

        with transaction(database, us) as session:
            household = get_household(session, household_id)
            assert (household.status, household.considered_for) == (HouseholdStatus.ON_HOLD, None)
            assert household.availability_confirmed_on == TODAY

    def test_is_for_their_own_agency_alone(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)

        with transaction(database, them) as session, pytest.raises(NotTheirAgency):
            confirm_availability(
                session, get_household(session, household_id), available=True, considered_for=0, now=NOW
            )

    @pytest.mark.parametrize(
        ("summary", "said"),
        [
            ({}, None),
            ({}, -1),
            ({}, MOST_CONSIDERED + 1),
            ({"status": HouseholdStatus.WITHDRAWN}, 0),
        ],
    )
    def test_refuses_what_cannot_be(
        self, database: Database, factories: Factories, summary: dict[str, Any], said: int | None
    ) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us, **summary)

        with transaction(database, us) as session, pytest.raises(AvailabilityInvalid):
            confirm_availability(
                session, get_household(session, household_id), available=True, considered_for=said, now=NOW
            )


class TestListChecks:
    def test_lists_own_households_those_to_confirm_and_on_most_lists_first(
        self, database: Database, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        for _ in range(2):
            factories.group(them)
        fresh = factories.household(us, availability_confirmed_on=TODAY, considered_for=0)
        off = factories.household(us, age_from_months=120, age_to_months=180)
        stale = factories.household(us, availability_confirmed_on=TODAY - timedelta(days=29), considered_for=3)
        never = factories.household(us)
        factories.household(them)
        factories.household(us, status=HouseholdStatus.ON_HOLD)

        with transaction(database, us) as session:
            checks = list_checks(session, as_of=TODAY, now=NOW)

        assert [each.id for each in checks] == [never, stale, off, fresh]
        assert [each.lists for each in checks] == [2, 2, 0, 2]
        assert [each.due for each in checks] == [True, True, True, False]
        assert checks[1].availability is Availability.AT_CAP

    def test_a_word_stands_as_long_as_the_consortium_says(self, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        factories.household(us, availability_confirmed_on=TODAY - timedelta(days=28))

        due = []
        for days in (None, 7):
            with database.transaction(OPERATOR) as session:
                assert us.scope.consortium_id is not None
                set_meeting_days(session, get_consortium(session, us.scope.consortium_id), confirm_days=days)
            with transaction(database, us) as session:
                due += [each.due for each in list_checks(session, as_of=TODAY, now=NOW)]
                assert confirm_days(session) == days or 28

        assert due == [False, True]
