from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from matching.swap.balance import Balance, Leg, LegState, agency_balances, pair_balances, settle
from matching.swap.rule import Follow, SwapRule

A, B, C = (UUID(int=k) for k in (1, 2, 3))
FIRST = date(2026, 1, 1)
RULE = SwapRule(begins_on=FIRST, ends_on=date(2026, 12, 31))
FEE = replace(RULE, follow=Follow.STANDARD_FEE, follow_months=6)


def leg(tail: UUID, head: UUID, days: int, children: int = 1) -> Leg:
    return Leg(UUID(int=1000 + days), tail, head, FIRST + timedelta(days=days), children, "It fired.")


LEGS = st.lists(
    st.tuples(st.sampled_from([A, B, C]), st.sampled_from([A, B, C]), st.integers(1, 3)).filter(lambda e: e[0] != e[1]),
    max_size=12,
).map(lambda found: [leg(tail, head, days, children) for days, (tail, head, children) in enumerate(found)])


def states(rule: SwapRule, legs: Sequence[Leg], on: date = FIRST) -> list[LegState]:
    return [standing.state for standing in settle(rule, legs, on=on)]


class TestPairBalances:
    def test_are_the_same_from_both_sides(self) -> None:
        found = pair_balances([leg(A, B, 1, 2), leg(B, A, 2), leg(A, B, 3)])

        assert found[A, B] == Balance(placements_out=2, placements_in=1, children_out=3, children_in=1)
        assert (found[A, B].placements, found[A, B].children) == (-1, -2)
        assert found[B, A] == Balance(placements_out=1, placements_in=2, children_out=1, children_in=3)

    @given(LEGS)
    def test_mirror_each_other_and_add_up(self, legs: list[Leg]) -> None:
        pairs = pair_balances(legs)
        whole = agency_balances(legs, (A, B, C))

        assert all(pairs[b, a].placements == -each.placements for (a, b), each in pairs.items())
        assert all(pairs[b, a].children_out == each.children_in for (a, b), each in pairs.items())
        for agency in (A, B, C):
            mine = [each for (a, _), each in pairs.items() if a == agency]
            assert whole[agency].placements == sum(each.placements for each in mine)
            assert whole[agency].children == sum(each.children for each in mine)
        assert sum(each.placements for each in whole.values()) == 0

    def test_of_nothing_are_nothing(self) -> None:
        assert pair_balances([]) == {}
        assert agency_balances([], [A]) == {A: Balance()}


class TestSettle:
    def test_sets_a_pair_off(self) -> None:
        assert states(RULE, [leg(A, B, 1), leg(B, A, 2)]) == [LegState.BALANCED] * 2

    def test_sets_a_ring_of_three_off(self) -> None:
        assert states(RULE, [leg(A, B, 1), leg(B, C, 2), leg(C, A, 3)]) == [LegState.BALANCED] * 3

    def test_leaves_open_what_nothing_balances_and_waits_for_none(self) -> None:
        first, second = leg(A, B, 1), leg(A, B, 2)

        found = settle(RULE, [second, first, leg(C, A, 3)], on=FIRST)

        assert [(each.leg.on, each.state) for each in found[:2]] == [
            (first.on, LegState.BALANCED),
            (second.on, LegState.OPEN),
        ]
        assert found[0].by == leg(C, A, 3)

    def test_carries_forward_at_the_end_of_the_period(self) -> None:
        assert states(RULE, [leg(A, B, 1)], date(2026, 12, 31)) == [LegState.OPEN]
        assert states(RULE, [leg(A, B, 1)], date(2027, 1, 1)) == [LegState.CARRIED]

    def test_says_from_when_the_standard_fee_is_due(self) -> None:
        (before,) = settle(FEE, [leg(A, B, 30)], on=date(2026, 7, 30))
        (due,) = settle(FEE, [leg(A, B, 30)], on=date(2026, 7, 31))

        assert (before.state, before.since) == (LegState.OPEN, date(2026, 7, 31))
        assert "due on 31 July 2026" in before.words
        assert (due.state, due.since) == (LegState.FEE_DUE, date(2026, 7, 31))
        assert "in 6 months" in due.words

    @given(LEGS)
    def test_leaves_as_many_open_as_the_balance_says(self, legs: list[Leg]) -> None:
        found = settle(RULE, legs, on=FIRST)

        for agency, balance in agency_balances(legs, (A, B, C)).items():
            open_ = [each for each in found if each.leg.children_agency_id == agency and each.by is None]
            assert len(open_) == max(0, -balance.placements)
        used = [each.by.id for each in found if each.by]
        assert len(used) == len(set(used))
