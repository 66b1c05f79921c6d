from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.placement.placement import completed_months
from matching.placement.tally import Ages, PlacedFacts
from matching.swap.rule import Basis, Disruption, Judgement, SwapRule, judge, say_age

DEVON, DORSET, OUTSIDER = (UUID(int=k) for k in (1, 2, 3))
MEMBERS = {DEVON: date(2026, 1, 1), DORSET: date(2026, 1, 1)}
MOVED = date(2026, 3, 1)
RULE = SwapRule(begins_on=date(2026, 1, 1), ends_on=date(2026, 12, 31))


def ages(*months: int | None) -> tuple[Ages, ...]:
    return tuple(Ages(matched=month, moved_in=month, adoptive=month) for month in months)


PLACED = PlacedFacts(
    id=UUID(int=9),
    consortium_id=UUID(int=8),
    group_agency_id=DEVON,
    household_agency_id=DORSET,
    matched_on=date(2026, 2, 1),
    moved_in_on=MOVED,
    adoptive_start_on=MOVED,
    ordered_on=None,
    disrupted_on=None,
    ages=ages(16),
)


def born(*days: date, moved_in: date = MOVED) -> PlacedFacts:
    return replace(
        PLACED,
        moved_in_on=moved_in,
        adoptive_start_on=moved_in,
        ages=tuple(
            Ages(
                matched=completed_months(day, date(2026, 2, 1)),
                moved_in=completed_months(day, moved_in),
                adoptive=completed_months(day, moved_in),
            )
            for day in days
        ),
    )


class TestJudge:
    def test_fires_for_a_child_under_three_and_says_the_age(self) -> None:
        found = judge(RULE, PLACED, MEMBERS)

        assert found == Judgement(
            True, "The child was under three on the day they moved in: 1 year 4 months.", date(2026, 3, 1)
        )

    @pytest.mark.parametrize(
        ("birth", "moved_in", "fires"),
        [
            (date(2023, 3, 2), date(2026, 3, 1), True),
            (date(2023, 3, 1), date(2026, 3, 1), False),
            (date(2023, 2, 28), date(2026, 3, 1), False),
            # Born on 29 February: three on 1 March of a year without one.
            (date(2024, 2, 29), date(2027, 2, 28), True),
            (date(2024, 2, 29), date(2027, 3, 1), False),
            # Moved in on 29 February.
            (date(2025, 3, 1), date(2028, 2, 29), True),
            (date(2025, 2, 28), date(2028, 2, 29), False),
        ],
    )
    def test_knows_the_birthday_to_the_day(self, birth: date, moved_in: date, fires: bool) -> None:
        rule = replace(RULE, ends_on=None)

        assert judge(rule, born(birth, moved_in=moved_in), MEMBERS).fires is fires

    def test_counts_the_day_of_the_match_where_the_rule_says_so(self) -> None:
        placed = born(date(2023, 2, 15))

        assert not judge(RULE, placed, MEMBERS).fires
        found = judge(replace(RULE, basis=Basis.MATCH_DECISION), placed, MEMBERS)
        assert (found.fires, found.words) == (
            True,
            "The child was under three on the day of the match decision: 2 years 11 months.",
        )

    def test_counts_every_child_of_a_group_or_the_youngest(self) -> None:
        placed = replace(PLACED, ages=ages(50, 14))

        every = judge(RULE, placed, MEMBERS)
        youngest = judge(replace(RULE, basis=Basis.YOUNGEST), placed, MEMBERS)

        assert every == Judgement(
            False,
            "1 of 2 children was not under three on the day they moved in: 1 year 2 months and 4 years 2 months.",
        )
        assert youngest.fires
        assert youngest.words == "The youngest child was under three on the day they moved in: 1 year 2 months."
        neither = judge(replace(RULE, basis=Basis.YOUNGEST), replace(PLACED, ages=ages(50, 36)), MEMBERS)
        assert neither.words == "The youngest child was 3 years on the day they moved in, not under three."

    def test_counts_from_the_adoptive_placement_under_early_permanence(self) -> None:
        early = replace(
            PLACED,
            adoptive_start_on=date(2026, 8, 1),
            ages=(Ages(matched=35, moved_in=30, adoptive=36),),
        )

        assert judge(RULE, early, MEMBERS).on == date(2026, 8, 1)
        assert not judge(replace(RULE, basis=Basis.ADOPTIVE_START), early, MEMBERS).fires
        assert (
            judge(RULE, replace(early, adoptive_start_on=None), MEMBERS).words == "The adoptive placement hasn’t begun."
        )

    @pytest.mark.parametrize("months", [(None,), (3, None), ()])
    def test_takes_no_unknown_age_for_a_yes(self, months: tuple[int | None, ...]) -> None:
        found = judge(RULE, replace(PLACED, ages=ages(*months)), MEMBERS)

        assert not found.fires
        assert "unknown is never yes" in found.words

    def test_leaves_out_what_is_not_between_members_in_the_period(self) -> None:
        said = [
            judge(RULE, placed, MEMBERS).words
            for placed in (
                replace(PLACED, household_agency_id=DEVON),
                replace(PLACED, household_agency_id=OUTSIDER),
                replace(PLACED, adoptive_start_on=date(2025, 12, 31)),
                replace(PLACED, adoptive_start_on=date(2027, 1, 1)),
            )
        ]
        late = judge(RULE, PLACED, {**MEMBERS, DORSET: date(2026, 3, 2)})

        assert said == [
            "Children and family are of one agency: an in-house placement swaps nothing.",
            "One of the two agencies isn’t in the swap group.",
            "31 December 2025 isn’t in the group’s period.",
            "1 January 2027 isn’t in the group’s period.",
        ]
        assert late.words == "One of the two agencies had not agreed to the group’s rules by 1 March 2026."
        assert judge(RULE, PLACED, {**MEMBERS, DORSET: date(2026, 3, 1)}).fires

    def test_lets_a_leg_fall_away_or_stand_when_its_placement_disrupts(self) -> None:
        disrupted = replace(PLACED, disrupted_on=date(2026, 6, 4))

        found = judge(RULE, disrupted, MEMBERS)

        assert not found.fires
        assert found.words == "It met the rule, and fell away when the placement disrupted on 4 June 2026."
        assert judge(replace(RULE, disruption=Disruption.STANDS), disrupted, MEMBERS).fires

    @given(st.lists(st.integers(0, 60), min_size=1, max_size=4), st.sampled_from(Basis))
    def test_never_fires_for_an_older_child_alone_and_always_gives_a_reason(
        self, months: list[int], basis: Basis
    ) -> None:
        found = judge(replace(RULE, basis=basis), replace(PLACED, ages=ages(*months)), MEMBERS)

        counted = min(months) if basis is Basis.YOUNGEST else max(months)
        assert found.fires is (counted < 36)
        assert found.words.endswith(".")


class TestSayAge:
    @pytest.mark.parametrize(
        ("months", "words"),
        [(0, "under a month"), (1, "1 month"), (12, "1 year"), (23, "1 year 11 months"), (36, "3 years")],
    )
    def test_says_years_and_months(self, months: int, words: str) -> None:
        assert say_age(months) == words
