"""Tests of the explanation of one pair: its verdicts, its words, its sums."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.ranking.explain import PairExplanation, explain
from matching.ranking.facts import (
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
from matching.ranking.plain import plain_pair
from matching.ranking.policy import default_policy, policy_from_data
from matching.ranking.standing import Band, Verdict
from tests.matching.ranking.registers import (
    AS_OF,
    CLEAR,
    RISKS,
    WILLING,
    a_child,
    a_group,
    a_household,
    registers,
    tried,
)

WORKER, AGENCY = "Ask the household’s worker", "Ask the child’s agency"
CAN, DISCUSS, CANNOT, UNKNOWN = Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT, Answer.UNKNOWN
PASS, ASK, FAIL = Verdict.PASS, Verdict.ASK, Verdict.FAIL
YES, NO, UNSAID = YesNo.YES, YesNo.NO, YesNo.UNKNOWN


def home(number: int | None, youngest: date | None) -> dict[str, Any]:
    """Return the children at home, as a household's facts."""
    return {"children_at_home": number, "youngest_at_home": youngest}


class TestExplain:
    def test_gives_a_family_that_meets_everything_the_hundred(self) -> None:
        pair = explained(a_group(), a_household())

        assert (pair.points, pair.band, pair.ask, pair.against) == (100, Band.STRONG, (), ())
        assert pair.barred_by == ()

    def test_never_goes_past_the_hundred_and_says_what_was_added(self) -> None:
        pair = explain(
            a_group(heritage=frozenset({"WBRI"})),
            a_household(heritage=frozenset({"WBRI"})),
            PairPlace(DistanceBand.REGION, Exclusion.PASS),
            default_policy(),
            AS_OF,
        )

        assert pair.points == 100
        heritage = next(c for c in pair.contributions if c.code == "heritage")
        assert (heritage.points, heritage.most, heritage.words) == (2, 4, ("Shares heritage with the child.",))

    @pytest.mark.parametrize(
        ("group", "household", "verdict", "words"),
        [
            ({}, {"age_to_months": 35}, FAIL, "Not approved for a child of 3."),
            ({}, {"age_from_months": 37}, FAIL, "Not approved for a child of 3."),
            ({}, {"age_from_months": 36, "age_to_months": 36}, PASS, "will soon reach the oldest age approved"),
            ({}, {"age_to_months": None}, ASK, f"{WORKER} which ages"),
            ({"children": (a_child(born=None),)}, {}, ASK, f"{AGENCY} how old"),
            ({"children": (a_child(born=date(2027, 2, 1)),)}, {}, PASS, "Approved for a child not yet born."),
            ({"children": (a_child(born=date(2027, 2, 1)),)}, {"age_from_months": 1}, FAIL, "not yet born"),
        ],
    )
    def test_reads_ages(self, group: dict[str, Any], household: dict[str, Any], verdict: Verdict, words: str) -> None:
        assert_gate("age", group, household, verdict, words)

    @pytest.mark.parametrize(
        ("children", "household", "verdict", "words"),
        [
            (1, {"fewest_children": 2, "most_children": 3}, FAIL, "Not approved for one child."),
            (2, {"most_children": 1}, FAIL, "Not approved for 2 children together."),
            (1, {"most_children": 2}, PASS, "could take more"),
            (1, {"fewest_children": None, "most_children": None}, ASK, f"{WORKER} how many"),
            (1, {"fewest_children": None, "most_children": 2}, ASK, f"{WORKER} how many"),
            (2, {"fewest_children": None, "most_children": 2}, PASS, "Approved for 2 children together."),
            (1, {"fewest_children": 1, "most_children": None}, PASS, "could take more"),
            (0, {}, ASK, f"{AGENCY} which children"),
        ],
    )
    def test_reads_numbers(self, children: int, household: dict[str, Any], verdict: Verdict, words: str) -> None:
        assert_gate("size", {"children": (a_child(),) * children}, household, verdict, words)

    @pytest.mark.parametrize(
        ("sex", "approved", "verdict", "words"),
        [
            (Sex.FEMALE, SexApproved.FEMALE, PASS, "Approved for a girl."),
            (Sex.FEMALE, SexApproved.MALE, FAIL, "Not approved for a girl."),
            (Sex.MALE, SexApproved.UNKNOWN, ASK, f"{WORKER} whether"),
            (Sex.UNKNOWN, SexApproved.MALE, ASK, f"{AGENCY} whether"),
            (Sex.UNKNOWN, SexApproved.ANY, PASS, "not yet known"),
        ],
    )
    def test_reads_sex(self, sex: Sex, approved: SexApproved, verdict: Verdict, words: str) -> None:
        assert_gate("sex", {"children": (a_child(sex=sex),)}, {"sex_approved": approved}, verdict, words)

    @pytest.mark.parametrize(
        ("level", "tolerance", "verdict", "words"),
        [
            (NeedLevel.HIGH, Tolerance(CAN, CAN, CAN), PASS, "Can meet: Neglect (high)."),
            (NeedLevel.HIGH, Tolerance(CAN, CAN, DISCUSS), ASK, "Would discuss: Neglect (high). Ask the household"),
            (
                NeedLevel.HIGH,
                Tolerance(CAN, CAN, UNKNOWN),
                ASK,
                "Has not said about: Neglect (high). Ask the household",
            ),
            (NeedLevel.HIGH, Tolerance(CAN, CAN, CANNOT), FAIL, "Cannot consider: Neglect (high)."),
            (NeedLevel.MEDIUM, Tolerance(CAN, CAN, CANNOT), PASS, "Can meet: Neglect (medium)."),
            (NeedLevel.UNKNOWN, Tolerance(CAN, CAN, CAN), PASS, "Can meet: Neglect."),
            (
                NeedLevel.UNKNOWN,
                Tolerance(CANNOT, CANNOT, CANNOT),
                ASK,
                f"Not recorded for a child: Neglect. {AGENCY}.",
            ),
            (NeedLevel.NONE, Tolerance(CANNOT, CANNOT, CANNOT), PASS, "No child has a recorded need."),
        ],
    )
    def test_reads_needs(self, level: NeedLevel, tolerance: Tolerance, verdict: Verdict, words: str) -> None:
        group = {"children": (a_child(neglect=level),)}

        assert_gate("needs", group, {"tolerances": {**WILLING, "neglect": tolerance}}, verdict, words)

    def test_takes_a_need_nobody_recorded_for_unknown(self) -> None:
        child = a_child()
        bare = type(child)(birth_month=child.birth_month, sex=child.sex, needs={})

        assert_gate("needs", {"children": (bare,)}, {"tolerances": {}}, ASK, "Not recorded for a child: Physical")

    def test_reads_each_child_apart(self) -> None:
        group = a_group(a_child(neglect=NeedLevel.LOW), a_child(neglect=NeedLevel.HIGH))
        home = a_household(most_children=2, tolerances={**WILLING, "neglect": Tolerance(CAN, CAN, CANNOT)})

        pair = explained(group, home)

        assert [gate.words for gate in pair.barred_by] == [("Cannot consider: Neglect (high).",)]
        assert "Can meet: Neglect (low)." in pair.why

    @pytest.mark.parametrize(
        ("position", "answer", "verdict", "words"),
        [
            (LegalPosition.ORDER_GRANTED, UNKNOWN, PASS, "The legal position is settled."),
            (LegalPosition.CONSENT, CANNOT, PASS, "The legal position is settled."),
            (LegalPosition.CONTESTED, CAN, PASS, "Comfortable with a contested placement order."),
            (LegalPosition.APPEAL, DISCUSS, ASK, "Would discuss an appeal."),
            (LegalPosition.APPEAL, UNKNOWN, ASK, f"{WORKER} whether the household could take on an appeal"),
            (LegalPosition.ORDER_APPLIED, CANNOT, FAIL, "Cannot take on a placement order not yet granted."),
            (LegalPosition.UNKNOWN, CAN, PASS, "Comfortable with any legal position."),
            (LegalPosition.UNKNOWN, CANNOT, ASK, f"{AGENCY} where the case stands in law"),
        ],
    )
    def test_reads_the_legal_position(
        self, position: LegalPosition, answer: Answer, verdict: Verdict, words: str
    ) -> None:
        assert_gate("legal", {"legal_position": position}, {"legal": dict.fromkeys(RISKS, answer)}, verdict, words)

    @pytest.mark.parametrize(
        ("asked", "approved", "verdict", "words"),
        [
            (YES, YES, PASS, "Approved as foster carers"),
            (YES, NO, FAIL, "not approved as foster carers"),
            (YES, UNSAID, ASK, f"{WORKER} whether"),
            (UNSAID, NO, ASK, f"{AGENCY} whether early permanence is planned"),
            (UNSAID, YES, PASS, "Approved as foster carers"),
            (NO, NO, PASS, "Early permanence is not planned."),
        ],
    )
    def test_reads_early_permanence(self, asked: YesNo, approved: YesNo, verdict: Verdict, words: str) -> None:
        group, household = {"early_permanence": asked}, {"early_permanence_approved": approved}

        assert_gate("early_permanence", group, household, verdict, words)

    @pytest.mark.parametrize(
        ("asked", "answer", "verdict", "words"),
        [
            (YES, CAN, PASS, "Can support direct contact."),
            (YES, DISCUSS, ASK, "Would discuss direct contact."),
            (YES, UNKNOWN, ASK, f"{WORKER} whether the household could support direct contact"),
            (YES, CANNOT, FAIL, "Cannot support direct contact."),
            (UNSAID, CANNOT, ASK, f"{AGENCY} whether the plan has direct contact"),
            (NO, CANNOT, PASS, "The plan asks for no contact."),
        ],
    )
    def test_reads_contact(self, asked: YesNo, answer: Answer, verdict: Verdict, words: str) -> None:
        plan = {**dict.fromkeys(ContactKind, NO), ContactKind.DIRECT: asked}

        assert_gate("contact", {"contact": plan}, {"contact": {ContactKind.DIRECT: answer}}, verdict, words)

    @pytest.mark.parametrize(
        ("group", "household", "verdict", "words"),
        [
            ({"must_be_youngest": YES}, {"children_at_home": 0}, PASS, "Would be the youngest"),
            ({"must_be_youngest": YES}, home(1, date(2020, 1, 1)), PASS, "Would be the youngest"),
            ({"must_be_youngest": YES}, home(1, date(2024, 1, 1)), FAIL, "and would not be"),
            ({"must_be_youngest": YES}, home(1, date(2023, 11, 1)), ASK, f"{WORKER} exactly how old"),
            ({"must_be_youngest": YES}, home(1, None), ASK, f"{WORKER} how old the children at home are"),
            ({"must_be_youngest": UNSAID}, home(1, date(2024, 1, 1)), ASK, f"{AGENCY} whether a child must be"),
            ({"must_be_youngest": UNSAID}, home(1, date(2020, 1, 1)), PASS, "Would be the youngest"),
            ({"must_be_only": YES}, home(1, date(2008, 11, 1)), PASS, "No other child"),
            ({"must_be_only": YES}, home(1, date(2008, 12, 1)), FAIL, "and there is one"),
            ({"must_be_only": YES}, home(None, None), ASK, f"{WORKER} whether other children"),
            ({"must_be_only": YES}, home(0, date(2020, 1, 1)), FAIL, "and there is one"),
            ({"must_be_only": UNSAID}, home(2, None), ASK, f"{AGENCY} whether there must be no other"),
        ],
    )
    def test_reads_the_children_at_home(
        self, group: dict[str, Any], household: dict[str, Any], verdict: Verdict, words: str
    ) -> None:
        assert_gate("home", group, household, verdict, words)

    @pytest.mark.parametrize(
        ("gate", "asks", "has", "what"),
        [("pets", "no_pets", "pets", "pets"), ("smoking", "smoke_free", "smokers", "smokers")],
    )
    def test_reads_pets_and_smoking_alike(self, gate: str, asks: str, has: str, what: str) -> None:
        assert_gate(gate, {asks: YES}, {has: NO}, PASS, f"The home has no {what}.")
        assert_gate(gate, {asks: YES}, {has: YES}, FAIL, f"The home must have no {what}, and has.")
        assert_gate(gate, {asks: YES}, {has: UNSAID}, ASK, f"{WORKER} whether the home has {what}")
        assert_gate(gate, {asks: UNSAID}, {has: YES}, ASK, f"{AGENCY} whether the home must have no {what}")
        assert_gate(gate, {asks: NO}, {has: YES}, PASS, "")

    @pytest.mark.parametrize(
        ("exclusion", "verdict"), [(Exclusion.PASS, PASS), (Exclusion.ASK, ASK), (Exclusion.FAIL, FAIL)]
    )
    def test_says_of_exclusion_only_pass_fail_or_ask(self, exclusion: Exclusion, verdict: Verdict) -> None:
        said = set()
        for band in DistanceBand:
            pair = explain(a_group(), a_household(), PairPlace(band, exclusion), default_policy(), AS_OF)
            (gate,) = [gate for gate in pair.gates if gate.code == "exclusion"]
            assert gate.verdict is verdict
            said.add(gate.words)

        assert len(said) == 1

    def test_lists_a_failure_of_an_opened_gate_as_against(self) -> None:
        data = default_policy().to_data()
        policy = policy_from_data({**data, "gates": {**default_policy().gates, "pets": False}})

        pair = explain(a_group(no_pets=YES), a_household(pets=YES), CLEAR, policy, AS_OF)

        assert (pair.barred_by, pair.band) == ((), Band.STRONG)
        assert "The home must have no pets, and has." in pair.against

    def test_gives_a_barred_pair_no_band_and_still_its_words(self) -> None:
        pair = explained(a_group(no_pets=YES), a_household(pets=YES))

        assert pair.band is None
        assert [gate.code for gate in pair.barred_by] == ["pets"]
        assert pair.why

    def test_puts_a_doubt_about_safety_first(self) -> None:
        pair = explain(
            a_group(a_child(neglect=NeedLevel.LOW)),
            a_household(tolerances={}),
            PairPlace(DistanceBand.UNKNOWN, Exclusion.ASK),
            default_policy(),
            AS_OF,
        )

        assert "exclusion area" in pair.ask[0]
        assert len(pair.ask) == 3

    @given(registers(most_groups=2, most_households=6))
    @tried(25)
    def test_holds_for_any_pair(
        self, register: tuple[tuple[GroupFacts, ...], tuple[HouseholdFacts, ...], Places]
    ) -> None:
        groups, households, places = register
        for g, group in enumerate(groups):
            for h, household in enumerate(households):
                pair = explain(group, household, places.pair(g, h), default_policy(), AS_OF)
                plain = plain_pair(group, household, places.pair(g, h), default_policy(), AS_OF)
                assert (pair.band is None) is (plain is None)
                assert plain is None or plain == (pair.points, pair.questions, pair.need_questions)
                assert 0 <= pair.points == sum(c.points for c in pair.contributions) <= 100
                assert all(0 <= c.points <= c.most for c in pair.contributions)
                assert pair.ask or not pair.questions
                assert_plain_words(pair)


def explained(group: GroupFacts, household: HouseholdFacts) -> PairExplanation:
    return explain(group, household, CLEAR, default_policy(), AS_OF)


def assert_gate(code: str, group: dict[str, Any], household: dict[str, Any], verdict: Verdict, words: str) -> None:
    pair = explained(replace(a_group(), **group), replace(a_household(), **household))
    (gate,) = [gate for gate in pair.gates if gate.code == code]
    assert gate.verdict is verdict
    assert any(words in sentence for sentence in gate.words), gate.words


def assert_plain_words(pair: PairExplanation) -> None:
    """Sentences end, ask by name, and hold no number finer than an age in years, no code and no mile."""
    sentences = [*pair.why, *pair.ask, *pair.against, *(words for gate in pair.gates for words in gate.words)]
    assert all(re.fullmatch(r"[A-Z].*\.", sentence) for sentence in sentences)
    assert all(WORKER in sentence or AGENCY in sentence for sentence in pair.ask)
    assert not any(re.search(r"mile|metre|km|_|None|months?\b", sentence) for sentence in sentences)
