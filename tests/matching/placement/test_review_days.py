"""The days on which reviews are due, as pure arithmetic of dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.placement.disruption import review_window
from matching.placement.placement import completed_months
from matching.placement.review import Review, due_days

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


class TestDueDays:
    def test_begin_four_weeks_after_the_placement(self) -> None:
        assert due_days(date(2026, 2, 2), []) == [date(2026, 3, 2)]

    def test_go_on_after_three_months_and_then_every_six_from_when_the_last_was_held(self) -> None:
        held = [date(2026, 2, 20), date(2026, 5, 11), date(2026, 11, 2)]

        assert due_days(date(2026, 2, 2), held) == [
            *(date(2026, 3, 2), date(2026, 5, 20), date(2026, 11, 11)),
            date(2027, 5, 2),
        ]

    @pytest.mark.parametrize(
        ("first_held", "second_due"),
        [
            (date(2025, 11, 30), date(2026, 2, 28)),
            (date(2023, 11, 30), date(2024, 2, 29)),
            (date(2024, 2, 29), date(2024, 5, 29)),
            (date(2026, 8, 31), date(2026, 11, 30)),
        ],
    )
    def test_end_a_month_that_is_too_short_on_its_last_day(self, first_held: date, second_due: date) -> None:
        assert due_days(first_held - timedelta(weeks=4), [first_held])[1] == second_due

    def test_lose_no_day_by_a_short_month_on_the_way(self) -> None:
        # The second and third were not held: the fourth is 3 + 6 + 6 months after the first, not after 28 February.
        assert due_days(date(2025, 10, 3), [date(2025, 11, 30), None, None])[3] == date(2027, 2, 28)
        assert due_days(date(2025, 10, 3), [date(2025, 11, 30), None])[2] == date(2026, 8, 30)

    def test_stay_where_they_were_when_one_is_not_held(self) -> None:
        assert due_days(date(2026, 2, 2), [None, None]) == [date(2026, 3, 2), date(2026, 6, 2), date(2026, 12, 2)]

    @given(start=DAYS, delays=st.lists(st.one_of(st.none(), st.integers(-20, 60)), max_size=8))
    def test_are_one_more_than_was_recorded_and_follow_one_another(self, start: date, delays: list[int | None]) -> None:
        held: list[date | None] = []
        for delay in delays:
            next_due = due_days(start, held)[-1]
            held.append(None if delay is None else next_due + timedelta(days=delay))

        due = due_days(start, held)

        assert len(due) == len(held) + 1
        assert due == sorted(set(due))
        # No review comes more than six months and a day's clipping after the one before it was held.
        for before, after in zip(held, due[1:], strict=True):
            if before is not None:
                assert timedelta(days=89) <= after - before <= timedelta(days=184)


class TestReview:
    @pytest.mark.parametrize(
        ("held_on", "on", "missed"),
        [
            (None, date(2026, 3, 2), False),
            (None, date(2026, 3, 3), True),
            (date(2026, 3, 2), date(2026, 9, 9), False),
            (date(2026, 3, 3), date(2026, 3, 3), True),
        ],
    )
    def test_is_missed_from_the_day_after_it_was_due(self, held_on: date | None, on: date, missed: bool) -> None:
        review = Review(1, date(2026, 3, 2), held_on)

        assert review.missed(on) is missed
        assert review.wants_reason(on) is missed
        assert Review(1, date(2026, 3, 2), held_on, "Snow").wants_reason(on) is False


class TestReviewWindow:
    def test_is_from_the_28th_to_the_42nd_day(self) -> None:
        window = review_window(date(2024, 2, 1))

        assert (window.first, window.last) == (date(2024, 2, 29), date(2024, 3, 14))
        assert [day in window for day in (date(2024, 2, 28), window.first, window.last, date(2024, 3, 15))] == [
            *(False, True, True, False)
        ]


class TestCompletedMonths:
    @pytest.mark.parametrize(
        ("born_on", "on", "months"),
        [
            (date(2023, 5, 17), date(2026, 5, 16), 35),
            (date(2023, 5, 17), date(2026, 5, 17), 36),
            # Three at the start of 1 March, in a year without a 29 February.
            (date(2024, 2, 29), date(2027, 2, 28), 35),
            (date(2024, 2, 29), date(2027, 3, 1), 36),
            (date(2024, 2, 29), date(2028, 2, 28), 47),
            (date(2024, 2, 29), date(2028, 2, 29), 48),
            (date(2024, 1, 31), date(2024, 2, 29), 0),
            (date(2024, 1, 31), date(2024, 3, 1), 1),
            (date(2026, 1, 1), date(2026, 1, 1), 0),
            (date(2026, 1, 2), date(2026, 1, 1), None),
        ],
    )
    def test_are_whole_months(self, born_on: date, on: date, months: int | None) -> None:
        assert completed_months(born_on, on) == months

    @given(born_on=DAYS, days=st.integers(0, 7000))
    def test_agree_with_birthdays(self, born_on: date, days: int) -> None:
        on = born_on + timedelta(days=days)
        months = completed_months(born_on, on)

        had = [year for year in range(born_on.year + 1, on.year + 1) if on >= _birthday(born_on, year)]
        assert months is not None
        assert months // 12 == len(had)


def _birthday(born_on: date, year: int) -> date:
    try:
        return born_on.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
