"""What agencies say in their own words is read as what is so, whichever way it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from itertools import combinations

import pytest

from concord.demo import wording
from concord.demo.chance import Chance
from concord.demo.own_column import Say, in_words, listed, tolerance_in_short
from concord.demo.row import Cell
from matching.intake import cell
from matching.intake.sheet import CellValue

DRAWS = 12
"""How often a cell is drawn, so that each of its ways is."""


class TestWords:
    @pytest.mark.parametrize(
        ("words", "parse"),
        [
            (wording.YES_NO, cell.yes_no_cell),
            (wording.YES_NO, cell.any_cell),
            (wording.ANSWERS, cell.answer_cell),
            (wording.PETS, cell.pets_cell),
            (wording.SMOKERS, cell.smokers_cell),
            (wording.SEX_APPROVED, cell.sex_approved_cell),
            (wording.STATUS, cell.status_cell),
            (wording.ADOPTERS, cell.number_of_adopters_cell),
            (wording.SHARING, cell.sharing_cell),
            (wording.SEX, cell.sex_cell),
            (wording.LEGAL, cell.legal_position_cell),
            (wording.NEED_LEVELS, cell.need_level_cell),
            (wording.HERITAGE_WORDS, cell.ethnic_code_cell),
        ],
    )
    def test_each_means_what_the_documented_word_does(
        self, words: wording.Words, parse: Callable[[CellValue], object]
    ) -> None:
        for documented, ways in words.items():
            assert [parse(way) for way in ways] == [parse(documented)] * len(ways)

    def test_a_row_that_says_nothing_of_it_stays_blank(self) -> None:
        assert in_words("Pets", wording.PETS)({}, Chance(1, "any")) is None

    def test_two_origins_in_a_cell_are_both_read(self) -> None:
        for pair in combinations(wording.HERITAGE, 2):
            for joined in (" / ", "; "):
                said = listed("Heritage", wording.HERITAGE, joined=joined)
                assert cell.ethnic_codes_cell(drawn(said, {"Heritage": "; ".join(pair)})[0]) == set(pair)


class TestTolerances:
    @pytest.mark.parametrize(
        "documented",
        [
            None,
            "cannot",
            "can meet low",
            "can meet high",
            "would discuss high",
            "can meet medium",
            "can meet low; would discuss medium",
            "can meet low; would discuss medium; cannot high",
            "would discuss low; cannot medium",
            "can meet medium; cannot high",
        ],
    )
    def test_is_read_as_the_documented_answer(self, documented: str | None) -> None:
        for said in drawn(tolerance_in_short("Need"), {"Need": documented}):
            assert cell.tolerance_cell(said) == cell.tolerance_cell(documented)


class TestAges:
    @pytest.mark.parametrize(("youngest", "oldest"), [(0, 0), (0, 3), (1, 4), (5, 12), (0, 17)])
    def test_years(self, youngest: int, oldest: int) -> None:
        wanted = {"age_from_months": youngest * 12, "age_to_months": oldest * 12 + 11}
        for way in range(DRAWS):
            said = wording.ages_in_years(youngest, oldest, Chance(way, "ages"))
            assert cell.age_range_cell(said) == wanted

    def test_months(self) -> None:
        assert wording.ages_in_months("6 months", "48 months", Chance(1, "ages")) == "6 – 48 months"
        said = wording.ages_in_months(1, 3, Chance(1, "ages"))
        assert cell.age_range_cell(said) == {"age_from_months": 12, "age_to_months": 47}

    def test_unknown(self) -> None:
        unknown = {"age_from_months": None, "age_to_months": None}
        for way in range(DRAWS):
            chance = Chance(way, "ages")
            for said in (wording.ages_in_years(None, None, chance), wording.ages_in_months(None, None, chance)):
                assert cell.age_range_cell(said) == unknown


class TestNumbersAndNames:
    @pytest.mark.parametrize(("fewest", "most"), [(1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (3, 3), (None, None)])
    def test_children_approved(self, fewest: int | None, most: int | None) -> None:
        for way in range(DRAWS):
            said = wording.children_approved(fewest, most, Chance(way, "children"))
            assert cell.number_of_children_cell(said) == {"fewest_children": fewest, "most_children": most}

    @pytest.mark.parametrize("second", ["Rowan Example-0001", None])
    def test_both_names(self, second: str | None) -> None:
        for way in range(DRAWS):
            said = wording.both_names("Hazel Example-0001", second, Chance(way, "names"))
            assert cell.adopters_cell(said) == {"adopter_1_name": "Hazel Example-0001", "adopter_2_name": second}

    @pytest.mark.parametrize("forename", ["Acorn", None])
    def test_childs_name(self, forename: str | None) -> None:
        surname = forename and "Sample-0001"
        for way in range(DRAWS):
            said = wording.childs_name(forename, surname, Chance(way, "names"))
            assert cell.child_name_cell(said) == {"forename": forename, "surname": surname}

    def test_none_for_nought(self) -> None:
        say = wording.or_none("Children at home")
        assert [drawn(say, {"Children at home": number})[0] for number in (0, 2, None)] == ["None", 2, None]


class TestDatesAndPlaces:
    def test_dates(self) -> None:
        row: dict[str, Cell] = {"Approved on": date(2024, 3, 7)}
        said = [say("Approved on")(row, Chance(1, "dates")) for say in (wording.written_out, wording.with_dots)]
        assert said == ["7 March 2024", "7.3.24"]
        assert wording.written_out("Approved on")({}, Chance(1, "dates")) is None

    def test_months(self) -> None:
        say = wording.by_month_name("Youngest at home born")
        assert [drawn(say, {"Youngest at home born": month})[0] for month in ("03/2019", None)] == ["Mar 2019", None]

    @pytest.mark.parametrize("areas", [None, "PL4 10", "EX1 5; PL4 10"])
    def test_areas(self, areas: str | None) -> None:
        said = wording.areas_in_words({"Exclusion areas": areas}, Chance(1, "areas"))
        assert cell.exclusion_areas_cell(said) == cell.exclusion_areas_cell(areas)

    def test_areas_of_a_row_that_says_nothing(self) -> None:
        assert wording.areas_in_words({}, Chance(1, "areas")) is None


def drawn(say: Say, row: Mapping[str, Cell]) -> list[Cell]:
    return [say(row, Chance(way, "way")) for way in range(DRAWS)]
