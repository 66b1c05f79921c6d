"""The ranking, defined a second time as plainly as it can be: what the engine is held to, in tests and benchmarks.

It shares no rule with the criteria, only the facts and the policy. It reads one pair at a time and stops at the first
gate that bars. Keep it obvious rather than fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from matching.need import Answer, NeedLevel, Tolerance, YesNo, need_catalogue
from matching.ranking.facts import (
    ChildFacts,
    ContactKind,
    DistanceBand,
    Exclusion,
    GroupFacts,
    HouseholdFacts,
    LegalPosition,
    PairPlace,
    Sex,
    SexApproved,
)
from matching.ranking.places import Places
from matching.ranking.policy import RankingPolicy

NO, UNKNOWN, DISCUSS, NEARLY, YES = "no", "unknown", "discuss", "mostly", "met"
_WORST_FIRST = (NO, UNKNOWN, DISCUSS, NEARLY, YES)
_ANSWER = {
    Answer.CANNOT: NO,
    Answer.UNKNOWN: UNKNOWN,
    Answer.WOULD_DISCUSS: DISCUSS,
    Answer.CAN_MEET: YES,
}
_DISTANCE = {
    DistanceBand.NEAR: "met",
    DistanceBand.REGION: "mostly",
    DistanceBand.FAR: "partly",
    DistanceBand.VERY_FAR: "little",
    DistanceBand.UNKNOWN: UNKNOWN,
}
Headings = Iterator[tuple[str, list[str]]]


def plain_pair(
    group: GroupFacts, household: HouseholdFacts, place: PairPlace, policy: RankingPolicy, as_of: date
) -> tuple[int, int, int] | None:
    """Return points, questions and questions about needs; None where a gate bars the pair."""
    points = questions = need_questions = 0
    for heading, results in _headings(group, household, place, policy, as_of):
        if NO in results and policy.gates.get(heading, False):
            return None
        asked = results.count(UNKNOWN) + results.count(DISCUSS)
        questions += asked
        need_questions += asked if heading == "needs" else 0
        weight = policy.weights.get(heading, 0)
        if results:
            points += weight * sum(policy.credit.get(result, 0) for result in results) // (100 * len(results))
        else:
            points += weight
    points += policy.additions["heritage"] if group.heritage & household.heritage else 0
    points += policy.additions["religion"] if group.religions & household.religions else 0
    points += policy.additions["languages"] if group.languages & household.languages else 0
    points += policy.additions["culture"] if group.cultures & household.cultures else 0
    if group.adopters_hoped_for is not None and household.adopters == group.adopters_hoped_for:
        points += policy.additions["adopters"]
    return min(points, 100), questions, need_questions


def plain_rank(
    groups: Sequence[GroupFacts],
    households: Sequence[HouseholdFacts],
    places: Places,
    policy: RankingPolicy,
    as_of: date,
    top: int | None = None,
) -> list[list[tuple[str, int, int, int]]]:
    """Return each group's list of (code, points, questions, questions about needs), best first."""
    lists = []
    for g, group in enumerate(groups):
        found = []
        for h, household in enumerate(households):
            result = plain_pair(group, household, places.pair(g, h), policy, as_of)
            if result is not None:
                waiting = household.approved_on or date.max
                found.append(((-result[0], result[1], waiting, household.code), (household.code, *result)))
        found.sort()
        lists.append([line for _, line in found[:top]])
    return lists


def _headings(
    group: GroupFacts, household: HouseholdFacts, place: PairPlace, policy: RankingPolicy, as_of: date
) -> Headings:
    """Yield each heading with one result per thing asked; gates that hold most pairs back come first."""
    yield "age", _age(group, household, policy, as_of)
    yield "size", [_size(len(group.children), household)]
    yield "sex", _worst(_sex(child.sex, household.sex_approved) for child in _children(group))
    yield "exclusion", [{Exclusion.PASS: YES, Exclusion.FAIL: NO, Exclusion.ASK: UNKNOWN}[place.exclusion]]
    yield "needs", list(_needs(group, household))
    yield "early_permanence", list(_required(group.early_permanence, _yes_no(household.early_permanence_approved)))
    yield "legal", list(_legal(group, household))
    yield "contact", list(_contact(group, household))
    yield "home", list(_home(group, household, as_of))
    yield "pets", list(_required(group.no_pets, _no_yes(household.pets)))
    yield "smoking", list(_required(group.smoke_free, _no_yes(household.smokers)))
    yield "readiness", list(_readiness(group, household))
    yield "distance", [_DISTANCE[place.band]]
    yield "available", [_available(household, as_of)]


def _children(group: GroupFacts) -> tuple[ChildFacts, ...]:
    return group.children if group.children else (ChildFacts(birth_month=None, sex=Sex.UNKNOWN, needs={}),)


def _worst(results: Iterator[str]) -> list[str]:
    found = list(results)
    return [min(found, key=_WORST_FIRST.index)] if found else []


def _months(later: date, earlier: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def _age(group: GroupFacts, household: HouseholdFacts, policy: RankingPolicy, as_of: date) -> list[str]:
    lowest, highest = household.age_from_months, household.age_to_months

    def one(born: date | None) -> str:
        if born is None:
            return UNKNOWN
        age = max(_months(as_of, born), 0)
        if lowest is not None and age < lowest:
            return NO
        if highest is not None and age > highest:
            return NO
        if lowest is None or highest is None:
            return UNKNOWN
        return NEARLY if highest - age < policy.age_margin_months else YES

    return _worst(one(child.birth_month) for child in _children(group))


def _size(number: int, household: HouseholdFacts) -> str:
    fewest, most = household.fewest_children, household.most_children
    if number == 0:
        return UNKNOWN
    if fewest is not None and number < fewest:
        return NO
    if most is not None and number > most:
        return NO
    if number == most:
        return YES
    if most is None:
        return NEARLY if number == fewest else UNKNOWN
    return UNKNOWN if fewest is None else NEARLY


def _sex(sex: Sex, approved: SexApproved) -> str:
    if approved == SexApproved.ANY:
        return YES
    if approved == SexApproved.UNKNOWN or sex == Sex.UNKNOWN:
        return UNKNOWN
    return YES if sex.value == approved.value else NO


def _needs(group: GroupFacts, household: HouseholdFacts) -> Iterator[str]:
    for code in need_catalogue().codes():
        levels = {child.needs.get(code, NeedLevel.UNKNOWN) for child in _children(group)} - {NeedLevel.NONE}
        tolerance = household.tolerances.get(code, Tolerance())
        yield from _worst(_need(level, tolerance) for level in levels)


def _need(level: NeedLevel, tolerance: Tolerance) -> str:
    if level == NeedLevel.LOW:
        return _ANSWER[tolerance.low]
    if level == NeedLevel.MEDIUM:
        return _ANSWER[tolerance.medium]
    if level == NeedLevel.HIGH:
        return _ANSWER[tolerance.high]
    every = {tolerance.low, tolerance.medium, tolerance.high}
    return YES if every == {Answer.CAN_MEET} else UNKNOWN


def _required(asked: YesNo, result: str) -> Iterator[str]:
    if asked == YesNo.YES:
        yield result
    elif asked == YesNo.UNKNOWN:
        yield YES if result == YES else UNKNOWN


def _yes_no(fact: YesNo) -> str:
    return {YesNo.YES: YES, YesNo.NO: NO, YesNo.UNKNOWN: UNKNOWN}[fact]


def _no_yes(fact: YesNo) -> str:
    return {YesNo.YES: NO, YesNo.NO: YES, YesNo.UNKNOWN: UNKNOWN}[fact]


def _legal(group: GroupFacts, household: HouseholdFacts) -> Iterator[str]:
    position = group.legal_position
    if position in (LegalPosition.CONSENT, LegalPosition.ORDER_GRANTED):
        return
    if position == LegalPosition.UNKNOWN:
        risky = (LegalPosition.ORDER_APPLIED, LegalPosition.CONTESTED, LegalPosition.APPEAL)
        ready = all(household.legal.get(risk) == Answer.CAN_MEET for risk in risky)
        yield YES if ready else UNKNOWN
    else:
        yield _ANSWER[household.legal.get(position, Answer.UNKNOWN)]


def _contact(group: GroupFacts, household: HouseholdFacts) -> Iterator[str]:
    for kind in ContactKind:
        answer = _ANSWER[household.contact.get(kind, Answer.UNKNOWN)]
        yield from _required(group.contact.get(kind, YesNo.UNKNOWN), answer)


def _home(group: GroupFacts, household: HouseholdFacts, as_of: date) -> Iterator[str]:
    count, youngest = household.children_at_home, household.youngest_at_home
    if youngest is not None and _months(as_of, youngest) >= 18 * 12:
        count, youngest = 0, None
    if count == 0 and youngest is not None:
        count = None
    if group.must_be_youngest != YesNo.NO:
        sure = group.must_be_youngest == YesNo.YES
        yield from _worst(_youngest(sure, child.birth_month, count, youngest) for child in _children(group))
    unsaid = count is None and youngest is None
    yield from _required(group.must_be_only, UNKNOWN if unsaid else YES if count == 0 else NO)


def _readiness(group: GroupFacts, household: HouseholdFacts) -> Iterator[str]:
    pairs = (
        (group.experience_needed, household.experience),
        (group.training_needed, household.training),
        (group.parent_at_home_needed, household.parent_at_home),
        (group.support_needed, household.support_nearby),
    )
    for needed, fact in pairs:
        if needed == YesNo.YES:
            yield _yes_no(fact)
    open_facts = {fact for needed, fact in pairs if needed == YesNo.UNKNOWN}
    if open_facts:
        yield YES if open_facts == {YesNo.YES} else UNKNOWN


def _available(household: HouseholdFacts, as_of: date) -> str:
    if household.available_from is None:
        return UNKNOWN
    away = _months(household.available_from, as_of)
    return YES if away <= 0 else NEARLY if away <= 3 else "partly"


def _youngest(sure: bool, born: date | None, count: int | None, youngest: date | None) -> str:
    if count == 0:
        return YES
    if born is None or youngest is None:
        return UNKNOWN
    gap = _months(born, youngest)
    if gap > 0:
        return YES
    return NO if sure and gap < 0 else UNKNOWN
