"""Tests of the array engine, held to the plain definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.ranking import engine
from matching.ranking.criterion import ADDITIONS, GATES
from matching.ranking.engine import Ranking, rank, warm
from matching.ranking.explain import PairExplanation, explain
from matching.ranking.facts import ContactKind, Exclusion, GroupFacts, HouseholdFacts, PairPlace
from matching.ranking.kernel import INSERT_MOST, rank_block
from matching.ranking.places import Places, PlacesInvalid, places_of, unknown_places
from matching.ranking.plain import plain_pair, plain_rank
from matching.ranking.policy import RankingPolicy, default_policy, policy_from_data
from matching.ranking.standing import Band, Verdict
from matching.ranking.table import RegisterInvalid
from tests.matching.ranking.registers import (
    AS_OF,
    CLEAR,
    CODES,
    RISKS,
    a_child,
    a_group,
    a_household,
    random_places,
    registers,
    tried,
)

ASKS = (
    *("early_permanence", "must_be_youngest", "must_be_only", "no_pets", "smoke_free"),
    *("experience_needed", "training_needed", "parent_at_home_needed", "support_needed"),
)

Register = tuple[tuple[GroupFacts, ...], tuple[HouseholdFacts, ...], Places]


def listed(ranking: Ranking, group: int) -> list[tuple[str, int, int, int]]:
    return [(f.code, f.points, f.questions, f.need_questions) for f in ranking.families_of(group)]


def lists(ranking: Ranking) -> list[list[tuple[str, int, int, int]]]:
    return [listed(ranking, g) for g in range(len(ranking.groups))]


class TestRank:
    @given(registers(), st.none() | st.integers(0, 9), st.sampled_from(["default", "open", "shut"]))
    @tried(80)
    def test_gives_the_plain_definition_s_lists(self, register: Register, top: int | None, kind: str) -> None:
        groups, households, places = register
        policy = policies()[kind]

        ranking = rank(groups, households, places, policy, AS_OF, top)

        assert lists(ranking) == plain_rank(groups, households, places, policy, AS_OF, top)

    @given(registers(), st.sampled_from(["default", "open", "shut"]))
    @tried(40)
    def test_agrees_with_the_explanation_of_each_pair(self, register: Register, kind: str) -> None:
        groups, households, places = register
        policy = policies()[kind]

        ranking = rank(groups, households, places, policy, AS_OF)

        for g, group in enumerate(groups):
            listed_codes = {family.code: family for family in ranking.families_of(g)}
            counts = {gate: dict.fromkeys(Verdict, 0) for gate in GATES}
            for h, household in enumerate(households):
                pair = explain(group, household, places.pair(g, h), policy, AS_OF)
                family = listed_codes.get(household.code)
                for gate in pair.gates:
                    counts[gate.code][gate.verdict] += 1
                assert (family is None) is bool(pair.barred_by)
                assert sum(c.points for c in pair.contributions) == pair.points
                if family is not None:
                    assert (family.points, family.band) == (pair.points, pair.band)
                    assert (family.questions, family.need_questions) == (pair.questions, pair.need_questions)
            for count in ranking.gates_of(g):
                said = counts[count.gate]
                assert (count.passed, count.asked, count.failed) == (
                    said[Verdict.PASS],
                    said[Verdict.ASK],
                    said[Verdict.FAIL],
                )
            assert ranking.families[g] == len(listed_codes)

    @given(registers(), st.integers(0, 2**32))
    @tried(30)
    def test_does_not_depend_on_the_order_it_is_given(self, register: Register, seed: int) -> None:
        groups, households, places = register
        g = np.random.default_rng(seed).permutation(len(groups))
        h = np.random.default_rng(seed + 1).permutation(len(households))

        straight = rank(groups, households, places, default_policy(), AS_OF)
        shuffled = rank([groups[k] for k in g], [households[k] for k in h], places.taken(g, h), default_policy(), AS_OF)

        assert {code: listed(straight, k) for k, code in enumerate(straight.groups)} == {
            code: listed(shuffled, k) for k, code in enumerate(shuffled.groups)
        }

    @pytest.mark.parametrize("households", [1, 63, 64, 65, 130])
    @pytest.mark.parametrize("top", [1, INSERT_MOST, INSERT_MOST + 1, None])
    def test_keeps_the_order_at_every_length(self, households: int, top: int | None) -> None:
        homes = [a_household(f"H-{k:03}", approved_on=date(2026, 1, 1 + k * 7 % 5)) for k in range(households)]
        places = random_places(1, households, seed=households)

        ranking = rank([a_group()], homes, places, default_policy(), AS_OF, top)

        assert lists(ranking) == plain_rank([a_group()], homes, places, default_policy(), AS_OF, top)

    def test_splits_over_threads_without_a_trace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        homes = [a_household(f"H-{k:03}", most_children=1 + k % 2) for k in range(40)]
        groups = [a_group(code=f"G-{k}") for k in range(9)]
        places = random_places(9, 40, seed=3)
        whole = rank(groups, homes, places, default_policy(), AS_OF)
        monkeypatch.setattr(engine, "_WORTH_SPLITTING", 1)
        monkeypatch.setattr(engine, "_processors", lambda: 4)

        split = rank(groups, homes, places, default_policy(), AS_OF)

        assert split.index.tobytes() == whole.index.tobytes()
        assert split.points.tobytes() == whole.points.tobytes()
        assert split.counts.tobytes() == whole.counts.tobytes()

    def test_breaks_ties_by_questions_then_waiting_then_code(self) -> None:
        unsaid = Tolerance(Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT)
        homes = [
            a_household("H-D", approved_on=None),
            a_household("H-C", approved_on=date(2026, 2, 1)),
            a_household("H-B", approved_on=date(2026, 2, 1)),
            a_household("H-A", approved_on=date(2026, 3, 1)),
            a_household("H-E", approved_on=date(2020, 1, 1), pets=YesNo.UNKNOWN),
            a_household("H-F", approved_on=date(2020, 1, 1), tolerances={"neglect": unsaid}),
        ]
        group = a_group(a_child(neglect=NeedLevel.LOW), no_pets=YesNo.YES)

        ranking = rank([group], homes, places_of((group,), tuple(homes), clear), default_policy(), AS_OF)

        assert [family.code for family in ranking.families_of(0)] == ["H-F", "H-B", "H-C", "H-A", "H-D", "H-E"]

    @pytest.mark.parametrize(("groups", "households"), [(0, 0), (0, 3), (2, 0)])
    def test_of_nothing_is_nothing(self, groups: int, households: int) -> None:
        some = [a_group(code=f"G-{k}") for k in range(groups)]
        homes = [a_household(f"H-{k}") for k in range(households)]

        ranking = rank(some, homes, unknown_places(groups, households), default_policy(), AS_OF)

        assert lists(ranking) == [[] for _ in some]
        assert all(
            count.passed + count.asked + count.failed == 0 for g in range(groups) for count in ranking.gates_of(g)
        )

    def test_refuses_two_households_of_one_code(self) -> None:
        with pytest.raises(RegisterInvalid, match="H-1 is given twice"):
            rank([], [a_household(), a_household()], unknown_places(0, 2), default_policy(), AS_OF)

    def test_refuses_places_of_another_register(self) -> None:
        with pytest.raises(PlacesInvalid, match="shape"):
            rank([a_group()], [a_household()], unknown_places(1, 2), default_policy(), AS_OF)

    def test_refuses_a_place_that_means_nothing(self) -> None:
        places = unknown_places(1, 1)
        places.band[0, 0] = 5

        with pytest.raises(PlacesInvalid, match="outside 0 to 4"):
            rank([a_group()], [a_household()], places, default_policy(), AS_OF)

    def test_counts_a_child_older_as_the_day_moves_on(self) -> None:
        home = a_household(age_to_months=59)
        child = a_group(a_child(born=date(2022, 1, 1)))
        places = places_of((child,), (home,), clear)

        now = rank([child], [home], places, default_policy(), date(2026, 12, 31))
        later = rank([child], [home], places, default_policy(), date(2027, 1, 1))

        assert (int(now.families[0]), int(later.families[0])) == (1, 0)

    def test_leaves_a_household_with_open_need_questions_short_of_strong(self) -> None:
        group = a_group(a_child(neglect=NeedLevel.LOW))
        home = a_household(tolerances={})

        ranking = rank([group], [home], places_of((group,), (home,), clear), default_policy(), AS_OF)

        assert next(ranking.families_of(0)).band is not Band.STRONG


class TestGroupsOf:
    @given(registers())
    @tried(20)
    def test_lists_the_groups_that_list_the_household(self, register: Register) -> None:
        groups, households, places = register
        ranking = rank(groups, households, places, default_policy(), AS_OF)

        for h, household in enumerate(households):
            found = ranking.groups_of(h)
            on = {group.code for g, group in enumerate(groups) if household.code in {f[0] for f in listed(ranking, g)}}
            assert {group.code for group in found} == on
            keys = [(-group.points, group.questions, group.code) for group in found]
            assert keys == sorted(keys)
            assert [group.position for group in found] == list(range(1, len(found) + 1))

    def test_puts_the_longer_waiting_of_equal_groups_first(self) -> None:
        groups = (
            a_group(code="G-A", waiting_since=None),
            a_group(code="G-B", waiting_since=date(2026, 5, 1)),
            a_group(code="G-C", waiting_since=date(2025, 5, 1)),
        )
        home = a_household()

        ranking = rank(groups, [home], places_of(groups, (home,), clear), default_policy(), AS_OF)

        assert [group.code for group in ranking.groups_of(0)] == ["G-C", "G-B", "G-A"]


class TestMoving:
    """What must hold when one thing changes and all else stays."""

    @given(registers(most_groups=2), st.sampled_from(GATES))
    @tried(30)
    def test_closing_a_gate_never_adds_a_family(self, register: Register, gate: str) -> None:
        groups, households, places = register
        data = policies()["open"].to_data()
        shut = policy_from_data({**data, "gates": {**data["gates"], gate: True}})  # type: ignore[dict-item]

        before = rank(groups, households, places, policies()["open"], AS_OF)
        after = rank(groups, households, places, shut, AS_OF)

        for g in range(len(groups)):
            assert {family.code for family in after.families_of(g)} <= {family.code for family in before.families_of(g)}

    @given(registers(most_groups=2), st.sampled_from(ADDITIONS))
    @tried(30)
    def test_raising_an_addition_lowers_nobody_and_bars_nobody(self, register: Register, addition: str) -> None:
        groups, households, places = register
        data = default_policy().to_data()
        none = policy_from_data({**data, "additions": dict.fromkeys(ADDITIONS, 0)})
        some = policy_from_data({**data, "additions": {**none.additions, addition: 5}})

        for g, group in enumerate(groups):
            for h, household in enumerate(households):
                before = plain_pair(group, household, places.pair(g, h), none, AS_OF)
                after = explain(group, household, places.pair(g, h), some, AS_OF)
                assert (before is None) is bool(after.barred_by)
                assert before is None or after.points >= before[0]

    @given(registers(most_groups=1, most_households=6))
    @tried(30)
    def test_moving_weight_to_a_criterion_favours_who_meets_it_better(self, register: Register) -> None:
        groups, households, places = register
        data = default_policy().to_data()
        heavier = {**default_policy().weights, "needs": 48, "distance": 1}
        policy = policy_from_data({**data, "weights": heavier})

        for g, group in enumerate(groups):
            for h, household in enumerate(households):
                before = explain(group, household, places.pair(g, h), default_policy(), AS_OF)
                after = explain(group, household, places.pair(g, h), policy, AS_OF)
                assert points_of(after, "needs") >= points_of(before, "needs")
                assert points_of(after, "distance") <= points_of(before, "distance")

    @given(registers(most_groups=1, most_households=4))
    @tried(30)
    def test_a_yes_where_nothing_was_known_never_lowers(self, register: Register) -> None:
        groups, households, places = register

        for g, group in enumerate(groups):
            for h, household in enumerate(households):
                before = explain(group, household, places.pair(g, h), default_policy(), AS_OF)
                after = explain(group, said_yes(household), places.pair(g, h), default_policy(), AS_OF)
                assert after.points >= before.points
                assert after.questions <= before.questions
                assert len(after.barred_by) <= len(before.barred_by)

    @given(registers(most_groups=2), st.sampled_from(ASKS), st.sampled_from(["default", "shut"]))
    @tried(40)
    def test_asking_for_more_never_adds_a_family(self, register: Register, ask: str, kind: str) -> None:
        groups, households, places = register
        asked: dict[str, Any] = {ask: YesNo.YES}
        more = [replace(group, **asked) for group in groups]

        before = rank(groups, households, places, policies()[kind], AS_OF)
        after = rank(more, households, places, policies()[kind], AS_OF)

        for g in range(len(groups)):
            assert {family.code for family in after.families_of(g)} <= {family.code for family in before.families_of(g)}

    @given(registers(most_groups=1, most_households=6))
    @tried(30)
    def test_a_later_day_available_bars_nobody_and_raises_nobody(self, register: Register) -> None:
        groups, households, places = register
        later = [replace(household, available_from=date(2027, 12, 1)) for household in households]

        now = [replace(household, available_from=AS_OF) for household in households]
        before = {f.code: f.points for g in range(len(groups)) for f in ranked(groups, now, places).families_of(g)}
        after = {f.code: f.points for g in range(len(groups)) for f in ranked(groups, later, places).families_of(g)}

        assert before.keys() == after.keys()
        assert all(after[code] <= points for code, points in before.items())

    @given(registers(most_groups=1, most_households=4))
    @tried(25)
    def test_narrowing_the_ages_never_adds_a_family(self, register: Register) -> None:
        groups, households, places = register
        narrower = [
            a_narrower(household) if household.age_from_months is not None else household for household in households
        ]

        before = rank(groups, households, places, default_policy(), AS_OF)
        after = rank(groups, narrower, places, default_policy(), AS_OF)

        assert all(after.families <= before.families)

    def test_an_exclusion_bars_whatever_the_points(self) -> None:
        group, home = a_group(), a_household()
        places = places_of((group,), (home,), clear)
        places.exclusion[0, 0] = list(Exclusion).index(Exclusion.FAIL)

        ranking = rank([group], [home], places, default_policy(), AS_OF)

        assert lists(ranking) == [[]]


class TestWarm:
    def test_leaves_the_loop_compiled(self) -> None:
        warm()

        assert rank_block.signatures  # type: ignore[attr-defined]


def clear(_group: GroupFacts, _household: HouseholdFacts) -> PairPlace:
    return CLEAR


def ranked(groups: Sequence[GroupFacts], households: Sequence[HouseholdFacts], places: Places) -> Ranking:
    return rank(groups, households, places, default_policy(), AS_OF)


def policies() -> dict[str, RankingPolicy]:
    """Return the default, one with every gate open that may be, and one with every gate shut."""
    data = default_policy().to_data()
    gates = {gate: gate in ("exclusion", "early_permanence", "needs") for gate in GATES}
    return {
        "default": default_policy(),
        "open": policy_from_data({**data, "gates": gates}),
        "shut": policy_from_data({**data, "gates": dict.fromkeys(GATES, True)}),
    }


def points_of(pair: PairExplanation, code: str) -> int:
    return next(c.points for c in pair.contributions if c.code == code)


def said_yes(household: HouseholdFacts) -> HouseholdFacts:
    """Return the household with each unknown answer made a yes."""

    def yes(answer: Answer) -> Answer:
        return Answer.CAN_MEET if answer is Answer.UNKNOWN else answer

    said = {code: household.tolerances.get(code, Tolerance()) for code in CODES}
    brought: dict[str, Any] = {
        fact: YesNo.YES
        for fact in ("experience", "training", "parent_at_home", "support_nearby")
        if getattr(household, fact) is YesNo.UNKNOWN
    }
    return replace(
        household,
        tolerances={code: Tolerance(yes(t.low), yes(t.medium), yes(t.high)) for code, t in said.items()},
        legal={risk: yes(household.legal.get(risk, Answer.UNKNOWN)) for risk in RISKS},
        contact={kind: yes(household.contact.get(kind, Answer.UNKNOWN)) for kind in ContactKind},
        pets=YesNo.NO if household.pets is YesNo.UNKNOWN else household.pets,
        smokers=YesNo.NO if household.smokers is YesNo.UNKNOWN else household.smokers,
        early_permanence_approved=YesNo.YES
        if household.early_permanence_approved is YesNo.UNKNOWN
        else household.early_permanence_approved,
        available_from=household.available_from or AS_OF,
        **brought,
    )


def a_narrower(household: HouseholdFacts) -> HouseholdFacts:
    return replace(household, age_from_months=(household.age_from_months or 0) + 12)
