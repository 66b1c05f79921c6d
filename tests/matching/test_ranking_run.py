"""Runs are of one scope's view, kept with all that made them, and made again whatever became of the records."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from matching.household import Household, HouseholdPlace, HouseholdStatus, get_household
from matching.need import NeedLevel
from matching.pool import Stage, share
from matching.ranking.facts import LegalPosition, Sex, SexApproved
from matching.ranking.standing import Verdict
from matching.ranking_run import (
    RankingSnapshot,
    RunUnknown,
    families_for,
    list_lines,
    open_pool,
    open_snapshot,
    record_run,
    why,
)
from matching.sibling_group import Child, GroupStatus, SiblingGroup, get_group
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant, transaction


class TestOpenPool:
    def test_is_what_the_scope_sees_and_waits(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        ours, theirs = factories.household(us, stage=Stage.IN_HOUSE), factories.household(them)
        factories.household(them, stage=Stage.IN_HOUSE)
        factories.household(them, held=True)
        factories.household(us, status=HouseholdStatus.ON_HOLD)
        our_group = factories.group(us, held=True)
        factories.group(them, stage=Stage.IN_HOUSE)
        factories.group(us, status=GroupStatus.WITHDRAWN)

        with transaction(database, us) as session:
            pool = open_pool(session, as_of=TODAY)

        assert {each.id for each in pool.households} == {ours, theirs}
        assert [each.id for each in pool.groups] == [our_group]
        assert [facts.id for facts in pool.household_facts] == [each.id for each in pool.households]
        assert pool.places.band.shape == (1, 2)

    def test_shows_two_agencies_the_same_list_where_each_owns_one_side(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        for place in ("EX4", "EC1A", None, "TQ1", "EX1"):
            factories.household(us, outward_code=place)
            factories.household(us, outward_code=place, most_children=None)
        group_id = factories.group(them, exclusion_areas={"EC1A": 50})

        lists = []
        for tenant in (us, them):
            with transaction(database, tenant) as session:
                pool = open_pool(session, as_of=TODAY, of_groups=[get_group(session, group_id)])
                lists.append([(each.code, each.points) for each in pool.rank().families_of(0)])

        assert lists[0] == lists[1]
        assert len(lists[0]) == 8

    def test_reads_what_nobody_said_as_a_question(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        family = factories.household(
            them,
            outward_code=None,
            sex_approved=SexApproved.UNKNOWN,
            age_from_months=None,
            age_to_months=None,
            fewest_children=None,
            most_children=None,
        )
        unknown = factories.group(
            us,
            children=((None, Sex.UNKNOWN),),
            exclusion_areas={"EX1": 5},
            legal_position=LegalPosition.UNKNOWN,
            needs={"neglect": NeedLevel.UNKNOWN},
        )
        childless = factories.group(us, children=())

        with transaction(database, us) as session:
            household = get_household(session, family)
            found = {
                group_id: why(session, get_group(session, group_id), household, as_of=TODAY, now=NOW)
                for group_id in (unknown, childless)
            }

        verdicts = {gate.code: gate.verdict for gate in found[unknown].gates}
        asked = {"age", "size", "sex", "legal", "exclusion", "needs"}
        assert {code for code, verdict in verdicts.items() if verdict is Verdict.ASK} >= asked
        assert Verdict.FAIL not in verdicts.values()
        of_nobody = {gate.code: gate.verdict for gate in found[childless].gates}
        assert (of_nobody["age"], of_nobody["sex"], of_nobody["size"]) == (Verdict.ASK, Verdict.ASK, Verdict.ASK)


class TestFamiliesFor:
    def test_keeps_the_list_it_returns(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        for most in (1, 2, 3):
            factories.household(them, most_children=most)

        with transaction(database, us) as session:
            found = families_for(session, get_group(session, group_id), as_of=TODAY, top=2, now=NOW)
            lines = list_lines(session, found.run.id)

        assert (found.families, len(found.best)) == (3, 2)
        assert [(each.household.id, each.position, each.explanation.points) for each in found.best] == [
            (line.household_id, line.position, line.points) for line in lines
        ]

    def test_tells_the_groups_agency(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(them)

        with transaction(database, us) as session:
            families_for(session, get_group(session, group_id), as_of=TODAY, top=2, now=NOW)

        assert _looks(database, them, group_id) == [(us.id, them.id)]


class TestWhy:
    def test_tells_both_agencies(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)

        with transaction(database, us) as session:
            why(session, get_group(session, group_id), get_household(session, household_id), as_of=TODAY, now=NOW)

        assert _looks(database, them, household_id) == [(us.id, them.id)]
        assert _looks(database, us, group_id) == [(us.id, us.id)]
        assert _looks(database, them, group_id) == []


class TestRecordRun:
    def test_is_made_again_whatever_became_of_the_records(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_ids = [factories.group(us, exclusion_areas={"TQ1": 10}), factories.group(them)]
        family_ids = [factories.household(them, outward_code=code, pets="yes") for code in ("EX4", "TQ1", None)]
        run_id, before = _record(database, us)

        with transaction(database, them) as session:
            session.execute(update(Household).where(Household.id == family_ids[0]).values(most_children=None))
            session.execute(update(HouseholdPlace).values(outward_code="TR1"))
            share(session, stage=Stage.IN_HOUSE, on=TODAY, household_id=family_ids[1])
        with transaction(database, us) as session:
            session.execute(delete(Child).where(Child.sibling_group_id == group_ids[0]))
            session.execute(update(SiblingGroup).where(SiblingGroup.id == group_ids[0]).values(status="withdrawn"))
            snapshot = open_snapshot(session, run_id)

        again = snapshot.rank(3)
        codes = {household.id: household.code for household in snapshot.households}
        assert before
        assert {
            (snapshot.groups[group].id, family.position, family.code, family.points)
            for group in range(len(snapshot.groups))
            for family in again.families_of(group)
        } == {(group, position, codes[household], points) for group, position, household, points in before}
        assert _record(database, us)[1] != before

    def test_keeps_one_snapshot_for_one_state(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.group(us), factories.household(them)

        first, again = _record(database, us), _record(database, us)
        with transaction(database, us) as session:
            kept = session.scalar(select(func.count()).select_from(RankingSnapshot))
            later = open_pool(session, as_of=TODAY + timedelta(days=1))
            record_run(session, later, later.rank(3), now=NOW)
            then = session.scalar(select(func.count()).select_from(RankingSnapshot))

        assert first[0] != again[0]
        assert first[1] == again[1]
        assert (kept, then) == (1, 2)

    def test_is_its_own_agencys_alone(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.group(us), factories.household(them)
        run_id, _ = _record(database, us)

        with transaction(database, them) as session:
            assert list_lines(session, run_id) == []
            with pytest.raises(RunUnknown):
                open_snapshot(session, run_id)

    def test_records_a_pool_that_is_empty(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        run_id, lines = _record(database, us)

        assert lines == set()
        with transaction(database, us) as session:
            assert open_snapshot(session, run_id).groups == ()


def _record(database: Database, tenant: Tenant) -> tuple[UUID, set[tuple[UUID, int, UUID, int]]]:
    with transaction(database, tenant) as session:
        pool = open_pool(session, as_of=TODAY)
        run = record_run(session, pool, pool.rank(3), now=NOW)
        lines = list_lines(session, run.id)
        return run.id, {(each.sibling_group_id, each.position, each.household_id, each.points) for each in lines}


def _looks(database: Database, tenant: Tenant, record_id: UUID) -> list[tuple[UUID | None, UUID | None]]:
    """Return actor and owner of each look at a record that ``tenant`` may know of."""
    query = select(AuditEntry.actor_agency_id, AuditEntry.owner_agency_id).where(
        AuditEntry.record_id == record_id, AuditEntry.act == Act.RANK
    )
    with transaction(database, tenant) as session:
        return [(actor, owner) for actor, owner in session.execute(query)]
