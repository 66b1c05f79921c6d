from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from concord.demo.chance import Chance, deck, shared_out

weights = st.lists(st.floats(0, 100), min_size=1, max_size=20).filter(lambda parts: sum(parts) > 0.001)


class TestChance:
    def test_draws_the_same_for_the_same_seed_and_label(self) -> None:
        assert [Chance(1, "a").share() for _ in range(5)] == [Chance(1, "a").share() for _ in range(5)]

    def test_draws_otherwise_for_another_seed_or_label(self) -> None:
        assert len({Chance(1, "a").share(), Chance(2, "a").share(), Chance(1, "b").share()}) == 3

    def test_is_the_sequence_that_was_published(self) -> None:
        chance = Chance(2026, "published")
        assert [chance.whole(0, 99) for _ in range(6)] == [55, 37, 54, 6, 98, 1]

    @given(st.integers(), st.integers(-50, 50), st.integers(0, 50))
    def test_whole_stays_within_both_ends(self, seed: int, least: int, span: int) -> None:
        assert least <= Chance(seed, "x").whole(least, least + span) <= least + span

    @given(st.integers(), st.lists(st.integers(), unique=True, max_size=9), st.integers(0, 12))
    def test_some_never_repeats(self, seed: int, options: list[int], count: int) -> None:
        drawn = Chance(seed, "x").some(options, count)
        assert len(drawn) == len(set(drawn)) == min(count, len(options))

    def test_weighted_never_draws_what_weighs_nothing(self) -> None:
        chance = Chance(1, "w")
        assert {chance.weighted({"never": 0.0, "always": 1.0}) for _ in range(200)} == {"always"}

    @given(st.integers(), st.integers(0, 400), st.integers(0, 400))
    def test_day_before_stays_within_both_ends(self, seed: int, least: int, span: int) -> None:
        day = date(2026, 11, 23)
        drawn = Chance(seed, "d").day_before(day, least=least, most=least + span)
        assert timedelta(least) <= day - drawn <= timedelta(least + span)


class TestSharedOut:
    @given(st.integers(0, 5_000), weights)
    def test_gives_everything_out(self, total: int, parts: list[float]) -> None:
        counts = shared_out(total, parts)
        assert sum(counts) == total
        assert min(counts) >= 0

    def test_gives_nothing_to_no_weight(self) -> None:
        assert shared_out(7, [1, 0, 1]) == [4, 0, 3]


class TestDeck:
    @given(st.integers(0, 500), st.integers())
    def test_holds_the_proportions_whatever_the_seed(self, total: int, seed: int) -> None:
        cards = Counter(deck(Chance(seed, "deck"), total, {"a": 3.0, "b": 1.0}))
        assert cards.total() == total
        assert abs(cards["b"] - total / 4) < 1
