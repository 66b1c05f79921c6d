"""The database compares places as matching.place defines it, and says no more than a band and a word."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text
from sqlalchemy.orm import Session

from matching.household import HouseholdPlace
from matching.place import (
    EXCLUSION_MILES,
    ExclusionArea,
    OutwardCode,
    distance_band,
    exclusion,
    find_outward_code,
    list_outward_codes,
)
from matching.pool import Stage
from matching.ranking.facts import DistanceBand, Exclusion
from matching.sibling_group import ExclusionArea as ExclusionRow
from matching.sibling_group import GroupPlace
from tenants.database import Database
from tenants.scope import NOBODY, OPERATOR
from tests.factories import Factories, Tenant

BANDS = (DistanceBand.NEAR, DistanceBand.REGION, DistanceBand.FAR, DistanceBand.VERY_FAR, DistanceBand.UNKNOWN)
ANSWERS = (Exclusion.PASS, Exclusion.FAIL, Exclusion.ASK)
SAYS_NOTHING = (DistanceBand.UNKNOWN, Exclusion.ASK)

# Two in five of one county, or most pairs would lie too far apart to be worth comparing.
CODES = st.one_of(
    st.sampled_from([place.code for place in list_outward_codes()]),
    st.sampled_from([place.code for place in list_outward_codes() if place.code.startswith(("EX", "PL", "TQ"))]),
)
HOMES = st.lists(st.none() | CODES, min_size=3, max_size=3)
AREAS = st.dictionaries(CODES, st.sampled_from(EXCLUSION_MILES), max_size=4)


class Neighbours(NamedTuple):
    """An agency with a group, another with three households, each shared."""

    devon: Tenant
    dorset: Tenant
    group_id: UUID
    household_ids: list[UUID]


class TestPairPlaces:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(home=st.none() | CODES, areas=AREAS, homes=HOMES)
    def test_is_the_definition(
        self, database: Database, pair: Neighbours, home: str | None, areas: dict[str, int], homes: list[str | None]
    ) -> None:
        _put(database, pair, home=home, areas=areas, homes=homes)
        places = [ExclusionArea(find_outward_code(code), miles) for code, miles in areas.items()]
        expected = [(distance_band(_place(home), _place(each)), exclusion(_place(each), places)) for each in homes]

        for tenant in (pair.devon, pair.dorset):
            with database.transaction(tenant.scope) as session:
                assert _ask(session, [pair.group_id], pair.household_ids) == [expected]

    def test_is_the_definition_of_pairs_of_one_agency_too(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        codes = Random(7).sample([place.code for place in list_outward_codes()], 8)  # noqa: S311 - a sample
        groups = [
            factories.group(devon, stage=Stage.IN_HOUSE, outward_code=code, exclusion_areas={code: 10})
            for code in codes[:3]
        ]
        households = [factories.household(devon, stage=Stage.IN_HOUSE, outward_code=code) for code in codes]

        with database.transaction(devon.scope) as session:
            answers = _ask(session, groups, households)

        assert answers == [
            [
                (distance_band(_place(home), _place(code)), exclusion(_place(code), [ExclusionArea(_place(home), 10)]))
                for code in codes
            ]
            for home in codes[:3]
        ]

    @pytest.mark.parametrize(("stage", "held"), [(Stage.IN_HOUSE, False), (Stage.CONSORTIUM, True)])
    def test_tells_what_is_kept_from_what_is_not_there_in_nothing(
        self, database: Database, factories: Factories, stage: Stage, held: bool
    ) -> None:
        devon, dorset = factories.two_tenants()
        own_group, own_household = factories.group(dorset), factories.household(dorset)
        for areas in ({}, {"EX4": 50}):
            kept_group = factories.group(devon, stage=stage, held=held, exclusion_areas=areas)
            kept_household = factories.household(devon, stage=stage, held=held)

            with database.transaction(dorset.scope) as session:
                answers = _ask(session, [kept_group, uuid4()], [own_household])
                assert answers == [[SAYS_NOTHING], [SAYS_NOTHING]]
                assert _ask(session, [own_group], [kept_household, uuid4()]) == [[SAYS_NOTHING, SAYS_NOTHING]]

    def test_tells_another_consortium_nothing(self, database: Database, pair: Neighbours, factories: Factories) -> None:
        stranger, _ = factories.two_tenants()
        _put(database, pair, home="EX1", areas={"EX4": 5}, homes=["EX4", "EX1", None])

        for scope in (stranger.scope, OPERATOR, NOBODY):
            with database.transaction(scope) as session:
                assert _ask(session, [pair.group_id], pair.household_ids) == [[SAYS_NOTHING] * 3]

    def test_answers_in_the_order_of_the_question(self, database: Database, pair: Neighbours) -> None:
        _put(database, pair, home="EX1", areas={}, homes=["EX1", "KW1", None])
        backwards = pair.household_ids[::-1]

        with database.transaction(pair.devon.scope) as session:
            answers = _ask(session, [pair.group_id, uuid4(), pair.group_id], [*backwards, backwards[0]])

        assert [band for band, _ in answers[0]] == [
            DistanceBand.UNKNOWN,
            DistanceBand.VERY_FAR,
            DistanceBand.NEAR,
            DistanceBand.UNKNOWN,
        ]
        assert answers[0] == answers[2]
        assert answers[1] == [SAYS_NOTHING] * 4

    def test_answers_no_question_with_nothing(self, database: Database, pair: Neighbours) -> None:
        with database.transaction(pair.devon.scope) as session:
            assert _ask(session, [], pair.household_ids) == []
            assert _ask(session, [pair.group_id], []) == []


def _place(code: str | None) -> OutwardCode | None:
    return None if code is None else find_outward_code(code)


def _ask(
    session: Session, groups: Sequence[UUID], households: Sequence[UUID]
) -> list[list[tuple[DistanceBand, Exclusion]]]:
    query = text("SELECT bands, exclusions FROM pair_places(CAST(:groups AS uuid[]), CAST(:households AS uuid[]))")
    rows = session.execute(query, {"groups": list(groups), "households": list(households)})
    return [
        [(BANDS[band], ANSWERS[answer]) for band, answer in zip(row.bands, row.exclusions, strict=True)] for row in rows
    ]


def _put(
    database: Database, pair: Neighbours, *, home: str | None, areas: dict[str, int], homes: Sequence[str | None]
) -> None:
    """Record places anew: the group's with its agency, the households' with theirs."""
    group = {"sibling_group_id": pair.group_id, "agency_id": pair.devon.id}
    with database.transaction(pair.devon.scope) as session:
        session.execute(delete(GroupPlace))
        session.execute(delete(ExclusionRow))
        if home:
            session.execute(insert(GroupPlace), {**group, "outward_code": home})
        for code, miles in areas.items():
            session.execute(insert(ExclusionRow), {**group, "outward_code": code, "miles": miles})
    with database.transaction(pair.dorset.scope) as session:
        session.execute(delete(HouseholdPlace))
        for household_id, there in zip(pair.household_ids, homes, strict=True):
            if there:
                row = {"household_id": household_id, "agency_id": pair.dorset.id, "outward_code": there}
                session.execute(insert(HouseholdPlace), row)


@pytest.fixture(scope="module")
def pair(factories: Factories) -> Neighbours:
    """Two agencies that share with each other."""
    devon, dorset = factories.two_tenants()
    return Neighbours(devon, dorset, factories.group(devon), [factories.household(dorset) for _ in range(3)])
