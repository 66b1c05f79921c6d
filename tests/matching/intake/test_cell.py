"""What one cell may say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.intake import cell
from matching.intake.cell import CellProblem
from matching.intake.sheet import CellValue
from matching.intake.value_text import say_tolerance
from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.ranking.facts import LegalPosition, Sex, SexApproved
from tests.matching.intake.strategies import tolerances

_CAN, _DISCUSS, _CANNOT = Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT


class TestTextCell:
    def test_text_cell_takes_text_and_whole_numbers(self) -> None:
        parse = cell.text_cell(10)
        assert [parse("a  b\nc"), parse(147), parse(None)] == ["a b c", "147", None]

    def test_text_cell_keeps_lines_where_they_mean_something(self) -> None:
        assert cell.text_cell(10, lines=True)("a\n\nb") == "a\n\nb"

    @pytest.mark.parametrize("value", [1.5, True, date(2024, 3, 4), time(1, 2), "x" * 11, "a\x07b", "a\x00", "\ufffe"])
    def test_text_cell_refuses_what_excel_changed_and_what_cannot_be_shown(self, value: CellValue) -> None:
        with pytest.raises(CellProblem):
            cell.text_cell(10)(value)


class TestDitto:
    @pytest.mark.parametrize(
        "text", ['"', "″", "〃", "''", "’’", '" "', '- " -', "“", "↑", "Ditto", "as above", "See above."]
    )
    def test_no_text_is_read_from_what_stands_for_another_row(self, text: str) -> None:
        for parse in (
            cell.text_cell(200),
            cell.reference_cell,
            cell.words_cell,
            cell.adopters_cell,
            cell.child_name_cell,
        ):
            with pytest.raises(CellProblem, match="another row"):
                parse(text)

    @pytest.mark.parametrize("text", ["Do", "O'Sample", "'", "“Testy” Sample", "Dittoe", "As above, and more"])
    def test_other_texts_are_read_as_they_stand(self, text: str) -> None:
        assert cell.text_cell(200)(text) == text


class TestAdoptersCell:
    @pytest.mark.parametrize("other", ["partner", "2 children", "her wife", "Family", "one daughter"])
    def test_adopters_cell_takes_no_word_for_a_second_name(self, other: str) -> None:
        with pytest.raises(CellProblem, match="expected one adopter or two"):
            cell.adopters_cell(f"Testine Sampleson & {other}")


class TestTelephoneAndEmail:
    def test_telephone_cell_takes_a_number_as_typed(self) -> None:
        assert cell.telephone_cell("+44 (0)1632 960-001") == "+44 (0)1632 960-001"

    def test_telephone_cell_sees_that_excel_dropped_the_first_nought(self) -> None:
        with pytest.raises(CellProblem, match="dropped its first 0"):
            cell.telephone_cell(1632960001)

    @pytest.mark.parametrize("value", ["home", "01632", "01632 960001 / 01632 960002"])
    def test_telephone_cell_refuses_what_is_not_one_number(self, value: str) -> None:
        with pytest.raises(CellProblem):
            cell.telephone_cell(value)

    @pytest.mark.parametrize("value", ["a", "a@b", "a@b.uk, c@d.uk", "a b@c.uk", "@b.uk", "<a@b.uk>"])
    def test_email_cell_refuses_what_is_not_one_address(self, value: str) -> None:
        with pytest.raises(CellProblem):
            cell.email_cell(value)


class TestWordsCell:
    def test_words_cell_gives_each_word_one_form(self) -> None:
        assert cell.words_cell("ENGLISH; church  OF england;\nWelsh;; english") == {
            "English",
            "Church of England",
            "Welsh",
        }

    def test_words_cell_takes_blank_for_nothing_said(self) -> None:
        assert cell.words_cell(None) == frozenset()

    @pytest.mark.parametrize(
        "value", ["1", "English; <b>", "; ".join(f"Word{'abcdefghijklmnopqrstuvwxyz'[i]}" for i in range(21))]
    )
    def test_words_cell_refuses_what_is_no_word_or_too_many(self, value: str) -> None:
        with pytest.raises(CellProblem):
            cell.words_cell(value)


class TestWholeNumberCell:
    def test_whole_number_cell_takes_digits_and_whole_numbers(self) -> None:
        parse = cell.whole_number_cell(0, 20)
        assert [parse("0"), parse("07"), parse(20), parse(None)] == [0, 7, 20, None]

    @pytest.mark.parametrize(
        "value", ["-1", "21", 21, "1.5", 1.5, True, "twelve", "1 2", "١", date(2024, 1, 2), "9" * 50]
    )
    def test_whole_number_cell_refuses_the_rest(self, value: CellValue) -> None:
        with pytest.raises(CellProblem, match="whole number from 0 to 20"):
            cell.whole_number_cell(0, 20)(value)


class TestDateCell:
    def test_date_cell_reads_the_day_first(self) -> None:
        assert cell.date_cell("07/03/2024") == date(2024, 3, 7)

    def test_date_cell_takes_a_date_of_a_workbook(self) -> None:
        assert cell.date_cell(date(2024, 3, 7)) == date(2024, 3, 7)

    @pytest.mark.parametrize(
        "value",
        [
            "03/25/2024",
            "7 March",
            "March 2024",
            "31/02/2024",
            "29/02/2023",
            "00/01/2024",
            "07.03-2024",
            "07/03/1066",
            "07/03/9999",
            45358,
            45358.5,
            True,
            "07/03/2024 14:30",
            time(1),
            "٠٧/٠٣/٢٠٢٤",
        ],
    )
    def test_date_cell_guesses_nothing(self, value: CellValue) -> None:
        with pytest.raises(CellProblem):
            cell.date_cell(value)

    @given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
    def test_date_cell_reads_what_was_written(self, day: date) -> None:
        assert cell.date_cell(day.strftime("%d/%m/%Y")) == day


class TestMonthCell:
    def test_month_cell_gives_the_first_of_the_month(self) -> None:
        assert [cell.month_cell("03/2021"), cell.month_cell(date(2021, 3, 17)), cell.month_cell(None)] == [
            date(2021, 3, 1),
            date(2021, 3, 1),
            None,
        ]

    @pytest.mark.parametrize("value", ["13/2021", "03/21", "2021", 2021, "21 March"])
    def test_month_cell_refuses_the_rest(self, value: CellValue) -> None:
        with pytest.raises(CellProblem):
            cell.month_cell(value)


class TestChoices:
    @pytest.mark.parametrize(
        ("parse", "value", "meaning"),
        [
            (cell.yes_no_cell, " YES", YesNo.YES),
            (cell.yes_no_cell, "no", YesNo.NO),
            (cell.yes_no_cell, True, YesNo.YES),
            (cell.yes_no_cell, False, YesNo.NO),
            (cell.yes_no_cell, None, YesNo.UNKNOWN),
            (cell.answer_cell, "Would  discuss", Answer.WOULD_DISCUSS),
            (cell.answer_cell, None, Answer.UNKNOWN),
            (cell.sex_cell, "Female", Sex.FEMALE),
            (cell.sex_cell, None, Sex.UNKNOWN),
            (cell.sex_approved_cell, "any", SexApproved.ANY),
            (cell.sex_approved_cell, None, SexApproved.UNKNOWN),
            (cell.legal_position_cell, "Order granted", LegalPosition.ORDER_GRANTED),
            (cell.legal_position_cell, None, LegalPosition.UNKNOWN),
            (cell.need_level_cell, "Medium", NeedLevel.MEDIUM),
            (cell.need_level_cell, "none", NeedLevel.NONE),
            (cell.need_level_cell, "unknown", NeedLevel.UNKNOWN),
            (cell.need_level_cell, None, NeedLevel.UNKNOWN),
        ],
    )
    def test_a_choice_is_one_of_its_words_and_blank_is_unknown(
        self, parse: Callable[[CellValue], object], value: CellValue, meaning: object
    ) -> None:
        assert parse(value) is meaning

    @pytest.mark.parametrize("value", ["ja", "2", 2, 0.5, "yes no", "x", "yes?", "sometimes", date(2024, 1, 1)])
    def test_yes_no_cell_never_guesses(self, value: CellValue) -> None:
        with pytest.raises(CellProblem, match="expected yes or no"):
            cell.yes_no_cell(value)


class TestToleranceCell:
    @pytest.mark.parametrize(
        ("text", "low", "medium", "high"),
        [
            ("can meet high", _CAN, _CAN, _CAN),
            ("can meet low", _CAN, Answer.UNKNOWN, Answer.UNKNOWN),
            ("can meet low; would discuss medium; cannot high", _CAN, _DISCUSS, _CANNOT),
            ("cannot high; can meet low; would discuss medium", _CAN, _DISCUSS, _CANNOT),
            ("WOULD  DISCUSS high", _DISCUSS, _DISCUSS, _DISCUSS),
            ("can meet low; cannot high", _CAN, Answer.UNKNOWN, _CANNOT),
            ("cannot", _CANNOT, _CANNOT, _CANNOT),
            ("cannot low", _CANNOT, _CANNOT, _CANNOT),
            ("cannot medium;", Answer.UNKNOWN, _CANNOT, _CANNOT),
        ],
    )
    def test_tolerance_cell_spreads_answers_over_levels(
        self, text: str, low: Answer, medium: Answer, high: Answer
    ) -> None:
        assert cell.tolerance_cell(text) == Tolerance(low=low, medium=medium, high=high)

    def test_tolerance_cell_takes_blank_for_unknown(self) -> None:
        assert cell.tolerance_cell(None) == Tolerance()

    @pytest.mark.parametrize(
        "text",
        [
            "some",
            "yes; yes",
            "can meet extreme",
            "none",
            "can meet high; cannot medium",
            "can meet low; cannot",
            "would discuss medium; cannot low",
            "can meet medium; would discuss low",
            "can meet low; would discuss low",
            "can meet low; can meet high",
            "cannot; cannot high",
            "can meet none",
            "can meet low high",
        ],
    )
    def test_tolerance_cell_refuses_contradictions_and_half_answers(self, text: str) -> None:
        with pytest.raises(CellProblem):
            cell.tolerance_cell(text)

    @given(tolerances)
    def test_tolerance_cell_reads_what_was_written(self, tolerance: Tolerance) -> None:
        assert cell.tolerance_cell(say_tolerance(tolerance)) == tolerance


class TestEthnicCodes:
    def test_ethnic_codes_cell_takes_several(self) -> None:
        assert cell.ethnic_codes_cell("wbri; MWBC;") == {"WBRI", "MWBC"}

    def test_ethnic_code_cell_takes_one(self) -> None:
        assert [cell.ethnic_code_cell("WBRI"), cell.ethnic_code_cell(None)] == ["WBRI", None]

    @pytest.mark.parametrize("value", ["WBRI; MWBC", "British", "WBRIX", 1])
    def test_ethnic_code_cell_refuses_the_rest(self, value: CellValue) -> None:
        with pytest.raises(CellProblem):
            cell.ethnic_code_cell(value)


class TestPlaces:
    @pytest.mark.parametrize(
        ("text", "postcode"), [("ex44qj", "EX4 4QJ"), (" EX4  4QJ", "EX4 4QJ"), ("ex4", "EX4"), (None, None)]
    )
    def test_postcode_cell_gives_one_form(self, text: str | None, postcode: str | None) -> None:
        assert cell.postcode_cell(text) == postcode

    def test_outward_code_cell_keeps_no_more_than_the_outward_code(self) -> None:
        assert cell.outward_code_cell("EX4 4QJ") == "EX4"

    @pytest.mark.parametrize("value", ["Exeter", "ZZ9 9ZZ", "BT1 1AA", "EX4 4Q", 44, "EX4;PL4"])
    def test_postcode_cell_refuses_what_is_nowhere(self, value: CellValue) -> None:
        with pytest.raises(CellProblem):
            cell.postcode_cell(value)

    def test_exclusion_areas_cell_orders_areas(self) -> None:
        assert cell.exclusion_areas_cell("pl4 10; EX1 5") == (("EX1", 5), ("PL4", 10))

    @pytest.mark.parametrize(
        "value", ["PL4", "PL4 10 km", "PL4 7", "10", "PL4 10; PL4 20", "Plymouth 10", "PL4, EX1 10", "unknown"]
    )
    def test_exclusion_areas_cell_refuses_the_rest(self, value: str) -> None:
        with pytest.raises(CellProblem):
            cell.exclusion_areas_cell(value)


class TestEveryParser:
    @given(
        st.sampled_from(
            [
                cell.date_cell,
                cell.month_cell,
                cell.yes_no_cell,
                cell.answer_cell,
                cell.tolerance_cell,
                cell.words_cell,
                cell.ethnic_codes_cell,
                cell.postcode_cell,
                cell.exclusion_areas_cell,
                cell.email_cell,
                cell.telephone_cell,
                cell.text_cell(50),
                cell.whole_number_cell(0, 5),
                cell.need_level_cell,
            ]
        ),
        st.one_of(
            st.text(max_size=60),
            st.integers(),
            st.floats(),
            st.booleans(),
            st.dates(),
            st.times(),
            st.text("canot metwuldisgh;0123456789/ ", max_size=40),
        ),
    )
    @settings(max_examples=300)
    def test_every_parser_gives_a_value_or_a_problem(
        self, parse: Callable[[CellValue], object], value: CellValue
    ) -> None:
        with suppress(CellProblem):
            parse(value)
