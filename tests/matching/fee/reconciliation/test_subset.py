"""Which amounts make a sum, held against a search of everything."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from matching.fee.reconciliation.subset import find_sum

AMOUNTS = st.lists(st.integers(1, 12), max_size=8)


class TestFindSum:
    @given(AMOUNTS, st.integers(1, 40))
    def test_finds_what_a_search_of_everything_finds(self, amounts: list[int], target: int) -> None:
        every = [
            places
            for count in range(1, len(amounts) + 1)
            for places in itertools.combinations(range(len(amounts)), count)
            if sum(amounts[place] for place in places) == target
        ]

        found = find_sum(amounts, target)

        assert (found is None) == (not every)
        if found is not None:
            assert found.places in every
            assert len(found.places) == min(map(len, every))
            assert found.only == (len(every) == 1)

    @given(AMOUNTS, st.integers(1, 40))
    def test_takes_no_more_than_it_may(self, amounts: list[int], target: int) -> None:
        found = find_sum(amounts, target, most=2)

        assert found is None or len(found.places) <= 2

    def test_finds_nothing_rather_than_by_chance_where_the_search_grows_too_large(self) -> None:
        assert find_sum([1_000 + 7 * place for place in range(40)], 8_321) is None

    def test_takes_the_earliest_of_equals(self) -> None:
        found = find_sum([5, 5, 5], 10)

        assert found is not None
        assert (found.places, found.only) == ((0, 1), False)
