"""Who already lives in the home: children, pets, smokers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.need import Answer, YesNo
from matching.ranking.criterion.base import ASK_AGENCY, ASK_WORKER, Line, months, required, wanted
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.standing import Standing

GROWN_UP = 18 * 12
_FREE = {YesNo.NO: Answer.CAN_MEET, YesNo.YES: Answer.CANNOT, YesNo.UNKNOWN: Answer.UNKNOWN}
_Born = int | None


def children_at_home(household: HouseholdFacts, as_of: date) -> tuple[int | None, _Born]:
    """Return how many children are at home and the month the youngest was born, each unknown as None.

    A youngest who is eighteen on the day leaves no child at home. A birth month without a number, or with nought,
    leaves the number unknown rather than guessed.
    """
    count, born = household.children_at_home, household.youngest_at_home
    if born is None:
        return count, None
    if months(as_of) - months(born) >= GROWN_UP:
        return 0, None
    return count or None, months(born)


@dataclass(frozen=True)
class YoungestLine(Line[tuple[YesNo, _Born], tuple[int | None, _Born]]):
    """A child who must be the youngest in the home against the children already there."""

    code: str = "home:youngest"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[tuple[YesNo, _Born], ...]:  # noqa: ARG002
        """Return whether it must be so, with each child's month of birth."""
        births = dict.fromkeys(
            None if child.birth_month is None else months(child.birth_month) for child in group.compared_children
        )
        return tuple((flag, born) for flag in wanted(group.must_be_youngest) for born in births)

    def offered(self, household: HouseholdFacts, as_of: date) -> tuple[int | None, _Born]:
        """Return the children at home."""
        return children_at_home(household, as_of)

    def judge(self, asked: tuple[YesNo, _Born], offered: tuple[int | None, _Born]) -> Standing:
        """Return younger, not younger, or unknown; months that are equal do not tell."""
        (flag, born), (count, youngest) = asked, offered
        if count == 0 or (born is not None and youngest is not None and youngest < born):
            return Standing.MET
        if flag is YesNo.YES and born is not None and youngest is not None and youngest > born:
            return Standing.CANNOT
        return Standing.UNKNOWN

    def say(self, asked: tuple[YesNo, _Born], offered: tuple[int | None, _Born], standing: Standing) -> str:
        """Return the standing in words."""
        (flag, born), (_, youngest) = asked, offered
        if standing is Standing.MET:
            return "Would be the youngest in the home."
        if standing is Standing.CANNOT:
            return "A child must be the youngest in the home, and would not be."
        if flag is YesNo.UNKNOWN:
            return f"{ASK_AGENCY} whether a child must be the youngest in the home."
        if born is None:
            return f"{ASK_AGENCY} how old each child is: one must be the youngest in the home."
        if youngest is None:
            return f"{ASK_WORKER} how old the children at home are: a child must be the youngest."
        return f"{ASK_WORKER} exactly how old the youngest at home is: a child must be the youngest."


@dataclass(frozen=True)
class OnlyLine(Line[YesNo, Answer]):
    """A child who must be the only one in the home."""

    code: str = "home:only"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[YesNo, ...]:  # noqa: ARG002
        """Return whether it must be so."""
        return wanted(group.must_be_only)

    def offered(self, household: HouseholdFacts, as_of: date) -> Answer:
        """Return whether the home has no other child."""
        count, youngest = children_at_home(household, as_of)
        if count is None and youngest is None:
            return Answer.UNKNOWN
        return Answer.CAN_MEET if count == 0 else Answer.CANNOT

    def judge(self, asked: YesNo, offered: Answer) -> Standing:
        """Return only, not only, or unknown."""
        return required(asked, offered)

    def say(self, asked: YesNo, offered: Answer, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        if standing is Standing.MET:
            return "No other child is in the home."
        if standing is Standing.CANNOT:
            return "There must be no other child in the home, and there is one."
        if asked is YesNo.UNKNOWN:
            return f"{ASK_AGENCY} whether there must be no other child in the home."
        return f"{ASK_WORKER} whether other children live in the home: there must be none."


@dataclass(frozen=True)
class FreeLine(Line[YesNo, YesNo]):
    """A home that must be free of something: pets, smoke."""

    code: str
    what: str

    def asked(self, group: GroupFacts, as_of: date) -> tuple[YesNo, ...]:  # noqa: ARG002
        """Return whether it must be so."""
        return wanted(group.no_pets if self.code == "pets" else group.smoke_free)

    def offered(self, household: HouseholdFacts, as_of: date) -> YesNo:  # noqa: ARG002
        """Return whether the home has it."""
        return household.pets if self.code == "pets" else household.smokers

    def judge(self, asked: YesNo, offered: YesNo) -> Standing:
        """Return free, not free, or unknown."""
        return required(asked, _FREE[offered])

    def say(self, asked: YesNo, offered: YesNo, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        if standing is Standing.MET:
            return f"The home has no {self.what}."
        if standing is Standing.CANNOT:
            return f"The home must have no {self.what}, and has."
        if asked is YesNo.UNKNOWN:
            return f"{ASK_AGENCY} whether the home must have no {self.what}."
        return f"{ASK_WORKER} whether the home has {self.what}: it must have none."
