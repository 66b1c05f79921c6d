"""What a criterion is: one rule over two small values, from which the arrays and the words are both made.

A criterion asks in one or more **lines**. A line reads a small value from the group (one per child where children
differ), another from the household, and has one rule that takes the two to a :class:`Standing`. The engine runs the
rule once over the distinct values and looks the result up for every pair; the explanation runs the same rule for one
pair and says the result in words. There is no second version of a rule to drift from the first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from matching.need import Answer, YesNo
from matching.ranking.facts import GroupFacts, HouseholdFacts, PairPlace
from matching.ranking.standing import Standing

Asked = TypeVar("Asked", bound=Hashable)
Offered = TypeVar("Offered", bound=Hashable)

ASK_WORKER = "Ask the household’s worker"
ASK_AGENCY = "Ask the child’s agency"


class Line(ABC, Generic[Asked, Offered]):
    """One thing that is compared."""

    code: str

    @abstractmethod
    def asked(self, group: GroupFacts, as_of: date) -> tuple[Asked, ...]:
        """Return the distinct values the group asks about; none where it asks nothing."""

    @abstractmethod
    def offered(self, household: HouseholdFacts, as_of: date) -> Offered:
        """Return the household's side as one small value."""

    @abstractmethod
    def judge(self, asked: Asked, offered: Offered) -> Standing:
        """Return how the one stands against the other: the rule."""

    @abstractmethod
    def say(self, asked: Asked, offered: Offered, standing: Standing) -> str:
        """Return the standing as a sentence for a social worker."""


class PlaceLine(ABC):
    """One thing that is compared by place, for which a pair holds a code of its own."""

    code: str

    @abstractmethod
    def judge(self, place: PairPlace) -> Standing:
        """Return how the pair stands: the rule."""

    @abstractmethod
    def say(self, place: PairPlace, standing: Standing) -> str:
        """Return the standing as a sentence for a social worker."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line's standing for one pair, still with the two values, so that it can be put in words."""

    line: Line[Any, Any]
    asked: Hashable
    offered: Hashable
    standing: Standing

    def say(self) -> str:
        """Return the finding as a sentence."""
        return self.line.say(self.asked, self.offered, self.standing)


@dataclass(frozen=True)
class Criterion:
    """One heading of a comparison: a gate, a score, or both."""

    code: str
    title: str
    lines: tuple[Line[Any, Any], ...] = ()
    place: PlaceLine | None = None
    gate: bool = True
    nothing_asked: str = field(default="")

    def findings(self, group: GroupFacts, household: HouseholdFacts, as_of: date) -> tuple[Finding, ...]:
        """Return every line's standing, line by line and child by child."""
        found = []
        for line in self.lines:
            offered = line.offered(household, as_of)
            for asked in line.asked(group, as_of):
                found.append(Finding(line, asked, offered, line.judge(asked, offered)))
        return tuple(found)

    def words(self, findings: tuple[Finding, ...]) -> tuple[tuple[Standing, str], ...]:
        """Return the findings as sentences, each with the standing it speaks of, no sentence twice."""
        return tuple(dict.fromkeys((finding.standing, finding.say()) for finding in findings))


_BY_ANSWER: dict[Answer, Standing] = {
    Answer.CAN_MEET: Standing.MET,
    Answer.WOULD_DISCUSS: Standing.DISCUSS,
    Answer.CANNOT: Standing.CANNOT,
    Answer.UNKNOWN: Standing.UNKNOWN,
}


def answered(answer: Answer) -> Standing:
    """Return how a household's answer stands against something that is certainly asked."""
    return _BY_ANSWER[answer]


def required(asked: YesNo, answer: Answer) -> Standing:
    """Return how an answer stands where the group may not have said whether it asks.

    A household that can meet it settles the matter either way; any other answer waits for the group's.
    """
    if answer is Answer.CAN_MEET or asked is YesNo.YES:
        return answered(answer)
    return Standing.UNKNOWN


def wanted(asked: YesNo) -> tuple[YesNo, ...]:
    """Return what to ask about: a plain no asks nothing, and unknown is not no."""
    return () if asked is YesNo.NO else (asked,)


def months(day: date) -> int:
    """Return a month's number, so that ages are plain differences."""
    return day.year * 12 + day.month - 1
