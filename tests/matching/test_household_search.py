"""Which households a list shows: each filter holds, fails, or is not said; unknown is never yes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from matching.availability import Availability
from matching.household import HouseholdIdentity, HouseholdStatus
from matching.household_search import EVERY_HOUSEHOLD, HouseholdFilter, HouseholdSort, UpTo, Willing
from matching.need import Answer, Tolerance, YesNo
from matching.pool import Stage
from matching.ranking.facts import SexApproved
from matching.register import household_filter_to_take_off, list_household_cards, search_households
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant, transaction

Listed = Callable[..., list[UUID]]
MEET, DISCUSS, CANNOT, UNKNOWN = Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT, Answer.UNKNOWN


@pytest.fixture
def listed(database: Database) -> Listed:
    """What a tenant's list shows of what is asked, by id."""

    def ids(
        tenant: Tenant, wanted: HouseholdFilter, *, own: bool = False, sort: HouseholdSort = HouseholdSort.WAITING
    ) -> Any:
        with transaction(database, tenant) as session:
            page = list_household_cards(session, own=own, number=1, as_of=TODAY, wanted=wanted, sort=sort)
        return [card.id for card in page.cards]

    return ids


class TestAges:
    @pytest.mark.parametrize(
        ("approved", "asked", "shown"),
        [
            ((0, 59), (0, 4), "yes"),
            ((0, 59), (4, None), "yes"),
            ((0, 59), (None, 5), "no"),
            ((0, 58), (4, 4), "no"),
            ((12, 59), (0, 4), "no"),
            ((None, 59), (0, 4), "unsaid"),
            ((None, 47), (0, 4), "no"),
            ((0, None), (2, 9), "unsaid"),
            ((36, None), (2, 9), "no"),
            ((None, None), (2, 9), "unsaid"),
        ],
    )
    def test_hold_when_approved_for_every_one_of_them(
        self,
        approved: tuple[Any, Any],
        asked: tuple[Any, Any],
        shown: str,
        factories: Factories,
        listed: Listed,
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, age_from_months=approved[0], age_to_months=approved[1])

        assert answer(listed, us, HouseholdFilter(age_from=asked[0], age_to=asked[1]), "ages", household_id) == shown


class TestChildren:
    @pytest.mark.parametrize(
        ("approved", "shown"),
        [((1, 2), "yes"), ((2, 2), "yes"), ((1, 1), "no"), ((3, 4), "no"), ((None, 2), "unsaid"), ((None, 1), "no")],
    )
    def test_hold_when_approved_for_so_many(
        self, approved: tuple[Any, Any], shown: str, factories: Factories, listed: Listed
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, fewest_children=approved[0], most_children=approved[1])

        assert answer(listed, us, HouseholdFilter(children=2), "children", household_id) == shown


class TestNeeds:
    @pytest.mark.parametrize(
        ("said", "willing", "up_to", "shown"),
        [
            ((MEET, MEET, CANNOT), "can-meet", "medium", "yes"),
            ((MEET, MEET, CANNOT), "can-meet", "high", "no"),
            ((MEET, DISCUSS, UNKNOWN), "can-meet", "medium", "no"),
            ((MEET, DISCUSS, UNKNOWN), "would-discuss", "medium", "yes"),
            ((MEET, DISCUSS, UNKNOWN), "would-discuss", "high", "unsaid"),
            ((MEET, UNKNOWN, CANNOT), "can-meet", "medium", "unsaid"),
            ((UNKNOWN, MEET, MEET), "can-meet", "high", "unsaid"),
            ((CANNOT, CANNOT, CANNOT), "would-discuss", "low", "no"),
            (None, "would-discuss", "low", "unsaid"),
        ],
    )
    def test_hold_when_said_at_every_level_up_to_it(
        self, said: Any, willing: str, up_to: str, shown: str, factories: Factories, listed: Listed
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, tolerances={"neglect": Tolerance(*said)} if said else {})
        wanted = HouseholdFilter(needs=frozenset({"neglect"}), willing=Willing(willing), up_to=UpTo(up_to))

        assert answer(listed, us, wanted, "needs", household_id) == shown

    def test_hold_all_together(self, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        able = Tolerance(MEET, MEET, MEET)
        both = factories.household(them, tolerances={"neglect": able, "attachment": able})
        one = factories.household(us, tolerances={"neglect": able})
        factories.household(them, tolerances={"neglect": able, "attachment": Tolerance(low=CANNOT)})
        wanted = HouseholdFilter(needs=frozenset({"neglect", "attachment"}))

        assert listed(us, wanted) == [both]
        assert set(listed(us, replace(wanted, unsaid=frozenset({"needs"})))) == {both, one}


class TestOtherFilters:
    def test_take_what_is_ticked(self, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        ours = factories.household(
            us,
            stage=Stage.IN_HOUSE,
            sex_approved=SexApproved.UNKNOWN,
            early_permanence_approved=YesNo.YES,
            status=HouseholdStatus.ON_HOLD,
        )
        theirs = factories.household(them, sex_approved=SexApproved.FEMALE)
        factories.household(them, stage=Stage.IN_HOUSE)

        for asked, found in (
            (HouseholdFilter(sexes=frozenset({SexApproved.UNKNOWN})), ours),
            (HouseholdFilter(sexes=frozenset({SexApproved.FEMALE, SexApproved.MALE})), theirs),
            (HouseholdFilter(early_permanence=frozenset({YesNo.YES})), ours),
            (HouseholdFilter(early_permanence=frozenset({YesNo.UNKNOWN})), theirs),
            (HouseholdFilter(statuses=frozenset({HouseholdStatus.ON_HOLD})), ours),
            (HouseholdFilter(agencies=frozenset({them.slug})), theirs),
            (HouseholdFilter(new_days=7), theirs),
        ):
            assert listed(us, asked) == [found]

    @pytest.mark.parametrize(("on", "shown"), [(date(2026, 5, 23), "yes"), (date(2026, 5, 22), "no"), (None, "unsaid")])
    def test_reckon_an_approval_in_calendar_months(
        self, on: date | None, shown: str, factories: Factories, listed: Listed
    ) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, approved_on=on)

        assert answer(listed, us, HouseholdFilter(approved_months=6), "approved", household_id) == shown


class TestAvailability:
    def test_is_told_by_the_consortiums_cap(self, factories: Factories, listed: Listed, database: Database) -> None:
        us, them = factories.two_tenants()
        made = {count: factories.household(them, considered_for=count) for count in (None, 0, 1, 2, 3, 4)}
        asked = {each: HouseholdFilter(availability=frozenset({each})) for each in Availability}

        found = {each: set(listed(us, wanted)) for each, wanted in asked.items()}

        assert found == {
            Availability.UNKNOWN: {made[None]},
            Availability.FREE: {made[0]},
            Availability.CONSIDERED: {made[1], made[2]},
            Availability.AT_CAP: {made[3], made[4]},
        }
        with transaction(database, us) as session:
            page = list_household_cards(session, own=False, number=1, as_of=TODAY)
        assert {card.id: card.availability for card in page.cards} == {
            household_id: each for each, ids in found.items() for household_id in ids
        }


class TestOrder:
    def test_is_stable_and_puts_the_unsaid_last(self, factories: Factories, listed: Listed) -> None:
        us, them = factories.two_tenants()
        long = factories.household(us, approved_on=date(2023, 1, 1), most_children=1, age_to_months=47)
        new = factories.household(
            them, approved_on=date(2024, 1, 1), age_from_months=24, added_at=NOW + timedelta(days=1), most_children=3
        )
        unsaid = factories.household(us, approved_on=None, age_from_months=None, age_to_months=None, most_children=None)

        orders = {sort: listed(us, EVERY_HOUSEHOLD, sort=sort) for sort in HouseholdSort}

        assert orders[HouseholdSort.WAITING] == [long, new, unsaid]
        assert orders[HouseholdSort.NEWEST][0] == new
        assert orders[HouseholdSort.YOUNGEST] == [long, new, unsaid]
        assert orders[HouseholdSort.OLDEST] == [new, long, unsaid]
        assert orders[HouseholdSort.LARGEST] == [new, long, unsaid]
        assert set(orders[HouseholdSort.CODE]) == {long, new, unsaid}


class TestFilterToTakeOff:
    def test_is_the_one_that_hides_most(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.household(them, most_children=1)
        wanted = HouseholdFilter(children=3, age_to=6)

        with transaction(database, us) as session:
            removal = household_filter_to_take_off(session, wanted, own=False, as_of=TODAY)

        assert removal is not None
        assert (removal.name, removal.total) == ("children", 1)


class TestSearchHouseholds:
    def test_finds_ones_own_by_a_part_of_a_reference(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        ours, theirs = factories.household(us), factories.household(them)
        for tenant, household_id in ((us, ours), (them, theirs)):
            with transaction(database, tenant) as session:
                session.execute(
                    update(HouseholdIdentity)
                    .where(HouseholdIdentity.household_id == household_id)
                    .values(reference="Elm 1")
                )

        with transaction(database, us) as session:
            by_reference = search_households(session, "elm", as_of=TODAY)
            by_code = search_households(session, "H-", as_of=TODAY)

        assert [card.id for card in by_reference.cards] == [ours]
        assert {card.id for card in by_code.cards} == {ours, theirs}


def answer(listed: Listed, tenant: Tenant, wanted: HouseholdFilter, name: str, household_id: UUID) -> str:
    """Return what a filter says of the only household there is."""
    if listed(tenant, wanted) == [household_id]:
        return "yes"
    return "unsaid" if listed(tenant, replace(wanted, unsaid=frozenset({name}))) == [household_id] else "no"
