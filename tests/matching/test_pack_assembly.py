"""What a pack says is its reader's own view: its own records, and of others' the pooled ones, anonymously."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from matching import pack_assembly
from matching.household import get_household
from matching.meeting import arrange_meeting, get_meeting
from matching.meeting_action import set_action
from matching.need import NeedLevel, YesNo, need_catalogue
from matching.pack import request_pack
from matching.pack_assembly import assemble
from matching.pack_content import PackContent, Telling
from matching.pool import Stage
from matching.ranking.facts import Sex
from matching.ranking_run import list_lines
from matching.sibling_group import ChildNeed, SiblingGroup, get_group, list_children
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
        factories.household(us)

        _assemble(database, us, meeting_id)

        with transaction(database, them) as session:
            (entry,) = [each for each in list_entries_of(session, group_id) if each.act is Act.READ]
        assert (entry.actor_agency_id, entry.owner_agency_id, entry.level) == (us.id, them.id, Level.PROFILE)

    def test_says_how_many_no_gate_bars_beside_those_shown(
        self, factories: Factories, database: Database, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(pack_assembly, "FAMILIES", 1)
        monkeypatch.setattr(pack_assembly, "FITS", 1)
        us, them, meeting_id = _meeting(factories, database)
        for _ in range(2):
            factories.group(us)
        for tenant in (us, them):
            factories.household(tenant)
        factories.household(us, age_from_months=120, age_to_months=180)

        content, _ = _assemble(database, us, meeting_id)

        assert [(len(each.families), each.families_in_all) for each in content.groups] == [(1, 2), (1, 2)]
        assert sorted((len(each.fits), each.fits_in_all) for each in content.households) == [(0, 0), (1, 2), (1, 2)]

    def test_says_how_many_of_the_children_have_a_need(self, factories: Factories, database: Database) -> None:
        us, _, meeting_id = _meeting(factories, database)
        both = ((date(2023, 5, 1), Sex.FEMALE), (date(2021, 5, 1), Sex.MALE))
        group_id = factories.group(us, children=both, needs={"neglect": NeedLevel.LOW})
        with transaction(database, us) as session:
            elder = list_children(session, [group_id])[group_id][1]
            session.execute(delete(ChildNeed).where(ChildNeed.child_id == elder.id))

        content, _ = _assemble(database, us, meeting_id)

        neglect = next(need.title for need in need_catalogue().needs if need.code == "neglect")
        needs = content.groups[0].needs
        assert [pair for pair in needs if pair[0].startswith(neglect)] == [
            (f"{neglect} (1 of 2)", "low"),
            (f"{neglect} (1 of 2)", "unknown"),
        ]
        assert all("(2 of" not in title for title, _ in needs)

    def test_tells_what_is_recorded_of_the_plan_and_no_more(self, factories: Factories, database: Database) -> None:
        us, them, meeting_id = _meeting(factories, database)
        plain: dict[str, Any] = dict.fromkeys(UNRECORDED, YesNo.UNKNOWN) | {key: [] for key in BACKGROUND}
        dates = {"shobpa_on": date(2026, 3, 1), "placement_order_on": date(2026, 5, 9)}
        told = {"early_permanence": YesNo.NO, "direct_contact": YesNo.YES, "no_pets": YesNo.YES}
        background = {"heritage": ["WBRI"], "religions": ["Quaker"], "languages": ["English", "Cornish"]}
        factories.group(us, **plain | dates | told | background)
        factories.group(them, **plain | dict.fromkeys(dates))

        content, _ = _assemble(database, us, meeting_id)

        assert {each.own: each.plan for each in content.groups} == {
            True: (
                ("SHOBPA decision", "1 March 2026"),
                ("Placement order", "9 May 2026"),
                ("Early permanence", "No"),
                (
                    "Contact",
                    "Direct contact; not recorded: letterbox contact and contact with brothers and sisters",
                ),
                (
                    "Asked of the home",
                    "No pets; not recorded: must be the youngest child, must be the only child and smoke-free",
                ),
                ("Heritage", "White British"),
                ("Religion", "Quaker"),
                ("Languages", "English and Cornish"),
            ),
            False: (),
        }

    def test_calls_nothing_new_where_no_meeting_went_before(self, factories: Factories, database: Database) -> None:
        us, _, meeting_id = _meeting(factories, database)
        factories.group(us)
        factories.household(us)

        content, _ = _assemble(database, us, meeting_id)

        assert (content.first, content.new_groups) == (True, ())
        assert [each.new for each in content.households] == [False]

    def test_calls_new_what_entered_since_the_last_meeting(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        us, _ = factories.tenant(consortium_id), factories.tenant(consortium_id)
        group_id = factories.group(us)
        factories.household(us)
        _, second, third = (_arrange(database, office, held_in=days) for days in (-7, 14, 42))

        packs = [_assemble(database, us, each)[0] for each in (second, third)]

        assert [set(each.new_groups) for each in packs] == [_codes(database, us, [group_id]), set()]
        assert [[household.new for household in each.households] for each in packs] == [[True], [False]]
        assert [each.first for each in packs] == [False, False]

    def test_tells_own_groups_in_full_and_of_others_those_that_concern_the_reader(
        self, factories: Factories, database: Database
    ) -> None:
        us, them, meeting_id = _meeting(factories, database)
        young, older = ((date(2024, 1, 1), Sex.FEMALE),), ((date(2017, 1, 1), Sex.MALE),)
        own, concerned = factories.group(us), factories.group(them, children=young, profile="Ask us.")
        apart = factories.group(them, children=older, profile="Not for you.")
        factories.household(us, age_to_months=59)
        factories.household(them, age_from_months=84, age_to_months=180)

        content, _ = _assemble(database, us, meeting_id)

        told = {each.code: each for each in content.groups}
        codes = {
            name: _codes(database, us, [each]).pop() for name, each in zip("oca", (own, concerned, apart), strict=True)
        }
        assert {name: told[code].telling for name, code in codes.items()} == {
            "o": Telling.FULL,
            "c": Telling.SHORT,
            "a": Telling.LINE,
        }
        assert (told[codes["c"]].profile, told[codes["a"]].profile) == ("Ask us.", "")
        assert (told[codes["a"]].needs, told[codes["a"]].plan) == ((), ())
        assert [family.explained for family in told[codes["a"]].families] == [False]
        with transaction(database, them) as session:
            looks = [entry.level for entry in list_entries_of(session, apart) if entry.act is Act.READ]
        assert looks == []

    def test_leads_the_office_through_the_longest_waiting(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        factories.group(factories.tenant(consortium_id))
        meeting_id = _arrange(database, office, held_in=14)

        content, _ = _assemble(database, office, meeting_id)

        assert [(group.own, group.telling) for group in content.groups] == [(False, Telling.SHORT)]

    def test_gives_own_references_alone_and_puts_the_look_on_record(
        self, factories: Factories, database: Database
    ) -> None:
        us, them, meeting_id = _meeting(factories, database)
        ours, theirs = factories.group(us), factories.group(them)
        factories.household(us)
        factories.household(them)

        content, _ = _assemble(database, us, meeting_id)

        assert all((each.reference is not None) == each.own for each in content.groups)
        assert all((each.reference is not None) == each.own for each in content.households)
        with transaction(database, us) as session:
            assert Level.IDENTITY in {entry.level for entry in list_entries_of(session, ours)}
        with transaction(database, them) as session:
            assert Level.IDENTITY not in {entry.level for entry in list_entries_of(session, theirs)}

    def test_says_how_busy_a_family_is_and_never_how_many_ask(self, factories: Factories, database: Database) -> None:
        us, them, meeting_id = _meeting(factories, database)
        factories.group(us)
        factories.household(them, considered_for=2, availability_confirmed_on=date(2026, 11, 2))
        factories.household(us, considered_for=3)

        content, _ = _assemble(database, us, meeting_id)

        assert {each.own: (each.availability, each.confirmed_on) for each in content.households} == {
            False: ("Being considered", date(2026, 11, 2)),
            True: ("At its cap", None),
        }
        assert {each.availability for each in content.groups[0].families} == {"Being considered", "At its cap"}

    def test_asks_to_confirm_own_households_that_are_on_lists(self, factories: Factories, database: Database) -> None:
        us, them, meeting_id = _meeting(factories, database)
        factories.group(them)
        listed = factories.household(us)
        factories.household(us, age_from_months=120, age_to_months=180)
        factories.household(us, availability_confirmed_on=TODAY)
        factories.household(them)

        content, _ = _assemble(database, us, meeting_id)

        assert {each.code for each in content.checks} == _codes(database, us, [listed])
        assert content.confirm_days == 28

    def test_tells_the_actions_that_concern_the_reader(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
        first, second = (_arrange(database, office, held_in=days) for days in (-7, 14))
        with transaction(database, office) as session:
            for tenant in (us, them):
                set_action(
                    session,
                    get_meeting(session, first),
                    what=f"For {tenant.slug}",
                    agency_id=tenant.id,
                    due_on=TODAY - timedelta(days=1),
                    now=NOW - timedelta(days=7),
                )

        told = {tenant.slug: _assemble(database, tenant, second)[0].actions for tenant in (us, them, office)}

        assert [(each.what, each.own, each.late) for each in told[us.slug]] == [(f"For {us.slug}", True, True)]
        assert [each.what for each in told[them.slug]] == [f"For {them.slug}"]
        assert {each.agency for each in told[office.slug]} == {us.name, them.name}

    def test_is_made_of_an_empty_pool(self, factories: Factories, database: Database) -> None:
        us, _, meeting_id = _meeting(factories, database)

        content, _ = _assemble(database, us, meeting_id)

        assert (content.groups, content.households, content.longest_waiting, content.new_groups) == ((), (), (), ())


UNRECORDED = (
    "early_permanence",
    "letterbox_contact",
    "direct_contact",
    "sibling_contact",
    "must_be_youngest",
    "must_be_only",
    "no_pets",
    "smoke_free",
)
BACKGROUND = ("heritage", "religions", "languages")


def _meeting(factories: Factories, database: Database) -> tuple[Tenant, Tenant, UUID]:
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
    return us, them, _arrange(database, office, held_in=14)


def _arrange(database: Database, office: Tenant, *, held_in: int) -> UUID:
    with transaction(database, office) as session:
        day = TODAY + timedelta(days=held_in)
        return arrange_meeting(
            session, title="Matching meeting", held_on=day, place="Sample Hall", now=NOW - timedelta(days=30)
        ).id


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
