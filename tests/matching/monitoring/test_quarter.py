from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.monitoring.quarter import SHOWN, Quarter, quarter_of, quarters_before

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


class TestQuarterOf:
    @pytest.mark.parametrize(
        ("day", "begins"),
        [
            (date(2028, 2, 29), date(2028, 1, 1)),
            (date(2026, 3, 31), date(2026, 1, 1)),
            (date(2026, 4, 1), date(2026, 4, 1)),
            (date(2026, 12, 31), date(2026, 10, 1)),
        ],
    )
    def test_begins_with_its_first_month(self, day: date, begins: date) -> None:
        assert quarter_of(day) == Quarter(begins)

    @given(DAYS)
    def test_holds_the_day(self, day: date) -> None:
        found = quarter_of(day)

        assert found.begins <= day < found.ends
        assert quarter_of(found.ends - timedelta(days=1)) == found

    def test_has_words(self) -> None:
        assert quarter_of(date(2026, 11, 23)).label == "October to December 2026"


class TestQuartersBefore:
    @given(DAYS)
    def test_are_three_years_that_are_over_without_a_gap(self, day: date) -> None:
        found = quarters_before(day)

        assert len(found) == SHOWN
        assert found[-1].ends == quarter_of(day).begins
        assert all(one.ends == after.begins for one, after in pairwise(found))
