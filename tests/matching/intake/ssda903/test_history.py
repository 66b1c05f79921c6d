"""What cannot be true of a child, and where the return says it."""

from __future__ import annotations

import pytest

from matching.intake.ssda903.verdict import Fate
from tests.matching.intake.ssda903.returns import Line, Return, decision, episode, header, match, reasons, told

Told = tuple[str, int, str | None, str | None]


class TestReadHistory:
    @pytest.mark.parametrize(
        ("cells", "told_at"),
        [
            ({"SEX": "3"}, ("header.csv", 2, "SEX", "3")),
            ({"SEX": "F"}, ("header.csv", 2, "SEX", "F")),
            ({"ETHNIC": "WHITE"}, ("header.csv", 2, "ETHNIC", "WHITE")),
            ({"DOB": "31/02/2022"}, ("header.csv", 2, "DOB", "31/02/2022")),
            ({"DOB": "24/11/2026"}, ("header.csv", 2, "DOB", "24/11/2026")),
        ],
    )
    def test_refuses_a_wrong_cell_of_the_header(self, cells: dict[str, str], told_at: Told) -> None:
        child = Return([header(**cells)], decisions=[]).only()
        assert child.fate is Fate.REFUSED
        assert told_at in told(child)

    @pytest.mark.parametrize(
        ("cells", "told_at", "words"),
        [
            ({"DECOM": ""}, ("episodes.csv", 2, "DECOM", None), "blank"),
            ({"DECOM": "18-11-2024"}, ("episodes.csv", 2, "DECOM", "18-11-2024"), "dd/mm/yyyy"),
            ({"DECOM": "20/06/2022"}, ("episodes.csv", 2, "DECOM", "20/06/2022"), "before the birth, 21/06/2022"),
            ({"DECOM": "24/11/2026"}, ("episodes.csv", 2, "DECOM", "24/11/2026"), "future"),
            ({"DEC": "17/11/2024"}, ("episodes.csv", 2, "DEC", "17/11/2024"), "before DECOM, 18/11/2024"),
            ({"LS": "E2"}, ("episodes.csv", 2, "LS", "E2"), "no code of LS"),
            ({"PLACE": "A7"}, ("episodes.csv", 2, "PLACE", "A7"), "no code of PLACE"),
            ({"REC": "E10"}, ("episodes.csv", 2, "REC", "E10"), "no code of REC"),
        ],
    )
    def test_refuses_a_wrong_cell_of_an_episode(self, cells: dict[str, str], told_at: Told, words: str) -> None:
        child = Return(episodes=[episode(**cells)]).only()
        assert (child.fate, told(child), words in reasons(child)) == (Fate.REFUSED, [told_at], True)

    @pytest.mark.parametrize(
        ("cells", "told_at", "words"),
        [
            ({"DATE_PLACED": "20/06/2022"}, ("placed.csv", 2, "DATE_PLACED", "20/06/2022"), "before the birth"),
            ({"DATE_PLACED": "01/01/2030"}, ("placed.csv", 2, "DATE_PLACED", "01/01/2030"), "future"),
            ({"DATE_PLACED": "", "DATE_PLACED_CEASED": "01/01/2025", "REASON_PLACED_CEASED": "RD1"},
             ("placed.csv", 2, "DATE_PLACED", None), "tells of a reversal"),
            ({"DATE_PLACED_CEASED": "01/01/2025"}, ("placed.csv", 2, "REASON_PLACED_CEASED", None), "blank"),
            ({"REASON_PLACED_CEASED": "RD1"}, ("placed.csv", 2, "DATE_PLACED_CEASED", None), "blank"),
            ({"DATE_PLACED_CEASED": "01/09/2024", "REASON_PLACED_CEASED": "RD1"},
             ("placed.csv", 2, "DATE_PLACED_CEASED", "01/09/2024"), "before DATE_PLACED, 02/09/2024"),
            ({"DATE_PLACED_CEASED": "01/01/2025", "REASON_PLACED_CEASED": "RD9"},
             ("placed.csv", 2, "REASON_PLACED_CEASED", "RD9"), "no code of REASON_PLACED_CEASED"),
            ({"DOB": "22/06/2022"}, ("placed.csv", 2, "DOB", "22/06/2022"), "row 2 of header.csv says 21/06/2022"),
        ],
    )  # fmt: skip
    def test_refuses_a_wrong_cell_of_a_decision(self, cells: dict[str, str], told_at: Told, words: str) -> None:
        child = Return(decisions=[decision(**cells)]).only()
        assert (child.fate, told(child), words in reasons(child)) == (Fate.REFUSED, [told_at], True)

    @pytest.mark.parametrize(
        ("cells", "told_at", "words"),
        [
            ({"DATE_MATCH": "01/09/2024"}, ("ad1.csv", 2, "DATE_MATCH", "01/09/2024"), "before DATE_INT, 02/09/2024"),
            ({"DATE_INT": "03/09/2024"}, ("ad1.csv", 2, "DATE_INT", "03/09/2024"), "day of the SHOBPA decision"),
            ({"DOB": "21/06/2021"}, ("ad1.csv", 2, "DOB", "21/06/2021"), "row 2 of header.csv says 21/06/2022"),
        ],
    )
    def test_refuses_a_wrong_cell_of_a_match(self, cells: dict[str, str], told_at: Told, words: str) -> None:
        child = Return(matches=[match(**cells)]).only()
        assert (child.fate, told(child), words in reasons(child)) == (Fate.REFUSED, [told_at], True)

    @pytest.mark.parametrize(
        "episodes",
        [
            # Two that are open.
            [episode(DECOM="01/02/2024"), episode(DECOM="18/11/2024")],
            # One that is open before one that has ended.
            [episode(DECOM="01/02/2024"), episode(DECOM="18/11/2024", DEC="01/12/2024", REC="E12")],
            # Two on one day.
            [episode(DEC="01/12/2024", REC="X1"), episode(DEC="01/12/2024", REC="E12")],
            # One that began earlier and ended later than the last.
            [
                episode(DECOM="01/02/2024", DEC="01/02/2025", REC="E12"),
                episode(DEC="01/12/2024", REC="E4A"),
            ],
        ],
    )
    def test_refuses_episodes_that_leave_open_which_is_the_last(self, episodes: list[Line]) -> None:
        for lines in (episodes, episodes[::-1]):
            assert Return(episodes=lines).only().fate is Fate.REFUSED

    @pytest.mark.parametrize(
        "decisions",
        [
            [decision(), decision()],
            [decision(), decision(DATE_PLACED="01/10/2024")],
            [
                decision(DATE_PLACED_CEASED="01/01/2025", REASON_PLACED_CEASED="RD1"),
                decision(DATE_PLACED="01/10/2024"),
            ],
        ],
    )
    def test_refuses_a_decision_while_another_stands(self, decisions: list[Line]) -> None:
        child = Return(decisions=decisions).only()
        assert (child.fate, "still stood then" in reasons(child)) == (Fate.REFUSED, True)

    def test_refuses_matches_that_differ(self) -> None:
        child = Return(matches=[match(), match(DATE_MATCH="04/03/2025")]).only()
        assert ("ad1.csv", 3, "CHILD", "C1") in told(child)

    def test_refuses_a_child_that_is_in_the_header_twice(self) -> None:
        child = Return([header(), header("C2"), header()], decisions=[]).read().children[0]
        assert told(child) == [("header.csv", 2, "CHILD", "C1"), ("header.csv", 4, "CHILD", "C1")]
        assert "row 4 of header.csv" in child.remarks[0].reason

    @pytest.mark.parametrize(
        ("whole", "sheet"),
        [
            (Return([], [episode()], []), "episodes.csv"),
            (Return([], [], [decision()]), "placed.csv"),
            (Return([], [], [], [match()]), "ad1.csv"),
        ],
    )
    def test_refuses_a_child_that_is_not_in_the_header(self, whole: Return, sheet: str) -> None:
        child = whole.only()
        assert (child.sheet, child.row, child.reference, child.fate) == (sheet, 2, "C1", Fate.REFUSED)
        assert "not in the table Header" in reasons(child)

    def test_finds_the_birth_in_another_table(self) -> None:
        child = Return([header(DOB="")]).only()
        assert child.fate is Fate.TAKEN

    def test_refuses_a_child_whose_birth_is_nowhere(self) -> None:
        child = Return([header(DOB="")], decisions=[]).only()
        assert told(child) == [("header.csv", 2, "DOB", None)]

    def test_tells_every_problem_at_once(self) -> None:
        child = Return([header(SEX="9")], [episode(LS="?")], [decision(DATE_PLACED="soon")]).only()
        assert {column for _, _, column, _ in told(child)} == {"SEX", "LS", "DATE_PLACED"}

    def test_takes_a_decision_row_that_says_nothing_for_none(self) -> None:
        child = Return(decisions=[decision(DATE_PLACED="")]).only()
        assert child.waiting is not None
        assert child.waiting.shobpa_on is None
