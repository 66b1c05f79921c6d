"""Cells of the ages that a household is approved for, as people write them.

Ages are whole months, both ends included: “0-4” years is 0 to 59, for it lasts until the day before the fifth birthday,
and so is “under 5”; “0-36 months” is 0 to 36.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from matching.intake.cell.number import MADE_A_DATE, NUMBER_WORDS
from matching.intake.cell.problem import CellProblem
from matching.intake.cell.word import plain, said_of
from matching.intake.sheet import CellValue

OLDEST_MONTH: Final = 18 * 12 - 1

_RANGE_EXPECTED: Final = "expected ages such as 0-4, 6 months to 3 years, under 5, up to 4 or 2+"
_ONE_EXPECTED: Final = "expected one age from 0 to 17 years, such as 4 or 18 months"

_NUMBER: Final = rf"[0-9]{{1,3}}(?:\.[05]|½)?|{'|'.join(NUMBER_WORDS)}"
_UNIT: Final = r"years?|yrs?|y|months?|mths?|mnths?|mos?|m"
_AGE: Final = (
    rf"(?:birth|newborn|(?:{_NUMBER}) ?(?:{_UNIT})?(?:,? (?:and )?[0-9]{{1,2}} ?(?:months?|mths?|m)"
    r"|(?<=y)[0-9]{1,2}m)?)"
)
_ONE_AGE: Final = re.compile(
    rf"(?P<number>{_NUMBER}) ?(?P<unit>{_UNIT})?(?:(?:,? (?:and )?|(?<=y))(?P<rest>[0-9]{{1,2}}) ?(?:months?|mths?|m))?"
)
_BEFORE: Final = re.compile(r"^(?:(?:approved for|approved|age range|ages|aged|age|children|child) )+")
_AFTER: Final = re.compile(r"(?: (?:of age|old|olds|inclusive|inc|incl))+$")
_RANGE: Final = re.compile(rf"(?:between |from )?({_AGE}) ?(?:-|to|and(?= )|up to) ?({_AGE})")
_UNDER: Final = re.compile(rf"(?:under|below|less than|younger than|<) ?({_AGE})s?")
_UP_TO: Final = re.compile(
    rf"(?:up to|max(?:imum)?(?: of)?|no older than|<=|≤) ?(?:age )?({_AGE})"
    rf"|({_AGE}) ?(?:and|&|or) (?:under|below|younger|less)"
)
_FROM: Final = re.compile(
    rf"(?:from|at least|min(?:imum)?(?: of)?|no younger than|>=|≥) ?(?:age )?({_AGE})"
    rf"|({_AGE}) ?(?:\+|plus|upwards|(?:and|&|or) (?:over|above|older|up|upwards))"
)
_BIRTHDAY: Final = re.compile(r"(?:up to|until|before) (?:the |their )?([0-9]{1,2})(?:st|nd|rd|th) birthday")
_ANY: Final = frozenset({"any", "any age", "all ages", "all"})

Ages = Mapping[str, int | None]


def age_range_cell(value: CellValue) -> Ages:
    """Return the youngest and the oldest age approved for; where “2+” gives no upper end it is unknown.

    One age alone is refused: “4” may mean up to four, or four only.
    """
    said = _said(value, _RANGE_EXPECTED)
    if said is None:
        return {"age_from_months": None, "age_to_months": None}
    youngest, oldest = _ends(said)
    if youngest is not None and oldest is not None and youngest > oldest:
        raise CellProblem(f"its range runs backwards; {_RANGE_EXPECTED}")
    return {"age_from_months": youngest, "age_to_months": oldest}


def youngest_age_cell(value: CellValue) -> int | None:
    """Return the first month approved for, from one age: a number alone is years."""
    said = _said(value, _ONE_EXPECTED)
    if said is None:
        return None
    match = _FROM.fullmatch(said)
    return _first_month(_first(match) if match else said, "", _ONE_EXPECTED)


def oldest_age_cell(value: CellValue) -> int | None:
    """Return the last month approved for, from one age: a number alone is years, until the next birthday."""
    said = _said(value, _ONE_EXPECTED)
    if said is None:
        return None
    bounded = _bounded(said, _ONE_EXPECTED)
    return _last_month(said, "", _ONE_EXPECTED) if bounded is None else bounded


def _said(value: CellValue, expected: str) -> str | None:
    value = said_of(value)
    if value is None:
        return None
    if isinstance(value, date):
        raise CellProblem(f"{MADE_A_DATE}; {expected}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if abs(value) < 1000 else str(value)
    if not isinstance(value, str):
        raise CellProblem(expected)
    said = plain(value).replace("½", ".5").replace(" .5", ".5")
    return _AFTER.sub("", _BEFORE.sub("", said))


def _ends(said: str) -> tuple[int | None, int | None]:
    if said in _ANY:
        return 0, OLDEST_MONTH
    match = _RANGE.fullmatch(said)
    if match is not None:
        return _range(match[1], match[2])
    match = _FROM.fullmatch(said)
    if match is not None:
        return _first_month(_first(match), "", _RANGE_EXPECTED), None
    oldest = _bounded(said, _RANGE_EXPECTED)
    if oldest is None:
        raise CellProblem(_RANGE_EXPECTED)
    return 0, oldest


def _range(first: str, second: str) -> tuple[int, int]:
    """Return both ends; a first number without a unit has the second's. “6m-12” could be either, and is refused."""
    unit = _unit_of(second)
    other = _unit_of(first)
    if not unit and other == "m":
        raise CellProblem(f"it does not say whether its second age is in months or years; {_RANGE_EXPECTED}")
    return _first_month(first, unit, _RANGE_EXPECTED), _last_month(second, "", _RANGE_EXPECTED)


def _bounded(said: str, expected: str) -> int | None:
    """Return the last month of such as “under 5”, “up to 4” or “3 and under”."""
    match = _BIRTHDAY.fullmatch(said)
    if match is not None:
        return _within(int(match[1]) * 12 - 1, expected)
    match = _UNDER.fullmatch(said)
    if match is not None:
        return _within(_months(match[1], "", expected)[0] - 1, expected)
    match = _UP_TO.fullmatch(said)
    return None if match is None else _last_month(_first(match), "", expected)


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _unit_of(age: str) -> str:
    match = _ONE_AGE.fullmatch(age)
    return match["unit"][0] if match and match["unit"] else ""


def _first_month(age: str, unit: str, expected: str) -> int:
    return _within(_months(age, unit, expected)[0], expected)


def _last_month(age: str, unit: str, expected: str) -> int:
    months, exact = _months(age, unit, expected)
    return _within(months if exact else months + 11, expected)


def _months(age: str, unit: str, expected: str) -> tuple[int, bool]:
    """Return an age in months, and whether it says a month rather than a whole year of life."""
    if age in {"birth", "newborn"}:
        return 0, True
    match = _ONE_AGE.fullmatch(age)
    if match is None:
        raise CellProblem(expected)
    number = NUMBER_WORDS.get(match["number"])
    count = float(match["number"]) if number is None else float(number)
    unit = match["unit"][0] if match["unit"] else unit
    if unit == "m":
        if match["rest"] or not count.is_integer():
            raise CellProblem(expected)
        return int(count), True
    rest = int(match["rest"] or 0)
    if rest > 11 or (match["rest"] and not (match["unit"] and count.is_integer())):
        raise CellProblem(expected)
    return int(count * 12) + rest, bool(match["rest"]) or not count.is_integer()


def _within(months: int, expected: str) -> int:
    if not 0 <= months <= OLDEST_MONTH:
        raise CellProblem(expected)
    return months
