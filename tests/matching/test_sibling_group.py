"""Sibling groups: seen by the pool once shared, identified by their own agency alone."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from matching.need import NeedLevel
from matching.pool import Stage
from matching.ranking.facts import Sex
from matching.sibling_group import (
    ChildIdentity,
    ExclusionArea,
    GroupIdentity,
    GroupPlace,
    GroupUnknown,
    count_groups,
    facts_of,
    get_group,
    get_group_by_reference,
    list_children,
    list_needs,
    list_waiting_groups,
    read_identity,
    read_profile,
    read_profiles,
)
from tenants import audit
from tenants.database import Database
from tests.factories import NOW, Factories

TWO = ((date(2021, 2, 1), Sex.MALE), (date(2023, 5, 1), Sex.FEMALE))


class TestGetGroup:
    def test_finds_one_that_another_agency_shares(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon)

        with database.transaction(dorset.scope) as session:
            assert get_group(session, group_id).agency_id == devon.id

    @pytest.mark.parametrize(("stage", "held"), [(Stage.IN_HOUSE, False), (Stage.CONSORTIUM, True)])
    def test_finds_none_that_another_agency_keeps(
        self, database: Database, factories: Factories, stage: Stage, held: bool
    ) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon, stage=stage, held=held)

        with database.transaction(dorset.scope) as session, pytest.raises(GroupUnknown):
            get_group(session, group_id)

    def test_finds_none_of_another_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        group_id = factories.group(devon)

        with database.transaction(stranger.scope) as session, pytest.raises(GroupUnknown):
            get_group(session, group_id)


class TestGetGroupByReference:
    def test_takes_the_code_as_people_type_it(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon)

        with database.transaction(dorset.scope) as session:
            code = get_group(session, group_id).code
            assert get_group_by_reference(session, f" {code.lower()} ").id == group_id

    def test_takes_the_own_reference_only_from_its_own_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon)

        with database.transaction(devon.scope) as session:
            reference, _ = read_identity(session, get_group(session, group_id), now=NOW)
            assert get_group_by_reference(session, reference).id == group_id
        with database.transaction(dorset.scope) as session, pytest.raises(GroupUnknown):
            get_group_by_reference(session, reference)

    @pytest.mark.parametrize("reference", ["", "\0", "H-\0", "\ud800", "’; --", "x" * 100_000])
    def test_finds_nothing_by_what_is_no_reference(
        self, database: Database, factories: Factories, reference: str
    ) -> None:
        devon, _ = factories.two_tenants()
        factories.group(devon)

        with database.transaction(devon.scope) as session, pytest.raises(GroupUnknown):
            get_group_by_reference(session, reference)


class TestListWaitingGroups:
    def test_lists_own_and_shared_ones_longest_waiting_first(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        unknown = factories.group(dorset, waiting_since=None, stage=Stage.IN_HOUSE)
        recent = factories.group(dorset, waiting_since=date(2026, 6, 1), stage=Stage.IN_HOUSE)
        longest = factories.group(devon, waiting_since=date(2024, 6, 1))
        factories.group(devon, stage=Stage.IN_HOUSE)

        with database.transaction(dorset.scope) as session:
            assert [group.id for group in list_waiting_groups(session)] == [longest, recent, unknown]
            assert [group.id for group in list_waiting_groups(session, own_agency=dorset.id)] == [recent, unknown]
            assert (count_groups(session), count_groups(session, own_agency=dorset.id)) == (3, 2)


class TestFactsOf:
    def test_holds_what_a_ranking_reads(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon, children=TWO, needs={"neglect": NeedLevel.HIGH})

        with database.transaction(dorset.scope) as session:
            facts = facts_of(session, [get_group(session, group_id)])[0]

        assert [(child.birth_month, child.sex) for child in facts.children] == list(TWO)
        assert [dict(child.needs) for child in facts.children] == [{"neglect": NeedLevel.HIGH}] * 2

    def test_has_no_children_of_a_group_that_is_kept(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon, stage=Stage.IN_HOUSE, needs={"neglect": NeedLevel.LOW})
        with database.transaction(devon.scope) as session:
            children = [child.id for child in list_children(session, [group_id])[group_id]]

        with database.transaction(dorset.scope) as session:
            assert list_children(session, [group_id]) == {}
            assert list_needs(session, children) == {}


class TestReadProfiles:
    def test_puts_each_look_on_both_agencies_record(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        ids = [factories.group(devon, profile=f"Likes puddles, {number}.") for number in range(2)]

        with database.transaction(dorset.scope) as session:
            profiles = read_profiles(session, [get_group(session, each) for each in ids], now=NOW)
            assert read_profile(session, get_group(session, ids[0]), now=NOW) == profiles[ids[0]]

        assert [profiles[each] for each in ids] == ["Likes puddles, 0.", "Likes puddles, 1."]
        with database.transaction(devon.scope) as session:
            entries = [
                [entry for entry in audit.list_entries_of(session, each) if entry.act is audit.Act.READ] for each in ids
            ]
        assert [len(each) for each in entries] == [2, 1]
        assert {(entry.actor_agency_id, entry.level) for each in entries for entry in each} == {
            (dorset.id, audit.Level.PROFILE)
        }


class TestReadIdentity:
    def test_opens_for_the_own_agency_and_is_put_on_record(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        group_id = factories.group(devon, children=TWO)

        with database.transaction(devon.scope) as session:
            reference, children = read_identity(session, get_group(session, group_id), now=NOW)
            assert get_group_by_reference(session, reference).id == group_id
            reads = [each for each in audit.list_entries_of(session, group_id) if each.act is audit.Act.READ]
            assert [each.level for each in reads] == [audit.Level.IDENTITY]

        assert [name.forename for _, name in children] == ["Rowan", "Rowan"]

    def test_finds_nothing_for_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon, exclusion_areas={"PL4": 10})

        with database.transaction(dorset.scope) as session:
            with pytest.raises(GroupUnknown):
                read_identity(session, get_group(session, group_id), now=NOW)
            for model in (GroupIdentity, ChildIdentity, GroupPlace, ExclusionArea):
                assert session.scalar(select(func.count()).select_from(model)) == 0
