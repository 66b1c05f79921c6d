"""Cells of dates and months, in the ways that people in Britain write them: the day before the month.

A year of two digits below 70 is of this century. Whoever reads the field refuses days that cannot be, such as a birth
in the future, so that a century that was guessed wrong never goes unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from matching.intake.cell.problem import CellProblem
from matching.intake.cell.word import plain, said_of
from matching.intake.sheet import CellValue

EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2100
_LAST_OF_THIS_CENTURY: Final = 69
# A number such as 2024 in a column of dates is a year and no day of 1905.
_EARLIEST_COUNTED: Final = date(1950, 1, 1)

_DAY_EXPECTED: Final = "expected a date as dd/mm/yyyy, such as 07/03/2024"
_MONTH_EXPECTED: Final = "expected a month as mm/yyyy, such as 03/2021"
_BARE_NUMBER: Final = "a bare number is no date here: format the column as dates in Excel, or write dd/mm/yyyy"

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_WORDS: Final = {
    **{name: number for number, name in enumerate(_MONTHS, start=1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, start=1)},
    "sept": 9,
}
_NAMES: Final = "|".join(sorted(_MONTH_WORDS, key=len, reverse=True))
_YEAR: Final = r"'?(?P<year>[0-9]{4}|[0-9]{2})"
_MIDNIGHT: Final = re.compile(r"[t ]+00:00(?::00(?:\.0+)?)?z?$")
_WEEKDAY: Final = re.compile(r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? ")
_NUMERIC: Final = re.compile(
    r"(?P<day>[0-9]{1,2})(?P<mark>[/.-])(?P<month>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4}|[0-9]{2})"
)
_FIGURES: Final = re.compile(
    r"(?<![0-9])([0-9]{1,2})\s*[/.‐‑–—−-]\s*([0-9]{1,2})\s*[/.‐‑–—−-]\s*(?:[0-9]{4}|[0-9]{2})(?![0-9])"
)
_WORDED: Final = re.compile(
    rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?: of)?[ /.,-]*(?P<month>{_NAMES})\.?[ /.,-]*{_YEAR}"
)
_MONTH_LED: Final = re.compile(rf"(?P<month>{_NAMES})\.? (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,? (?P<year>[0-9]{{4}})")
_ISO: Final = re.compile(r"(?P<year>[0-9]{4})(?P<mark>[/.-])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})")
_MONTH_FORMS: Final = (
    re.compile(r"(?P<month>[0-9]{1,2}) ?[/.-] ?(?P<year>[0-9]{4})"),
    re.compile(r"(?P<year>[0-9]{4})[/.-](?P<month>[0-9]{1,2})"),
    re.compile(rf"(?P<month>{_NAMES})\.?[ /.,-]*{_YEAR}"),
)


def date_cell(value: CellValue) -> date | None:
    """Return a date from such as 07/03/2024, 7.3.24, 7 March 2024 or 2024-03-07, or as a workbook holds it."""
    value = said_of(value)
    if value is None:
        return None
    if isinstance(value, date):
        return _day(value.year, value.month, value.day)
    if isinstance(value, str):
        return _written_day(_tidied(value))
    raise CellProblem(f"{_BARE_NUMBER}; {_DAY_EXPECTED}")


def month_cell(value: CellValue) -> date | None:
    """Return the first day of a month from such as 03/2021, March 2021 or Mar-21, or from a whole date."""
    value = said_of(value)
    if value is None:
        return None
    if isinstance(value, date):
        return _day(value.year, value.month, 1)
    if not isinstance(value, str):
        raise CellProblem(f"{_BARE_NUMBER}; {_MONTH_EXPECTED}")
    said = _tidied(value)
    for form in _MONTH_FORMS:
        match = form.fullmatch(said)
        if match is not None:
            return _day(_year(match["year"]), _month(match["month"]), 1, _MONTH_EXPECTED)
    try:
        return _written_day(said).replace(day=1)
    except CellProblem as problem:
        raise CellProblem(_MONTH_EXPECTED) from problem


def dated(value: CellValue, epoch: date | None) -> CellValue:
    """Return the day that a bare number counts to from ``epoch``; anything else as it is.

    :raises CellProblem: when day nought is not known, or the number can be no day.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if epoch is None:
        raise CellProblem(f"{_BARE_NUMBER}; {_DAY_EXPECTED}")
    # “nan” and infinity are on neither side of any number.
    if not (_EARLIEST_COUNTED - epoch).days <= value < (date(LATEST_YEAR, 1, 1) - epoch).days:
        raise CellProblem(f"the number counts to no day that can be meant; {_DAY_EXPECTED}")
    return epoch + timedelta(days=int(value))


def reads_month_first(values: Iterable[CellValue]) -> bool:
    """Say whether one of these dates can only have its month first, so that no other can be trusted not to."""
    return any(1 <= first <= 12 < second <= 31 for first, second in map(_in_figures, values))


def could_be_month_first(value: CellValue) -> bool:
    """Say whether a date in figures would be another day, were its month written first."""
    first, second = _in_figures(value)
    return 1 <= first <= 12 and 1 <= second <= 12 and first != second


def _in_figures(value: CellValue) -> tuple[int, int]:
    """Return the first two numbers of a date in figures; noughts when a cell holds none."""
    match = _FIGURES.search(value) if isinstance(value, str) else None
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _tidied(text: str) -> str:
    return _MIDNIGHT.sub("", _WEEKDAY.sub("", plain(text)))


def _written_day(said: str) -> date:
    for form in (_NUMERIC, _ISO, _WORDED, _MONTH_LED):
        match = form.fullmatch(said)
        if match is not None:
            return _day(_year(match["year"]), _month(match["month"]), int(match["day"]))
    raise CellProblem(f"{_BARE_NUMBER}; {_DAY_EXPECTED}" if said.isdecimal() else _DAY_EXPECTED)


def _month(text: str) -> int:
    return _MONTH_WORDS[text] if text in _MONTH_WORDS else int(text)


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (2000 if year <= _LAST_OF_THIS_CENTURY else 1900)


def _day(year: int, month: int, day: int, expected: str = _DAY_EXPECTED) -> date:
    if not EARLIEST_YEAR <= year < LATEST_YEAR:
        raise CellProblem(f"the year {year:04} is not between {EARLIEST_YEAR} and {LATEST_YEAR}; {expected}")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise CellProblem(f"there is no such date; {expected}, the day before the month") from error
