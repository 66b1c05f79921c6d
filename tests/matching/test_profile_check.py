"""An agency's own profiles are held against who its records are about; nobody else's are."""

from __future__ import annotations

import pytest

from matching.anonymity.finding import Kind
from matching.household import HouseholdUnknown, get_household
from matching.pool import Stage
from matching.profile_check import ProfileTelling, check_profile, list_telling_profiles, require_looked
from matching.sibling_group import GroupUnknown, get_group
from tenants.audit import Act, AuditEntry, Level, count_entries_of
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories

ALDER = "Alder keeps bees in a garden."
ROWAN = "Everyone loves Rowan, born 17/05/23 near EX1."


class TestCheckProfile:
    def test_finds_who_a_household_is(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile=ALDER)

        with database.transaction(devon.scope) as session:
            (name,) = check_profile(session, get_household(session, household_id))

        assert (name.words, name.kind, name.sure) == ("Alder", Kind.NAME, True)

    def test_finds_who_the_children_are_and_whence(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        group_id = factories.group(devon, profile=f"{ROWAN} Not EX9.", exclusion_areas={"EX9": 10})

        with database.transaction(devon.scope) as session:
            told = [(each.words, each.sure) for each in check_profile(session, get_group(session, group_id))]

        assert told == [("Rowan", True), ("17/05/23", True), ("EX1", True), ("EX9", True)]

    def test_is_the_own_agencys_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id, group_id = factories.household(devon, profile=ALDER), factories.group(devon, profile=ROWAN)

        with database.transaction(dorset.scope) as session:
            household, group = get_household(session, household_id), get_group(session, group_id)
            with pytest.raises(HouseholdUnknown):
                check_profile(session, household)
            with pytest.raises(GroupUnknown):
                check_profile(session, group)

    def test_is_for_who_may_see_who_a_record_is_about(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile=ALDER)

        with database.transaction(devon.acting_as(Role.ADMINISTRATOR)) as session:
            household = get_household(session, household_id)
            with pytest.raises(NotAllowed):
                check_profile(session, household)
            with pytest.raises(NotAllowed):
                list_telling_profiles(session, now=NOW)

    def test_leaves_no_entry_in_the_audit(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile=ALDER)

        with database.transaction(devon.scope) as session:
            before = count_entries_of(session, household_id)
            check_profile(session, get_household(session, household_id))
            assert count_entries_of(session, household_id) == before


class TestListTellingProfiles:
    def test_lists_own_records_alone_and_leaves_one_entry(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id, group_id = factories.household(devon, profile=ALDER), factories.group(devon, profile=ROWAN)
        factories.household(devon)
        factories.group(devon)
        for tenant in (dorset, dorset):
            factories.household(tenant, profile=ALDER)

        with database.transaction(devon.scope) as session:
            codes = [get_household(session, household_id).code, get_group(session, group_id).code]
            found = list_telling_profiles(session, now=NOW)
            entries = session.query(AuditEntry).where(AuditEntry.record_kind == "profile_check").all()

        assert [(each.code, each.record_kind, each.sure) for each in found] == [
            *((codes[0], "household", 1), (codes[1], "sibling_group", 3)),
        ]
        assert found[1].kinds == (Kind.NAME, Kind.PLACE, Kind.DATE)
        assert [(each.act, each.level, each.actor_agency_id) for each in entries] == [(Act.READ, Level.COUNT, devon.id)]

    def test_goes_on_past_a_batch(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matching.profile_check._BATCH", 2)
        devon, _ = factories.two_tenants()
        for _ in range(3):
            factories.household(devon, profile=ALDER)
            factories.group(devon, profile=ROWAN)

        with database.transaction(devon.scope) as session:
            found = list_telling_profiles(session, now=NOW)

        assert [each.record_kind for each in found] == ["household"] * 3 + ["sibling_group"] * 3
        assert [each.code for each in found] == sorted(each.code for each in found[:3]) + sorted(
            each.code for each in found[3:]
        )


class TestRequireLooked:
    def test_stops_who_has_not_looked(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile=ALDER, stage=Stage.IN_HOUSE)

        with database.transaction(devon.scope) as session:
            household = get_household(session, household_id)
            for stage in (Stage.CONSORTIUM, Stage.NATIONAL):
                with pytest.raises(ProfileTelling, match="1 passage should go"):
                    require_looked(session, household, stage=stage, held=False, looked=False)
                require_looked(session, household, stage=stage, held=False, looked=True)
                require_looked(session, household, stage=stage, held=True, looked=False)
            require_looked(session, household, stage=Stage.IN_HOUSE, held=False, looked=False)

    def test_lets_a_profile_pass_of_which_nothing_is_sure(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile="A family with twin boys.")

        with database.transaction(devon.scope) as session:
            household = get_household(session, household_id)
            assert check_profile(session, household)
            require_looked(session, household, stage=Stage.NATIONAL, held=False, looked=False)
