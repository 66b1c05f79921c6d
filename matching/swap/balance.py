"""What agencies owe one another in placements: worked out each time from the legs, and kept nowhere.

A leg goes from the children's agency to the family's. An agency's balance is what it took in less what it placed out:
below nothing, it has had more families than it gave. Legs are set off oldest first over the whole swap group, so that a
ring of three nets to nothing as a pair does. No leg waits for another: what isn't balanced yet is simply open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from dateutil.relativedelta import relativedelta

from matching.swap.rule import Follow, SwapRule


@dataclass(frozen=True, slots=True)
class Leg:
    """One placement that a rule made a leg of a swap."""

    id: UUID
    children_agency_id: UUID
    family_agency_id: UUID
    on: date
    children: int
    words: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What went out and came in, in placements and in children."""

    placements_out: int = 0
    placements_in: int = 0
    children_out: int = 0
    children_in: int = 0

    @property
    def placements(self) -> int:
        """Return how many more placements came in than went out."""
        return self.placements_in - self.placements_out

    @property
    def children(self) -> int:
        """Return how many more children came in than went out."""
        return self.children_in - self.children_out


class LegState(StrEnum):
    """How one leg stands for the agency whose children were placed."""

    BALANCED = "balanced"
    OPEN = "open"
    CARRIED = "carried"
    FEE_DUE = "fee_due"


@dataclass(frozen=True, slots=True)
class LegStanding:
    """How a leg stands, in words too; ``by`` is the leg that balances it."""

    leg: Leg
    state: LegState
    words: str
    by: Leg | None = None
    since: date | None = None


def pair_balances(legs: Iterable[Leg]) -> dict[tuple[UUID, UUID], Balance]:
    """Return the balance of each pair of agencies that has legs, from either side: ``(a, b)`` is a's with b."""
    found: dict[tuple[UUID, UUID], Balance] = defaultdict(Balance)
    for leg in legs:
        a, b = leg.children_agency_id, leg.family_agency_id
        found[a, b] = _went_out(found[a, b], leg)
        found[b, a] = _came_in(found[b, a], leg)
    return dict(found)


def agency_balances(legs: Iterable[Leg], members: Iterable[UUID]) -> dict[UUID, Balance]:
    """Return each member's balance over the whole swap group."""
    found = dict.fromkeys(members, Balance())
    for leg in legs:
        found[leg.children_agency_id] = _went_out(found.get(leg.children_agency_id, Balance()), leg)
        found[leg.family_agency_id] = _came_in(found.get(leg.family_agency_id, Balance()), leg)
    return found


def settle(rule: SwapRule, legs: Iterable[Leg], *, on: date) -> list[LegStanding]:
    """Return how each leg stands on a day, oldest first.

    An agency's legs out are set off against its legs in, both oldest first, whoever the other agency was. One that
    nothing balances is open; when the period has ended it is carried forward, or, by a rule of the standard fee, that
    fee is due when its months are over. Only the words are kept to: no money is reckoned.
    """
    ordered = sorted(legs, key=lambda leg: (leg.on, str(leg.id)))
    incoming: dict[UUID, list[Leg]] = defaultdict(list)
    for leg in ordered:
        incoming[leg.family_agency_id].append(leg)
    taken: dict[UUID, int] = defaultdict(int)
    found = []
    for leg in ordered:
        agency = leg.children_agency_id
        if taken[agency] < len(incoming[agency]):
            other = incoming[agency][taken[agency]]
            taken[agency] += 1
            found.append(LegStanding(leg, LegState.BALANCED, f"Balanced by a placement of {_day(other.on)}.", by=other))
        else:
            found.append(_unbalanced(rule, leg, on))
    return found


def _unbalanced(rule: SwapRule, leg: Leg, on: date) -> LegStanding:
    if rule.follow is Follow.STANDARD_FEE and rule.follow_months is not None:
        due = leg.on + relativedelta(months=rule.follow_months)
        if on >= due:
            words = f"Nothing balanced it in {rule.follow_months} months: by the group’s rule the standard fee is due."
            return LegStanding(leg, LegState.FEE_DUE, words, since=due)
        return LegStanding(
            leg, LegState.OPEN, f"Open; by the group’s rule the standard fee is due on {_day(due)}.", since=due
        )
    if rule.ends_on is not None and on > rule.ends_on:
        return LegStanding(
            leg, LegState.CARRIED, "Open at the end of the period, and carried forward by the group’s rule."
        )
    return LegStanding(leg, LegState.OPEN, "Open: nothing balances it yet.")


def _went_out(balance: Balance, leg: Leg) -> Balance:
    return replace(balance, placements_out=balance.placements_out + 1, children_out=balance.children_out + leg.children)


def _came_in(balance: Balance, leg: Leg) -> Balance:
    return replace(balance, placements_in=balance.placements_in + 1, children_in=balance.children_in + leg.children)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
