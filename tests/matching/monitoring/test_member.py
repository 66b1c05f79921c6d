"""What waits at each agency: nothing that could be one record, and no count that a total or a month gives away."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from matching.household import Household
from matching.monitoring.figure import FEW
from matching.monitoring.member import member_lines
from matching.sibling_group import SiblingGroup

ON = date(2026, 11, 23)
DEVON, DORSET = uuid4(), uuid4()
NAMES = {DEVON: "Devon", DORSET: "Dorset"}


def waiting(agency_id: object, days: list[int | None]) -> list[SiblingGroup]:
    since = [None if each is None else ON - timedelta(days=each) for each in days]
    return [SiblingGroup(agency_id=agency_id, waiting_since=each) for each in since]


class TestMemberLines:
    def test_tells_enough_and_leaves_out_few(self) -> None:
        groups = waiting(DORSET, [10, 20, 30, 40, 50, None, None]) + waiting(DEVON, [900, 900, 900, 900])
        families = [Household(agency_id=DEVON, approved_on=ON - timedelta(days=each)) for each in range(8)]

        figure = member_lines(groups, families, NAMES, on=ON)

        assert figure.rows == (("Devon", FEW, FEW, 10, 4), ("Dorset", 5, 30, 0, "none"))

    def test_leaves_out_days_that_are_known_of_few(self) -> None:
        found = member_lines(waiting(DEVON, [10, None, None, None, None]), [], {}, on=ON)

        assert found.rows == (("Another agency", 5, FEW, 0, "none"),)

    @given(st.lists(st.integers(0, 2000) | st.none(), max_size=12))
    def test_tells_no_count_of_one_to_four_and_none_exactly(self, days: list[int | None]) -> None:
        for _, count, median, _, _ in member_lines(waiting(DEVON, days), [], NAMES, on=ON).rows:
            assert count == FEW or (isinstance(count, int) and count % 5 == 0)
            assert len(days) >= 5 or (count, median) == (FEW, FEW)
