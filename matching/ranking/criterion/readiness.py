"""What a family brings: experience, training, a parent at home, support nearby; and when a child could move in.

A family can still train, take leave or find support, so none of these bars unless a consortium chooses so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.need import Answer, YesNo
from matching.ranking.criterion.base import ASK_AGENCY, ASK_WORKER, Line, answered, months
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.standing import Standing

SOON = 3
"""Months that pass in any case between a first interest and the day a child moves in."""

_HAS = {YesNo.YES: Answer.CAN_MEET, YesNo.NO: Answer.CANNOT, YesNo.UNKNOWN: Answer.UNKNOWN}
BROUGHT: tuple[str, ...] = ("experience", "training", "parent_at_home", "support")
_NAMES = {
    "experience": "experience with children",
    "training": "training in therapeutic parenting",
    "parent_at_home": "a parent at home through the first year",
    "support": "support nearby",
}
_HAVING = {
    "experience": "Has experience with children, which is needed.",
    "training": "Has done the training in therapeutic parenting that is needed.",
    "parent_at_home": "A parent will be at home through the first year, as is needed.",
    "support": "Has support nearby, which is needed.",
}
_LACKING = {
    "experience": "Experience with children is needed, and the household has none yet.",
    "training": "Training in therapeutic parenting is needed, and the household has not done it yet.",
    "parent_at_home": "A parent is needed at home through the first year, and none plans to be.",
    "support": "Support nearby is needed, and the household has none yet.",
}
_ASKING = {
    "experience": "whether the household has experience with children: it is needed.",
    "training": "whether the household has done training in therapeutic parenting: it is needed.",
    "parent_at_home": "whether a parent will be at home through the first year: one is needed.",
    "support": "whether the household has support nearby: it is needed.",
}
_Names = tuple[str, ...]
_From = tuple[int, date] | None


@dataclass(frozen=True)
class BroughtLine(Line[YesNo, YesNo]):
    """One thing that the children need a family to bring."""

    what: str

    @property
    def code(self) -> str:  # type: ignore[override]  # a read-only name is all that a line needs
        """Return the line's name."""
        return f"readiness:{self.what}"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[YesNo, ...]:  # noqa: ARG002
        """Return that it is needed, where it is; what nobody has recorded is asked in a line of its own."""
        return (YesNo.YES,) if _needed(group)[self.what] is YesNo.YES else ()

    def offered(self, household: HouseholdFacts, as_of: date) -> YesNo:  # noqa: ARG002
        """Return whether the household has it."""
        return _brought(household)[self.what]

    def judge(self, asked: YesNo, offered: YesNo) -> Standing:  # noqa: ARG002
        """Return had, not had, or unknown."""
        return answered(_HAS[offered])

    def say(self, asked: YesNo, offered: YesNo, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        if standing is Standing.MET:
            return _HAVING[self.what]
        return _LACKING[self.what] if standing is Standing.CANNOT else f"{ASK_WORKER} {_ASKING[self.what]}"


@dataclass(frozen=True)
class UnrecordedLine(Line[_Names, _Names]):
    """What nobody has recorded whether the children need: one question for their agency, not one for each."""

    code: str = "readiness:unrecorded"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[_Names, ...]:  # noqa: ARG002
        """Return what is not recorded, if anything."""
        unrecorded = _those(_needed(group), YesNo.UNKNOWN)
        return (unrecorded,) if unrecorded else ()

    def offered(self, household: HouseholdFacts, as_of: date) -> _Names:  # noqa: ARG002
        """Return what the household has."""
        return _those(_brought(household), YesNo.YES)

    def judge(self, asked: _Names, offered: _Names) -> Standing:
        """Return met where the household has all of it, so that it does not matter; else unknown."""
        return Standing.MET if set(asked) <= set(offered) else Standing.UNKNOWN

    def say(self, asked: _Names, offered: _Names, standing: Standing) -> str:
        """Return the standing in words."""
        if standing is Standing.MET:
            return "Has what may be needed of experience, training, time and support."
        open_names = [_NAMES[what] for what in asked if what not in offered]
        verb = "is" if len(open_names) == 1 else "are"
        return f"{ASK_AGENCY} whether {_listed(open_names)} {verb} needed: it is not recorded."


@dataclass(frozen=True)
class AvailableLine(Line[bool, _From]):
    """When a child could move in: now, soon, or later; months apart, for a day says no more."""

    code: str = "available"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[bool, ...]:  # noqa: ARG002
        """Return that it matters: it does to every group."""
        return (True,)

    def offered(self, household: HouseholdFacts, as_of: date) -> _From:
        """Return in how many months, and the first of that month."""
        day = household.available_from
        if day is None:
            return None
        away = months(day) - months(as_of)
        return (away, day.replace(day=1)) if away > 0 else (0, as_of.replace(day=1))

    def judge(self, asked: bool, offered: _From) -> Standing:  # noqa: ARG002
        """Return available, soon, later, or unknown."""
        if offered is None:
            return Standing.UNKNOWN
        away, _ = offered
        return Standing.PARTLY if away > SOON else Standing.MOSTLY if away else Standing.MET

    def say(self, asked: bool, offered: _From, standing: Standing) -> str:  # noqa: ARG002
        """Return the standing in words."""
        if offered is None:
            return f"{ASK_WORKER} from when a child could move in."
        away, month = offered
        return f"A child could move in from {month:%B %Y}." if away else "A child could move in now."


def _needed(group: GroupFacts) -> dict[str, YesNo]:
    asked = (group.experience_needed, group.training_needed, group.parent_at_home_needed, group.support_needed)
    return dict(zip(BROUGHT, asked, strict=True))


def _brought(household: HouseholdFacts) -> dict[str, YesNo]:
    has = (household.experience, household.training, household.parent_at_home, household.support_nearby)
    return dict(zip(BROUGHT, has, strict=True))


def _those(facts: dict[str, YesNo], wanted: YesNo) -> _Names:
    return tuple(what for what, fact in facts.items() if fact is wanted)


def _listed(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
