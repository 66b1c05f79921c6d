"""Why one household is, or is not, on one group's list: in words, from the same rules that made the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.need import NeedCatalogue, need_catalogue
from matching.ranking.criterion import ADDITIONS, SCORED, criteria
from matching.ranking.criterion.base import Criterion, Finding
from matching.ranking.facts import GroupFacts, HouseholdFacts, PairPlace
from matching.ranking.policy import WHOLE, RankingPolicy
from matching.ranking.standing import Band, Standing, Verdict

_WHY = (Standing.MET, Standing.MOSTLY)


@dataclass(frozen=True, slots=True)
class GateFinding:
    """What one gate says. One the policy has opened may fail and still not bar."""

    code: str
    title: str
    verdict: Verdict
    bars: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one criterion gives, of the most it could."""

    code: str
    title: str
    points: int
    most: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairExplanation:
    """One pair. ``band`` is None where a gate bars it; the points are then what it would have had."""

    points: int
    band: Band | None
    questions: int
    need_questions: int
    gates: tuple[GateFinding, ...]
    contributions: tuple[Contribution, ...]
    why: tuple[str, ...]
    ask: tuple[str, ...]
    against: tuple[str, ...]

    @property
    def barred_by(self) -> tuple[GateFinding, ...]:
        """Return the gates that keep the household off the list."""
        return tuple(gate for gate in self.gates if gate.bars and gate.verdict is Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class _Heard:
    """One criterion for one pair: its standing line by line, and its sentences."""

    criterion: Criterion
    standings: tuple[Standing, ...]
    said: tuple[tuple[Standing, str], ...]

    @property
    def verdict(self) -> Verdict:
        return min(self.standings, default=Standing.MET).verdict

    @property
    def questions(self) -> int:
        return sum(standing.verdict is Verdict.ASK for standing in self.standings)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(words for _, words in self.said) or (self.criterion.nothing_asked,)

    @property
    def words_of_verdict(self) -> tuple[str, ...]:
        return tuple(words for standing, words in self.said if standing.verdict is self.verdict) or self.words


def explain(
    group: GroupFacts,
    household: HouseholdFacts,
    place: PairPlace,
    policy: RankingPolicy,
    as_of: date,
    catalogue: NeedCatalogue | None = None,
) -> PairExplanation:
    """Return one pair's gates, points and words; the contributions add up to the points exactly."""
    headings = criteria(catalogue or need_catalogue(), age_margin_months=policy.age_margin_months)
    heard = tuple(_hear(heading, group, household, place, as_of) for heading in headings)
    gates = tuple(
        GateFinding(h.criterion.code, h.criterion.title, h.verdict, policy.bars(h.criterion.code), h.words_of_verdict)
        for h in heard
        if h.criterion.gate
    )
    contributions = _contributions(heard, policy)
    heaviest = tuple(sorted(heard, key=lambda h: -policy.weight(h.criterion.code)))
    # A reason to doubt a child's safety is read first; a reason to be content with it is not why a family fits.
    safest = tuple(sorted(heaviest, key=lambda h: h.criterion.code != "exclusion"))
    points = sum(contribution.points for contribution in contributions)
    # The loop meets a failed line only under a gate the policy has opened; there it is no question.
    questions = sum(h.questions for h in heard)
    need_questions = sum(h.questions for h in heard if h.criterion.code == "needs")
    barred = any(gate.bars and gate.verdict is Verdict.FAIL for gate in gates)
    return PairExplanation(
        points=points,
        band=None if barred else policy.band(points=points, questions=questions, need_questions=need_questions),
        questions=questions,
        need_questions=need_questions,
        gates=gates,
        contributions=contributions,
        why=_sentences(heaviest, _WHY),
        ask=_sentences(safest, (Standing.DISCUSS, Standing.UNKNOWN)),
        against=_sentences(safest, (Standing.CANNOT, Standing.LITTLE, Standing.PARTLY)),
    )


def _hear(criterion: Criterion, group: GroupFacts, household: HouseholdFacts, place: PairPlace, as_of: date) -> _Heard:
    if criterion.place is not None:
        standing = criterion.place.judge(place)
        return _Heard(criterion, (standing,), ((standing, criterion.place.say(place, standing)),))
    findings = criterion.findings(group, household, as_of)
    return _Heard(criterion, _by_line(findings), criterion.words(findings))


def _by_line(findings: tuple[Finding, ...]) -> tuple[Standing, ...]:
    """Return one standing per line: where children differ, the lowest."""
    lowest: dict[str, Standing] = {}
    for finding in findings:
        code = finding.line.code
        lowest[code] = min(lowest.get(code, Standing.MET), finding.standing)
    return tuple(lowest.values())


def _contributions(heard: tuple[_Heard, ...], policy: RankingPolicy) -> tuple[Contribution, ...]:
    """Return what each scored criterion gives; additions stop where the hundred is full."""
    by_code = {h.criterion.code: h for h in heard}
    total = 0
    contributions = []
    for code in (*SCORED, *ADDITIONS):
        h, most = by_code[code], policy.weight(code)
        points = min(_points(h, most, policy), WHOLE - total)
        total += points
        contributions.append(Contribution(code, h.criterion.title, points, most, h.words))
    return tuple(contributions)


def _points(heard: _Heard, most: int, policy: RankingPolicy) -> int:
    """Return the weight times the average credit over what is asked, rounded down; all of it when nothing is."""
    if not heard.standings:
        return most
    return most * sum(policy.credit_of(standing) for standing in heard.standings) // (WHOLE * len(heard.standings))


def _sentences(heard: tuple[_Heard, ...], standings: tuple[Standing, ...]) -> tuple[str, ...]:
    """Return the sentences of some standings, in the order given, none twice."""
    return tuple(dict.fromkeys(words for h in heard for standing, words in h.said if standing in standings))
