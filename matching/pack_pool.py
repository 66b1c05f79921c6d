"""The whole pool as a pack tells it: the best assignment beside the one in turn, and who never sees a family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from matching.pack_content import Assigned, AssignedBy, Seen, WholePool
from matching.pool_view import PoolPair, PoolPairs, PoolView, read_pool_view
from matching.ranking.engine import Ranking
from matching.ranking.standing import BANDS
from matching.ranking_run import Pool

BEST = "Most groups first, then the best fit, then the longest waiting"
IN_TURN = "Each group in turn, longest waiting first, takes its best"


def pool_words(pool: Pool, whole: Ranking, *, own: UUID | None) -> WholePool:
    """Return the pool with the pairs of an agency's own records; without ``own``, with those of every group."""
    view = read_pool_view(pool, whole)
    return WholePool(
        ways=(_way(BEST, view.best), _way(IN_TURN, view.in_turn)),
        assigned=tuple(_assigned(pool, view, own)),
        seen=tuple(
            Seen(kind=table.title, label=row.label, groups=row.groups, unseen=row.unseen)
            for table in view.equity
            for row in table.rows
            # Of a kind that nobody is of there is nothing to say; one of which too few are is told as that.
            if row.groups != 0
        ),
        share=view.concentration.share,
    )


def _way(words: str, found: PoolPairs) -> AssignedBy:
    bands = Counter(pair.band for pair in found.pairs)
    return AssignedBy(way=words, groups=len(found.pairs), bands=tuple((band.value, bands[band]) for band in BANDS))


def _assigned(pool: Pool, view: PoolView, own: UUID | None) -> Iterable[Assigned]:
    best, in_turn = ({pair.group.id: pair for pair in way.pairs} for way in (view.best, view.in_turn))
    for group in pool.groups:
        if own in (None, group.agency_id):
            found = _to(best.get(group.id)), _to(in_turn.get(group.id))
            if own is not None or found[0] != found[1]:
                yield Assigned(group=group.code, household=None, best=found[0], in_turn=found[1])
    best, in_turn = ({pair.household.id: pair for pair in way.pairs} for way in (view.best, view.in_turn))
    for household in pool.households:
        if household.agency_id == own:
            yield Assigned(
                group=None,
                household=household.code,
                best=_from(best.get(household.id)),
                in_turn=_from(in_turn.get(household.id)),
            )


def _to(pair: PoolPair | None) -> tuple[str, str] | None:
    return None if pair is None else (pair.household.code, pair.band.value)


def _from(pair: PoolPair | None) -> tuple[str, str] | None:
    return None if pair is None else (pair.group.code, pair.band.value)
