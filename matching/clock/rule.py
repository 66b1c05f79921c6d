"""The table of clocks, by nation: from what they run, until what, how long, whose they are and what says so.

England's are those of the Statutory Guidance on Adoption (2013), by paragraph. There is a duty to refer to a national
register in Scotland, Wales and Northern Ireland; in England there has been none since 31 March 2019 (SI 2019/835).
Where no source gives a nation a time, it has no clock here, rather than another nation's.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from matching.link import DayKind
from matching.working_day import add_months, add_working_days
from tenants.agency import Nation


class ClockName(StrEnum):
    """What is timed."""

    MATCH = "match"
    MATCH_RELINQUISHED = "match_relinquished"
    DECISION = "decision"
    TOLD_ORALLY = "told_orally"
    TOLD_IN_WRITING = "told_in_writing"
    REPORT_BEFORE_PANEL = "report_before_panel"
    REFER_CHILD = "refer_child"
    REFER_ADOPTERS = "refer_adopters"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _LABELS[self]


_LABELS = {
    ClockName.MATCH: "Match approved",
    ClockName.MATCH_RELINQUISHED: "Match approved, for a relinquished baby",
    ClockName.DECISION: "Decision maker decides",
    ClockName.TOLD_ORALLY: "Adopters told of the decision orally",
    ClockName.TOLD_IN_WRITING: "Adopters told of the decision in writing",
    ClockName.REPORT_BEFORE_PANEL: "Adoption placement report with the adopters",
    ClockName.REFER_CHILD: "Children referred to the national register",
    ClockName.REFER_ADOPTERS: "Adopters referred to the national register",
}


class Subject(StrEnum):
    """What a clock is about."""

    LINK = "link"
    GROUP = "group"
    HOUSEHOLD = "household"


class Event(StrEnum):
    """What starts or stops a clock besides a day of a link."""

    SHOBPA = "shobpa"
    APPROVAL = "approval"
    DECISION = "decision"
    MATCH_APPROVED = "match_approved"
    REFERRED = "referred"


class Unit(StrEnum):
    """What a clock counts."""

    WORKING_DAYS = "working days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Clock:
    """One row: a negative ``amount`` is due so long before what it runs from."""

    name: ClockName
    nations: Set[Nation]
    about: Subject
    runs_from: Event | DayKind
    runs_until: Event | DayKind
    amount: int
    unit: Unit
    source: str

    @property
    def length(self) -> str:
        """Return how long it is, in words."""
        unit = self.unit.removesuffix("s") if abs(self.amount) == 1 else self.unit
        return f"{abs(self.amount)} {unit}{' before' if self.amount < 0 else ''}"

    def due(self, start: date, nation: Nation) -> date:
        """Return the last day on which it is kept, for an agency of a nation."""
        if self.unit is Unit.WORKING_DAYS:
            return add_working_days(start, self.amount, nation)
        return add_months(start, self.amount) if self.unit is Unit.MONTHS else start + timedelta(weeks=self.amount)


_ENGLAND = frozenset({Nation.ENGLAND})
_GUIDANCE = "Statutory Guidance on Adoption 2013, paragraph"
_MATCH = f"{_GUIDANCE} 4.2"
C, D, E, U = ClockName, DayKind, Event, Unit
_LINK, _GROUP, _HOUSEHOLD = Subject.LINK, Subject.GROUP, Subject.HOUSEHOLD

# fmt: off
CLOCKS: tuple[Clock, ...] = (
    Clock(C.MATCH,               _ENGLAND, _GROUP, E.SHOBPA,        E.MATCH_APPROVED,   6, U.MONTHS, _MATCH),
    Clock(C.MATCH_RELINQUISHED,  _ENGLAND, _GROUP, E.SHOBPA,        E.MATCH_APPROVED,   3, U.MONTHS, _MATCH),
    Clock(C.REPORT_BEFORE_PANEL, _ENGLAND, _LINK,  D.PANEL,         D.REPORT_GIVEN,   -10, U.WORKING_DAYS,
          f"{_GUIDANCE} 4.30"),
    Clock(C.DECISION,            _ENGLAND, _LINK,  D.MINUTES_FINAL, E.DECISION,         7, U.WORKING_DAYS,
          f"{_GUIDANCE} 1.56"),
    Clock(C.TOLD_ORALLY,         _ENGLAND, _LINK,  E.DECISION,      D.TOLD_ORALLY,      2, U.WORKING_DAYS,
          f"{_GUIDANCE} 4.36"),
    Clock(C.TOLD_IN_WRITING,     _ENGLAND, _LINK,  E.DECISION,      D.TOLD_IN_WRITING,  5, U.WORKING_DAYS,
          f"{_GUIDANCE} 4.36"),
    Clock(C.REFER_CHILD, frozenset({Nation.SCOTLAND}),         _GROUP,     E.SHOBPA,   E.REFERRED, 3, U.MONTHS,
          "Duty to refer to Scotland’s Adoption Register"),
    Clock(C.REFER_CHILD, frozenset({Nation.WALES}),            _GROUP,     E.SHOBPA,   E.REFERRED, 1, U.MONTHS,
          "Duty to refer to the Adoption Register for Wales"),
    Clock(C.REFER_CHILD, frozenset({Nation.NORTHERN_IRELAND}), _GROUP,     E.SHOBPA,   E.REFERRED, 1, U.MONTHS,
          "Duty to refer to Northern Ireland’s Adoption Regional Information System"),
    Clock(C.REFER_ADOPTERS, frozenset({Nation.NORTHERN_IRELAND}), _HOUSEHOLD, E.APPROVAL, E.REFERRED, 2, U.WEEKS,
          "Duty to refer to Northern Ireland’s Adoption Regional Information System"),
)
# fmt: on


def clocks_for(nation: Nation, about: Subject) -> list[Clock]:
    """Return the clocks of an agency of a nation about a kind of subject, in the table's order."""
    return [clock for clock in CLOCKS if nation in clock.nations and clock.about is about]
