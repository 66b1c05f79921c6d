"""What a pack says is its reader's own view: its own records, and of others' the pooled ones, anonymously."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from matching import pack_assembly
from matching.household import get_household
from matching.meeting import arrange_meeting, get_meeting
from matching.pack import request_pack
from matching.pack_assembly import assemble
from matching.pack_content import PackContent
from matching.pool import Stage
from matching.ranking_run import list_lines
from matching.sibling_group import SiblingGroup, get_group
from tenants.agency import AgencyKind
from tenants.audit import Act, Level, list_entries_of
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant, transaction


class TestAssemble:
    def test_shows_the_reader_its_own_and_what_is_pooled(self, factories: Factories, database: Database) -> None:
        us, them, meeting_id = _meeting(factories, database)
        pooled = [factories.group(tenant, profile=f"Of {tenant.slug}.") for tenant in (us, them)]
        kept = [factories.group(them, stage=Stage.IN_HOUSE, profile="Kept."), factories.group(them, held=True)]
        families = [factories.household(us), factories.household(them)]
        factories.household(them, held=True)

        content = {tenant: _assemble(database, tenant, meeting_id)[0] for tenant in (us, them)}

        assert {group.code for group in content[us].groups} == _codes(database, them, pooled)
        assert {group.code for group in content[them].groups} == _codes(database, them, pooled + kept)
        assert "Kept." not in str(asdict(content[us]))
        assert {each.code for each in content[us].households} == _codes(database, them, families)
        assert len(content[them].households) == 3
        assert [(group.own, group.agency) for group in content[us].groups if group.own] == [(True, us.name)]
        assert {group.families for group in content[us].groups}.isdisjoint([()])

    def test_says_nothing_that_identifies(self, factories: Factories, database: Database) -> None:
        us, _, meeting_id = _meeting(factories, database)
        factories.group(us, outward_code="TQ12", exclusion_areas={"PL21": 10})
        factories.household(us, outward_code="EX39")

        said = str(asdict(_assemble(database, us, meeting_id)[0]))

        for secret in ("Rowan", "Sample,", "Alder", "1 Sample Street", "EX39", "TQ12", "PL21", "2023-05"):
            assert secret not in said

    def test_names_the_groups_of_a_household_that_is_nobodys_best(
        self, factories: Factories, database: Database, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(pack_assembly, "FAMILIES", 1)
        us, them, meeting_id = _meeting(factories, database)
        group_id = factories.group(us)
        best, second = factories.household(us, most_children=1), factories.household(them, most_children=3)
        barred = factories.household(them, age_from_months=120, age_to_months=180)

        content, run_id = _assemble(database, us, meeting_id)

        with transaction(database, us) as session:
            group = get_group(session, group_id).code
            fits = {get_household(session, each).code: each for each in (best, second, barred)}
            assert [line.household_id for line in list_lines(session, run_id)] == [best]
        assert {fits[each.code]: each.fits for each in content.households} == {
            best: (group,),
            second: (group,),
            barred: (),
        }

    def test_puts_each_look_at_a_profile_on_record(self, factories: Factories, database: Database) -> None:
        us, them, meeting_id = _meeting(factories, database)
        group_id = factories.group(them)

        _assemble(database, us, meeting_id)

        with transaction(database, them) as session:
            (entry,) = [each for each in list_entries_of(session, group_id) if each.act is Act.READ]
        assert (entry.actor_agency_id, entry.owner_agency_id, entry.level) == (us.id, them.id, Level.PROFILE)

    def test_calls_new_what_entered_since_the_last_meeting(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        us, _ = factories.tenant(consortium_id), factories.tenant(consortium_id)
        group_id = factories.group(us)
        first, later = (_arrange(database, office, held_in=days) for days in (14, 42))

        packs = [_assemble(database, us, each)[0] for each in (first, later)]

        assert [set(each.new_groups) for each in packs] == [_codes(database, us, [group_id]), set()]

    def test_is_made_of_an_empty_pool(self, factories: Factories, database: Database) -> None:
        us, _, meeting_id = _meeting(factories, database)

        content, _ = _assemble(database, us, meeting_id)

        assert (content.groups, content.households, content.longest_waiting, content.new_groups) == ((), (), (), ())


def _meeting(factories: Factories, database: Database) -> tuple[Tenant, Tenant, UUID]:
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
    return us, them, _arrange(database, office, held_in=14)


def _arrange(database: Database, office: Tenant, *, held_in: int) -> UUID:
    with transaction(database, office) as session:
        day = TODAY + timedelta(days=held_in)
        return arrange_meeting(session, title="Matching meeting", held_on=day, place="Sample Hall", now=NOW).id


def _assemble(database: Database, tenant: Tenant, meeting_id: UUID) -> tuple[PackContent, UUID]:
    with transaction(database, tenant) as session:
        meeting = get_meeting(session, meeting_id)
        return assemble(session, meeting, request_pack(session, meeting, now=NOW), now=NOW)


def _codes(database: Database, tenant: Tenant, record_ids: list[UUID]) -> set[str]:
    with transaction(database, tenant) as session:
        return {
            found.code
            for each in record_ids
            for found in (session.get(SiblingGroup, each) or get_household(session, each),)
        }
