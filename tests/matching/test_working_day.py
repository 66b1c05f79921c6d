"""Bank holidays as the governments of the United Kingdom publish them, and days counted between them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.working_day import add_months, add_working_days, is_working_day
from tenants.agency import Nation

EVERYWHERE = set(Nation)
ENGLAND, WALES = Nation.ENGLAND, Nation.WALES
SCOTLAND, NORTHERN_IRELAND = Nation.SCOTLAND, Nation.NORTHERN_IRELAND
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


class TestIsWorkingDay:
    @pytest.mark.parametrize(
        ("day", "off"),
        [
            (date(2026, 12, 25), EVERYWHERE),
            (date(2026, 12, 28), EVERYWHERE),  # for Boxing Day, a Saturday
            (date(2027, 12, 27), EVERYWHERE),  # for Christmas Day, a Saturday
            (date(2027, 12, 28), EVERYWHERE),  # for Boxing Day, a Sunday
            (date(2027, 1, 1), EVERYWHERE),
            (date(2026, 1, 2), {SCOTLAND}),
            (date(2027, 1, 4), {SCOTLAND}),  # for 2 January, a Saturday
            (date(2026, 4, 3), EVERYWHERE),
            (date(2026, 4, 6), EVERYWHERE - {SCOTLAND}),
            (date(2027, 3, 29), EVERYWHERE - {SCOTLAND}),
            (date(2027, 3, 17), {NORTHERN_IRELAND}),
            (date(2026, 7, 13), {NORTHERN_IRELAND}),  # for 12 July, a Sunday
            (date(2027, 7, 12), {NORTHERN_IRELAND}),
            (date(2026, 8, 3), {SCOTLAND}),
            (date(2026, 8, 31), EVERYWHERE - {SCOTLAND}),
            (date(2026, 11, 30), {SCOTLAND}),
            (date(2028, 2, 29), set()),
            (date(2026, 11, 23), set()),
            (date(2026, 11, 22), EVERYWHERE),  # a Sunday
        ],
    )
    def test_knows_each_nations(self, day: date, off: set[Nation]) -> None:
        assert {nation for nation in Nation if not is_working_day(day, nation)} == off


class TestAddWorkingDays:
    @pytest.mark.parametrize(
        ("day", "number", "nation", "expected"),
        [
            (date(2026, 11, 20), 2, ENGLAND, date(2026, 11, 24)),
            (date(2026, 11, 27), 1, ENGLAND, date(2026, 11, 30)),
            (date(2026, 11, 27), 1, SCOTLAND, date(2026, 12, 1)),
            (date(2026, 12, 24), 5, WALES, date(2027, 1, 5)),
            (date(2026, 12, 24), 5, SCOTLAND, date(2027, 1, 6)),
            (date(2028, 2, 28), 1, ENGLAND, date(2028, 2, 29)),
            (date(2027, 1, 8), -10, ENGLAND, date(2026, 12, 22)),
            (date(2026, 12, 26), 0, ENGLAND, date(2026, 12, 26)),
        ],
    )
    def test_counts_over_weekends_and_bank_holidays(
        self, day: date, number: int, nation: Nation, expected: date
    ) -> None:
        assert add_working_days(day, number, nation) == expected

    @settings(deadline=None)  # the first asks a library for a year’s holidays
    @given(DAYS, st.integers(-40, 40).filter(bool), st.sampled_from(Nation))
    def test_counts_as_one_does_on_a_calendar(self, day: date, number: int, nation: Nation) -> None:
        found = add_working_days(day, number, nation)

        first, last = sorted((day, found))
        between = [first + timedelta(days=days) for days in range((last - first).days + 1)]
        assert is_working_day(found, nation)
        assert sum(is_working_day(each, nation) for each in between if each != day) == abs(number)
        assert (found > day) is (number > 0)


class TestAddMonths:
    @pytest.mark.parametrize(
        ("day", "months", "expected"),
        [
            (date(2026, 1, 12), 6, date(2026, 7, 12)),
            (date(2026, 8, 31), 6, date(2027, 2, 28)),
            (date(2027, 8, 31), 6, date(2028, 2, 29)),
            (date(2028, 2, 29), 12, date(2029, 2, 28)),
            (date(2026, 12, 31), 1, date(2027, 1, 31)),
            (date(2026, 5, 31), 1, date(2026, 6, 30)),
        ],
    )
    def test_stays_within_the_month(self, day: date, months: int, expected: date) -> None:
        assert add_months(day, months) == expected
