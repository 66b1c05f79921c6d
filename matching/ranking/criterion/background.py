"""What may add, and never bar or take away (guidance 4.4-4.11): a background in common, one adopter or two."""

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
        return {
            "heritage": facts.heritage,
            "religion": facts.religions,
            "languages": facts.languages,
            "culture": facts.cultures,
        }[self.code]


@dataclass(frozen=True)
class AdoptersLine(Line[int | None, int | None]):
    """One adopter or two, where the plan hopes for either; a family of the other kind loses nothing."""

    code: str = "adopters"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[int | None, ...]:  # noqa: ARG002
        """Return how many the plan hopes for, if it says."""
        return (group.adopters_hoped_for,)

    def offered(self, household: HouseholdFacts, as_of: date) -> int | None:  # noqa: ARG002
        """Return how many there are."""
        return household.adopters

    def judge(self, asked: int | None, offered: int | None) -> Standing:
        """Return met where they are as many as hoped for, else nothing."""
        return Standing.MET if asked is not None and asked == offered else Standing.NOTHING

    def say(self, asked: int | None, offered: int | None, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        if standing is not Standing.MET:
            return "Nothing added."
        return "One adopter, as the plan hopes for." if asked == 1 else "Two adopters, as the plan hopes for."
