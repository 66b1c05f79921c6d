"""What a recorded value looks like in a cell: the inverse of reading one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from matching.need import Answer, Tolerance

_WORDS = {Answer.CAN_MEET: "can meet", Answer.WOULD_DISCUSS: "would discuss", Answer.CANNOT: "cannot"}


def say_value(value: object) -> str:
    """Return the text that is read as this value; the empty text for what is not known."""
    if value is None or (isinstance(value, StrEnum) and value.value == "unknown"):
        return ""
    if isinstance(value, Tolerance):
        return say_tolerance(value)
    if isinstance(value, date):
        return f"{value.day:02}/{value.month:02}/{value.year:04}"
    if isinstance(value, frozenset):
        return "; ".join(sorted(value))
    if isinstance(value, tuple):
        return "; ".join(f"{code} {miles}" for code, miles in value)
    if isinstance(value, StrEnum):
        return value.value.replace("_", " ")
    return str(value)


def say_word(value: str | None) -> str:
    """Return a coded word as a sheet writes it, such as “on hold”."""
    return "" if value is None else value.replace("_", " ")


def say_sharing(value: str | None) -> str:
    """Return “in-house”, “consortium” or “hold”."""
    return "" if value is None else value.replace("_", "-")


def say_month(value: date | None) -> str:
    """Return a month as mm/yyyy."""
    return "" if value is None else f"{value.month:02}/{value.year:04}"


def say_youngest_age(months: int | None) -> str:
    """Return whole years, or months where it is not on a birthday."""
    return "" if months is None else _age(months, months)


def say_oldest_age(months: int | None) -> str:
    """Return whole years where it ends the day before a birthday, else months."""
    return "" if months is None else _age(months, months - 11)


def _age(months: int, in_years: int) -> str:
    return f"{months} months" if in_years % 12 else str(in_years // 12)


def say_tolerance(tolerance: Tolerance) -> str:
    """Return the answers up to and from levels where that says it all, else level by level."""
    levels: Mapping[str, Answer] = {"low": tolerance.low, "medium": tolerance.medium, "high": tolerance.high}
    ranks = [_RANKS[answer] for answer in levels.values()]
    if ranks != sorted(ranks) or (tolerance.low is Answer.UNKNOWN and ranks[1:] != [2, 2] and set(ranks[1:]) - {2, 3}):
        return "; ".join(f"{level}: {_WORDS[answer]}" for level, answer in levels.items() if answer in _WORDS)
    parts = []
    for answer, choose in ((Answer.CAN_MEET, -1), (Answer.WOULD_DISCUSS, -1), (Answer.CANNOT, 0)):
        said = [level for level, given in levels.items() if given is answer]
        parts += [f"{_WORDS[answer]} {said[choose]}"] if said else []
    return "; ".join(parts)


#: The order in which answers may follow one another as levels rise, for the short form to say them.
_RANKS: Mapping[Answer, int] = {Answer.CAN_MEET: 0, Answer.WOULD_DISCUSS: 1, Answer.UNKNOWN: 2, Answer.CANNOT: 3}
