"""Quarters of calendar years: what trends are told by, and only once they are over."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

SHOWN = 12
"""Three years of them."""
_MONTHS = {1: "January to March", 4: "April to June", 7: "July to September", 10: "October to December"}


class Quarter(NamedTuple):
    """Three months, by their first day."""

    begins: date

    @property
    def ends(self) -> date:
        """Return the first day after it."""
        year, month = divmod(self.begins.month + 2, 12)
        return date(self.begins.year + year, month + 1, 1)

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return f"{_MONTHS[self.begins.month]} {self.begins.year}"


def quarter_of(day: date) -> Quarter:
    """Return the quarter in which a day lies."""
    return Quarter(date(day.year, 3 * ((day.month - 1) // 3) + 1, 1))


def quarters_before(day: date, *, number: int = SHOWN) -> list[Quarter]:
    """Return the last quarters that are over on a day, the first first."""
    found, present = [], quarter_of(day)
    for _ in range(number):
        earlier = present.begins.month == 1
        present = Quarter(date(present.begins.year - earlier, present.begins.month + (9 if earlier else -3), 1))
        found.append(present)
    return found[::-1]
