"""Glass is broken with a reason, on a record of one's own, for some hours; and those who answer for it judge it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from matching.bar import bar_person
from matching.glass import (
    AlreadyJudged,
    Glass,
    GlassInvalid,
    GlassUnknown,
    GlassWhole,
    break_glass,
    get_glass,
    judge_glass,
    list_glass,
    list_to_judge,
    require_broken,
)
from matching.household import HouseholdUnknown, get_household
from matching.sharing import SharingInvalid
from matching.sibling_group import GroupUnknown, get_group
from tenants.agency import AgencyInvalid, get_agency, set_glass_hours
from tenants.audit import Act, Level, list_entries_of
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import OPERATOR, Scope
from tests.factories import NOW, Factories, Tenant


class TestBreakGlass:
    def test_opens_one_record_for_its_hours(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        adviser, household_id, other = (
            _adviser(factories, devon),
            factories.household(devon),
            factories.household(devon),
        )

        _break(database, adviser, household_id)

        with database.transaction(adviser) as session:
            household = get_household(session, household_id)
            assert require_broken(session, household, now=NOW + timedelta(minutes=239)).reason == "The police ask"
            for record, now in (
                (household, NOW + timedelta(hours=4)),
                (household, NOW - timedelta(seconds=1)),
                (get_household(session, other), NOW),
            ):
                with pytest.raises(GlassWhole):
                    require_broken(session, record, now=now)
        with database.transaction(_adviser(factories, devon)) as session, pytest.raises(GlassWhole):
            require_broken(session, get_household(session, household_id), now=NOW)

    def test_is_on_record(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)

        _break(database, _adviser(factories, devon), household_id)

        with database.transaction(devon.scope) as session:
            [entry] = [each for each in list_entries_of(session, household_id) if each.act is Act.BREAK_GLASS]
        assert (entry.reason, entry.level) == ("The police ask", Level.IDENTITY)

    def test_opens_no_other_agencys_record(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id, group_id = factories.household(devon), factories.group(devon)

        with database.transaction(_adviser(factories, dorset)) as session:
            with pytest.raises(HouseholdUnknown):
                break_glass(session, get_household(session, household_id), reason="The police ask", now=NOW)
            with pytest.raises(GroupUnknown):
                break_glass(session, get_group(session, group_id), reason="The police ask", now=NOW)

    def test_never_breaks_a_bar(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        adviser, household_id = _adviser(factories, devon), factories.household(devon)
        assert adviser.person_id
        _break(database, adviser, household_id)
        with database.transaction(devon.scope) as session:
            household = get_household(session, household_id)
            bar_person(session, household, person_id=adviser.person_id, reason="A cousin", now=NOW)

        with database.transaction(adviser) as session:
            with pytest.raises(HouseholdUnknown):
                get_household(session, household_id)
            # Nor by what was broken before, or by going past the code.
            with pytest.raises(GlassWhole):
                require_broken(session, household, now=NOW)
        with pytest.raises(DBAPIError, match="row-level security"), database.transaction(adviser) as session:
            break_glass(session, household, reason="The police ask", now=NOW)

    @pytest.mark.parametrize("reason", ["", " \n ", "x" * 1001])
    def test_asks_for_a_reason(self, database: Database, factories: Factories, reason: str) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        with database.transaction(_adviser(factories, devon)) as session, pytest.raises(SharingInvalid):
            break_glass(session, get_household(session, household_id), reason=reason, now=NOW)

    @pytest.mark.parametrize("role", [Role.FAMILY_FINDER, Role.FINANCE_OFFICER, Role.ADMINISTRATOR])
    def test_is_for_those_whom_it_is_made_for(self, database: Database, factories: Factories, role: Role) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        with database.transaction(devon.acting_as(role)) as session, pytest.raises(NotAllowed):
            break_glass(session, get_household(session, household_id), reason="The police ask", now=NOW)

    def test_is_a_persons(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        nobody = Scope(devon.id, None, devon.scope.consortium_id, devon.scope.roles)
        with database.transaction(nobody) as session, pytest.raises(GlassInvalid):
            break_glass(session, get_household(session, household_id), reason="A command", now=NOW)

    def test_is_never_changed(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _break(database, _adviser(factories, devon), factories.household(devon))
        for statement in (update(Glass).values(reason="Nothing"), delete(Glass)):
            with pytest.raises(DBAPIError), database.transaction(devon.scope) as session:
                session.execute(statement)


class TestSetGlassHours:
    def test_says_for_how_long(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        with database.transaction(OPERATOR) as session:
            set_glass_hours(session, get_agency(session, devon.id), hours=1)
            for hours in (0, 73, -4):
                with pytest.raises(AgencyInvalid):
                    set_glass_hours(session, get_agency(session, devon.id), hours=hours)

        adviser, household_id = _adviser(factories, devon), factories.household(devon)
        _break(database, adviser, household_id)
        with database.transaction(adviser) as session, pytest.raises(GlassWhole):
            require_broken(session, get_household(session, household_id), now=NOW + timedelta(hours=1))


class TestJudgeGlass:
    def test_takes_the_notice_away_from_who_judges(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        glass_id = _break(database, _adviser(factories, devon), factories.household(devon))
        finder, lead = (
            factories.colleague(devon, roles=frozenset({role})).scope
            for role in (Role.FAMILY_FINDER, Role.INFORMATION_GOVERNANCE)
        )
        for scope in (finder, lead):
            with database.transaction(scope) as session:
                assert [each.id for each in list_to_judge(session)] == [glass_id]
        with database.transaction(dorset.scope) as session:
            assert list_to_judge(session) == []
            with pytest.raises(GlassUnknown):
                judge_glass(session, glass_id, justified=True, reason="Ours", now=NOW)
            with pytest.raises(GlassUnknown):
                get_glass(session, glass_id)

        with database.transaction(finder) as session:
            judge_glass(session, glass_id, justified=False, reason="I was in the office", now=NOW)
            assert list_to_judge(session) == []
            with pytest.raises(AlreadyJudged):
                judge_glass(session, glass_id, justified=True, reason="After all", now=NOW)

        with database.transaction(lead) as session:
            assert [each.id for each in list_to_judge(session)] == [glass_id]
            [broken] = list_glass(session)
        [said] = broken.judgements
        assert (said.justified, said.reason) == (False, "I was in the office")

    def test_is_not_for_who_broke_it(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        glass_id = _break(database, devon.scope, factories.household(devon))
        with database.transaction(devon.scope) as session:
            assert list_to_judge(session) == []
            assert get_glass(session, glass_id).own
            with pytest.raises(AlreadyJudged):
                judge_glass(session, glass_id, justified=True, reason="I had to", now=NOW)

    def test_asks_for_a_role_a_reason_and_glass(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        adviser = _adviser(factories, devon)
        glass_id = _break(database, adviser, factories.household(devon))
        with database.transaction(_adviser(factories, devon)) as session:
            assert list_to_judge(session) == []
            for verb in (
                lambda: judge_glass(session, glass_id, justified=True, reason="Yes", now=NOW),
                lambda: list_glass(session),
                lambda: get_glass(session, glass_id),
            ):
                with pytest.raises(NotAllowed):
                    verb()
        with database.transaction(devon.scope) as session:
            with pytest.raises(SharingInvalid):
                judge_glass(session, glass_id, justified=True, reason="", now=NOW)
            with pytest.raises(GlassUnknown):
                judge_glass(session, uuid4(), justified=True, reason="Yes", now=NOW)


class TestListGlass:
    def test_is_the_own_agencys(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group_id = factories.group(devon)
        with database.transaction(_adviser(factories, devon)) as session:
            break_glass(session, get_group(session, group_id), reason="A court asks", now=NOW)

        with database.transaction(devon.scope) as session:
            [broken] = list_glass(session)
            assert (broken.kind, broken.record_id, broken.code) == (
                "group",
                group_id,
                get_group(session, group_id).code,
            )
        with database.transaction(dorset.scope) as session:
            assert list_glass(session) == []


def _adviser(factories: Factories, tenant: Tenant) -> Scope:
    return factories.colleague(tenant, roles=frozenset({Role.LEGAL_ADVISER})).scope


def _break(database: Database, scope: Scope, household_id: UUID) -> UUID:
    with database.transaction(scope) as session:
        return break_glass(session, get_household(session, household_id), reason="The police ask", now=NOW).id
