"""Heritage, religion and languages in common: they may add, and never bar or take away (guidance 4.4-4.11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.ranking.criterion.base import Line
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.standing import Standing

_Words = frozenset[str]


@dataclass(frozen=True)
class CommonLine(Line[_Words, _Words]):
    """Whether the two sides have any of the same; one that has not said adds nothing and is not asked."""

    code: str
    what: str

    def asked(self, group: GroupFacts, as_of: date) -> tuple[_Words, ...]:  # noqa: ARG002
        """Return the group's own."""
        return (self._of(group),)

    def offered(self, household: HouseholdFacts, as_of: date) -> _Words:  # noqa: ARG002
        """Return the household's own."""
        return self._of(household)

    def judge(self, asked: _Words, offered: _Words) -> Standing:
        """Return met where they share any, else nothing."""
        return Standing.NOTHING if asked.isdisjoint(offered) else Standing.MET

    def say(self, asked: _Words, offered: _Words, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words, without naming what is shared."""
        return f"Shares {self.what} with the child." if standing is Standing.MET else "Nothing added."

    def _of(self, facts: GroupFacts | HouseholdFacts) -> _Words:
        if self.code == "heritage":
            return facts.heritage
        return facts.religions if self.code == "religion" else facts.languages
