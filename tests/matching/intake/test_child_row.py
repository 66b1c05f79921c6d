"""Rows of the children's sheet, gathered into groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.intake.child_row import GroupIntake, GroupRow
from matching.intake.column import SheetKind
from matching.intake.sheet import CellValue
from matching.need import NeedLevel, YesNo
from matching.ranking.facts import LegalPosition
from tests.matching.intake.reading_rows import read_groups
from tests.matching.intake.strategies import TODAY, group_rows
from tests.matching.intake.writing import csv_file, group_lines, headings_of, xlsx_file

_slow = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


class TestGroupsIn:
    @pytest.mark.parametrize(("write", "title"), [(csv_file, ""), (xlsx_file, "Sheet1")])
    @given(drawn=st.tuples(group_rows(reference="G1"), group_rows(reference="G2")), repeat=st.booleans())
    @_slow
    def test_groups_in_reads_back_what_was_written(
        self, write: Callable[..., bytes], title: str, drawn: tuple[GroupRow, GroupRow], repeat: bool
    ) -> None:
        groups = _placed(drawn, title)
        lines = [line for group in groups for line in group_lines(group, repeat=repeat)]
        intake = _read(write([headings_of(SheetKind.CHILDREN), *lines]))
        assert intake.problems == ()
        assert list(intake.groups) == groups

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["G1", "G2", "G3", ""]),
                st.sampled_from([f"C{number}" for number in range(9)]),
                st.sampled_from(["", "yes", "no", "x"]),
                st.sampled_from(["", "01/02/2024", "01/02/2027"]),
            ),
            max_size=9,
        )
    )
    @_slow
    def test_groups_in_accounts_for_every_row_and_halves_no_group(self, lines: list[tuple[str, ...]]) -> None:
        headings = ["Group reference", "Child reference", "No pets", "Born"]
        intake = _read(csv_file([headings, *lines]))
        taken = {child.number for group in intake.groups for child in group.children}
        assert taken | {problem.row for problem in intake.problems} == set(range(2, len(lines) + 2))
        assert not taken & {problem.row for problem in intake.problems}
        taken_groups = {group.reference for group in intake.groups}
        assert all(
            lines[number - 2][0] not in taken_groups
            for number in {problem.row for problem in intake.problems}
            if lines[number - 2][0]
        )

    def test_groups_in_keeps_a_group_together_though_its_rows_are_apart(self) -> None:
        intake = _read_rows(("G1", "C1", {}), ("G2", "C2", {}), ("G1", "C3", {}))
        assert [[child.reference for child in group.children] for group in intake.groups] == [["C1", "C3"], ["C2"]]

    def test_groups_in_takes_what_any_row_says_of_the_group(self) -> None:
        intake = _read_rows(("G1", "C1", {}), ("G1", "C2", {"No pets": "yes", "Legal position": "appeal"}))
        assert (intake.groups[0].no_pets, intake.groups[0].legal_position) == (YesNo.YES, LegalPosition.APPEAL)

    def test_groups_in_refuses_a_group_whose_rows_disagree_and_names_both(self) -> None:
        intake = _read_rows(("G1", "C1", {"No pets": "yes"}), ("G1", "C2", {"No pets": "no"}), ("G2", "C3", {}))
        assert [group.reference for group in intake.groups] == ["G2"]
        assert [(p.row, p.column, p.value, p.reason) for p in intake.problems] == [
            (2, None, None, "row 3, of the same group, is refused; mend that one"),
            (3, "No pets", "no", "row 2, of the same group, says otherwise"),
        ]

    def test_groups_in_refuses_the_siblings_of_a_refused_child(self) -> None:
        intake = _read_rows(("G1", "C1", {}), ("G1", "C2", {"Sex": "blue"}), ("G2", "C3", {}))
        assert [group.reference for group in intake.groups] == ["G2"]
        assert [(p.row, p.column) for p in intake.problems] == [(2, None), (3, "Sex")]

    def test_groups_in_refuses_both_groups_that_name_one_child(self) -> None:
        intake = _read_rows(("G1", "C1", {}), ("G2", "C1", {}), ("G2", "C2", {}))
        assert intake.groups == ()
        assert {problem.row for problem in intake.problems} == {2, 3, 4}

    def test_groups_in_keeps_needs_that_are_known(self) -> None:
        intake = _read_rows(("G1", "C1", {"Need: Neglect": "none", "Need: Attachment": "unknown"}))
        assert intake.groups[0].children[0].needs == {"neglect": NeedLevel.NONE}

    @pytest.mark.parametrize(
        ("cells", "column"),
        [
            ({"Born": "01/02/2024", "Due": "01/05/2026"}, "Due"),
            ({"Born": "03/03/2026"}, "Born"),
            ({"Born": "02/03/2008"}, "Born"),
            ({"Due": "01/02/2027"}, "Due"),
            ({"Entered care on": "03/03/2026"}, "Entered care on"),
            ({"Born": "01/02/2024", "Entered care on": "31/01/2024"}, "Entered care on"),
            ({"SHOBPA decision on": "03/03/2026"}, "SHOBPA decision on"),
            ({"Placement order on": "03/03/2026"}, "Placement order on"),
            ({"Waiting since": "03/03/2026"}, "Waiting since"),
            ({"Sharing": "hold"}, "Sharing reason"),
            ({"Heritage": "WBRI; MWBC"}, "Heritage"),
            ({"Exclusion areas": "PL4"}, "Exclusion areas"),
            ({"Home outward code": "ZZ9"}, "Home outward code"),
            ({"Legal position": "interim"}, "Legal position"),
            ({"Need: Neglect": "can meet low"}, "Need: Neglect"),
        ],
    )
    def test_groups_in_refuses_what_cannot_be_and_names_the_column(self, cells: dict[str, str], column: str) -> None:
        intake = _read_rows(("G1", "C1", cells))
        assert intake.groups == ()
        assert [(problem.row, problem.column) for problem in intake.problems] == [(2, column)]

    def test_groups_in_takes_a_child_on_the_eve_of_the_eighteenth_birthday(self) -> None:
        assert len(_read_rows(("G1", "C1", {"Born": "03/03/2008"})).groups) == 1

    def test_groups_in_refuses_more_children_than_a_group_can_have(self) -> None:
        intake = _read_rows(*(("G1", f"C{number}", {}) for number in range(11)))
        assert (intake.groups, len({problem.row for problem in intake.problems})) == ((), 11)


def _placed(drawn: tuple[GroupRow, ...], title: str) -> list[GroupRow]:
    groups, number = [], 2
    for group in drawn:
        children = tuple(
            replace(child, number=number + index, sheet=title) for index, child in enumerate(group.children)
        )
        groups.append(replace(group, children=children))
        number += len(children)
    return groups


def _read_rows(*rows: tuple[str, str, dict[str, Any]]) -> GroupIntake:
    more = list(dict.fromkeys(heading for _, _, cells in rows for heading in cells))
    lines: list[list[CellValue]] = [["Group reference", "Child reference", *more]]
    lines += [[group, child, *(cells.get(heading) for heading in more)] for group, child, cells in rows]
    return _read(csv_file(lines))


def _read(content: bytes) -> GroupIntake:
    return read_groups(content, today=TODAY)
