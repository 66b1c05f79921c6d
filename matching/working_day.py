"""Working days of a nation: without weekends and its bank holidays, substitute days included."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import cache
from typing import Final

from holidays import country_holidays

from tenants.agency import Nation

_SUBDIVISIONS: Final = {
    Nation.ENGLAND: "ENG",
    Nation.WALES: "WLS",
    Nation.SCOTLAND: "SCT",
    Nation.NORTHERN_IRELAND: "NIR",
}
_SATURDAY: Final = 5


def is_working_day(day: date, nation: Nation) -> bool:
    """Say whether people work on a day in a nation."""
    return day.weekday() < _SATURDAY and day not in _bank_holidays(nation, day.year)


def add_working_days(day: date, number: int, nation: Nation) -> date:
    """Return the working day that is ``number`` working days after a day, which itself is not counted.

    A negative number counts back; with none, it is the day itself.
    """
    step = timedelta(days=1 if number > 0 else -1)
    left = abs(number)
    while left:
        day += step
        left -= is_working_day(day, nation)
    return day


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last where it has no such day."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


@cache
def _bank_holidays(nation: Nation, year: int) -> frozenset[date]:
    return frozenset(country_holidays("GB", subdiv=_SUBDIVISIONS[nation], years=year))
