"""Assignments over a whole pool, against every assignment there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matching.ranking.assignment import Assignment, assign_best, assign_in_turn
from matching.ranking.criterion import GATES
from matching.ranking.engine import Ranking
from tests.matching.ranking.registers import tried

Fits = tuple[tuple[int | None, ...], ...]
"""Points of each group (row) and household (column); None where a gate bars the pair."""

fits = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda size: st.lists(
        st.lists(st.none() | st.integers(0, 6), min_size=size[1], max_size=size[1]).map(tuple),
        min_size=size[0],
        max_size=size[0],
    ).map(tuple)
)


class TestAssignBest:
    @tried(300)
    @given(pool=fits, waited=st.lists(st.none() | st.integers(0, 3), min_size=4, max_size=4))
    def test_is_the_best_of_all_that_there_are(self, pool: Fits, waited: list[int | None]) -> None:
        days = waited[: len(pool)]

        found = assign_best(ranking_of(pool, days), days)

        check(found, pool)
        assert worth(found) == max((len(pairs), points_of(pairs, pool), days_of(pairs, days)) for pairs in every(pool))

    @tried(100)
    @given(pool=fits, seed=st.randoms(use_true_random=False))
    def test_is_the_same_in_whatever_order_the_records_come(self, pool: Fits, seed: object) -> None:
        groups, households = list(range(len(pool))), list(range(len(pool[0]) if pool else 0))
        seed.shuffle(groups)  # type: ignore[attr-defined]
        seed.shuffle(households)  # type: ignore[attr-defined]
        days = [0] * len(pool)

        as_given = codes(assign_best(ranking_of(pool, days), days), ranking_of(pool, days))
        mixed = ranking_of(pool, days, groups, households)

        assert codes(assign_best(mixed, days), mixed) == as_given

    def test_puts_one_more_group_before_any_points(self) -> None:
        pool: Fits = ((6, 1), (5, None))

        assert pairs_of(assign_best(ranking_of(pool, [9, 1]), [9, 1])) == {(0, 1), (1, 0)}

    def test_puts_one_point_before_any_wait(self) -> None:
        pool: Fits = ((3,), (4,))

        assert pairs_of(assign_best(ranking_of(pool, [6000, 1]), [6000, 1])) == {(1, 0)}

    def test_lets_the_longer_wait_settle_equal_points(self) -> None:
        pool: Fits = ((4,), (4,))

        assert pairs_of(assign_best(ranking_of(pool, [10, 11]), [10, 11])) == {(1, 0)}

    def test_takes_a_pool_with_nobody_in_it(self) -> None:
        assert assign_best(ranking_of((), []), []) == Assignment(pairs=(), days=0)
        assert assign_best(ranking_of(((), ()), [1, 2]), [1, 2]) == Assignment(pairs=(), days=0)


class TestAssignInTurn:
    @tried(100)
    @given(pool=fits, waited=st.lists(st.none() | st.integers(0, 3), min_size=4, max_size=4))
    def test_gives_each_group_in_turn_the_best_that_is_left(self, pool: Fits, waited: list[int | None]) -> None:
        days = waited[: len(pool)]

        found = assign_in_turn(ranking_of(pool, days), days)

        check(found, pool)
        taken: set[int] = set()
        expected = set()
        for group in sorted(range(len(pool)), key=lambda g: (-(days[g] or 0), g)):
            left = [h for h, points in enumerate(pool[group]) if points is not None and h not in taken]
            if left:
                best = max(left, key=lambda h: (pool[group][h], -h))
                taken.add(best)
                expected.add((group, best))
        assert pairs_of(found) == expected

    @tried(100)
    @given(pool=fits)
    def test_is_never_better_than_the_best(self, pool: Fits) -> None:
        days = [1] * len(pool)

        assert worth(assign_in_turn(ranking_of(pool, days), days)) <= worth(assign_best(ranking_of(pool, days), days))


def ranking_of(
    pool: Fits,
    days: Sequence[int | None],
    groups: Sequence[int] | None = None,
    households: Sequence[int] | None = None,
) -> Ranking:
    """Return the whole lists that these points make, with the records in the order given."""
    groups = list(range(len(pool))) if groups is None else groups
    households = list(range(len(pool[0]) if pool else 0)) if households is None else households
    index = np.full((len(groups), len(households)), -1, dtype=np.int32)
    points = np.zeros(index.shape, dtype=np.int16)
    for row, group in enumerate(groups):
        found = [(-(pool[group][h] or 0), h, at) for at, h in enumerate(households) if pool[group][h] is not None]
        for line, (worse, _, at) in enumerate(sorted(found)):
            index[row, line], points[row, line] = at, -worse
    order = sorted(range(len(groups)), key=lambda row: (-(days[row] or 0), groups[row]))
    none = np.zeros(index.shape, dtype=np.int16)
    return Ranking(
        groups=tuple(f"G-{group}" for group in groups),
        households=tuple(f"H-{household}" for household in households),
        index=index,
        points=points,
        band=none.astype(np.int8),
        questions=none,
        need_questions=none,
        families=(index >= 0).sum(axis=1).astype(np.int32),
        counts=np.zeros((len(groups), len(GATES), 3), dtype=np.int32),
        group_order=np.argsort(order).astype(np.int64) if order else np.zeros(0, dtype=np.int64),
    )


def every(pool: Fits) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield every assignment of a small pool."""

    def go(group: int, taken: frozenset[int]) -> Iterator[tuple[tuple[int, int], ...]]:
        if group == len(pool):
            yield ()
            return
        yield from go(group + 1, taken)
        for household, points in enumerate(pool[group]):
            if points is not None and household not in taken:
                for rest in go(group + 1, taken | {household}):
                    yield ((group, household), *rest)

    return go(0, frozenset())


def check(found: Assignment, pool: Fits) -> None:
    """No record twice, no barred pair, and the points are the pool's."""
    pairs = [(pair.group, pair.family.household) for pair in found.pairs]
    assert len({g for g, _ in pairs}) == len({h for _, h in pairs}) == len(pairs)
    assert [pool[g][h] for g, h in pairs] == [pair.family.points for pair in found.pairs]


def pairs_of(found: Assignment) -> set[tuple[int, int]]:
    return {(pair.group, pair.family.household) for pair in found.pairs}


def codes(found: Assignment, ranking: Ranking) -> set[tuple[str, str]]:
    return {(ranking.groups[pair.group], pair.family.code) for pair in found.pairs}


def worth(found: Assignment) -> tuple[int, int, int]:
    return len(found.pairs), found.points, found.days


def points_of(pairs: tuple[tuple[int, int], ...], pool: Fits) -> int:
    return sum(pool[g][h] or 0 for g, h in pairs)


def days_of(pairs: tuple[tuple[int, int], ...], days: Sequence[int | None]) -> int:
    return sum(days[g] or 0 for g, _ in pairs)
