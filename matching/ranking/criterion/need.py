"""What children need against what a household can meet: graded, per child, unknown apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from matching.need import Answer, Need, NeedLevel, Tolerance
from matching.ranking.criterion.base import ASK_AGENCY, ASK_WORKER, Criterion, Finding, Line, answered
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.standing import Standing

_UNSAID = Tolerance()
_Answers = tuple[Answer, Answer, Answer]
_LEVELS = (NeedLevel.LOW, NeedLevel.MEDIUM, NeedLevel.HIGH)


@dataclass(frozen=True)
class NeedLine(Line[NeedLevel, _Answers]):
    """One need of the catalogue."""

    need: Need

    @property
    def code(self) -> str:  # type: ignore[override]  # a read-only name is all that a line needs
        """Return the line's name."""
        return f"need:{self.need.code}"

    def asked(self, group: GroupFacts, as_of: date) -> tuple[NeedLevel, ...]:  # noqa: ARG002
        """Return each level a child of the group has; a need that was never recorded is unknown, not none."""
        code = self.need.code
        levels = dict.fromkeys(child.needs.get(code, NeedLevel.UNKNOWN) for child in group.compared_children)
        levels.pop(NeedLevel.NONE, None)
        return tuple(levels)

    def offered(self, household: HouseholdFacts, as_of: date) -> _Answers:  # noqa: ARG002
        """Return the household's answers at low, medium and high."""
        tolerance = household.tolerances.get(self.need.code, _UNSAID)
        return tolerance.low, tolerance.medium, tolerance.high

    def judge(self, asked: NeedLevel, offered: _Answers) -> Standing:
        """Return the answer at the child's level; who can meet every level settles an unknown one."""
        if asked is not NeedLevel.UNKNOWN:
            return answered(offered[_LEVELS.index(asked)])
        return Standing.MET if all(answer is Answer.CAN_MEET for answer in offered) else Standing.UNKNOWN

    def say(self, asked: NeedLevel, offered: _Answers, standing: Standing) -> str:  # noqa: ARG002
        """Return the need by name, with its level where it is known."""
        return self.need.title if asked is NeedLevel.UNKNOWN else f"{self.need.title} ({asked.value})"


class NeedCriterion(Criterion):
    """All needs under one heading, said together so that a page is not twenty sentences long."""

    def words(self, findings: tuple[Finding, ...]) -> tuple[tuple[Standing, str], ...]:
        """Return one sentence per standing and per person to ask."""
        told = (
            (Standing.CANNOT, "Cannot consider: {}.", _having(findings, Standing.CANNOT)),
            (Standing.MET, "Can meet: {}.", _having(findings, Standing.MET)),
            (
                Standing.DISCUSS,
                f"Would discuss: {{}}. {ASK_WORKER} what would help.",
                _having(findings, Standing.DISCUSS),
            ),
            (Standing.UNKNOWN, f"Has not said about: {{}}. {ASK_WORKER}.", _unsaid(findings, of_child=False)),
            (Standing.UNKNOWN, f"Not recorded for a child: {{}}. {ASK_AGENCY}.", _unsaid(findings, of_child=True)),
        )
        return tuple((standing, words.format("; ".join(names))) for standing, words, names in told if names)


def _having(findings: Iterable[Finding], standing: Standing) -> list[str]:
    return list(dict.fromkeys(finding.say() for finding in findings if finding.standing is standing))


def _unsaid(findings: Iterable[Finding], *, of_child: bool) -> list[str]:
    unknown = (finding for finding in findings if finding.standing is Standing.UNKNOWN)
    return list(dict.fromkeys(f.say() for f in unknown if (f.asked is NeedLevel.UNKNOWN) is of_child))
