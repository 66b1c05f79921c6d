"""What becomes of a child whose records can be taken at their word."""

from __future__ import annotations

from datetime import date

import pytest

from matching.intake.ssda903.verdict import Fate, Waiting
from matching.ranking.facts import LegalPosition, Sex
from tests.matching.intake.ssda903.returns import TODAY, Line, Return, decision, episode, header, match, reasons, told

_ENDED = {"DEC": "01/05/2025"}
_REVERSED = {"DATE_PLACED_CEASED": "06/01/2025"}


class TestJudgeNotForAdoption:
    @pytest.mark.parametrize("code", ["E11", "E12"])
    def test_leaves_a_child_who_is_adopted(self, code: str) -> None:
        child = Return(episodes=[episode(PLACE="A6", **_ENDED, REC=code)], matches=[match()]).only()
        assert (child.fate, reasons(child)) == (Fate.NOT_FOR_ADOPTION, "adopted on 01/05/2025")
        assert told(child) == [("episodes.csv", 2, "REC", code)]

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("RD1", "the child’s needs changed after the decision"),
            ("RD2", "the court did not make a placement order"),
            ("RD3", "prospective adopters could not be found"),
            ("RD4", "another reason"),
        ],
    )
    @pytest.mark.parametrize("status", ["E1", "C2"])
    def test_leaves_a_child_whose_decision_was_reversed_and_says_why(self, code: str, words: str, status: str) -> None:
        reversal = decision(**_REVERSED, REASON_PLACED_CEASED=code)
        child = Return(episodes=[episode(LS=status)], decisions=[reversal]).only()
        assert child.fate is Fate.NOT_FOR_ADOPTION
        assert reasons(child) == f"the SHOBPA decision was reversed on 06/01/2025 ({code}: {words})"
        assert told(child) == [("placed.csv", 2, "REASON_PLACED_CEASED", code)]

    def test_leaves_a_child_who_left_care_though_the_decision_stands(self) -> None:
        child = Return(episodes=[episode(**_ENDED, REC="E48")]).only()
        assert child.fate is Fate.NOT_FOR_ADOPTION
        assert reasons(child) == "left care on 01/05/2025 (E48: special guardianship order)"

    @pytest.mark.parametrize("status", ["C1", "C2", "D1", "J1", "L3", "V2", ""])
    def test_leaves_a_child_without_a_decision_and_without_an_order(self, status: str) -> None:
        child = Return(episodes=[episode(LS=status)], decisions=[]).only()
        assert (child.fate, reasons(child)) == (
            Fate.NOT_FOR_ADOPTION,
            "no SHOBPA decision stands and there is no placement order",
        )

    def test_leaves_a_child_whose_order_is_of_the_past(self) -> None:
        episodes = [episode(**_ENDED, REC="X1"), episode(DECOM="01/05/2025", LS="C2")]
        assert Return(episodes=episodes, decisions=[]).only().fate is Fate.NOT_FOR_ADOPTION

    def test_leaves_a_child_who_lives_with_adopters_without_either(self) -> None:
        child = Return(episodes=[episode(LS="V2", PLACE="A4")], decisions=[]).only()
        assert child.fate is Fate.NOT_FOR_ADOPTION
        assert "with adopters since 18/11/2024" in reasons(child)

    def test_leaves_a_child_of_whom_nothing_is_told(self) -> None:
        child = Return(episodes=[], decisions=[]).only()
        assert (child.fate, told(child)) == (Fate.NOT_FOR_ADOPTION, [("header.csv", 2, "CHILD", "C1")])

    def test_leaves_a_grown_up_who_was_never_to_be_adopted(self) -> None:
        child = Return([header(DOB="01/01/2001")], [episode(LS="C2")], []).only()
        assert child.fate is Fate.NOT_FOR_ADOPTION


class TestJudgeRefused:
    @pytest.mark.parametrize(("code", "words"), [("X1", "the return has none"), ("", "blank")])
    def test_refuses_an_end_that_does_not_say_what_came_then(self, code: str, words: str) -> None:
        child = Return(episodes=[episode(**_ENDED, REC=code)]).only()
        assert (child.fate, words in reasons(child)) == (Fate.REFUSED, True)
        assert told(child) == [("episodes.csv", 2, "REC", code or None)]

    @pytest.mark.parametrize(
        ("born", "today", "fate"),
        [
            ("23/11/2008", TODAY, Fate.REFUSED),
            ("24/11/2008", TODAY, Fate.TAKEN),
            ("29/02/2008", date(2026, 2, 28), Fate.TAKEN),
            ("29/02/2008", date(2026, 3, 1), Fate.REFUSED),
        ],
    )
    def test_refuses_those_who_are_no_longer_children(self, born: str, today: date, fate: Fate) -> None:
        child = Return([header(DOB=born)], decisions=[]).only(today=today)
        assert child.fate is fate
        if fate is Fate.REFUSED:
            assert told(child) == [("header.csv", 2, "DOB", born)]
            assert "no longer a child: 18 years" in reasons(child)


class TestJudgeTaken:
    def test_takes_what_the_return_says(self) -> None:
        child = Return().only()
        assert (child.fate, child.reference, child.remarks) == (Fate.TAKEN, "C1", ())
        assert child.waiting == Waiting(
            born_on=date(2022, 6, 21),
            sex=Sex.FEMALE,
            heritage="WBRI",
            legal_position=LegalPosition.ORDER_GRANTED,
            shobpa_on=date(2024, 9, 2),
            placement_order_on=date(2024, 11, 18),
            entered_care_on=None,
            home_outward_code="EX4",
            on_hold=False,
        )

    def test_takes_an_open_order_without_a_decision_whose_date_is_then_unknown(self) -> None:
        child = Return(decisions=[]).only()
        assert _waiting(child.waiting).shobpa_on is None
        assert reasons(child) == "PlacedAdoption has no row of this child, so the SHOBPA decision is unknown"

    def test_never_takes_the_decision_for_the_moving_in(self) -> None:
        episodes = [
            episode(DEC="03/03/2025", REC="X1"),
            episode(DECOM="03/03/2025", PLACE="A6", DEC="04/04/2025", REC="X1"),
            episode(DECOM="04/04/2025", PLACE="A5", RNE="P"),
        ]
        child = Return(episodes=episodes).only()
        assert _waiting(child.waiting).shobpa_on == date(2024, 9, 2)
        assert "with adopters since 03/03/2025 (A5: " in reasons(child)

    @pytest.mark.parametrize(
        ("status", "place", "position"),
        [
            ("C2", "U1", None),
            ("V2", "U1", None),
            ("", "", None),
            ("D1", "U1", LegalPosition.ORDER_GRANTED),
            ("V2", "A3", LegalPosition.CONSENT),
            ("C2", "A5", None),
            ("E1", "A4", LegalPosition.ORDER_GRANTED),
        ],
    )
    def test_takes_a_child_for_whom_the_decision_stands(
        self, status: str, place: str, position: LegalPosition | None
    ) -> None:
        child = Return(episodes=[episode(LS=status, PLACE=place)]).only()
        assert _waiting(child.waiting).legal_position is position

    def test_takes_a_child_without_episodes_for_whom_the_decision_stands(self) -> None:
        child = Return(episodes=[]).only()
        assert (_waiting(child.waiting).legal_position, _waiting(child.waiting).placement_order_on) == (None, None)
        assert "no episode of this child" in reasons(child)

    def test_takes_a_decision_made_again_after_a_reversal(self) -> None:
        decisions = [
            decision(DATE_PLACED="07/07/2025"),
            decision(**_REVERSED, REASON_PLACED_CEASED="RD1"),
        ]
        assert _waiting(Return(decisions=decisions).only().waiting).shobpa_on == date(2025, 7, 7)

    def test_dates_the_decision_by_ad1_where_nothing_else_does(self) -> None:
        child = Return(decisions=[], matches=[match(DATE_MATCH="")]).only()
        assert _waiting(child.waiting).shobpa_on == date(2024, 9, 2)
        assert "dated by DATE_INT" in reasons(child)

    @pytest.mark.parametrize(
        ("episodes", "began"),
        [
            ([episode(DEC="01/01/2025", REC="X1"), episode(DECOM="01/01/2025")], "18/11/2024"),
            ([episode(LS="C2", DEC="01/01/2025", REC="X1"), episode(DECOM="01/01/2025")], "01/01/2025"),
            # A gap without a leaving of care does not end an order; leaving care does.
            ([episode(DEC="01/01/2025", REC="X1"), episode(DECOM="05/01/2025")], "18/11/2024"),
            ([episode(DEC="01/01/2025", REC="E4A"), episode(DECOM="05/01/2025")], "05/01/2025"),
            (
                [
                    episode(DEC="01/01/2025", REC="X1"),
                    episode(DECOM="01/01/2025", LS="C2", DEC="01/02/2025", REC="X1"),
                    episode(DECOM="01/02/2025"),
                ],
                "01/02/2025",
            ),
        ],
    )
    def test_dates_the_order_by_the_first_episode_of_its_present_run(self, episodes: list[Line], began: str) -> None:
        for lines in (episodes, episodes[::-1]):
            assert f"{_waiting(Return(episodes=lines).only().waiting).placement_order_on:%d/%m/%Y}" == began

    @pytest.mark.parametrize(
        ("episodes", "entered"),
        [
            ([episode(DECOM="01/03/2024", RNE="S")], date(2024, 3, 1)),
            (
                [
                    episode(DECOM="01/03/2024", RNE="S", LS="C2", DEC="01/06/2024", REC="X1"),
                    episode(DECOM="01/06/2024", RNE="L"),
                ],
                date(2024, 3, 1),
            ),
            (
                [
                    episode(DECOM="01/03/2023", RNE="S", LS="C2", DEC="01/06/2023", REC="E4A"),
                    episode(DECOM="01/06/2024", RNE="S"),
                ],
                date(2024, 6, 1),
            ),
            (
                [
                    episode(DECOM="01/03/2023", RNE="S", LS="C2", DEC="01/06/2023", REC="E4A"),
                    episode(DECOM="01/06/2024", RNE="L"),
                ],
                None,
            ),
            ([episode(DECOM="01/03/2024", RNE="L")], None),
        ],
    )
    def test_dates_entering_care_by_the_episode_that_began_it(self, episodes: list[Line], entered: date | None) -> None:
        assert _waiting(Return(episodes=episodes).only().waiting).entered_care_on == entered

    def test_says_when_the_order_may_be_older(self) -> None:
        child = Return(episodes=[episode(RNE="P")]).only()
        assert told(child) == [("episodes.csv", 2, "RNE", "P")]

    @pytest.mark.parametrize(
        "whole",
        [
            Return(episodes=[episode(PLACE="A3")]),
            Return(episodes=[episode(PLACE="A6", LS="C2")]),
            Return(episodes=[episode(REC="E12")]),
            Return(episodes=[episode(REC="E2")]),
            Return(matches=[match()]),
        ],
    )
    def test_puts_on_hold_a_child_who_may_have_a_family(self, whole: Return) -> None:
        child = whole.only()
        assert (child.fate, _waiting(child.waiting).on_hold, "on hold" in reasons(child)) == (Fate.TAKEN, True, True)

    @pytest.mark.parametrize(
        "whole",
        [
            Return(episodes=[episode(REC="X1")]),
            Return(episodes=[episode(PLACE="A6", DEC="01/01/2025", REC="X1"), episode(DECOM="01/01/2025", PLACE="U1")]),
        ],
    )
    def test_puts_nobody_on_hold_otherwise(self, whole: Return) -> None:
        assert not _waiting(whole.only().waiting).on_hold

    def test_says_that_earlier_episodes_overlap(self) -> None:
        episodes = [episode(LS="C2", DECOM="01/01/2024", DEC="01/12/2024", REC="X1"), episode()]
        child = Return(episodes=episodes).only()
        assert (child.fate, told(child)) == (Fate.TAKEN, [("episodes.csv", 2, "DEC", "01/12/2024")])

    @pytest.mark.parametrize(("code", "value"), [("1", Sex.MALE), ("2", Sex.FEMALE), ("", Sex.UNKNOWN)])
    def test_takes_the_sex_or_leaves_it_unknown(self, code: str, value: Sex) -> None:
        assert _waiting(Return([header(SEX=code)]).only().waiting).sex is value

    def test_leaves_an_unsaid_heritage_unknown(self) -> None:
        assert _waiting(Return([header(ETHNIC="")]).only().waiting).heritage is None

    @pytest.mark.parametrize(
        ("post", "code"),
        [("EX4 4QJ", "EX4"), ("ex44qj", "EX4"), ("EG19 7TT", None), ("BT1 1AA", None), ("unknown", None), ("", None)],
    )
    def test_takes_the_home_or_says_that_it_is_unknown(self, post: str, code: str | None) -> None:
        child = Return(episodes=[episode(HOME_POST=post)]).only()
        assert (child.fate, _waiting(child.waiting).home_outward_code) == (Fate.TAKEN, code)
        assert [column for _, _, column, _ in told(child)] == ([] if code else ["HOME_POST"])

    def test_takes_the_home_of_the_latest_episode_that_tells_it(self) -> None:
        episodes = [
            episode(DECOM="01/01/2024", LS="C2", DEC="18/11/2024", REC="X1", HOME_POST="PL4 8AA"),
            episode(DEC="01/01/2025", REC="X1"),
            episode(DECOM="01/01/2025", HOME_POST=""),
        ]
        assert _waiting(Return(episodes=episodes).only().waiting).home_outward_code == "EX4"


def _waiting(waiting: Waiting | None) -> Waiting:
    assert waiting is not None
    return waiting
