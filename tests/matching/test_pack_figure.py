"""The figures of a pack: every group and household is counted where it belongs, none twice, none lost."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.pack_content import Figures, Named
from matching.pack_figure import MOST_NAMED, NOT_KNOWN, figures_of
from matching.ranking.facts import ChildFacts, GroupFacts, HouseholdFacts, Sex
from matching.ranking.places import unknown_places
from matching.ranking.policy import default_policy
from matching.ranking_run import Pool
from matching.small_number import LEAST_COUNT

AS_OF = date(2026, 11, 23)
OURS, THEIRS = uuid4(), uuid4()
NAMES = {OURS: "Devon", THEIRS: "Plymouth"}


class TestFiguresOf:
    @pytest.mark.parametrize(
        ("days", "band"),
        [
            (0, "Under 3 months"),
            (90, "Under 3 months"),
            (91, "3 to 6 months"),
            (364, "6 to 12 months"),
            (365, "12 to 18 months"),
            (9_999, "18 months and over"),
            (None, NOT_KNOWN),
        ],
    )
    def test_counts_by_how_long_they_wait(self, days: int | None, band: str) -> None:
        since = None if days is None else AS_OF - timedelta(days=days)

        bars = _figures([_group(waiting_since=since)], []).waiting

        assert [(bar.label, bar.all, bar.own) for bar in bars if bar.all] == [(band, 1, 1)]

    @pytest.mark.parametrize(
        ("born", "band"),
        [((2026, 11), "Under 1"), ((2025, 11), "1 and 2"), ((2021, 12), "3 and 4"), ((2016, 1), "10 and over")],
    )
    def test_counts_groups_by_the_eldest(self, born: tuple[int, int], band: str) -> None:
        children = (_child(date(*born, 1)), _child(date(2026, 11, 1)))

        bars = _figures([_group(children=children)], []).ages

        assert [bar.label for bar in bars if bar.groups] == [band]

    def test_counts_a_household_in_each_band_it_is_approved_for(self) -> None:
        bars = _figures([], [_household(age_from_months=12, age_to_months=83, fewest_children=1, most_children=2)])

        assert [bar.label for bar in bars.ages if bar.households] == ["1 and 2", "3 and 4", "5 and 6"]
        assert [bar.label for bar in bars.sizes if bar.households] == ["1 child", "2 children"]

    def test_counts_who_has_not_said_as_not_known_and_nowhere_else(self) -> None:
        figures = _figures([_group(children=())], [_household()])

        for bars in (figures.ages, figures.sizes):
            told = [(bar.label, bar.groups, bar.households) for bar in bars if bar.groups or bar.households]
            assert told == [(NOT_KNOWN, 1, 1)]

    def test_leaves_out_not_known_where_all_is_known(self) -> None:
        figures = _figures([_group(waiting_since=AS_OF)], [])

        assert NOT_KNOWN not in {bar.label for bar in figures.waiting} | {bar.label for bar in figures.sizes}

    def test_names_the_households_on_most_lists(self) -> None:
        groups = [_group() for _ in range(5)]
        households = [
            _household(code="H-1", agency_id=THEIRS),
            _household(code="H-2", age_from_months=120, age_to_months=180),
        ]

        figures = _figures(groups, households)

        assert figures.named == (Named("H-1", "Plymouth", own=False, lists=5),)
        assert figures.never == 1

    @pytest.mark.parametrize(("owner", "named"), [(OURS, 1), (THEIRS, 0)])
    def test_names_others_from_five_lists_on(self, owner: UUID, named: int) -> None:
        assert len(_figures([_group() for _ in range(4)], [_household(agency_id=owner)]).named) == named

    def test_names_ten_at_most(self) -> None:
        groups, households = [_group() for _ in range(9)], [_household() for _ in range(5)]

        figures = _figures(groups, households)

        assert len(figures.named) <= MOST_NAMED
        assert [each.lists for each in figures.named] == sorted((each.lists for each in figures.named), reverse=True)

    @given(
        groups=st.lists(st.tuples(st.dates(), st.dates(max_value=AS_OF), st.booleans()), max_size=12),
        households=st.integers(0, 4),
    )
    def test_counts_every_group_once(self, groups: list[tuple[date, date, bool]], households: int) -> None:
        made = [
            _group(waiting_since=since, children=(_child(born.replace(day=1)),), agency_id=OURS if own else THEIRS)
            for since, born, own in groups
        ]

        figures = _figures(made, [_household() for _ in range(households)])

        assert sum(bar.own for bar in figures.waiting) == sum(own for _, _, own in groups)
        for told in (
            [bar.all for bar in figures.waiting],
            [bar.groups for bar in figures.ages],
            [bar.groups for bar in figures.sizes],
        ):
            left = len(groups) - sum(count for count in told if count is not None)
            assert left == 0 if None not in told else left > 0

    @given(st.lists(st.tuples(st.sampled_from([1, 100, 400, None]), st.booleans()), max_size=40))
    def test_tells_no_count_that_points_at_a_few_of_others(self, groups: list[tuple[int | None, bool]]) -> None:
        made = [
            _group(
                waiting_since=None if days is None else AS_OF - timedelta(days=days), agency_id=OURS if own else THEIRS
            )
            for days, own in groups
        ]

        bars = _figures(made, []).waiting

        told = [bar.all - bar.own for bar in bars if bar.all is not None]
        hidden = sum(not own for _, own in groups) - sum(told)
        assert not [others for others in told if 0 < others < LEAST_COUNT]
        # What is left follows from the total: of nobody, of enough, or all that there is of others.
        assert hidden == 0 or hidden >= LEAST_COUNT or not any(told)

    def test_tells_how_many_are_ones_own_however_few(self) -> None:
        figures = _figures([_group(waiting_since=AS_OF) for _ in range(2)], [_household()])

        assert [(bar.all, bar.own) for bar in figures.waiting if bar.own] == [(2, 2)]
        assert figures.ages[1].groups == 2

    def test_keeps_the_bar_of_what_is_not_known_where_it_is_not_told(self) -> None:
        figures = _figures([_group(agency_id=THEIRS, children=())], [])

        assert [(bar.label, bar.groups) for bar in figures.sizes if bar.groups is None] == [(NOT_KNOWN, None)]


def _figures(groups: list[GroupFacts], households: list[HouseholdFacts]) -> Figures:
    pool = Pool(
        groups=(),
        households=(),
        group_facts=tuple(groups),
        household_facts=tuple(households),
        places=unknown_places(len(groups), len(households)),
        household_cap=3,
        policy=default_policy(),
        as_of=AS_OF,
    )
    return figures_of(pool, pool.rank(5), own=OURS, agencies=NAMES)


def _group(**facts: Any) -> GroupFacts:
    plain: dict[str, Any] = {"id": uuid4(), "agency_id": OURS, "children": (_child(date(2024, 1, 1)),)}
    told = plain | facts
    return GroupFacts(**{"code": f"G-{told['id']}"} | told)


def _child(born: date) -> ChildFacts:
    return ChildFacts(birth_month=born, sex=Sex.FEMALE, needs={})


def _household(**facts: Any) -> HouseholdFacts:
    plain: dict[str, Any] = {"id": uuid4(), "agency_id": OURS}
    told = plain | facts
    return HouseholdFacts(**{"code": f"H-{told['id']}"} | told)
