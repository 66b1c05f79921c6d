from __future__ import annotations

import csv
import math
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.place import (
    EXCLUSION_MILES,
    METRES_PER_MILE,
    ExclusionArea,
    InvalidPlace,
    OutwardCode,
    distance_band,
    exclusion,
    find_outward_code,
    list_outward_codes,
    outward_code_of,
    places_version,
)
from matching.ranking.facts import DistanceBand, Exclusion
from tenants.error import Invalid


def known(code: str) -> OutwardCode:
    found = find_outward_code(code)
    assert found is not None
    return found


def place(code: str = "AA1", easting: int = 300_000, northing: int = 100_000, extent_m: int = 3_000) -> OutwardCode:
    return OutwardCode(code, easting, northing, extent_m, "E00000000", "england")


places = st.builds(
    place,
    code=st.sampled_from(["AA1", "AA2", "AA3", "AA4"]),
    easting=st.integers(0, 700_000),
    northing=st.integers(0, 1_300_000),
    extent_m=st.integers(1_000, 100_000),
)
areas = st.builds(ExclusionArea, outward_code=st.none() | places, miles=st.sampled_from(EXCLUSION_MILES))


class TestOutwardCodeTable:
    def test_has_the_documented_header(self) -> None:
        content = (files("matching") / "data" / "outward_codes.csv").read_text(encoding="utf-8")
        header = next(csv.reader(content.splitlines()))
        assert header == ["code", "easting", "northing", "extent_m", "local_authority", "nation"]

    def test_is_sorted_without_repeats(self) -> None:
        codes = [each.code for each in list_outward_codes()]
        assert codes == sorted(set(codes))

    def test_covers_great_britain(self) -> None:
        found = list_outward_codes()
        assert len(found) == 2997
        assert {each.nation for each in found} == {"england", "scotland", "wales"}

    def test_lies_on_the_british_national_grid(self) -> None:
        assert all(0 < each.easting < 700_000 and 0 < each.northing < 1_300_000 for each in list_outward_codes())

    def test_has_no_place_that_the_grid_cannot_hold(self) -> None:
        assert not [each.code for each in list_outward_codes() if each.code[:2] in {"BT", "GY", "JE", "IM"}]

    def test_every_extent_is_at_least_a_kilometre_and_none_is_a_slip(self) -> None:
        assert all(1_000 <= each.extent_m < 100_000 for each in list_outward_codes())

    @pytest.mark.parametrize(
        ("code", "easting", "northing"),
        [
            ("EX4", 292_000, 93_300),  # Exeter
            ("PL1", 247_700, 54_400),  # Plymouth
            ("BS1", 358_700, 172_900),  # Bristol
            ("TR1", 182_600, 44_900),  # Truro
            ("GL1", 383_300, 218_000),  # Gloucester
            ("CF10", 318_200, 175_500),  # Cardiff
            ("EH1", 325_800, 673_600),  # Edinburgh
        ],
    )
    def test_puts_known_places_where_they_are(self, code: str, easting: int, northing: int) -> None:
        found = known(code)
        assert math.dist((found.easting, found.northing), (easting, northing)) < 3_000

    def test_a_postcode_in_the_wrong_county_does_not_stretch_a_town(self) -> None:
        assert known("PR2").extent_m < 10_000

    def test_has_an_attribution_beside_it(self) -> None:
        text = (files("matching") / "data" / "ATTRIBUTION.md").read_text(encoding="utf-8")
        assert "Contains OS data © Crown copyright and database right" in text
        assert "Contains Royal Mail data © Royal Mail copyright and database right" in text
        assert "Source: Office for National Statistics licensed under the Open Government Licence v3.0" in text


class TestPlacesVersion:
    def test_is_a_short_digest(self) -> None:
        assert len(places_version()) == 12
        assert set(places_version()) <= set("0123456789abcdef")


class TestOutwardCodeOf:
    @pytest.mark.parametrize("text", ["EX4", "ex4", " EX4 ", "EX4 4QJ", "ex44qj", "E X 4 4 Q J", "EX4\t4qj"])
    def test_reads_any_case_and_spacing(self, text: str) -> None:
        assert outward_code_of(text) == "EX4"

    @pytest.mark.parametrize(
        ("text", "code"),
        [("SW1A 1AA", "SW1A"), ("W1A", "W1A"), ("M1 1AE", "M1"), ("PL199AA", "PL19"), ("B33 8TH", "B33")],
    )
    def test_reads_every_shape(self, text: str, code: str) -> None:
        assert outward_code_of(text) == code

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "Exeter",
            "EX",
            "4EX",
            "EX4 4",
            "EX4 QJ4",
            "EX4 4QJ extra",
            "EX1 4",
            "\uff25\uff38\uff14",
            "e\u01311 1aa",
            "E" * 9999,
        ],
    )
    def test_refuses_what_is_no_postcode(self, text: str) -> None:
        with pytest.raises(InvalidPlace, match="not a postcode"):
            outward_code_of(text)

    def test_refuses_northern_ireland_and_says_what_to_do(self) -> None:
        with pytest.raises(InvalidPlace, match=r"Irish grid.*record the area as unknown, and distance will be asked"):
            outward_code_of("BT1 5GS")

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("GY1 1AA", "Guernsey"),
            ("JE2 3AB", "Jersey"),
            ("IM1", "Isle of Man"),
            ("BF1 3AA", "forces"),
            ("BX1 1LT", "no place"),
            ("GIR 0AA", "no place"),
        ],
    )
    def test_refuses_places_off_the_grid_by_name(self, text: str, word: str) -> None:
        with pytest.raises(InvalidPlace, match=word):
            outward_code_of(text)

    def test_refuses_a_code_that_is_not_in_use(self) -> None:
        with pytest.raises(InvalidPlace, match="ZZ9 is not an outward code"):
            outward_code_of("ZZ9 9ZZ")

    @pytest.mark.parametrize("text", ["ZZ9 7QX", "BT1 7QX", "EX4 7QXX"])
    def test_never_repeats_the_second_half(self, text: str) -> None:
        with pytest.raises(InvalidPlace) as caught:
            outward_code_of(text)
        assert "7QX" not in str(caught.value)

    @given(st.text())
    def test_answers_or_refuses_any_text(self, text: str) -> None:
        try:
            code = outward_code_of(text)
        except Invalid:
            return
        assert find_outward_code(code) is not None

    @given(st.sampled_from(list_outward_codes()))
    def test_reads_every_code_of_the_table_back(self, known: OutwardCode) -> None:
        assert outward_code_of(known.code.lower()) == known.code
        assert outward_code_of(f"{known.code} 1AA") == known.code


class TestDistanceBand:
    @pytest.mark.parametrize(
        ("metres", "band"),
        [
            (0, DistanceBand.NEAR),
            (20 * METRES_PER_MILE, DistanceBand.NEAR),
            (20 * METRES_PER_MILE + 1, DistanceBand.REGION),
            (50 * METRES_PER_MILE, DistanceBand.REGION),
            (50 * METRES_PER_MILE + 1, DistanceBand.FAR),
            (100 * METRES_PER_MILE, DistanceBand.FAR),
            (100 * METRES_PER_MILE + 1, DistanceBand.VERY_FAR),
        ],
    )
    def test_changes_exactly_at_its_edges(self, metres: int, band: DistanceBand) -> None:
        assert distance_band(place(), place("AA2", easting=300_000 + metres)) is band

    def test_is_unknown_when_either_place_is(self) -> None:
        assert distance_band(None, place()) is DistanceBand.UNKNOWN
        assert distance_band(place(), None) is DistanceBand.UNKNOWN
        assert distance_band(None, None) is DistanceBand.UNKNOWN

    def test_agrees_with_the_map(self) -> None:
        exeter = known("EX4")
        assert distance_band(exeter, known("TQ12")) is DistanceBand.NEAR
        assert distance_band(exeter, known("PL1")) is DistanceBand.REGION
        assert distance_band(exeter, known("BS1")) is DistanceBand.FAR
        assert distance_band(exeter, known("EH1")) is DistanceBand.VERY_FAR

    @given(places, places)
    def test_is_the_same_both_ways(self, a: OutwardCode, b: OutwardCode) -> None:
        assert distance_band(a, b) is distance_band(b, a)


class TestExclusion:
    def test_passes_without_areas_wherever_the_home_is(self) -> None:
        assert exclusion(place(), ()) is Exclusion.PASS
        assert exclusion(None, ()) is Exclusion.PASS

    def test_asks_when_home_or_area_is_unknown(self) -> None:
        assert exclusion(None, [ExclusionArea(place(), 5)]) is Exclusion.ASK
        assert exclusion(place(), [ExclusionArea(None, 5)]) is Exclusion.ASK

    def test_fails_in_the_same_outward_code_however_large(self) -> None:
        wide = place(extent_m=60_000)
        assert exclusion(wide, [ExclusionArea(wide, 5)]) is Exclusion.FAIL

    @pytest.mark.parametrize(
        ("metres", "answer"),
        [
            (10 * METRES_PER_MILE - 6_000, Exclusion.FAIL),
            (10 * METRES_PER_MILE - 5_999, Exclusion.ASK),
            (10 * METRES_PER_MILE + 6_000, Exclusion.ASK),
            (10 * METRES_PER_MILE + 6_001, Exclusion.PASS),
        ],
    )
    def test_asks_exactly_where_the_centres_could_mislead(self, metres: int, answer: Exclusion) -> None:
        assert exclusion(place("AA2", easting=300_000 + metres), [ExclusionArea(place(), 10)]) is answer

    def test_never_fails_another_code_when_the_codes_are_wider_than_the_reach(self) -> None:
        home = place("AA2", extent_m=9_000)
        assert exclusion(home, [ExclusionArea(place(), 5)]) is Exclusion.ASK

    def test_one_failing_area_is_enough_and_an_unsure_one_outweighs_a_pass(self) -> None:
        far = ExclusionArea(place("AA3", easting=600_000), 5)
        assert exclusion(place(), [far, ExclusionArea(place(), 5)]) is Exclusion.FAIL
        assert exclusion(place(), [far, ExclusionArea(None, 5)]) is Exclusion.ASK
        assert exclusion(place(), [far]) is Exclusion.PASS

    @given(
        places,
        places,
        st.sampled_from(EXCLUSION_MILES),
        st.floats(0, 6.3),
        st.floats(0, 6.3),
        st.floats(0, 1),
        st.floats(0, 1),
    )
    def test_is_never_sure_and_wrong(
        self, home: OutwardCode, area: OutwardCode, miles: int, turn: float, other: float, out: float, away: float
    ) -> None:
        if home.code == area.code:
            return
        answer = exclusion(home, [ExclusionArea(area, miles)])
        apart = math.dist(somewhere_in(home, turn, out), somewhere_in(area, other, away))
        if answer is Exclusion.FAIL:
            assert apart <= miles * METRES_PER_MILE + 0.01
        if answer is Exclusion.PASS:
            assert apart > miles * METRES_PER_MILE - 0.01

    @given(places, st.lists(areas, max_size=4), areas)
    def test_another_area_never_makes_it_milder(
        self, home: OutwardCode, known: list[ExclusionArea], more: ExclusionArea
    ) -> None:
        severity = [Exclusion.PASS, Exclusion.ASK, Exclusion.FAIL]
        assert severity.index(exclusion(home, [*known, more])) >= severity.index(exclusion(home, known))

    @given(places, st.lists(areas, max_size=4))
    def test_does_not_depend_on_the_order_of_areas(self, home: OutwardCode, known: list[ExclusionArea]) -> None:
        assert exclusion(home, known) is exclusion(home, known[::-1])


def somewhere_in(known: OutwardCode, turn: float, out: float) -> tuple[float, float]:
    return (
        known.easting + math.cos(turn) * out * known.extent_m,
        known.northing + math.sin(turn) * out * known.extent_m,
    )
