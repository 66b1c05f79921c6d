"""Who knows a family is shut out of its record: in every way that there is of meeting it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.bar import (
    Bar,
    BarInvalid,
    BarLifted,
    BarUnknown,
    RecordBar,
    bar_email,
    bar_oneself,
    bar_person,
    barred_ids,
    barred_references,
    count_bars,
    get_bar,
    lift_bar,
    list_bars,
)
from matching.export import export_records
from matching.household import Household, HouseholdIdentity, HouseholdUnknown, count_households, get_household
from matching.intake.column import SheetKind
from matching.intake.household_record import take_households
from matching.intake.household_row import HouseholdRow
from matching.intake.outcome import Outcome
from matching.meeting import arrange_meeting
from matching.pack import PackFormat, PackNotTheirs, download, is_shut_out, keep_files, list_packs, request_pack
from matching.pool_view import view_pool
from matching.ranking_run import families_for, list_lines, open_snapshot
from matching.register import count_listed_households, list_household_cards
from matching.sharing import SharingInvalid
from matching.sibling_group import GroupUnknown, get_group
from tenants.agency import AgencyKind
from tenants.audit import Act, list_entries_of
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.person import get_person
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import NOW, TODAY, Factories, Tenant

LATER = NOW + timedelta(hours=1)


class TestBarPerson:
    def test_leaves_the_record_out_of_all_that_they_see(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        kim = _kim(factories, devon)
        known, other = factories.household(devon), factories.household(devon)
        group_id = factories.group(devon)
        with database.transaction(kim) as session:
            run = families_for(session, get_group(session, group_id), as_of=TODAY, top=9, now=NOW).run.id
            assert count_households(session) == 2

        _bar(database, devon, known, kim)

        with database.transaction(kim) as session:
            assert count_households(session) == 1
            assert count_listed_households(session).own == 1
            assert [card.id for card in list_household_cards(session, own=True, number=1, as_of=TODAY).cards] == [other]
            found = families_for(session, get_group(session, group_id), as_of=TODAY, top=9, now=NOW)
            assert [each.household.id for each in found.best] == [other]
            assert view_pool(session, as_of=TODAY, now=NOW).households == 1
            assert len(list(export_records(session, SheetKind.HOUSEHOLDS, now=NOW))) == 1
            # A run that was kept before is read without it too.
            assert {line.household_id for line in list_lines(session, run)} == {other}
            assert [each.id for each in open_snapshot(session, run).households] == [other]
            assert barred_ids(session) == {known}
        with database.transaction(devon.scope) as session:
            assert count_households(session) == 2
            assert {line.household_id for line in list_lines(session, run)} == {known, other}
            assert len(open_snapshot(session, run).households) == 2
        with database.transaction(dorset.scope) as session:
            assert get_household(session, known)

    def test_answers_as_for_a_record_that_is_not_there(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        kim, household_id, group_id = _kim(factories, devon), factories.household(devon), factories.group(devon)
        _bar(database, devon, household_id, kim)
        _bar(database, devon, group_id, kim, get=get_group)

        def words(get: Callable[[Session, UUID], object], record_id: UUID) -> str:
            with (
                pytest.raises((HouseholdUnknown, GroupUnknown)) as unknown,
                database.transaction(kim) as session,
            ):
                get(session, record_id)
            return str(unknown.value)

        assert words(get_household, household_id) == words(get_household, uuid4())
        assert words(get_group, group_id) == words(get_group, uuid4())

    def test_follows_a_person_into_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        kim, household_id = _kim(factories, devon), factories.household(devon)
        _bar(database, devon, household_id, kim)
        elsewhere = Scope(dorset.id, kim.person_id, dorset.scope.consortium_id, kim.roles)

        with database.transaction(elsewhere) as session:
            assert count_households(session) == 0

    def test_is_for_managers_and_information_governance_of_its_own_agency(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        kim, household_id = _kim(factories, devon), factories.household(devon)
        assert kim.person_id
        with database.transaction(devon.acting_as(Role.FAMILY_FINDER)) as session, pytest.raises(NotAllowed):
            bar_person(
                session, get_household(session, household_id), person_id=kim.person_id, reason="A cousin", now=NOW
            )
        with database.transaction(dorset.scope) as session, pytest.raises(HouseholdUnknown):
            bar_person(
                session, get_household(session, household_id), person_id=kim.person_id, reason="A cousin", now=NOW
            )

    def test_takes_one_of_the_agencys_people_and_a_reason(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)
        assert dorset.scope.person_id
        assert devon.scope.person_id
        with database.transaction(devon.scope) as session:
            household = get_household(session, household_id)
            with pytest.raises(BarInvalid):
                bar_person(session, household, person_id=dorset.scope.person_id, reason="A cousin", now=NOW)
            with pytest.raises(SharingInvalid):
                bar_person(session, household, person_id=devon.scope.person_id, reason=" ", now=NOW)


class TestBarEmail:
    def test_shuts_out_whoever_signs_in_with_it(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)
        with database.transaction(dorset.scope) as session:
            email = get_person(session, dorset.scope.person_id or uuid4()).email

        with database.transaction(devon.scope) as session:
            bar_email(
                session, get_household(session, household_id), email=f" {email.upper()} ", reason="Neighbours", now=NOW
            )

        with database.transaction(dorset.scope) as session:
            assert count_households(session) == 0
            assert session.scalars(select(RecordBar)).all() == []
        with database.transaction(factories.colleague(dorset, roles=dorset.scope.roles).scope) as session:
            assert count_households(session) == 1

    def test_says_the_same_of_an_address_that_nobody_has(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)
        with database.transaction(dorset.scope) as session:
            known = get_person(session, dorset.scope.person_id or uuid4()).email

        with database.transaction(devon.scope) as session:
            for email in (known, f"nobody-{uuid4()}@example.org"):
                bar_email(session, get_household(session, household_id), email=email, reason="Neighbours", now=NOW)
            assert [(each.who.split("@")[1], each.lifted_at) for each in list_bars(session)] == [
                ("example.org", None)
            ] * 2

    @pytest.mark.parametrize("email", ["", "sam", "sam@", "a b@example.org", f"{'a' * 250}@example.org", "\x00@a.b "])
    def test_takes_an_address(self, database: Database, factories: Factories, email: str) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        with database.transaction(devon.scope) as session, pytest.raises(BarInvalid):
            bar_email(session, get_household(session, household_id), email=email, reason="Neighbours", now=NOW)


class TestBarOneself:
    def test_works_at_once_in_another_agency_too(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)

        with database.transaction(dorset.scope) as session:
            bar_oneself(session, get_household(session, household_id), reason="My neighbours", now=NOW)
            assert session.get(Household, household_id) is None

        with database.transaction(devon.scope) as session:
            [bar] = list_bars(session, get_household(session, household_id))
            assert (bar.own_word, bar.reason, bar.who) == (
                True,
                "My neighbours",
                "Somebody of another agency, or who has left",
            )
            assert count_bars(session, get_household(session, household_id)) == 1
            [entry] = [each for each in list_entries_of(session, household_id) if each.act is Act.BAR]
            assert (entry.actor_agency_id, entry.owner_agency_id) == (dorset.id, devon.id)

    def test_cannot_be_taken_back(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        with database.transaction(devon.scope) as session:
            bar_oneself(session, get_household(session, household_id), reason="My neighbours", now=NOW)
        lead = factories.colleague(devon, roles=frozenset({Role.INFORMATION_GOVERNANCE})).scope
        with database.transaction(lead) as session:
            [bar] = list_bars(session)

        with database.transaction(devon.scope) as session:
            assert list_bars(session) == []
            with pytest.raises(BarUnknown):
                lift_bar(session, bar.id, reason="I changed my mind", now=LATER)
            with pytest.raises(BarUnknown):
                get_bar(session, bar.id)

    def test_is_a_persons(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        nobody = Scope(devon.id, None, devon.scope.consortium_id, devon.scope.roles)
        with database.transaction(nobody) as session, pytest.raises(BarInvalid):
            bar_oneself(session, get_household(session, household_id), reason="A command", now=NOW)


class TestLiftBar:
    def test_shows_the_record_again(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        kim, household_id = _kim(factories, devon), factories.household(devon)
        bar = _bar(database, devon, household_id, kim)

        with database.transaction(dorset.scope) as session, pytest.raises(BarUnknown):
            lift_bar(session, bar.id, reason="Not ours", now=LATER)
        with database.transaction(devon.acting_as(Role.MANAGER)) as session, pytest.raises(NotAllowed):
            lift_bar(session, bar.id, reason="They asked me", now=LATER)
        with database.transaction(devon.acting_as(Role.INFORMATION_GOVERNANCE)) as session:
            lift_bar(session, bar.id, reason="Another Kim", now=LATER)
            assert get_bar(session, bar.id).lifted_reason == "Another Kim"
            with pytest.raises(BarLifted):
                lift_bar(session, bar.id, reason="Again", now=LATER)

        with database.transaction(kim) as session:
            assert get_household(session, household_id)


class TestBarredReferences:
    def test_names_those_of_barred_records_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        kim, known, other = _kim(factories, devon), factories.household(devon), factories.household(devon)
        with database.transaction(devon.scope) as session:
            references = {
                each: session.scalar(select(HouseholdIdentity.reference).where(HouseholdIdentity.household_id == each))
                for each in (known, other)
            }
        _bar(database, devon, known, kim)
        asked = [str(each) for each in references.values()]

        for scope, found in ((kim, {references[known]}), (devon.scope, set()), (dorset.scope, set())):
            with database.transaction(scope) as session:
                assert barred_references(session, asked) == found


class TestImports:
    def test_refuse_the_rows_of_who_is_shut_out(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        kim, household_id = _kim(factories, devon), factories.household(devon)
        with database.transaction(devon.scope) as session:
            reference = session.scalars(select(HouseholdIdentity.reference)).one()
        _bar(database, devon, household_id, kim)
        rows = [
            HouseholdRow(number=number, reference=each, given=frozenset({"reference"}))
            for number, each in enumerate((reference, "A-NEW-ONE"), start=2)
        ]

        with database.transaction(kim) as session:
            refused, added = take_households(session, rows, now=NOW, dry_run=False)

        assert (refused.outcome, refused.record_id) == (Outcome.REFUSED, None)
        assert "you know the family" in refused.problems[0].reason
        assert added.outcome is Outcome.ADDED


class TestPacks:
    def test_of_the_agency_are_not_theirs_to_open(self, database: Database, factories: Factories) -> None:
        consortium = factories.consortium()
        office = factories.tenant(consortium, kind=AgencyKind.CONSORTIUM_OFFICE)
        devon = factories.tenant(consortium)
        kim, household_id = _kim(factories, devon), factories.household(devon)
        with database.transaction(office.scope) as session:
            meeting = arrange_meeting(session, title="December", held_on=TODAY, place="Sample Hall", now=NOW)
        with database.transaction(devon.scope) as session:
            agencys = request_pack(session, meeting, now=NOW)
            keep_files(session, agencys, files=_files(), ranking_run_id=None, now=NOW)
        _bar(database, devon, household_id, kim)

        with database.transaction(kim) as session:
            assert is_shut_out(session)
            assert list_packs(session, meeting.id) == []
            with pytest.raises(PackNotTheirs, match="pack of your own"):
                download(session, agencys, kind=PackFormat.PDF, now=NOW)
            own = request_pack(session, meeting, now=LATER)
            keep_files(session, own, files=_files(), ranking_run_id=None, now=LATER)
            assert download(session, own, kind=PackFormat.PDF, now=LATER) == b"pdf"
            assert [each.id for each in list_packs(session, meeting.id)] == [own.id]
        with database.transaction(devon.scope) as session:
            assert [each.id for each in list_packs(session, meeting.id)] == [agencys.id]
            assert download(session, agencys, kind=PackFormat.PDF, now=LATER) == b"pdf"

    def test_made_before_the_last_bar_are_closed_too(self, database: Database, factories: Factories) -> None:
        consortium = factories.consortium()
        office = factories.tenant(consortium, kind=AgencyKind.CONSORTIUM_OFFICE)
        devon = factories.tenant(consortium)
        kim = _kim(factories, devon)
        _bar(database, devon, factories.household(devon), kim)
        with database.transaction(office.scope) as session:
            meeting = arrange_meeting(session, title="December", held_on=TODAY, place="Sample Hall", now=NOW)
        with database.transaction(kim) as session:
            own = request_pack(session, meeting, now=LATER)
            keep_files(session, own, files=_files(), ranking_run_id=None, now=LATER)
        _bar(database, devon, factories.household(devon), kim, now=LATER + timedelta(minutes=1))

        with database.transaction(kim) as session, pytest.raises(PackNotTheirs):
            download(session, own, kind=PackFormat.PDF, now=LATER)


def _kim(factories: Factories, tenant: Tenant) -> Scope:
    return factories.colleague(tenant, roles=tenant.scope.roles).scope


def _bar(
    database: Database,
    tenant: Tenant,
    record_id: UUID,
    whom: Scope,
    *,
    get: Callable[[Session, UUID], object] = get_household,
    now: object = NOW,
) -> Bar:
    assert whom.person_id
    with database.transaction(tenant.scope) as session:
        record = get(session, record_id)
        bar_person(session, record, person_id=whom.person_id, reason="A cousin", now=now)  # type: ignore[arg-type]
        return list_bars(session, record)[0]  # type: ignore[arg-type]


def _files() -> dict[PackFormat, bytes]:
    return {PackFormat.PDF: b"pdf", PackFormat.XLSX: b"xlsx"}
