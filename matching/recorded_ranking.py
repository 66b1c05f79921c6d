"""A recorded ranking, read again: the lines that were kept, with the reasons as they were that day.

Reasons come from the run's own snapshot. Which records may be named is asked afresh: what has been held back, barred or
withdrawn from this scope since is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.household import Household
from matching.need import need_catalogue
from matching.ranking.explain import PairExplanation, explain
from matching.ranking.snapshot import Snapshot, SnapshotOfAnotherCatalogue
from matching.ranking_run import RankingLine, RankingRun, RunUnknown, open_snapshot, record_look
from matching.sibling_group import SiblingGroup
from matching.stretch import Stretch, read_stretch

_Record = TypeVar("_Record", SiblingGroup, Household)


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """One household on one group's recorded list, with why."""

    group: SiblingGroup
    household: Household
    position: int
    explanation: PairExplanation


def get_run(session: Session, run_id: UUID) -> RankingRun:
    """Return a recorded run of the scope's agency.

    :raises RunUnknown: when there is none.
    """
    run = session.get(RankingRun, run_id)
    if run is None:
        raise RunUnknown("There is no such ranking in your agency.")
    return run


def read_lines(
    session: Session, run: RankingRun, *, after: Sequence[object] | None, limit: int, now: datetime
) -> Stretch[RecordedLine]:
    """Return lines of a run by group and position, with reasons; the look is put on record for each group's owner.

    :raises SnapshotOfAnotherCatalogue: when this release's needs are not those the run used.
    :raises PlaceInvalid: when the place is none of this list's.
    """
    snapshot = open_snapshot(session, run.id)
    if snapshot.catalogue_version != need_catalogue().version:
        raise SnapshotOfAnotherCatalogue(
            f"This ranking used need catalogue {snapshot.catalogue_version}, which this release does not have. "
            "Rank again."
        )
    query = select(RankingLine).where(RankingLine.ranking_run_id == run.id)
    order = (RankingLine.sibling_group_id.asc(), RankingLine.position.asc())
    found = read_stretch(session, query, order, after=after, limit=limit)
    groups = _seen(session, SiblingGroup, {line.sibling_group_id for line in found.shown})
    households = _seen(session, Household, {line.household_id for line in found.shown})
    for group in groups.values():
        record_look(session, "sibling_group", group.id, group.agency_id, now=now)
    explained = _Explained(snapshot)
    lines = (
        RecordedLine(
            group=groups[line.sibling_group_id],
            household=households[line.household_id],
            position=line.position,
            explanation=explained.pair(line.sibling_group_id, line.household_id),
        )
        for line in found.shown
        if line.sibling_group_id in groups and line.household_id in households
    )
    return Stretch(tuple(lines), found.end)


class _Explained:
    """Explains the pairs of a snapshot by their ids."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._groups = {facts.id: place for place, facts in enumerate(snapshot.groups)}
        self._households = {facts.id: place for place, facts in enumerate(snapshot.households)}

    def pair(self, group_id: UUID, household_id: UUID) -> PairExplanation:
        group, household, made = self._groups[group_id], self._households[household_id], self._snapshot
        return explain(
            made.groups[group], made.households[household], made.places.pair(group, household), made.policy, made.as_of
        )


def _seen(session: Session, model: type[_Record], ids: set[UUID]) -> dict[UUID, _Record]:
    return {each.id: each for each in session.scalars(select(model).where(model.id.in_(ids)))}
