"""The code sets of the return."""

from __future__ import annotations

import pytest

from matching.intake.ssda903.code import ADOPTED, WITH_ADOPTERS, codes_of, meaning


class TestCodesOf:
    def test_has_the_codes_on_which_outcomes_turn(self) -> None:
        assert codes_of("REC").keys() >= ADOPTED
        assert codes_of("PLACE").keys() >= WITH_ADOPTERS
        assert {"E1", "D1", "C2", "V2"} <= codes_of("LS").keys()
        assert list(codes_of("REASON_PLACED_CEASED")) == ["RD1", "RD2", "RD3", "RD4"]

    def test_has_the_placements_of_both_editions_of_the_guide(self) -> None:
        assert {"H5", "P2", "Z1", "K3", "Z11", "Z14"} <= codes_of("PLACE").keys()

    def test_is_empty_for_a_column_without_codes(self) -> None:
        assert codes_of("DOB") == {}


class TestMeaning:
    @pytest.mark.parametrize(
        ("column", "code", "words"),
        [
            ("REC", "E11", "E11: adopted"),
            ("REASON_PLACED_CEASED", "RD2", "RD2: the court did not make a placement order"),
            ("PLACE", "U1", "U1"),
            ("PLACE", "never", "never"),
        ],
    )
    def test_gives_the_code_with_its_words(self, column: str, code: str, words: str) -> None:
        assert meaning(column, code) == words
