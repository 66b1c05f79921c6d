from __future__ import annotations

from datetime import date

import pytest

from matching.clock.rule import CLOCKS, Clock, ClockName, Subject, clocks_for
from tenants.agency import Nation


class TestClocks:
    def test_name_what_says_so(self) -> None:
        assert all(clock.source and clock.nations and clock.amount for clock in CLOCKS)

    def test_give_a_nation_one_time_for_one_thing(self) -> None:
        rows = [(nation, clock.name) for clock in CLOCKS for nation in clock.nations]

        assert len(rows) == len(set(rows))

    @pytest.mark.parametrize(
        ("nation", "names"),
        [
            (Nation.ENGLAND, {ClockName.MATCH, ClockName.MATCH_RELINQUISHED}),
            (Nation.SCOTLAND, {ClockName.REFER_CHILD}),
            (Nation.WALES, {ClockName.REFER_CHILD}),
            (Nation.NORTHERN_IRELAND, {ClockName.REFER_CHILD}),
        ],
    )
    def test_of_a_group_differ_by_nation(self, nation: Nation, names: set[ClockName]) -> None:
        assert {clock.name for clock in clocks_for(nation, Subject.GROUP)} == names


class TestDue:
    @pytest.mark.parametrize(
        ("name", "nation", "start", "due", "words"),
        [
            (ClockName.MATCH, Nation.ENGLAND, date(2026, 8, 31), date(2027, 2, 28), "6 months"),
            (ClockName.MATCH_RELINQUISHED, Nation.ENGLAND, date(2026, 8, 31), date(2026, 11, 30), "3 months"),
            (ClockName.DECISION, Nation.ENGLAND, date(2026, 12, 21), date(2027, 1, 4), "7 working days"),
            (ClockName.TOLD_ORALLY, Nation.ENGLAND, date(2026, 12, 24), date(2026, 12, 30), "2 working days"),
            (ClockName.TOLD_IN_WRITING, Nation.ENGLAND, date(2026, 11, 20), date(2026, 11, 27), "5 working days"),
            (
                ClockName.REPORT_BEFORE_PANEL,
                Nation.ENGLAND,
                date(2027, 1, 8),
                date(2026, 12, 22),
                "10 working days before",
            ),
            (ClockName.REFER_CHILD, Nation.SCOTLAND, date(2026, 11, 30), date(2027, 2, 28), "3 months"),
            (ClockName.REFER_CHILD, Nation.WALES, date(2027, 1, 31), date(2027, 2, 28), "1 month"),
            (ClockName.REFER_CHILD, Nation.NORTHERN_IRELAND, date(2028, 1, 29), date(2028, 2, 29), "1 month"),
            (ClockName.REFER_ADOPTERS, Nation.NORTHERN_IRELAND, date(2028, 2, 15), date(2028, 2, 29), "2 weeks"),
        ],
    )
    def test_is_as_the_source_says(self, name: ClockName, nation: Nation, start: date, due: date, words: str) -> None:
        clock = _clock(name, nation)

        assert clock.due(start, nation) == due
        assert clock.length == words


def _clock(name: ClockName, nation: Nation) -> Clock:
    [found] = [clock for clock in CLOCKS if clock.name is name and nation in clock.nations]
    return found
