"""Tests of what a family brings, when a child could move in, and what may add."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from matching.need import YesNo
from matching.ranking.explain import Contribution, PairExplanation, explain
from matching.ranking.policy import RankingPolicy, default_policy, policy_from_data
from matching.ranking.standing import Band, Verdict
from tests.matching.ranking.registers import AS_OF, CLEAR, a_group, a_household

WORKER, AGENCY = "Ask the household’s worker", "Ask the child’s agency"
YES, NO, UNSAID = YesNo.YES, YesNo.NO, YesNo.UNKNOWN
BROUGHT = (
    ("experience_needed", "experience", "experience with children"),
    ("training_needed", "training", "training in therapeutic parenting"),
    ("parent_at_home_needed", "parent_at_home", "a parent at home through the first year"),
    ("support_needed", "support_nearby", "support nearby"),
)
each_brought = pytest.mark.parametrize(("needed", "brings", "name"), BROUGHT, ids=[each[1] for each in BROUGHT])


class TestReadiness:
    @each_brought
    def test_is_met_by_who_has_what_is_needed(self, needed: str, brings: str, name: str) -> None:  # noqa: ARG002
        pair = explained({needed: YES}, {**nothing(), brings: YES})

        assert (readiness(pair).points, pair.questions, pair.against) == (6, 0, ())
        assert len(readiness(pair).words) == 1
        assert readiness(pair).words[0] in pair.why

    @each_brought
    def test_counts_against_who_lacks_it_and_bars_nobody(self, needed: str, brings: str, name: str) -> None:
        pair = explained({needed: YES}, {brings: NO})

        assert (readiness(pair).points, pair.barred_by, pair.ask, pair.band) == (0, (), (), Band.STRONG)
        assert pair.against == readiness(pair).words
        assert name.removeprefix("a ") in pair.against[0].lower() or "parent" in pair.against[0]

    @each_brought
    def test_asks_who_has_not_said(self, needed: str, brings: str, name: str) -> None:  # noqa: ARG002
        pair = explained({needed: YES}, {brings: UNSAID})

        assert (readiness(pair).points, pair.questions) == (1, 1)
        assert pair.ask[0].startswith(WORKER)

    @each_brought
    def test_asks_the_childs_agency_what_it_has_not_recorded(self, needed: str, brings: str, name: str) -> None:
        pair = explained({needed: UNSAID}, {brings: NO})

        assert pair.ask == (f"{AGENCY} whether {name} is needed: it is not recorded.",)
        assert (pair.questions, pair.against) == (1, ())

    @each_brought
    def test_asks_nothing_of_who_has_it_anyway(self, needed: str, brings: str, name: str) -> None:  # noqa: ARG002
        pair = explained({needed: UNSAID}, {**nothing(), brings: YES})

        assert (readiness(pair).points, pair.questions) == (6, 0)
        assert readiness(pair).words == ("Has what may be needed of experience, training, time and support.",)

    @each_brought
    def test_asks_nothing_where_it_is_not_needed(self, needed: str, brings: str, name: str) -> None:  # noqa: ARG002
        pair = explained({needed: NO}, {brings: UNSAID})

        assert (readiness(pair).points, pair.questions) == (6, 0)
        assert readiness(pair).words == ("No experience, training, parent at home or support nearby is asked for.",)

    def test_asks_one_question_for_all_that_is_not_recorded(self) -> None:
        pair = explained({needed: UNSAID for needed, _, _ in BROUGHT}, {**nothing(), "training": YES})

        assert pair.questions == 1
        assert pair.ask == (
            f"{AGENCY} whether experience with children, a parent at home through the first year or support nearby "
            "are needed: it is not recorded.",
        )

    def test_is_the_average_over_what_is_asked(self) -> None:
        pair = explained({"experience_needed": YES, "training_needed": YES}, {"experience": NO, "training": YES})

        assert readiness(pair).points == 3

    @each_brought
    def test_bars_where_a_consortium_chooses_so(self, needed: str, brings: str, name: str) -> None:  # noqa: ARG002
        lacking = explained({needed: YES}, {brings: NO}, policy=shut())
        unsaid = explained({needed: YES}, {brings: UNSAID}, policy=shut())
        unrecorded = explained({needed: UNSAID}, {brings: NO}, policy=shut())

        assert [gate.code for gate in lacking.barred_by] == ["readiness"]
        assert (unsaid.barred_by, unrecorded.barred_by) == ((), ())
        assert gate_of(unsaid) is Verdict.ASK
        assert gate_of(unrecorded) is Verdict.ASK


class TestAvailable:
    @pytest.mark.parametrize(
        ("day", "points", "words"),
        [
            (date(2020, 1, 1), 3, "A child could move in now."),
            (AS_OF, 3, "A child could move in now."),
            (date(2026, 11, 30), 3, "A child could move in now."),
            (date(2026, 12, 1), 2, "A child could move in from December 2026."),
            (date(2027, 2, 28), 2, "A child could move in from February 2027."),
            (date(2027, 3, 1), 1, "A child could move in from March 2027."),
            (date(2030, 1, 1), 1, "A child could move in from January 2030."),
            (None, 0, f"{WORKER} from when a child could move in."),
        ],
    )
    def test_reads_the_day(self, day: date | None, points: int, words: str) -> None:
        contribution = one(explained({}, {"available_from": day}), "available")

        assert (contribution.points, contribution.words) == (points, (words,))

    @pytest.mark.parametrize(
        ("day", "told"),
        [
            (AS_OF, "why"),
            (date(2027, 2, 28), "why"),
            (date(2027, 3, 1), "against"),
            (None, "ask"),
        ],
    )
    def test_counts_against_only_when_it_is_long_to_wait(self, day: date | None, told: str) -> None:
        pair = explained({}, {"available_from": day})

        assert one(pair, "available").words[0] in getattr(pair, told)
        assert pair.barred_by == ()
        assert pair.questions == (day is None)

    def test_is_no_gate(self) -> None:
        assert "available" not in [gate.code for gate in explained({}, {}).gates]


class TestAdditions:
    @pytest.mark.parametrize(
        ("code", "what", "words"),
        [
            ("heritage", "heritage", "Shares heritage with the child."),
            ("religion", "religions", "Shares a religion with the child."),
            ("languages", "languages", "Shares a language with the child."),
            ("culture", "cultures", "Shares a culture with the child."),
        ],
    )
    def test_add_where_the_background_is_shared(self, code: str, what: str, words: str) -> None:
        same = explained({what: frozenset({"Welsh"})}, {what: frozenset({"Welsh", "Polish"}), **far_off()})
        other = explained({what: frozenset({"Welsh"})}, {what: frozenset({"Polish"}), **far_off()})

        assert one(same, code).points == default_policy().additions[code] > 0
        assert (one(same, code).words, one(other, code).words) == ((words,), ("Nothing added.",))
        assert same.points - other.points == default_policy().additions[code]
        assert (other.barred_by, other.ask, words in same.why) == ((), same.ask, True)

    @pytest.mark.parametrize(
        ("hoped", "there", "words"),
        [
            (1, 1, "One adopter, as the plan hopes for."),
            (2, 2, "Two adopters, as the plan hopes for."),
            (2, 1, "Nothing added."),
            (1, 2, "Nothing added."),
            (None, 1, "Nothing added."),
            (2, None, "Nothing added."),
            (None, None, "Nothing added."),
        ],
    )
    def test_say_whether_adopters_are_as_many_as_hoped_for(
        self, hoped: int | None, there: int | None, words: str
    ) -> None:
        pair = explained({"adopters_hoped_for": hoped}, {"adopters": there})

        assert one(pair, "adopters").words == (words,)
        assert (pair.barred_by, pair.ask, pair.against) == ((), (), ())

    def test_weigh_nothing_for_adopters_until_a_consortium_decides(self) -> None:
        data = default_policy().to_data()
        decided = policy_from_data({**data, "additions": {**default_policy().additions, "adopters": 3}})
        group, one_adopter = {"adopters_hoped_for": 2}, {"adopters": 1, **far_off()}
        two_adopters = {"adopters": 2, **far_off()}

        assert explained(group, two_adopters).points == explained(group, one_adopter).points
        assert explained(group, two_adopters, policy=decided).points == 3 + explained(group, one_adopter).points


def explained(
    group: dict[str, Any], household: dict[str, Any], *, policy: RankingPolicy | None = None
) -> PairExplanation:
    return explain(a_group(**group), a_household(**household), CLEAR, policy or default_policy(), AS_OF)


def nothing() -> dict[str, Any]:
    return {brings: NO for _, brings, _ in BROUGHT}


def far_off() -> dict[str, Any]:
    """Return a household's facts that leave room below the hundred for what is added."""
    return {"age_from_months": None, "most_children": 2}


def one(pair: PairExplanation, code: str) -> Contribution:
    return next(contribution for contribution in pair.contributions if contribution.code == code)


def readiness(pair: PairExplanation) -> Contribution:
    return one(pair, "readiness")


def gate_of(pair: PairExplanation) -> Verdict:
    return next(gate.verdict for gate in pair.gates if gate.code == "readiness")


def shut() -> RankingPolicy:
    data = default_policy().to_data()
    return policy_from_data({**data, "gates": {**default_policy().gates, "readiness": True}})
