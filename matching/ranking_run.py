"""Rank what a scope may see, show why, and keep what makes each recorded run again exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import insert as plain_insert
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching import household as households
from matching import sibling_group as groups
from matching.availability import Availability, availability_of, household_cap
from matching.bar import barred_ids
from matching.household import Household
from matching.place import places_version
from matching.pool import pooled_here
from matching.probing import ask_places
from matching.ranking.engine import RankedFamily, Ranking, rank
from matching.ranking.explain import PairExplanation, explain
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.places import Places
from matching.ranking.policy import RankingPolicy, default_policy
from matching.ranking.snapshot import Snapshot, digest, from_bytes, take_snapshot, to_bytes
from matching.sibling_group import SiblingGroup
from matching.sibling_placement import find_sibling_household_code
from tenants import audit
from tenants.base import Base, Id
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import NotFound

_PAIR_PLACES = text("SELECT bands, exclusions FROM pair_places(:groups, :households)")


class RankingSnapshot(Base):
    """What runs were made from, sealed; one row for each state of the pool that an agency ranked."""

    __tablename__ = "ranking_snapshot"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    row_id: Mapped[UUID]
    sealed: Mapped[bytes]


class RankingRun(Base):
    """One recorded ranking, with the versions of everything that decided it."""

    __tablename__ = "ranking_run"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    consortium_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    made_at: Mapped[datetime]
    as_of: Mapped[date]
    policy_version: Mapped[str]
    catalogue_version: Mapped[str]
    places_version: Mapped[str]
    code_version: Mapped[str]
    snapshot_digest: Mapped[bytes]
    groups: Mapped[int]
    households: Mapped[int]


class RankingLine(Base):
    """One household on one group's recorded list."""

    __tablename__ = "ranking_line"

    ranking_run_id: Mapped[UUID] = mapped_column(primary_key=True)
    sibling_group_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    household_id: Mapped[UUID]
    points: Mapped[int]


class RunUnknown(NotFound):
    """No such run is this agency's."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One household on one group's list, with why."""

    group: SiblingGroup
    household: Household
    position: int
    availability: Availability
    explanation: PairExplanation


@dataclass(frozen=True, slots=True)
class FamilyList:
    """A group's list as it was kept: how many households no gate bars, and the best of them.

    ``sibling_household`` is the code of the household that a brother or sister lives with, for who may know of it:
    it is asked first, listed or not (guidance 4.12).
    """

    run: RankingRun
    families: int
    best: tuple[Pairing, ...]
    sibling_household: str | None


@dataclass(frozen=True, slots=True)
class Pool:
    """Groups and households as one scope sees them on one day, ready to be ranked."""

    groups: tuple[SiblingGroup, ...]
    households: tuple[Household, ...]
    group_facts: tuple[GroupFacts, ...]
    household_facts: tuple[HouseholdFacts, ...]
    places: Places
    policy: RankingPolicy
    as_of: date
    household_cap: int
    """For how many groups a household may be considered at once; the ranking does not read it."""

    def rank(self, top: int | None = None) -> Ranking:
        """Return every group's list of at most ``top`` households."""
        return rank(self.group_facts, self.household_facts, self.places, self.policy, self.as_of, top)

    def explain(self, group: int, household: int) -> PairExplanation:
        """Return one pair's gates, points and words, by the two positions."""
        return explain(
            self.group_facts[group],
            self.household_facts[household],
            self.places.pair(group, household),
            self.policy,
            self.as_of,
        )

    def availability(self, household: int) -> Availability:
        """Return how busy a household is, by its position."""
        return availability_of(self.households[household].considered_for, cap=self.household_cap)

    def pairing(self, group: int, family: RankedFamily) -> Pairing:
        """Return one line of a list with its reasons."""
        return Pairing(
            group=self.groups[group],
            household=self.households[family.household],
            position=family.position,
            availability=self.availability(family.household),
            explanation=self.explain(group, family.household),
        )


def open_pool(
    session: Session,
    *,
    as_of: date,
    of_groups: Sequence[SiblingGroup] | None = None,
    of_households: Sequence[Household] | None = None,
    policy: RankingPolicy | None = None,
    members_only: bool = False,
) -> Pool:
    """Return the pool that this scope sees: all that wait, or the records given.

    ``members_only`` leaves out what other consortia share nationally: a meeting is of this one's members.
    """
    found_groups = groups.list_waiting_groups(session) if of_groups is None else list(of_groups)
    found_households = households.list_waiting_households(session) if of_households is None else list(of_households)
    if members_only:
        there, own = pooled_here(session), scope_of(session).agency_id
        found_groups = [each for each in found_groups if each.agency_id == own or each.id in there]
        found_households = [each for each in found_households if each.agency_id == own or each.id in there]
    return Pool(
        groups=tuple(found_groups),
        households=tuple(found_households),
        group_facts=tuple(groups.facts_of(session, found_groups)),
        household_facts=tuple(households.facts_of(session, found_households)),
        places=_places(session, found_groups, found_households),
        policy=policy or default_policy(),
        as_of=as_of,
        household_cap=household_cap(session),
    )


def families_for(session: Session, group: SiblingGroup, *, as_of: date, top: int, now: datetime) -> FamilyList:
    """Return a group's list, best first, with reasons; the run is kept, and the look put on record."""
    pool = open_pool(session, as_of=as_of, of_groups=[group])
    ranking = pool.rank(top)
    run = record_run(session, pool, ranking, now=now)
    record_look(session, "sibling_group", group.id, group.agency_id, now=now)
    return FamilyList(
        run=run,
        families=int(ranking.families[0]),
        best=tuple(pool.pairing(0, family) for family in ranking.families_of(0)),
        sibling_household=find_sibling_household_code(session, group),
    )


def why(session: Session, group: SiblingGroup, household: Household, *, as_of: date, now: datetime) -> PairExplanation:
    """Return why a household is, or is not, on a group's list; the look is put on record for both owners.

    :raises AskedTooOften: when the agency has asked too much of others' places in a day.
    """
    ask_places(session, [group], [household], now=now)
    pool = open_pool(session, as_of=as_of, of_groups=[group], of_households=[household])
    record_look(session, "sibling_group", group.id, group.agency_id, now=now)
    record_look(session, "household", household.id, household.agency_id, now=now)
    return pool.explain(0, 0)


def record_run(session: Session, pool: Pool, ranking: Ranking, *, now: datetime) -> RankingRun:
    """Keep a run: its lists, its versions, and the snapshot from which it can be made again.

    :raises AskedTooOften: when the agency has asked too much of others' places in a day.
    """
    ask_places(session, pool.groups, pool.households, now=now)
    snapshot = take_snapshot(
        pool.group_facts,
        pool.household_facts,
        pool.places,
        policy=pool.policy,
        as_of=pool.as_of,
        places_version=places_version(),
        code_version=version("concord"),
    )
    name = _keep_snapshot(session, snapshot, now=now)
    scope = scope_of(session)
    run = RankingRun(
        agency_id=scope.agency_id,
        consortium_id=scope.consortium_id,
        person_id=scope.person_id,
        made_at=now,
        as_of=pool.as_of,
        policy_version=pool.policy.version,
        catalogue_version=snapshot.catalogue_version,
        places_version=snapshot.places_version,
        code_version=snapshot.code_version,
        snapshot_digest=name,
        groups=len(pool.groups),
        households=len(pool.households),
    )
    session.add(run)
    session.flush()
    lines = list(_lines(pool, ranking, run))
    if lines:
        session.execute(plain_insert(RankingLine), lines)
    audit.record(session, audit.Act.RANK, record_kind="ranking_run", record_id=run.id, now=now)
    return run


def open_snapshot(session: Session, run_id: UUID) -> Snapshot:
    """Return what a recorded run was made from, without what the scope's person is shut out of.

    :raises RunUnknown: when the run is not this agency's.
    """
    run = session.get(RankingRun, run_id)
    row = None if run is None else session.get(RankingSnapshot, (run.agency_id, run.snapshot_digest))
    if row is None:
        raise RunUnknown("There is no such ranking in your agency.")
    snapshot, barred = from_bytes(unseal(session, row.sealed, row_id=row.row_id)), barred_ids(session)
    return snapshot.without(barred) if barred else snapshot


def list_lines(session: Session, run_id: UUID) -> list[RankingLine]:
    """Return a recorded run's lines, by group and position."""
    query = (
        select(RankingLine)
        .where(RankingLine.ranking_run_id == run_id)
        .order_by(RankingLine.sibling_group_id, RankingLine.position)
    )
    return list(session.scalars(query))


def record_look(session: Session, kind: str, record_id: UUID, owner_agency_id: UUID, *, now: datetime) -> None:
    """Put on record, for the owner too, that a record was ranked."""
    audit.record(
        session,
        audit.Act.RANK,
        record_kind=kind,
        record_id=record_id,
        owner_agency_id=owner_agency_id,
        level=audit.Level.SUMMARY,
        now=now,
    )


def _places(session: Session, of_groups: Sequence[SiblingGroup], of_households: Sequence[Household]) -> Places:
    shape = (len(of_groups), len(of_households))
    band, exclusion = np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=np.int8)
    if of_groups and of_households:
        asked = {"groups": [group.id for group in of_groups], "households": [each.id for each in of_households]}
        for position, row in enumerate(session.execute(_PAIR_PLACES, asked)):
            band[position], exclusion[position] = row.bands, row.exclusions
    return Places(band=band, exclusion=exclusion)


def _keep_snapshot(session: Session, snapshot: Snapshot, *, now: datetime) -> bytes:
    agency_id = scope_of(session).agency_id
    name = bytes.fromhex(digest(snapshot))
    held = session.scalar(
        select(RankingSnapshot.row_id).where(RankingSnapshot.agency_id == agency_id, RankingSnapshot.digest == name)
    )
    if held is None and agency_id is not None:
        row_id = uuid4()
        sealed = seal(session, to_bytes(snapshot), agency_id=agency_id, row_id=row_id, now=now)
        session.execute(
            insert(RankingSnapshot)
            .values(agency_id=agency_id, digest=name, row_id=row_id, sealed=sealed)
            .on_conflict_do_nothing()
        )
    return name


def _lines(pool: Pool, ranking: Ranking, run: RankingRun) -> Iterator[dict[str, object]]:
    for position, group in enumerate(pool.groups):
        for family in ranking.families_of(position):
            yield {
                "ranking_run_id": run.id,
                "sibling_group_id": group.id,
                "position": family.position,
                "agency_id": run.agency_id,
                "household_id": pool.households[family.household].id,
                "points": family.points,
            }
