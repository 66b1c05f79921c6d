"""The database compares places as matching.place and matching.zone define it, and asking often tells no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text, update
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
from matching.pool import Stage, share_each
from matching.ranking.facts import DistanceBand, Exclusion
from matching.sibling_group import ExclusionArea as ExclusionRow
from matching.sibling_group import GroupPlace
from matching.zone import LEAST_CODES, zone_band, zone_exclusion, zone_members, zone_of
from tenants.base import utc_now
from tenants.consortium import ConsortiumMember
from tenants.database import Database
from tenants.scope import NOBODY, OPERATOR
from tests.factories import TODAY, Factories, Tenant

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


SOUGHT = ("EX4", "EC1A", "KW15", "TR21", "BS98")
"""Homes of another agency that an agency tries to find."""


class Told(NamedTuple):
    """What a group at a place, or with areas, was told of a home."""

    code: str | None
    areas: dict[str, int]
    band: DistanceBand
    answer: Exclusion


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
        expected = [(zone_band(_place(home), _place(each)), zone_exclusion(_place(each), places)) for each in homes]

        for tenant in (pair.devon, pair.dorset):
            with database.transaction(tenant.scope) as session:
                assert _ask(session, [pair.group_id], pair.household_ids) == [expected]

    def test_is_exact_about_pairs_of_the_agency_that_asks(self, database: Database, factories: Factories) -> None:
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


class TestAskingOften:
    """A member agency that may invent any records it likes, against one record of another agency."""

    @pytest.mark.parametrize("home", SOUGHT)
    def test_with_groups_everywhere_finds_no_more_of_a_home_than_its_band_does(
        self, told: dict[str, list[Told]], home: str
    ) -> None:
        could_be = set(list_outward_codes())

        for code, _, band, _ in (each for each in told[home] if each.code):
            could_be = {each for each in could_be if zone_band(_place(code), each) is band}
        by_band = frozenset(could_be)
        for _, areas, _, answer in (each for each in told[home] if each.areas):
            places = [ExclusionArea(_place(code), each) for code, each in areas.items()]
            could_be = {each for each in could_be if zone_exclusion(each, places) is answer}

        assert by_band == could_be == set(zone_members()[zone_of(_known(home))])
        assert sum(each.extent_m > 1_000 for each in could_be) >= LEAST_CODES

    def test_with_households_everywhere_finds_no_more_of_a_groups_area_than_its_zone(
        self, database: Database, factories: Factories
    ) -> None:
        prober, owner = factories.two_tenants()
        invented = _invent_households(database, prober, [place.code for place in list_outward_codes()])
        members = zone_members()[zone_of(_known("EC1A"))]
        group_ids = [
            factories.group(owner, outward_code=each.code, exclusion_areas={each.code: 50}) for each in members
        ]

        with database.transaction(prober.scope) as session:
            answers = _ask(session, group_ids, invented)

        assert all(each == answers[0] for each in answers)
        assert Exclusion.FAIL in {said for _, said in answers[0]}

    def test_gets_one_answer_for_all_homes_of_a_zone(self, database: Database, factories: Factories) -> None:
        owner, prober = factories.two_tenants()
        homes = _invent_households(
            database, owner, [each.code for members in zone_members().values() for each in members], shared=True
        )
        ends = [0]
        for members in zone_members().values():
            ends.append(ends[-1] + len(members))
        questions = [
            (members[0].code, {members[-1].code: EXCLUSION_MILES[number % len(EXCLUSION_MILES)]})
            # All of them would take long, and the definition is held to all of them elsewhere.
            for number, members in list(zone_members().items())[::9]
        ]
        invented = _invent_groups(database, prober, questions)

        with database.transaction(prober.scope) as session:
            answers = _ask(session, list(invented), homes)

        for said in answers:
            assert all(len(set(said[start:end])) == 1 for start, end in pairwise(ends))

    def test_is_answered_alike_by_whoever_does_not_own_both(self, database: Database, factories: Factories) -> None:
        owner, other = factories.two_tenants()
        group_id = factories.group(owner, outward_code="EX4", exclusion_areas={"EX4": 5})
        household_id = factories.household(owner, outward_code="EX4")

        said = []
        for tenant in (owner, other):
            with database.transaction(tenant.scope) as session:
                said += _ask(session, [group_id], [household_id])[0]

        # The owner knows both places; to the other a pair of somebody else's is no finer than one of its own.
        assert said == [(DistanceBand.NEAR, Exclusion.FAIL), (DistanceBand.NEAR, Exclusion.ASK)]

    def test_tells_nothing_of_what_left_the_consortium_with_its_agency(
        self, database: Database, factories: Factories
    ) -> None:
        stays, leaves = factories.two_tenants()
        group_id, household_id = factories.group(stays), factories.household(leaves)
        today = utc_now().date()

        asked = []
        for left_on in (None, today + timedelta(days=1), today):
            with database.transaction(OPERATOR) as session:
                session.execute(
                    update(ConsortiumMember).where(ConsortiumMember.agency_id == leaves.id).values(left_on=left_on)
                )
            with database.transaction(stays.scope) as session:
                asked += _ask(session, [group_id], [household_id])[0]

        assert asked == [(DistanceBand.NEAR, Exclusion.PASS)] * 2 + [SAYS_NOTHING]


@pytest.fixture(scope="module")
def told(database: Database, factories: Factories) -> dict[str, list[Told]]:
    """What groups in every district and with every area, which take long to enter, tell of each home that is sought."""
    prober, owner = factories.two_tenants()
    homes = [factories.household(owner, outward_code=home) for home in SOUGHT]
    found: dict[str, list[Told]] = {home: [] for home in SOUGHT}
    questions: list[list[tuple[str | None, dict[str, int]]]] = [[(each.code, {}) for each in list_outward_codes()]]
    questions += [
        [(None, {members[0].code: miles}) for members in zone_members().values()] for miles in EXCLUSION_MILES
    ]
    for asked in questions:
        invented = _invent_groups(database, prober, asked)
        with database.transaction(prober.scope) as session:
            for (code, areas), answers in zip(invented.values(), _ask(session, list(invented), homes), strict=True):
                for home, (band, answer) in zip(SOUGHT, answers, strict=True):
                    found[home].append(Told(code, areas, band, answer))
    return found


def _invent_groups(
    database: Database, tenant: Tenant, questions: Sequence[tuple[str | None, dict[str, int]]]
) -> dict[UUID, tuple[str | None, dict[str, int]]]:
    """Enter a group for each home and its areas, and return them by the group's id."""
    made = {uuid4(): question for question in questions}
    with database.transaction(tenant.scope) as session:
        columns = "id, agency_id, code, status, legal_position, early_permanence, letterbox_contact, direct_contact"
        rest = "sibling_contact, must_be_youngest, must_be_only, no_pets, smoke_free"
        session.execute(
            text(
                f"INSERT INTO sibling_group ({columns}, {rest}, heritage, religions, languages, added_at, changed_at) "
                "SELECT id, :agency, 'G-' || id, 'waiting', 'unknown', 'no', 'no', 'no', 'no', 'no', 'no', 'no', 'no', "
                "'{}', '{}', '{}', now(), now() FROM unnest(CAST(:ids AS uuid[])) id"
            ),
            {"agency": tenant.id, "ids": list(made)},
        )
        homes = [
            {"sibling_group_id": group_id, "agency_id": tenant.id, "outward_code": code}
            for group_id, (code, _) in made.items()
            if code
        ]
        areas = [
            {"sibling_group_id": group_id, "agency_id": tenant.id, "outward_code": code, "miles": miles}
            for group_id, (_, areas) in made.items()
            for code, miles in areas.items()
        ]
        for model, rows in ((GroupPlace, homes), (ExclusionRow, areas)):
            if rows:
                session.execute(insert(model), rows)
    return made


def _invent_households(database: Database, tenant: Tenant, homes: Sequence[str], *, shared: bool = False) -> list[UUID]:
    """Enter a household for each home, and return their ids in order."""
    ids = [uuid4() for _ in homes]
    with database.transaction(tenant.scope) as session:
        answers = "order_not_granted, order_contested, appeal, letterbox_contact, direct_contact, sibling_contact"
        columns = f"id, agency_id, code, status, sex_approved, early_permanence_approved, pets, smokers, {answers}"
        session.execute(
            text(
                f"INSERT INTO household ({columns}, heritage, religions, languages, added_at, changed_at) "
                "SELECT id, :agency, 'H-' || id, 'waiting', 'any', 'no', 'no', 'no', 'unknown', 'unknown', 'unknown', "
                "'unknown', 'unknown', 'unknown', '{}', '{}', '{}', now(), now() FROM unnest(CAST(:ids AS uuid[])) id"
            ),
            {"agency": tenant.id, "ids": ids},
        )
        session.execute(
            insert(HouseholdPlace),
            [
                {"household_id": household_id, "agency_id": tenant.id, "outward_code": code}
                for household_id, code in zip(ids, homes, strict=True)
            ],
        )
        if shared:
            share_each(session, [(each, None, Stage.CONSORTIUM, False, None) for each in ids], on=TODAY)
    return ids


def _known(code: str) -> OutwardCode:
    found = find_outward_code(code)
    assert found is not None
    return found


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
