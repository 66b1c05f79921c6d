from __future__ import annotations

from fractions import Fraction
from statistics import quantiles

from hypothesis import given
from hypothesis import strategies as st

from matching.monitoring.spread import Spread, spread_of


class TestSpreadOf:
    def test_is_none_of_nothing(self) -> None:
        assert spread_of([]) == Spread(0, None, None, None)

    def test_is_the_one_day_there_is(self) -> None:
        assert spread_of([7]) == Spread(1, 7, 7, 7)

    def test_lies_between_the_two_nearest(self) -> None:
        assert spread_of([10, 0]) == Spread(2, 5, 5, 9)

    def test_rounds_a_half_upwards(self) -> None:
        assert spread_of([1, 2]).median == 2

    @given(st.lists(st.integers(0, 4000), min_size=2, max_size=60))
    def test_is_what_the_standard_library_says(self, days: list[int]) -> None:
        exact = quantiles([Fraction(each) for each in days], n=10, method="inclusive")

        found = spread_of(days)

        assert found.median is not None
        assert found.ninetieth is not None
        assert abs(found.median - exact[4]) <= Fraction(1, 2)
        assert abs(found.ninetieth - exact[8]) <= Fraction(1, 2)
        assert min(days) <= found.median <= found.ninetieth <= max(days)
