"""The parts in which a fee is paid: shares of it, each due on a day that comes of the placement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

MOST_SHARES = 24


class Due(StrEnum):
    """When a part is due."""

    PLACEMENT = "placement"
    ORDER = "order"
    MONTHS = "months"
    ORDER_OR_MONTHS = "order_or_months"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _LABELS[self]

    @property
    def counts_months(self) -> bool:
        """Say whether months after the placement make it due."""
        return self in (Due.MONTHS, Due.ORDER_OR_MONTHS)


_LABELS = {
    Due.PLACEMENT: "When the placement begins",
    Due.ORDER: "When the adoption order is made",
    Due.MONTHS: "So many months after the placement began",
    Due.ORDER_OR_MONTHS: "At the order, or so many months after the placement began, whichever is first",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One part: ``of`` of so many equal ``parts`` of the fee."""

    of: int
    parts: int
    due: Due
    months: int | None = None

    @property
    def words(self) -> str:
        """Return what part it is and when it is due, in words."""
        part = "The whole" if self.of == self.parts else f"{self.of}/{self.parts}"
        return f"{part} {say_due(self.due, self.months)}"


@dataclass(frozen=True, slots=True)
class Instalment:
    """One part of one fee, in pence."""

    position: int
    pence: int
    due: Due
    months: int | None = None

    @property
    def words(self) -> str:
        """Return when it is due, in words."""
        return say_due(self.due, self.months)

    def as_data(self) -> dict[str, Any]:
        """Return it as an agreement keeps it."""
        return {"position": self.position, "pence": self.pence, "due": self.due.value, "months": self.months}


def say_due(due: Due, months: int | None) -> str:
    """Return when a part is due, in words that follow it."""
    after = f"{months} month{'' if months == 1 else 's'} after the placement began"
    return {
        Due.PLACEMENT: "when the placement begins",
        Due.ORDER: "when the adoption order is made",
        Due.MONTHS: after,
        Due.ORDER_OR_MONTHS: f"at the adoption order or {after}, whichever is first",
    }[due]


def refuse_shares(shares: Sequence[Share]) -> str | None:
    """Return what is wrong with the shares of a fee, or ``None``: together they are the whole of it."""
    if not 1 <= len(shares) <= MOST_SHARES:
        return f"A fee is paid in 1 to {MOST_SHARES} parts."
    if any(not 1 <= share.of <= share.parts <= 1000 for share in shares):
        return "A part is a share such as 2/3, of at most a thousand."
    if sum((Fraction(share.of, share.parts) for share in shares), Fraction()) != 1:
        return "The parts must come to the whole fee together, no more and no less."
    for share in shares:
        if share.due.counts_months is not (share.months is not None):
            return "Say after how many months a part is due, for those parts alone that months make due."
        if share.months is not None and not 1 <= share.months <= 120:
            return "The months must be between 1 and 120."
    return None


def split(pence: int, shares: Sequence[Share]) -> tuple[Instalment, ...]:
    """Return a fee's parts: whole pence each, and what rounding leaves on the last."""
    found, left = [], pence
    for position, share in enumerate(shares, start=1):
        part = left if position == len(shares) else pence * share.of // share.parts
        left -= part
        found.append(Instalment(position, part, share.due, share.months))
    # A share of next to nothing may round to nothing, and nothing is no part.
    return tuple(each for each in found if each.pence)


def read_plan(data: Sequence[dict[str, Any]]) -> tuple[Instalment, ...]:
    """Return the parts that an agreement keeps."""
    return tuple(Instalment(each["position"], each["pence"], Due(each["due"]), each["months"]) for each in data)
