from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.monitoring.scorecard import Journey, Measure, Period, days_of, periods, score, threshold

DAY = date(2026, 11, 23)
YEARS = Period(date(2026, 3, 31), date(2023, 4, 1))
DAYS = st.one_of(st.none(), st.dates(date(2022, 1, 1), date(2027, 1, 1)))


def journey(
    *,
    entered: date | None = date(2024, 1, 1),
    ordered: date | None = date(2024, 9, 1),
    matched: date | None = date(2024, 12, 1),
    moved_in: date | None = date(2025, 2, 1),
) -> Journey:
    return Journey(entered, ordered, matched, moved_in)


class TestThreshold:
    @pytest.mark.parametrize(("measure", "days"), [(Measure.A10, 426), (Measure.A2, 121)])
    def test_is_that_of_the_scorecards_with_its_source(self, measure: Measure, days: int) -> None:
        found, source = threshold(measure, on=DAY)

        assert found == days
        assert "Department for Education" in source


class TestPeriods:
    def test_are_three_years_to_31_march_and_those_that_run(self) -> None:
        assert periods(DAY) == (
            Period(date(2024, 3, 31), date(2021, 4, 1)),
            Period(date(2025, 3, 31), date(2022, 4, 1)),
            Period(date(2026, 3, 31), date(2023, 4, 1)),
            Period(DAY, date(2024, 4, 1)),
        )

    def test_a_year_is_over_after_its_last_day(self) -> None:
        assert periods(date(2026, 3, 31))[2].ends_on == date(2025, 3, 31)
        assert periods(date(2026, 4, 1))[2].ends_on == date(2026, 3, 31)


class TestDaysOf:
    def test_count_from_entering_care_to_moving_in(self) -> None:
        assert days_of(journey(), Measure.A10) == 397

    def test_count_from_the_placement_order_to_the_decision(self) -> None:
        assert days_of(journey(), Measure.A2) == 91

    def test_stop_where_fostering_became_the_adoption(self) -> None:
        fostered_on = date(2024, 1, 1)

        assert days_of(journey(moved_in=fostered_on), Measure.A10) == 0

    def test_count_29_february(self) -> None:
        across = journey(entered=date(2024, 2, 28), moved_in=date(2024, 3, 1))

        assert days_of(across, Measure.A10) == 2

    @pytest.mark.parametrize("entered", [None, date(2025, 2, 2)])
    def test_are_not_guessed(self, entered: date | None) -> None:
        assert days_of(journey(entered=entered), Measure.A10) is None


class TestScore:
    def test_counts_each_child_of_a_group(self) -> None:
        found = score([journey(), journey(), journey(entered=None)], Measure.A10, YEARS)

        assert (found.spread.count, found.unknown, found.spread.average, found.within) == (2, 1, 397, 2)

    def test_a_child_at_the_threshold_is_not_under_it(self) -> None:
        at, under = date(2025, 3, 2), date(2025, 3, 1)

        found = score([journey(moved_in=at), journey(moved_in=under)], Measure.A10, YEARS)

        assert (found.spread.median, found.within) == (426, 1)

    @pytest.mark.parametrize(("moved_in", "count"), [(date(2023, 3, 31), 0), (date(2026, 3, 31), 1), (None, 0)])
    def test_counts_who_moved_in_within_the_years(self, moved_in: date | None, count: int) -> None:
        found = score([journey(entered=date(2020, 1, 1), moved_in=moved_in)], Measure.A10, YEARS)

        assert found.spread.count == count

    @given(st.lists(st.builds(Journey, DAYS, DAYS, DAYS, DAYS), max_size=20), st.sampled_from(Measure))
    def test_loses_nobody_whose_time_ended(self, journeys: list[Journey], measure: Measure) -> None:
        ended = [each.between(measure)[1] for each in journeys]

        found = score(journeys, measure, YEARS)

        inside = [end for end in ended if end is not None and YEARS.begins_on <= end <= YEARS.ends_on]
        assert found.spread.count + found.unknown == len(inside)
        assert found.within <= found.spread.count
