from __future__ import annotations

import pytest

from concord.demo.chance import Chance
from concord.demo.need import DISABILITIES, LIKELIHOODS, draw_needs, draw_tolerances
from concord.demo.row import need_heading
from matching.intake.cell import need_level_cell, tolerance_cell
from matching.need import Answer, NeedLevel, need_catalogue

CODES = need_catalogue().codes()


class TestDrawNeeds:
    def test_knows_every_need_of_the_catalogue_and_no_other(self) -> None:
        assert set(LIKELIHOODS) == set(CODES)

    @pytest.mark.parametrize("seed", range(20))
    def test_writes_cells_that_the_importer_reads(self, seed: int) -> None:
        cells = draw_needs(Chance(seed, "n"), before=0.5, harm=0.5, years=3, disabled=False)
        assert tuple(cells) == CODES
        for cell in cells.values():
            need_level_cell(cell)

    @pytest.mark.parametrize("seed", range(20))
    def test_marks_a_disability_only_when_asked(self, seed: int) -> None:
        for disabled in (True, False):
            cells = draw_needs(Chance(seed, "d"), before=0.5, harm=0.5, years=3, disabled=disabled)
            marked = [code for code in DISABILITIES if cells[code] in {"medium", "high"}]
            assert bool(marked) is disabled

    def test_harm_brings_more_needs(self) -> None:
        def present(harm: float) -> int:
            drawn = [draw_needs(Chance(n, "h"), before=0.3, harm=harm, years=4, disabled=False) for n in range(60)]
            brought = ("neglect", "attachment", "behaviour")
            return sum(cells[code] in {"low", "medium", "high"} for cells in drawn for code in brought)

        assert present(0.9) > 1.5 * present(0.1)


class TestDrawTolerances:
    @pytest.mark.parametrize("seed", range(40))
    def test_writes_cells_that_the_importer_reads(self, seed: int) -> None:
        cells = draw_tolerances(Chance(seed, "t"))
        assert tuple(cells) == CODES
        for cell in cells.values():
            tolerance_cell(cell)

    def test_says_all_four_things_often_enough_to_show(self) -> None:
        answers = [
            getattr(tolerance_cell(cell), level)
            for seed in range(100)
            for cell in draw_tolerances(Chance(seed, "t")).values()
            for level in ("low", "medium", "high")
        ]
        for answer in Answer:
            assert answers.count(answer) / len(answers) > 0.08, answer

    def test_willingness_falls_as_the_level_rises(self) -> None:
        rank = [Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT]
        for seed in range(50):
            for cell in draw_tolerances(Chance(seed, "t")).values():
                tolerance = tolerance_cell(cell)
                said = [each for each in (tolerance.low, tolerance.medium, tolerance.high) if each in rank]
                assert said == sorted(said, key=rank.index)


class TestNeedHeading:
    def test_is_the_catalogue_title(self) -> None:
        assert need_heading("behaviour") == "Need: Behaviour"

    def test_levels_are_those_of_the_catalogue(self) -> None:
        assert need_level_cell("unknown") is NeedLevel.UNKNOWN
