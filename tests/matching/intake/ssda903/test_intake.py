"""A whole return: every child of it exactly once, and the same whether it came as CSV or as XML."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.intake.ssda903.intake import ReturnIntake, read_return
from matching.intake.ssda903.package import pack_return
from matching.intake.ssda903.verdict import Fate
from tests.matching.intake.ssda903.returns import DATA, TODAY, Line, Return, decision, episode, header, told

_RETURN = ("header.csv", "episodes.csv", "ad1.csv", "placed_for_adoption.csv", "reviews.csv", "previous_permanence.csv")
_TWIN = tuple(name.replace("adoption.csv", "adoption_errors.csv") for name in _RETURN)

_DAYS = ["", "21/06/2022", "01/01/2024", "18/11/2024", "18/11/2024", "01/05/2025", "31/12/2030", "1/5/25", "30/02/2024"]
_several = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class TestReadReturn:
    def test_numbers_each_child_as_its_header_does(self) -> None:
        intake = Return([header("C2"), header("C1")], [episode("C1"), episode("C3")], []).read()
        assert [(each.sheet, each.row, each.reference, each.fate) for each in intake.children] == [
            ("header.csv", 2, "C2", Fate.NOT_FOR_ADOPTION),
            ("header.csv", 3, "C1", Fate.TAKEN),
            ("episodes.csv", 3, "C3", Fate.REFUSED),
        ]
        assert [each.reference for each in intake.taken] == ["C1"]

    def test_refuses_each_row_that_belongs_to_nobody(self) -> None:
        intake = Return([header(), header("")], [episode(), episode(""), episode("")]).read()
        refused = [each for each in intake.children if each.fate is Fate.REFUSED]
        assert [told(each) for each in refused] == [
            [("header.csv", 3, "CHILD", None)],
            [("episodes.csv", 3, "CHILD", None)],
            [("episodes.csv", 4, "CHILD", None)],
        ]

    @pytest.mark.parametrize("number", ["x" * 65, "a\u200db"])
    def test_refuses_a_number_that_no_reference_can_be(self, number: str) -> None:
        assert Return([header(number)], [], []).only().fate is Fate.REFUSED

    def test_says_that_brothers_and_sisters_are_not_told(self) -> None:
        assert "brothers and sisters" in Return().read().notes[-1]

    def test_reads_one_child_from_several_files(self) -> None:
        files = Return(decisions=[]).files() | {"late.csv": Return().files()["placed.csv"]}
        intake = read_return(pack_return(files), filename="return.zip", today=TODAY)
        assert [each.waiting and each.waiting.shobpa_on for each in intake.children] == [date(2024, 9, 2)]

    @_several
    @given(st.data())
    def test_accounts_for_every_child_exactly_once(self, data: st.DataObject) -> None:
        whole = Return(*(data.draw(st.lists(_lines(make), max_size=6)) for make in (header, episode, decision)))

        intake = whole.read()

        lines = [*whole.headers, *whole.episodes, *whole.decisions]
        known = Counter(each.reference for each in intake.children if each.reference)
        assert known == Counter({line["CHILD"] for line in lines if line["CHILD"]})
        nobodys = [line for line in lines if not line["CHILD"] and any(line.values())]
        assert sum(each.reference is None for each in intake.children) == len(nobodys)
        _check(intake)

    @_several
    @given(st.data())
    def test_says_the_same_of_csv_and_of_xml(self, data: st.DataObject) -> None:
        numbers = data.draw(st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, unique=True))
        whole = Return(
            [data.draw(_lines(header, number)) for number in numbers],
            data.draw(st.lists(_lines(episode, *numbers), max_size=5)),
            # In XML a decision stands within its child, and has no birth of its own.
            [line | {"DOB": ""} for line in data.draw(st.lists(_lines(decision, *numbers), max_size=3))],
        )

        by_xml = read_return(whole.xml(), filename="return.xml", today=TODAY)

        said = [(each.reference, each.fate, each.waiting, len(each.remarks)) for each in whole.read().children]
        assert [(each.reference, each.fate, each.waiting, len(each.remarks)) for each in by_xml.children] == said
        _check(by_xml)


if DATA is not None:

    class TestALargeReturn:
        def test_goes_in_whole(self) -> None:
            intake = _read(*_RETURN, today=date(2018, 3, 31))
            fates = Counter(each.fate for each in intake.children)
            assert len(intake.children) == 2_675
            assert fates[Fate.TAKEN] == 95
            assert all(each.waiting and each.waiting.shobpa_on is None for each in intake.taken)
            assert all(each.waiting and each.waiting.placement_order_on for each in intake.taken)
            _check(intake)

        def test_refuses_the_reversals_that_have_no_valid_reason(self) -> None:
            intake = _read(*_RETURN)
            wrong = [each for each in intake.children if any(at[2] == "REASON_PLACED_CEASED" for at in told(each))]
            assert (len(wrong), {each.fate for each in wrong}) == (29, {Fate.REFUSED})

        def test_refuses_the_grown_up_and_takes_the_rest_today(self) -> None:
            intake = _read(*_RETURN)
            grown_up = [
                each for each in intake.children if "no longer a child" in "".join(r.reason for r in each.remarks)
            ]
            assert (len(intake.taken), len(grown_up)) == (39, 56)

        def test_accounts_for_every_child_of_its_broken_twin(self) -> None:
            intake = _read(*_TWIN)
            assert len(intake.children) == 2_675
            shifted = next(each for each in intake.children if each.reference == "161125")
            assert shifted.fate is Fate.REFUSED
            assert {at[2] for at in told(shifted)} >= {"REASON_PLACED_CEASED", "DATE_INT"}
            _check(intake)

        def test_goes_in_as_xml(self) -> None:
            intake = read_return(
                (_folder() / "fake_903.xml").read_bytes(), filename="fake_903.xml", today=date(2018, 3, 31)
            )
            assert (len(intake.children), len(intake.taken)) == (253, 8)
            _check(intake)

        def test_goes_in_with_everything_that_stands_beside_it(self) -> None:
            intake = _read(*(path.name for path in _folder().iterdir()))
            assert len(intake.children) == 2_675 + 253
            _check(intake)


def _check(intake: ReturnIntake) -> None:
    places = [(each.sheet, each.row) for each in intake.children]
    assert len(set(places)) == len(places)
    for each in intake.children:
        assert (each.waiting is not None) == (each.fate is Fate.TAKEN)
        assert each.remarks or each.fate is Fate.TAKEN
        assert all(remark.reason and remark.sheet and remark.row for remark in each.remarks)


def _folder() -> Path:
    assert DATA is not None
    return DATA


def _read(*names: str, today: date = TODAY) -> ReturnIntake:
    files = {name: (_folder() / name).read_bytes() for name in names}
    return read_return(pack_return(files), filename="return.zip", today=today)


def _lines(make: object, *children: str) -> st.SearchStrategy[Line]:
    """Return lines of one table with some of their cells changed, some of them into what no return may hold."""
    cells = {
        header: {
            "SEX": ["1", "2", "", "9"],
            "DOB": ["21/06/2022", "21/06/2022", "01/01/2001", ""],
            "ETHNIC": ["", "no"],
        },
        episode: {
            "DECOM": _DAYS,
            "DEC": _DAYS,
            "LS": ["E1", "E1", "C2", "V2", "?"],
            "PLACE": ["U1", "A6", "A3", ""],
            "REC": ["", "X1", "E12", "E4A", "?"],
            "HOME_POST": ["", "EX4", "nowhere"],
        },
        decision: {
            "DATE_PLACED": _DAYS,
            "DATE_PLACED_CEASED": _DAYS,
            "REASON_PLACED_CEASED": ["", "RD1", "RD4", "?"],
            "DOB": ["21/06/2022", "21/06/2022", "", "01/01/2001"],
        },
    }[make]  # type: ignore[index]
    changes = st.fixed_dictionaries({}, optional={name: st.sampled_from(said) for name, said in cells.items()})
    numbers = st.sampled_from(children or ("A", "B", "C", ""))
    return st.builds(lambda number, changed: make(number, **changed), numbers, changes)  # type: ignore[operator]
