"""Rank households for sibling groups: same inputs, same policy, same list, on every machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.ranking.criterion import GATES
from matching.ranking.criterion.where import DistanceLine, ExclusionLine
from matching.ranking.facts import GroupFacts, HouseholdFacts, PairPlace
from matching.ranking.kernel import rank_block
from matching.ranking.places import BAND_CODES, EXCLUSION_CODES, Places, unknown_places
from matching.ranking.policy import RankingPolicy, default_policy
from matching.ranking.standing import BANDS, Band, Standing
from matching.ranking.table import Table, make_table

_WORTH_SPLITTING = 200_000
"""Pairs below which a second thread costs more than it saves."""


@dataclass(frozen=True, slots=True)
class RankedFamily:
    """One line of a list: the household's code and position in the register, its points and its band."""

    position: int
    household: int
    code: str
    points: int
    band: Band
    questions: int
    need_questions: int


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """One line of a household's list: the group's code and position in the register, and how the household fits."""

    position: int
    group: int
    code: str
    points: int
    band: Band
    questions: int
    need_questions: int


@dataclass(frozen=True, slots=True)
class GateCount:
    """How many households pass, are a question at, or fail one gate for one group."""

    gate: str
    passed: int
    asked: int
    failed: int


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Every group's list, as arrays in the order of the facts: G groups, T = top, one column per gate."""

    groups: tuple[str, ...]
    households: tuple[str, ...]
    index: NDArray[np.int32]
    """[G, T]: positions of households, best first; -1 past the end of a list."""
    points: NDArray[np.int16]
    band: NDArray[np.int8]
    """[G, T]: codes into ``BANDS``; -1 past the end."""
    questions: NDArray[np.int16]
    need_questions: NDArray[np.int16]
    families: NDArray[np.int32]
    """[G]: how many households no gate bars, listed or not."""
    counts: NDArray[np.int32]
    """[G, gates, 3]: households that pass, are a question, fail; gates in the order of ``GATES``."""
    group_order: NDArray[np.int64]
    """[G]: longest waiting first, then by code."""

    def families_of(self, group: int) -> Iterator[RankedFamily]:
        """Yield a group's list, best first."""
        for k, household in enumerate(self.index[group].tolist()):
            if household < 0:
                return
            yield RankedFamily(
                position=k + 1,
                household=household,
                code=self.households[household],
                points=int(self.points[group, k]),
                band=BANDS[int(self.band[group, k])],
                questions=int(self.questions[group, k]),
                need_questions=int(self.need_questions[group, k]),
            )

    def groups_of(self, household: int) -> tuple[RankedGroup, ...]:
        """Return the groups on whose lists a household stands, by its fit; rank with no ``top`` to have them all."""
        groups, at = np.nonzero(self.index == household)
        questions = self.questions[groups, at]
        best = np.lexsort((self.group_order[groups], questions, -self.points[groups, at].astype(np.int64)))
        return tuple(
            RankedGroup(
                position=position + 1,
                group=g,
                code=self.groups[g],
                points=int(self.points[g, k]),
                band=BANDS[int(self.band[g, k])],
                questions=int(self.questions[g, k]),
                need_questions=int(self.need_questions[g, k]),
            )
            for position, (g, k) in enumerate(zip(groups[best].tolist(), at[best].tolist(), strict=True))
        )

    def gates_of(self, group: int) -> tuple[GateCount, ...]:
        """Return how many households each gate lets by, leaves open and holds back for a group."""
        return tuple(GateCount(gate, *(int(count) for count in self.counts[group, k])) for k, gate in enumerate(GATES))


def rank(
    groups: Sequence[GroupFacts],
    households: Sequence[HouseholdFacts],
    places: Places,
    policy: RankingPolicy,
    as_of: date,
    top: int | None = None,
) -> Ranking:
    """Return each group's best households: points, then fewer questions, then longer waiting, then code.

    :raises PlacesInvalid: when the places do not fit the register.
    :raises RegisterInvalid: when two records have one code.
    """
    return rank_table(make_table(groups, households, policy=policy, as_of=as_of), places, top=top)


def rank_table(table: Table, places: Places, *, top: int | None = None) -> Ranking:
    """Return the ranking of a table that is already made; ``top`` households a group, or all.

    :raises PlacesInvalid: when the places do not fit the table.
    """
    groups, households = len(table.groups), len(table.households)
    places.check(groups, households)
    most = households if top is None else max(0, min(top, households))
    best = np.full((groups, most), -1, dtype=np.int64)
    families = np.zeros(groups, dtype=np.int32)
    fails = np.zeros((groups, len(GATES)), dtype=np.int32)
    asks = np.zeros_like(fails)
    _run(table, places, best, families, fails, asks)
    return _read(table, best, families, fails, asks)


def warm() -> None:
    """Compile, or load from the cache, what ranking needs, so that the first person to ask does not wait."""
    rank((), (), unknown_places(0, 0), default_policy(), date(2000, 1, 1))


def _run(
    table: Table,
    places: Places,
    best: NDArray[np.int64],
    families: NDArray[np.int32],
    fails: NDArray[np.int32],
    asks: NDArray[np.int32],
) -> None:
    policy, entries = table.policy, table.entries
    distance, exclusion = DistanceLine(), ExclusionLine()
    distances = [distance.judge(PairPlace(band=band)) for band in BAND_CODES]
    exclusions = [exclusion.judge(PairPlace(exclusion=code)) for code in EXCLUSION_CODES]
    arguments: tuple[Any, ...] = (
        table.starts,
        *(entries[name] for name in ("rows", "offset", "column", "gate", "bars")),
        *(entries[name] for name in ("ends_line", "weight", "share", "is_need")),
        table.base,
        table.cells,
        table.codes,
        table.fail_bits,
        table.ask_bits,
        table.valid,
        np.ascontiguousarray(places.band),
        np.ascontiguousarray(places.exclusion),
        policy.weight("distance"),
        np.array(distances, dtype=np.int8),
        np.array(exclusions, dtype=np.int8),
        np.array([policy.credit_of(standing) for standing in Standing], dtype=np.int64),
        table.order,
        best,
        families,
        fails,
        asks,
    )
    bounds = _blocks(len(table.groups), len(table.households))
    if len(bounds) == 1:
        rank_block(*bounds[0], *arguments)
        return
    with ThreadPoolExecutor(len(bounds)) as pool:
        for _ in pool.map(lambda block: rank_block(*block, *arguments), bounds):
            pass


def _blocks(groups: int, households: int) -> list[tuple[int, int]]:
    """Return blocks of groups, one per processor; every block writes rows of its own, so the split changes nothing."""
    workers = 1 if groups * households < _WORTH_SPLITTING else min(groups, _processors())
    edges = [groups * k // workers for k in range(workers + 1)]
    return list(pairwise(edges))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read(
    table: Table,
    best: NDArray[np.int64],
    families: NDArray[np.int32],
    fails: NDArray[np.int32],
    asks: NDArray[np.int32],
) -> Ranking:
    """Take the sort keys apart again."""
    there = best >= 0
    by_order = np.empty(len(table.households), dtype=np.int32)
    by_order[table.order] = np.arange(len(table.households), dtype=np.int32)
    order = np.where(there, 0xFFFFFFFF - ((best >> 8) & 0xFFFFFFFF), 0)
    index = np.where(there, by_order[order] if by_order.size else -1, -1).astype(np.int32)
    points = np.where(there, best >> 48, 0).astype(np.int16)
    questions = np.where(there, 255 - ((best >> 40) & 0xFF), 0).astype(np.int16)
    need_questions = np.where(there, best & 0xFF, 0).astype(np.int16)
    band = np.full(best.shape, len(BANDS) - 1, dtype=np.int8)
    for code, rule in reversed(list(enumerate(table.policy.bands.values()))):
        fits = (points >= rule.points) & (questions <= rule.questions) & (need_questions <= rule.need_questions)
        band[fits] = code
    counts = np.stack([len(table.households) - asks - fails, asks, fails], axis=2)
    return Ranking(
        groups=table.groups,
        households=table.households,
        index=index,
        points=points,
        band=np.where(there, band, -1).astype(np.int8),
        questions=questions,
        need_questions=need_questions,
        families=families,
        counts=counts,
        group_order=table.group_order,
    )
