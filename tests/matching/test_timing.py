"""When records move by themselves: the consortium's days, an agency's own, and what a person decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.pool import NoPool, PoolEntry, Stage
from matching.timing import (
    NextMove,
    Timing,
    TimingInvalid,
    agency_timing,
    consortium_timing,
    next_move,
    set_agency_timing,
    starting_stage,
    timing_of,
)
from tenants.agency import AgencyKind
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, TODAY, Factories

TIMING = Timing(90, 5, 180, None)


class TestConsortiumTiming:
    def test_is_by_the_agencys_kind(self, database: Database, factories: Factories) -> None:
        consortium = factories.consortium(council_in_house_days=60, voluntary_in_house_days=3)
        council = factories.tenant(consortium)
        voluntary = factories.tenant(consortium, kind=AgencyKind.VOLUNTARY_AGENCY)

        for tenant, days in ((council, 60), (voluntary, 3)):
            with database.transaction(tenant.scope) as session:
                assert consortium_timing(session) == Timing(household_in_house_days=days)

    def test_is_of_somebody_in_a_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(replace(devon.scope, consortium_id=None)) as session, pytest.raises(NoPool):
            consortium_timing(session)


class TestSetAgencyTiming:
    def test_lets_an_agency_share_earlier(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            set_agency_timing(session, Timing(household_in_house_days=30, group_national_days=7), now=NOW)
            set_agency_timing(session, Timing(household_in_house_days=20, group_national_days=7), now=NOW)

        with database.transaction(devon.scope) as session:
            assert timing_of(session) == Timing(20, None, None, 7)
        with database.transaction(dorset.scope) as session:
            assert agency_timing(session) == Timing()
            assert timing_of(session) == Timing(90, None, None, None)

    @pytest.mark.parametrize("days", [-1, 91, 10**9])
    def test_lets_none_share_later(self, database: Database, factories: Factories, days: int) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session, pytest.raises(TimingInvalid):
            set_agency_timing(session, Timing(household_in_house_days=days), now=NOW)

    def test_is_a_managers(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.acting_as(Role.FAMILY_FINDER)) as session, pytest.raises(NotAllowed):
            set_agency_timing(session, Timing(), now=NOW)


class TestStartingStage:
    @pytest.mark.parametrize(
        ("approved", "days", "stage"),
        [
            (0, 90, Stage.IN_HOUSE),
            (89, 90, Stage.IN_HOUSE),
            (90, 90, Stage.CONSORTIUM),
            (None, 90, Stage.IN_HOUSE),
            (None, 0, Stage.CONSORTIUM),
            (4000, None, Stage.IN_HOUSE),
        ],
    )
    def test_counts_from_the_approval(self, approved: int | None, days: int | None, stage: Stage) -> None:
        day = None if approved is None else TODAY - timedelta(days=approved)

        assert starting_stage(Timing(household_in_house_days=days), approved_on=day, today=TODAY) is stage


class TestNextMove:
    def test_of_a_household_counts_from_its_approval(self) -> None:
        found = next_move(_household(), TIMING, approved_on=TODAY - timedelta(days=10))

        assert found == NextMove(Stage.CONSORTIUM, TODAY + timedelta(days=80))

    def test_of_a_household_put_in_house_after_its_days_is_nobodys_but_a_persons(self) -> None:
        assert next_move(_household(), TIMING, approved_on=TODAY - timedelta(days=90)) is None

    def test_of_a_household_without_approval_counts_from_its_entry(self) -> None:
        assert next_move(_household(), TIMING, approved_on=None) == NextMove(
            Stage.CONSORTIUM, TODAY + timedelta(days=90)
        )

    def test_of_a_group_counts_from_its_entry(self) -> None:
        assert next_move(_group(), TIMING, approved_on=None) == NextMove(Stage.CONSORTIUM, TODAY + timedelta(days=5))
        assert next_move(_group(), replace(TIMING, group_in_house_days=0), approved_on=None) == NextMove(
            Stage.CONSORTIUM, TODAY
        )
        assert next_move(_group(), replace(TIMING, group_in_house_days=None), approved_on=None) is None

    def test_leads_from_the_consortium_to_the_nation(self) -> None:
        shared = _household(stage=Stage.CONSORTIUM)

        assert next_move(shared, TIMING, approved_on=None) == NextMove(Stage.NATIONAL, TODAY + timedelta(days=180))
        assert next_move(_group(stage=Stage.CONSORTIUM), TIMING, approved_on=None) is None

    @given(
        stage=st.sampled_from(list(Stage)), held=st.booleans(), kept=st.booleans(), days=st.none() | st.integers(0, 400)
    )
    def test_never_moves_what_a_person_keeps_or_what_is_everywhere(
        self, stage: Stage, held: bool, kept: bool, days: int | None
    ) -> None:
        timing = Timing(days, days, days, days)

        found = next_move(_group(stage=stage, held=held, kept=kept), timing, approved_on=None)

        assert (found is None) == (held or kept or stage is Stage.NATIONAL or days is None)


def _household(**facts: object) -> PoolEntry:
    return _entry(household_id=uuid4(), **facts)


def _group(**facts: object) -> PoolEntry:
    return _entry(sibling_group_id=uuid4(), **facts)


def _entry(**facts: object) -> PoolEntry:
    return PoolEntry(**{"stage": Stage.IN_HOUSE, "held": False, "kept": False, "entered_on": TODAY, **facts})
