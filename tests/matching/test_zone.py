"""Zones hide what is in them: whatever is asked, every outward code of a zone has the same answer."""

from __future__ import annotations

import csv
import importlib.util
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.place import (
    EXCLUSION_MILES,
    ExclusionArea,
    OutwardCode,
    distance_band,
    exclusion,
    find_outward_code,
    list_outward_codes,
)
from matching.ranking.facts import DistanceBand, Exclusion
from matching.zone import LEAST_CODES, zone_band, zone_exclusion, zone_members, zone_of, zone_table

TOOL = Path(__file__).resolve().parents[2] / "tools" / "build_zones.py"
SINGLE_POINT_M = 1_000

codes = st.sampled_from(list_outward_codes())
areas = st.builds(ExclusionArea, outward_code=st.none() | codes, miles=st.sampled_from(EXCLUSION_MILES))


class TestZones:
    def test_hold_every_outward_code_once(self) -> None:
        together = sorted(each.code for members in zone_members().values() for each in members)

        assert together == [each.code for each in list_outward_codes()]
        assert list(zone_members()) == list(range(1, len(zone_members()) + 1))

    def test_hold_enough_outward_codes_where_people_live(self) -> None:
        lived_in = [sum(each.extent_m > SINGLE_POINT_M for each in members) for members in zone_members().values()]

        assert min(lived_in) >= LEAST_CODES
        assert max(lived_in) < 2 * LEAST_CODES

    def test_are_what_the_tool_makes_of_the_table(self) -> None:
        tool = _tool()
        content = (files("matching") / "data" / "zones.csv").read_text(encoding="utf-8")
        rows = [(row["code"], int(row["zone"])) for row in csv.DictReader(content.splitlines())]

        assert tool.rows_of(tool.zones_of(tool.read_codes())) == rows
        assert tool.LEAST_CODES == LEAST_CODES

    def test_do_not_depend_on_the_order_of_the_table(self) -> None:
        tool = _tool()
        shuffled = tool.read_codes()[::-1]

        assert tool.rows_of(tool.zones_of(shuffled)) == tool.rows_of(tool.zones_of(tool.read_codes()))


class TestZoneTable:
    def test_says_the_same_both_ways_round(self) -> None:
        table = zone_table()

        for matrix in (table.bands, table.passes, table.fails):
            assert matrix.shape == (len(zone_members()),) * 2
            assert (matrix == matrix.T).all()

    def test_never_passes_what_it_fails(self) -> None:
        assert (zone_table().passes < zone_table().fails).all()

    def test_never_lets_a_home_by_an_area_of_its_own_zone(self) -> None:
        assert (np.diag(zone_table().passes) == 0).all()

    def test_tells_every_zone_from_every_other_by_bands_alone(self) -> None:
        # So that what exclusion areas say can add nothing to what the bands say.
        assert len({row.tobytes() for row in zone_table().bands}) == len(zone_members())


class TestZoneBand:
    def test_is_unknown_when_either_place_is(self) -> None:
        assert zone_band(None, _known("EX4")) is DistanceBand.UNKNOWN
        assert zone_band(_known("EX4"), None) is DistanceBand.UNKNOWN

    @given(codes, codes)
    def test_is_what_most_pairs_of_the_two_zones_have(self, a: OutwardCode, b: OutwardCode) -> None:
        here, there = zone_members()[zone_of(a)], zone_members()[zone_of(b)]
        found = [distance_band(each, other) for each in here for other in there]
        nearest_first = list(DistanceBand)

        assert zone_band(a, b) is max(nearest_first, key=lambda band: (found.count(band), -nearest_first.index(band)))

    def test_agrees_with_the_map(self) -> None:
        exeter = _known("EX4")
        assert zone_band(exeter, exeter) is DistanceBand.NEAR
        assert zone_band(exeter, _known("PL1")) is DistanceBand.REGION
        assert zone_band(exeter, _known("BS1")) is DistanceBand.FAR
        assert zone_band(exeter, _known("EH1")) is DistanceBand.VERY_FAR


class TestZoneExclusion:
    def test_passes_without_areas_wherever_the_home_is(self) -> None:
        assert zone_exclusion(_known("EX4"), ()) is Exclusion.PASS
        assert zone_exclusion(None, ()) is Exclusion.PASS

    def test_asks_when_home_or_area_is_unknown(self) -> None:
        assert zone_exclusion(None, [ExclusionArea(_known("EX4"), 5)]) is Exclusion.ASK
        assert zone_exclusion(_known("EX4"), [ExclusionArea(None, 5)]) is Exclusion.ASK

    @given(codes, codes)
    def test_is_sure_exactly_where_every_pair_of_the_two_zones_is(self, home: OutwardCode, area: OutwardCode) -> None:
        here, there = zone_members()[zone_of(home)], zone_members()[zone_of(area)]
        for miles in EXCLUSION_MILES:
            found = {exclusion(each, [ExclusionArea(other, miles)]) for each in here for other in there}
            expected = found.pop() if len(found) == 1 else Exclusion.ASK
            assert zone_exclusion(home, [ExclusionArea(area, miles)]) is expected

    @given(codes, st.lists(areas, max_size=4))
    def test_is_never_sure_of_what_the_outward_codes_deny(self, home: OutwardCode, known: list[ExclusionArea]) -> None:
        said = zone_exclusion(home, known)

        assert said in {Exclusion.ASK, exclusion(home, known)}

    @given(codes, st.lists(areas, max_size=4), areas)
    def test_is_never_milder_with_another_area(
        self, home: OutwardCode, known: list[ExclusionArea], more: ExclusionArea
    ) -> None:
        severity = [Exclusion.PASS, Exclusion.ASK, Exclusion.FAIL]
        assert severity.index(zone_exclusion(home, [*known, more])) >= severity.index(zone_exclusion(home, known))

    @pytest.mark.parametrize("number", [1, 100, 357])
    def test_has_one_answer_for_all_of_a_zone_whatever_is_asked(self, number: int) -> None:
        members = zone_members()[number]
        for others in zone_members().values():
            for miles in EXCLUSION_MILES:
                assert len({zone_exclusion(each, [ExclusionArea(others[0], miles)]) for each in members}) == 1
            assert len({zone_band(each, others[0]) for each in members}) == 1


@pytest.fixture(scope="module", autouse=True)
def _made() -> None:
    """Work the tables out beforehand, so that no example's time is theirs."""
    zone_table()


def _known(code: str) -> OutwardCode:
    found = find_outward_code(code)
    assert found is not None
    return found


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_zones", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
